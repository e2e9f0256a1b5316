//! What a visitor does on the page with Slurm.

use anyhow::{Context as _, Result};
use clusterlab_tests::browser::Browser;
use serde_json::json;

use super::{Lab as _, Scenario};

/// Jobs that run, wait, depend on each other and are backfilled, and what Slurm's commands say of them.
pub const SCENARIO: Scenario = Scenario {
    spec: "{nodes: [{name: gpu, system: dgx-h100, count: 3}], slurm: {alone: true, users: [bob]}}",
    script: "\
sudo -u bob sbatch -N2 --exclusive -t 60 --wrap 'sleep 3000'
sbatch -N3 --exclusive -t 30 --wrap 'sleep 600'
sbatch --array=1-4%2 -t 10 --gres=gpu:3 --wrap 'echo $SLURM_ARRAY_TASK_ID $CUDA_VISIBLE_DEVICES; sleep 40'
sbatch --dependency=afterok:3 -t 5 --wrap 'cat slurm-3_*.out'
sleep 200
squeue --start
sprio -l
sacct -X -o JobID,State,Start,End,ExitCode
cat slurm-*.out
sleep 3600
sshare -a
sreport cluster utilization
sdiag | head -20
",
    module: "clusterlab_slurm.js",
};

/// Time passes sixty times as fast.
pub fn hurry(browser: &Browser) -> Result<()> {
    browser.script(
        "const speed = document.querySelector('#speed');
         speed.value = '60';
         speed.dispatchEvent(new Event('change', {bubbles: true}));",
        vec![],
    )?;
    Ok(())
}

/// Looks at the cluster as it was at that second.
pub fn look_back(browser: &Browser, second: u32) -> Result<()> {
    browser.script(
        "const line = document.querySelector('#timeline');
         line.value = arguments[0] * 1000;
         line.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        vec![json!(second)],
    )?;
    Ok(())
}

/// Begins "A first batch job" by typing: its first step.
pub fn begin(browser: &Browser) -> Result<()> {
    // The number of CPUs is this learner's own.
    let text = browser.text(".step.active")?.context("an active step")?;
    let before = text.split("CPUs").next().context("the text names a number of CPUs")?;
    let cpus: String = before.chars().rev().skip_while(|c| !c.is_ascii_digit()).take(1).collect();
    browser.command(&format!("sed -i '/--time/a #SBATCH --cpus-per-task={cpus}' job.sh"))?;
    browser.command("sbatch job.sh; sleep 8")?;
    browser.wait_for_step(1)
}

/// Goes on to its end.
pub fn go_on(browser: &Browser) -> Result<()> {
    hurry(browser)?;
    browser.wait_for_end()?;
    browser.command("sleep 60")?;
    browser.wait_for_end()?;
    browser.command("cp slurm-3.out result.txt")?;
    browser.wait_for_step(2)?;
    browser.command("sbatch long.sh; sleep 150")?;
    browser.wait_for_step(3)?;
    browser.wait_for_end()?;
    browser.command("scancel 2")?;
    browser.wait_for_step(4)
}
