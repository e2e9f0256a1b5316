//! What a first visitor does, done to a lab that notes which of its functions run; `cargo xtask first-visit` builds it.
//!
//! What never ran comes to `web-lab/later.txt`. So what is done here is what a visitor can do without waiting for a second
//! download: the first exercise in both languages, with the mistakes that beginners make, and a look at all that is on the
//! page.

#[allow(dead_code, reason = "the tests of the site use the rest")]
#[path = "../tests/lab/mod.rs"]
mod lab;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use clusterlab_tests::browser::{Browser, DESKTOP, PHONE, Site, Visitor};
use fantoccini::key::Key;
use lab::Lab as _;
use serde_json::Value;
use xtask_site::bundle::FUNCTIONS;
use xtask_site::split::{Later, Ran};

const LIST: &str = "web-lab/later.txt";

/// What it is called, which page is opened, by whom, and what is done there.
type Part = (&'static str, &'static str, Visitor, fn(&Browser) -> Result<()>);

fn main() -> Result<()> {
    let site = Site::serve()?;
    let english = Visitor { language: "en", dark: false, size: DESKTOP };
    let korean = Visitor { language: "ko", dark: true, size: DESKTOP };
    let named = "index.html?exercise=first-gpu-pod";
    let framed = "index.html?exercise=first-gpu-pod&embed=1&lang=ko&seed=7";
    let parts: [Part; 9] = [
        ("to the prompt", "index.html", english, |_| Ok(())),
        ("the exercise", "index.html", english, exercise),
        // Learners get other numbers, and things take turns: a few times.
        ("the exercise by its name", named, english, exercise),
        ("the exercise in a frame of the book", framed, english, exercise),
        ("the exercise in Korean", "index.html", korean, exercise),
        ("a reload", "index.html", english, reload),
        ("mistakes", "index.html", english, mistakes),
        ("a look around", "index.html", english, look_around),
        ("a phone, in Korean", "index.html", Visitor { size: PHONE, ..korean }, phone),
    ];
    let mut ran = BTreeSet::new();
    for (part, page, visitor, act) in parts {
        let browser = Browser::start(visitor)?;
        browser.go(&site.url(page))?;
        browser.wait_for_prompt()?;
        act(&browser).with_context(|| part.to_owned())?;
        browser.wait_for_end()?;
        let here = passed(&browser)?;
        let new = here.difference(&ran).count();
        println!("{part}: {} points, {new} of them for the first time", here.len());
        ran.extend(here);
    }
    let file = site.root().join(FUNCTIONS);
    let functions = std::fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    let mut point = 0;
    let mut functions_ran = Vec::new();
    for line in functions.lines() {
        let mut fields = line.splitn(3, ' ');
        let mut field = || fields.next().with_context(|| format!("{FUNCTIONS}: {line}"));
        let (points, size): (u32, u64) = (field()?.parse()?, field()?.parse()?);
        let passed: Vec<bool> = (point..point + points).map(|point| ran.contains(&point)).collect();
        point += points;
        functions_ran.push((field()?, size, passed));
    }
    let functions: Vec<Ran<'_>> =
        functions_ran.iter().map(|(name, size, points)| Ran { name, size: *size, points }).collect();
    std::fs::write(xtask::workspace::root().join(LIST), Later::format(&functions))?;
    let whole = functions.iter().filter(|function| function.points.contains(&true)).count();
    println!("{whole} functions of {} ran, {} points of {point}", functions.len(), ran.len());
    Ok(())
}

/// The points that were passed so far, in the page and in its worker.
fn passed(browser: &Browser) -> Result<BTreeSet<u32>> {
    let points = browser.promise(
        "const channel = new BroadcastChannel('ran'), ran = new Set();
         return await new Promise((done) => {
           let answers = 0;
           channel.onmessage = ({ data }) => {
             for (const point of data) ran.add(point);
             answers += 1;
             if (answers === 2) { channel.close(); done([...ran]); }
           };
           channel.postMessage('who?');
         });",
        vec![],
    )?;
    let points = points.as_array().context("a list")?.iter().filter_map(Value::as_u64);
    Ok(points.filter_map(|point| u32::try_from(point).ok()).collect())
}

fn exercise(browser: &Browser) -> Result<()> {
    for _ in 0..3 {
        browser.click("#hint")?;
    }
    browser.click("#prediction input[value=Succeeded]")?;
    browser.click("#prediction .primary")?;
    browser.wait_until("document.querySelector('.answer')")?;
    browser.solve_first_exercise()?;
    browser.wait_until("document.querySelector('#finished')")
}

fn reload(browser: &Browser) -> Result<()> {
    browser.command("kubectl apply -f pod.yaml")?;
    browser.wait_for_saved_work("kubectl apply -f pod.yaml")?;
    browser.reload()?;
    browser.wait_for_prompt()?;
    browser.command("kubectl get pods")
}

/// Each line ends before the next one is typed.
fn commands(browser: &Browser, lines: &[&str]) -> Result<()> {
    for (number, line) in lines.iter().enumerate() {
        // What is typed does not look like what is printed.
        browser.command(&format!("{line}; echo end-$(({number})).")).and_then(|()| {
            browser
                .wait_for_text("#terminal-log", &format!("end-{number}."))
                .with_context(|| (*line).to_owned())
        })?;
    }
    Ok(())
}

fn mistakes(browser: &Browser) -> Result<()> {
    browser.end_of_editor()?;
    browser.press(Key::Enter)?;
    browser.keys("imagePullPolice: Always")?;
    browser.wait_for_text("[data-testid=problem]", "imagePullPolice")?;
    commands(
        browser,
        &[
            "kubectl apply -f pod.yaml",
            "kubectl apply -f pod.yml",
            "kubectl aply -f pod.yaml",
            "kubectl get pod nothing",
            "kubctl get pods",
            "sed -i /imagePullPolice/d pod.yaml",
            "kubectl create -f pod.yaml",
            "sleep 10; kubectl get pods; kubectl logs cuda-first",
            "kubectl describe pod cuda-first",
            "kubectl delete pod cuda-first",
            "printf '    resources: {requests: {nvidia.com/gpu: 1}}\\n' >> pod.yaml",
            "kubectl apply -f pod.yaml",
            "sed -i 's/requests: {nvidia.com.gpu/limits: {nvidia.com\\/gpus/' pod.yaml; cat pod.yaml",
            "kubectl apply -f pod.yaml; sleep 5; kubectl get pods -o wide",
            "kubectl delete -f pod.yaml",
            "sed -i -e s/gpus/gpu/ -e s/12.4.1/99/ pod.yaml; kubectl apply -f pod.yaml; sleep 40",
            "kubectl get pods; kubectl get events",
            "kubectl delete pod cuda-first --force",
        ],
    )
}

fn look_around(browser: &Browser) -> Result<()> {
    commands(
        browser,
        &[
            "ls -l; cat pod.yaml | head -3; pwd; history; help",
            "kubectl get nodes -o wide; kubectl get pods -A",
            "kubectl describe node gpu-1",
            "kubectl get node gpu-1 -o yaml",
            "nvidia-smi",
            "kubectl --help",
            "kubectl apply -f pod.yaml; sleep 10",
        ],
    )?;
    browser.keys("kubectl get po")?;
    browser.press(Key::Tab)?;
    browser.press(Key::Enter)?;
    browser.press(Key::Up)?;
    browser.press(Key::Enter)?;
    browser.wait_for_end()?;
    for tab in ["nodes", "events", "pods"] {
        browser.click(&format!("[data-tab={tab}]"))?;
    }
    browser.click("#pods .link")?;
    browser.wait_until("document.querySelector('[data-testid=pod-detail]')")?;
    browser.click("#back")?;
    browser.click("#cluster-as-table")?;
    for button in ["#play", "#play", "#step", "#next-event", "#theme-switch", "#lang-switch"] {
        browser.click(button)?;
        browser.wait_for_end()?;
    }
    browser.script(
        "const line = document.querySelector('#timeline');
         line.value = 5000;
         line.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        vec![],
    )?;
    browser.click("#return")
}

fn phone(browser: &Browser) -> Result<()> {
    browser.show_something()?;
    for panel in ["task", "files", "objects", "terminal", "cluster"] {
        browser.open_panel(panel)?;
    }
    Ok(())
}
