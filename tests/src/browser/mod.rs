//! A real Chromium, driven through WebDriver, that loads the site as a visitor would.
//!
//! Each [`Browser`] is a visitor of its own: a fresh profile, its own driver on a free port. It ends what it has started,
//! and nothing else. Its methods wait for their result, so that a test reads as what a person does, one thing after
//! the other; each gives up with a message after [`PATIENCE`].

mod command;
mod driver;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use xtask::serve::Server;

use self::command::Command;
use self::driver::{Driver, Profile};

/// How long to wait for something to show on the page before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Window sizes at which the page is looked at.
pub const DESKTOP: (u32, u32) = (1440, 900);
/// A phone held upright.
pub const PHONE: (u32, u32) = (390, 844);

/// Where pictures of the page are put.
pub fn screenshots() -> PathBuf {
    xtask::workspace::target_dir().unwrap_or_else(|_| PathBuf::from("target")).join("screenshots")
}

/// A folder, served to this machine alone on a free port.
#[derive(Debug)]
pub struct Site {
    root: PathBuf,
    address: SocketAddr,
    requested: Arc<Mutex<BTreeSet<String>>>,
}

impl Site {
    /// Serves the built site: `CLUSTERLAB_SITE`, which `cargo xtask test` sets, or what it built last.
    ///
    /// # Errors
    /// When no site was built.
    pub fn serve() -> Result<Self> {
        let root = match std::env::var_os("CLUSTERLAB_SITE") {
            Some(folder) => PathBuf::from(folder),
            None => xtask::lab::test_site()?,
        };
        if !root.join("index.html").is_file() {
            bail!("{} holds no site: `cargo xtask test --only site` builds it", root.display());
        }
        let server = Server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = server.address();
        let folder = root.clone();
        let requested = Arc::<Mutex<BTreeSet<String>>>::default();
        let heard = Arc::clone(&requested);
        let hear = move |path: &str| {
            if let Ok(mut requested) = heard.lock() {
                requested.insert(path.to_owned());
            }
        };
        // It ends with the test process.
        thread::spawn(move || server.run_and_tell(&folder, hear));
        Ok(Self { root, address, requested })
    }

    /// The folder that is served.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The paths that were asked for until now, by pages and their workers.
    pub fn requested(&self) -> BTreeSet<String> {
        self.requested.lock().map(|requested| requested.clone()).unwrap_or_default()
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

/// Who visits.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    /// The language that the browser asks for: `en`, `ko`.
    pub language: &'static str,
    /// Whether the system is set to dark.
    pub dark: bool,
    /// Width and height in CSS pixels.
    pub size: (u32, u32),
}

impl Default for Visitor {
    fn default() -> Self {
        Self { language: "en", dark: false, size: DESKTOP }
    }
}

/// A running browser with one page.
#[derive(Debug)]
pub struct Browser {
    runtime: Runtime,
    client: Client,
    // Dropped last, in this order: the driver ends the browser, which then lets go of its profile.
    _driver: Driver,
    _profile: Profile,
}

impl Browser {
    /// Starts a browser for a visitor.
    ///
    /// # Errors
    /// When Chromium or its driver is missing or does not start.
    pub fn start(visitor: Visitor) -> Result<Self> {
        let driver = Driver::start()?;
        let profile = Profile::new()?;
        let arguments = [
            "--headless".to_owned(),
            // Continuous integration runs as root, where Chromium's sandbox refuses to start.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--lang={}", visitor.language),
            format!("--accept-lang={}", visitor.language),
            format!("--window-size={},{}", visitor.size.0, visitor.size.1),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": { "intl.accept_languages": visitor.language },
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            bail!("capabilities are an object");
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime
            .block_on(
                ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&driver.url()),
            )
            .context("cannot start Chromium through its driver")?;
        let browser = Self { runtime, client, _driver: driver, _profile: profile };
        browser.look_as(visitor)?;
        Ok(browser)
    }

    /// Sets size and colours. The language is fixed when the browser starts.
    ///
    /// # Errors
    /// When the browser is gone; the same for every method below.
    pub fn look_as(&self, visitor: Visitor) -> Result<()> {
        let (width, height) = visitor.size;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        )?;
        let scheme = if visitor.dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        )?;
        Ok(())
    }

    /// Loads a page and waits until it and what it names are there.
    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn go(&self, url: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client.goto(url))?)
    }

    /// Loads the present page again.
    #[allow(clippy::missing_errors_doc)]
    pub fn reload(&self) -> Result<()> {
        Ok(self.runtime.block_on(self.client.refresh())?)
    }

    /// Runs a function body in the page; `arguments[0]` and so on are what is given.
    #[allow(clippy::missing_errors_doc)]
    pub fn script(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.runtime.block_on(self.client.execute(body, arguments))?)
    }

    /// Runs a function body in the page that gives a promise, and waits for what it promises.
    ///
    /// # Errors
    /// When the promise is not kept.
    pub fn promise(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }}).apply(null, arguments)
               .then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        // Arrow functions see the outer `arguments`, which is what `body` means.
        let answer = self.runtime.block_on(self.client.execute_async(&script, arguments))?;
        match answer.get("error") {
            Some(error) => Err(anyhow!("in the page: {error}")),
            None => Ok(answer["value"].clone()),
        }
    }

    /// Calls a method of the DevTools protocol.
    #[allow(clippy::missing_errors_doc)]
    pub fn devtools(&self, method: &str, parameters: &Value) -> Result<Value> {
        let command = Command::post("goog/cdp/execute", json!({ "cmd": method, "params": parameters }));
        self.runtime.block_on(self.client.issue_cmd(command)).with_context(|| method.to_owned())
    }

    /// Clicks what a CSS selector finds, after waiting for it.
    #[allow(clippy::missing_errors_doc)]
    pub fn click(&self, selector: &str) -> Result<()> {
        let element = self.runtime.block_on(
            self.client.wait().at_most(PATIENCE).every(BETWEEN_LOOKS).for_element(Locator::Css(selector)),
        );
        let element = element.with_context(|| format!("nothing on the page is `{selector}`"))?;
        self.runtime.block_on(element.click()).with_context(|| format!("click on `{selector}`"))
    }

    /// Types into what a CSS selector finds.
    #[allow(clippy::missing_errors_doc)]
    pub fn type_into(&self, selector: &str, keys: &str) -> Result<()> {
        let element = self.runtime.block_on(
            self.client.wait().at_most(PATIENCE).every(BETWEEN_LOOKS).for_element(Locator::Css(selector)),
        );
        let element = element.with_context(|| format!("nothing on the page is `{selector}`"))?;
        self.runtime.block_on(element.send_keys(keys)).with_context(|| format!("typing into `{selector}`"))
    }

    /// Types wherever the focus is, as a person without a mouse does.
    #[allow(clippy::missing_errors_doc)]
    pub fn keys(&self, keys: &str) -> Result<()> {
        let element = self.runtime.block_on(self.client.active_element())?;
        Ok(self.runtime.block_on(element.send_keys(keys))?)
    }

    /// Presses one key wherever the focus is.
    #[allow(clippy::missing_errors_doc)]
    pub fn press(&self, key: Key) -> Result<()> {
        self.keys(&char::from(key).to_string())
    }

    /// The text that the page shows in the first element that a selector finds; nothing when there is none.
    #[allow(clippy::missing_errors_doc)]
    pub fn text(&self, selector: &str) -> Result<Option<String>> {
        let text = self.script(
            "const found = document.querySelector(arguments[0]);
             return found && (/^(INPUT|TEXTAREA)$/.test(found.tagName) ? found.value : found.innerText);",
            vec![json!(selector)],
        )?;
        Ok(text.as_str().map(str::to_owned))
    }

    /// Waits until the text of an element contains `wanted`.
    ///
    /// # Errors
    /// When it does not in time; the message shows what stood there last.
    pub fn wait_for_text(&self, selector: &str, wanted: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let text = self.text(selector)?;
            if text.as_deref().is_some_and(|text| text.contains(wanted)) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let text = text.unwrap_or_else(|| "(no such element)".to_owned());
                let tail: Vec<&str> = text.lines().rev().take(30).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                bail!("`{selector}` does not come to show {wanted:?}; its last lines are:\n{tail}");
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Waits until an expression is true in the page.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn wait_until(&self, expression: &str) -> Result<()> {
        let began = Instant::now();
        let script = format!("return !!({expression});");
        loop {
            if self.script(&script, vec![])? == Value::Bool(true) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                bail!("`{expression}` does not come true");
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Composes text in the focused field as an input method does, one step after the other (`ㅎ`, `하`, `한`), and
    /// commits the last.
    #[allow(clippy::missing_errors_doc)]
    pub fn compose(&self, steps: &[&str]) -> Result<()> {
        for step in steps {
            let end = step.encode_utf16().count();
            self.devtools(
                "Input.imeSetComposition",
                &json!({ "text": step, "selectionStart": end, "selectionEnd": end }),
            )?;
        }
        if let Some(last) = steps.last() {
            self.devtools("Input.insertText", &json!({ "text": last }))?;
        }
        Ok(())
    }

    /// What the page has written to the console since this was last asked, warnings and errors only.
    #[allow(clippy::missing_errors_doc)]
    pub fn complaints(&self) -> Result<Vec<String>> {
        let log = self
            .runtime
            .block_on(self.client.issue_cmd(Command::post("se/log", json!({ "type": "browser" }))))?;
        let entries = log.as_array().cloned().unwrap_or_default();
        let bad = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        Ok(entries.iter().filter(bad).map(|entry| entry["message"].to_string()).collect())
    }

    /// Takes a picture of what is in the window.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let png = self.runtime.block_on(self.client.screenshot())?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, png).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current().name().unwrap_or("test").replace("::", "-");
            let file = screenshots().join(format!("failed-{name}.png"));
            if self.screenshot(&file).is_ok() {
                eprintln!("what the browser showed: {}", file.display());
            }
            for complaint in self.complaints().unwrap_or_default() {
                eprintln!("console: {complaint}");
            }
        }
        // The driver closes Chromium when its session ends; it is asked to, and then ended itself.
        self.runtime.block_on(async {
            let close = self.client.clone().close();
            tokio::time::timeout(Duration::from_secs(5), close).await.ok();
        });
    }
}
