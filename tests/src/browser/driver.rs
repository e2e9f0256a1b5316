//! Chromium's driver as a child process, and a folder for a browser's profile.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

/// A running `chromedriver`; ends with this value.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// Starts the driver on a port that it chooses itself.
    pub fn start() -> Result<Self> {
        let program = xtask::needs::find_program(&["chromedriver"]).context(
            "chromedriver is missing: install Chromium's driver (Debian: apt-get install chromium-driver)",
        )?;
        let mut child = Command::new(program)
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start chromedriver")?;
        let stdout = child.stdout.take().context("chromedriver has no output")?;
        let mut driver = Self { child, port: 0 };
        // "ChromeDriver was started successfully on port 34567."
        let lines = BufReader::new(stdout).lines();
        for line in lines.map_while(Result::ok) {
            let port = line.split("on port ").nth(1).and_then(|rest| rest.trim_end_matches('.').parse().ok());
            if let (true, Some(port)) = (line.contains("started successfully"), port) {
                driver.port = port;
                return Ok(driver);
            }
        }
        anyhow::bail!("chromedriver ended before it listened")
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A fresh profile; its files go with this value.
#[derive(Debug)]
pub struct Profile {
    path: PathBuf,
}

impl Profile {
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("clusterlab-browser-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // The browser may still be writing its last words.
        for _ in 0..20 {
            if std::fs::remove_dir_all(&self.path).is_ok() || !self.path.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
