//! What a visitor does in the lab's page, in the page's own terms.

pub mod slurm;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clusterlab_tests::browser::{Browser, Site};
use fantoccini::key::Key;
use serde_json::{Value, json};

/// A visitor of the lab's page.
pub trait Lab {
    /// Waits until a command can be typed.
    fn wait_for_prompt(&self) -> Result<()>;
    /// Types a command line and presses Enter.
    fn command(&self, line: &str) -> Result<()>;
    /// Waits until the terminal has a free prompt again.
    fn wait_for_end(&self) -> Result<()>;
    /// Waits until a step is ticked.
    fn wait_for_step(&self, number: u32) -> Result<()>;
    /// What the terminal shows.
    fn terminal(&self) -> String;
    /// Puts the caret behind the last character of the editor, on a new line if the last one has something.
    fn end_of_editor(&self) -> Result<()>;
    /// Waits until the page has written the work to the browser's storage, up to a command with these words.
    fn wait_for_saved_work(&self, words: &str) -> Result<()>;
    /// How many steps are ticked.
    fn steps_done(&self) -> Result<u64>;
    /// Solves "Your first GPU pod" by typing into editor and terminal.
    fn solve_first_exercise(&self) -> Result<()>;
    /// Does enough for the picture to have something in it.
    fn show_something(&self) -> Result<()>;
    /// Opens a part of the page where only one has room, as on a phone; elsewhere all are open.
    fn open_panel(&self, name: &str) -> Result<()>;
    /// Adds that many machines to the cluster, and waits until all are drawn.
    fn add_machines(&self, count: usize) -> Result<()>;
    /// Watches for that long how much work each frame is.
    fn frames(&self, length: Duration) -> Result<Frames>;
    /// Has the page compute a scenario that this machine computes too.
    fn digest_of(&self, scenario: &Scenario) -> Result<String>;
}

/// How busy the page was in each frame: from the instant at which the browser began it until it was painted, with
/// everything that kept the page from beginning. In milliseconds.
pub struct Frames {
    /// How many there were.
    pub count: u64,
    /// Half of them took less.
    pub median: f64,
    /// 95 of a hundred took less.
    pub most: f64,
    /// The one that took longest.
    pub longest: f64,
    /// How many took longer than 16 ms.
    pub over: u64,
}

impl Lab for Browser {
    fn wait_for_prompt(&self) -> Result<()> {
        // The prompt is drawn while the lab is still being made.
        self.wait_until(
            "document.querySelector('.lab')?.dataset.ready === 'true'
             && document.querySelector('[data-testid=prompt]')?.innerText.includes('$')",
        )
        .context("the terminal shows no prompt")
    }

    fn command(&self, line: &str) -> Result<()> {
        self.type_into("#terminal-input", &format!("{line}\n"))
    }

    fn wait_for_end(&self) -> Result<()> {
        self.wait_until(
            "document.querySelector('[data-testid=prompt]')?.innerText.includes('$') && !document.querySelector('.ask.busy')",
        )
    }

    fn wait_for_step(&self, number: u32) -> Result<()> {
        self.wait_until(&format!("document.querySelector('#step-{number}')?.dataset.done === 'true'"))
            .with_context(|| format!("step {number} is not ticked; the terminal shows:\n{}", self.terminal()))
    }

    fn terminal(&self) -> String {
        self.text("#terminal-log").ok().flatten().unwrap_or_default()
    }

    fn end_of_editor(&self) -> Result<()> {
        self.wait_until("document.querySelector('#editor')")?;
        self.script(
            "const area = document.querySelector('#editor');
             area.focus();
             area.setSelectionRange(area.value.length, area.value.length);",
            vec![],
        )?;
        Ok(())
    }

    fn wait_for_saved_work(&self, words: &str) -> Result<()> {
        self.wait_until(&format!(
            "Object.values(localStorage).some((value) => value.includes({}))",
            json!(words)
        ))
    }

    fn steps_done(&self) -> Result<u64> {
        let count =
            self.script("return document.querySelectorAll('.step[data-done=true]').length;", vec![])?;
        count.as_u64().context("a number")
    }

    fn solve_first_exercise(&self) -> Result<()> {
        // One GPU for the first pod, in the editor.
        self.click("[data-file='pod.yaml']")?;
        self.end_of_editor()?;
        self.keys("    resources:")?;
        self.press(Key::Enter)?;
        self.keys("limits:")?;
        self.press(Key::Enter)?;
        self.keys("nvidia.com/gpu: 1")?;
        self.command("kubectl apply -f pod.yaml")?;
        self.wait_for_text("#terminal-log", "pod/cuda-first created")?;
        self.command("sleep 60")?;
        self.wait_for_step(1)?;
        self.wait_for_end()?;
        self.command("kubectl logs cuda-first > gpu.txt")?;
        self.wait_for_step(2)?;
        // The name and the number of the second pod are this learner's own.
        let text = self.text(".step.active")?.context("an active step")?;
        let name = word_after(&text, "cuda-").context("the text names the second pod")?;
        let gpus = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse::<u32>().ok())
            .find(|number| (9..=16).contains(number))
            .context("the text names a number of GPUs")?;
        let second = |gpus: u32| {
            format!("sed -e 's/cuda-first/cuda-{name}/' -e 's|gpu: 1|gpu: {gpus}|' pod.yaml > second.yaml")
        };
        self.command(&second(gpus))?;
        self.command("kubectl apply -f second.yaml")?;
        self.wait_for_step(3)?;
        self.command(&format!("kubectl describe pod cuda-{name} | grep Insufficient > why.txt"))?;
        self.wait_for_step(4)?;
        self.command(&format!("kubectl delete pod cuda-{name}"))?;
        self.wait_for_text("#terminal-log", "deleted from default namespace")?;
        self.command(&second(8))?;
        self.command("kubectl apply -f second.yaml")?;
        self.command("sleep 60")?;
        self.wait_for_step(5)
    }

    fn show_something(&self) -> Result<()> {
        self.open_panel("files")?;
        self.end_of_editor()?;
        self.keys("    resources: {limits: {nvidia.com/gpu: 3}}")?;
        self.open_panel("terminal")?;
        self.command("kubectl apply -f pod.yaml")?;
        self.command("kubectl get nodes")?;
        self.wait_for_text("#terminal-log", "gpu-2")?;
        self.open_panel("cluster")
    }

    fn open_panel(&self, name: &str) -> Result<()> {
        self.script(
            "const button = document.querySelector(`nav.panels [data-panel=${arguments[0]}]`);
             if (button?.offsetParent) button.click();",
            vec![json!(name)],
        )?;
        // Drawn with the next frame.
        self.promise(
            "await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));",
            vec![],
        )?;
        Ok(())
    }

    fn add_machines(&self, count: usize) -> Result<()> {
        self.command(&format!(
            "for i in $(seq {count}); do printf 'apiVersion: v1\\nkind: Node\\nmetadata: {{name: m%04d}}\\n---\\n' $i; \
             done > machines.yaml; kubectl apply -f machines.yaml | tail -n 1"
        ))?;
        self.wait_until(&format!("document.querySelectorAll('.nodedot').length > {count}"))
            .with_context(|| format!("the machines are not drawn; the terminal shows:\n{}", self.terminal()))
    }

    fn frames(&self, length: Duration) -> Result<Frames> {
        let busy = self.promise(
            "const painted = new MessageChannel(), busy = [];
             const after = () => new Promise((done) => { painted.port1.onmessage = done; painted.port2.postMessage(0); });
             const until = performance.now() + arguments[0];
             while (performance.now() < until) {
               const began = await new Promise(requestAnimationFrame);
               await after();
               busy.push(performance.now() - began);
             }
             return busy.sort((a, b) => a - b);",
            vec![json!(length.as_millis() as u64)],
        )?;
        let busy: Vec<f64> = busy.as_array().context("a list")?.iter().filter_map(Value::as_f64).collect();
        let at = |part: f64| busy.get((busy.len() as f64 * part) as usize).copied().unwrap_or_default();
        Ok(Frames {
            count: busy.len() as u64,
            median: at(0.5),
            most: at(0.95),
            longest: busy.last().copied().unwrap_or_default(),
            over: busy.iter().filter(|millis| **millis > 16.0).count() as u64,
        })
    }

    fn digest_of(&self, scenario: &Scenario) -> Result<String> {
        // The page's own module, which the browser has loaded already.
        let digest = self.promise(
            "const names = performance.getEntriesByType('resource').map((entry) => entry.name);
             const module = await import(names.find((name) => name.endsWith(arguments[2])));
             return module.digest(arguments[0], arguments[1]);",
            vec![json!(scenario.spec), json!(scenario.script), json!(scenario.module)],
        )?;
        digest.as_str().map(str::to_owned).context("the page gives no digest")
    }
}

fn word_after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let words = text.split(prefix).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        &rest[..end]
    });
    words.into_iter().find(|word| *word != "first" && !word.is_empty())
}

/// What the page and this machine compute, and the module of the page that does.
pub struct Scenario {
    spec: &'static str,
    script: &'static str,
    module: &'static str,
}

/// The scenario of the first page.
pub const FIRST: Scenario = Scenario { spec: SPEC, script: SCRIPT, module: "clusterlab_web.js" };

/// The fixed scenario: machines of two kinds, a pod that runs and one that cannot.
const SPEC: &str = include_str!("../../../exercises/data/first-gpu-pod/lab.yaml");
const SCRIPT: &str = "\
kubectl get nodes -o wide
cat > pod.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: cuda-first}
spec:
  restartPolicy: Never
  containers:
  - name: cuda
    image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04
    command: [nvidia-smi]
    resources: {limits: {nvidia.com/gpu: 1}}
END
kubectl apply -f pod.yaml
sleep 60
kubectl logs cuda-first
sed -e s/cuda-first/cuda-many/ -e 's/gpu: 1/gpu: 16/' pod.yaml | kubectl apply -f -
sleep 60
kubectl describe pod cuda-many
kubectl delete pod cuda-first
";

/// The digest of a scenario, computed here.
pub fn native_digest(scenario: &Scenario) -> Result<String> {
    let mut lab = clusterlab::lab::Lab::new(clusterlab::lab::LabSpec::from_yaml(scenario.spec)?)?;
    lab.run(scenario.script);
    Ok(lab.digest().to_string())
}

/// Bytes of wasm, JavaScript, CSS and the exercise that page and worker have asked for: as they are, and compressed by
/// Brotli.
pub fn downloaded(site: &Site) -> Result<(u64, u64)> {
    let (mut raw, mut packed) = (0, 0);
    let counted =
        |path: &String| [".wasm", ".js", ".css", ".json"].iter().any(|ending| path.ends_with(ending));
    for path in site.requested().into_iter().filter(|path| path.starts_with("/assets/")).filter(counted) {
        let bytes =
            std::fs::read(site.root().join(path.trim_start_matches('/'))).with_context(|| path.clone())?;
        let mut small = Vec::new();
        // Quality 11 and a window of 16 MiB: what a web host does with files that do not change.
        let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
        brotli::BrotliCompress(&mut bytes.as_slice(), &mut small, &parameters)?;
        raw += bytes.len() as u64;
        packed += small.len() as u64;
    }
    Ok((raw, packed))
}

/// Whether the part of the module was asked for that a first visit goes without.
pub fn asked_for_the_rest(site: &Site) -> bool {
    site.requested().iter().any(|path| path.ends_with("_rest.wasm"))
}

/// The version of axe-core that judges the page.
const AXE: &str = "axe-core@4.14.1";

/// The accessibility checker's source, from npm's cache or registry; nothing when neither is there.
pub fn axe() -> Option<String> {
    let folder = xtask::workspace::target_dir().ok()?.join("axe");
    let source = folder.join("package").join("axe.min.js");
    if !source.is_file() {
        fetch_axe(&folder)?;
    }
    std::fs::read_to_string(source).ok()
}

fn fetch_axe(folder: &PathBuf) -> Option<()> {
    std::fs::create_dir_all(folder).ok()?;
    let npm = Command::new("npm").args(["pack", "--silent", AXE]).current_dir(folder).output().ok()?;
    let archive = String::from_utf8(npm.stdout).ok()?;
    let archive = archive.lines().last()?.trim();
    let status = Command::new("tar").args(["-xzf", archive]).current_dir(folder).status().ok()?;
    status.success().then_some(())
}

/// What axe-core finds wrong, one line per element.
pub fn run_axe(browser: &Browser, axe: &str) -> Result<Vec<String>> {
    browser.script(axe, vec![])?;
    let found = browser.promise(
        "const { violations } = await axe.run();
         return violations.flatMap((v) => v.nodes.map((n) => `${v.id} (${v.impact}): ${v.help}: ${n.html.slice(0, 200)}`));",
        vec![],
    )?;
    Ok(found
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect())
}
