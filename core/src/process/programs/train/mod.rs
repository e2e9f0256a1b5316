//! A training run by declared figures: `python train.py`, `torchrun train.py`.
//!
//! Nothing is learned here. How long the run takes, how busy it keeps the GPUs
//! and how much memory it holds follow from its options ([`Options`]); the loss
//! falls along a fixed curve with seeded noise. Everything around that is as
//! with a real PyTorch script:
//!
//! - it takes [`STARTUP`] before the first step (imports, CUDA context);
//! - `python` uses one GPU unless `--gpus` says more, however many the container
//!   was granted; `torchrun --nproc-per-node N` uses N;
//! - `CUDA_VISIBLE_DEVICES` counts;
//! - without a GPU, with too little memory, or when a GPU fails under it, it ends
//!   with PyTorch's error and exit code 1;
//! - a step takes `--step-time`; a line is printed every `--log-every` steps and
//!   at the end of each epoch;
//! - on SIGTERM it saves a checkpoint (if it has a directory for it) and ends with 0.
//!
//! A file is such a script if one of its first lines is the comment
//! `# clusterlab: train`, followed by its default options if it has some.

mod errors;
mod options;
mod torchrun;

use std::fmt::Write as _;
use std::time::Duration;

use errors::{cuda_error, out_of_memory};
pub use options::Options;
pub(super) use torchrun::torchrun;

use super::super::files;
use super::ContainerProgram;
use crate::hardware::GpuProcess;
use crate::process::container::ContainerHost;
use crate::process::{Call, Io, OutOfMemory, Signal, Step};
use crate::sim::{Seed, SimTime};

/// Imports and CUDA context: what a run takes before its first step.
pub const STARTUP: Duration = Duration::from_secs(2);

/// The comment that makes a file a training script.
const DIRECTIVE: &str = "# clusterlab: train";

/// A training run.
#[derive(Clone, Debug)]
pub struct Train {
    options: Options,
    /// As it was typed; tracebacks and usage bear it.
    script: String,
    pid: u32,
    cwd: String,
    /// GPUs by the number that they have in the container, after `CUDA_VISIBLE_DEVICES`.
    visible: Vec<usize>,
    /// Ranks of `torchrun`; `None` under plain `python`.
    ranks: Option<usize>,
    /// What it has of the machine's memory, in MiB.
    host_mib: u64,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    New,
    Starting(SimTime),
    Running(Running),
}

#[derive(Clone, Debug)]
struct Running {
    /// When step `first` began.
    began: SimTime,
    first: u64,
    /// Steps that are done and were told.
    done: u64,
    /// The GPUs it is on, and the uncorrected ECC errors that each had.
    gpus: Vec<(usize, u64)>,
}

/// The default options of a training script, or `None` if the file is none.
pub(super) fn directive(source: &str) -> Option<Vec<String>> {
    let line = source.lines().take(5).find_map(|line| line.trim().strip_prefix(DIRECTIVE))?;
    line.is_empty().then(Vec::new).or_else(|| {
        line.starts_with(char::is_whitespace).then(|| line.split_whitespace().map(str::to_owned).collect())
    })
}

/// Starts a script with its own defaults and the arguments of the command line.
pub(super) fn start(
    script: &str,
    defaults: &[String],
    args: &[String],
    call: &Call,
    host: &ContainerHost<'_>,
    ranks: Option<usize>,
) -> ContainerProgram {
    let name = script.rsplit('/').next().unwrap_or(script);
    let options = match Options::default().read(name, defaults).and_then(|options| options.read(name, args)) {
        Ok(options) => options,
        Err(printed) => return printed.into(),
    };
    ContainerProgram::Train(Box::new(Train {
        options,
        script: script.to_owned(),
        pid: call.pid,
        cwd: call.cwd.clone(),
        visible: visible(host, call.env.get("CUDA_VISIBLE_DEVICES").map(String::as_str)),
        ranks,
        host_mib: 0,
        phase: Phase::New,
    }))
}

/// The GPUs that CUDA shows: those of `CUDA_VISIBLE_DEVICES` up to the first
/// that does not exist, or all.
pub(super) fn visible(host: &ContainerHost<'_>, list: Option<&str>) -> Vec<usize> {
    let granted = if host.has_driver() { host.gpus.len() } else { 0 };
    let Some(list) = list else { return (0..granted).collect() };
    list.split(',')
        .map(|entry| {
            let entry = entry.trim();
            entry
                .parse()
                .ok()
                .or_else(|| (0..granted).find(|i| host.gpu(*i).is_some_and(|gpu| gpu.uuid == entry)))
                .filter(|number: &usize| *number < granted)
        })
        .map_while(|number| number)
        .collect()
}

impl Train {
    pub(super) fn step(&mut self, host: &mut ContainerHost<'_>, io: &mut Io<'_>) -> Step {
        match self.phase {
            Phase::New => {
                let at = host.now + STARTUP;
                self.phase = Phase::Starting(at);
                Step::Until(at)
            }
            Phase::Starting(at) if host.now < at => Step::Until(at),
            Phase::Starting(_) => {
                if self.take_memory(host).is_err() {
                    // The kernel does not ask the program.
                    return Step::Killed(Signal::Kill);
                }
                match self.begin(host, io) {
                    Ok(()) => self.go_on(host, io),
                    Err(error) => self.crash(host, io, &error),
                }
            }
            Phase::Running(_) => self.go_on(host, io),
        }
    }

    pub(super) fn signal(&mut self, host: &mut ContainerHost<'_>, signal: Signal) -> u8 {
        if signal == Signal::Term {
            let done = match &self.phase {
                Phase::Running(running) => self.done_at(running, host.now),
                _ => 0,
            };
            self.save(host, done);
        }
        self.leave(host);
        if signal == Signal::Term { 0 } else { 128 + signal.number() }
    }

    /// Puts the load on the GPUs and prints the first lines.
    fn begin(&mut self, host: &mut ContainerHost<'_>, io: &mut Io<'_>) -> Result<(), String> {
        let wanted = self.ranks.unwrap_or_else(|| self.options.gpus.unwrap_or(self.visible.len()).max(1));
        let mut gpus = Vec::new();
        if !self.options.cpu {
            if self.visible.is_empty() {
                return Err(if host.has_driver() {
                    "RuntimeError: No CUDA GPUs are available".to_owned()
                } else {
                    "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU \
                     and installed a driver from http://www.nvidia.com/Download/index.aspx"
                        .to_owned()
                });
            }
            if wanted > self.visible.len() {
                return Err(cuda_error("invalid device ordinal"));
            }
            for (rank, number) in self.visible.clone().into_iter().take(wanted).enumerate() {
                match self.enter(host, rank, number) {
                    Ok(errors) => gpus.push((number, errors)),
                    Err(error) => {
                        self.phase = Phase::Running(Running { began: host.now, first: 0, done: 0, gpus });
                        return Err(error);
                    }
                }
            }
        }
        let mut text = match gpus.first().and_then(|(number, _)| host.gpu(*number)) {
            Some(gpu) => format!("Training on {} x {}\n", gpus.len(), gpu.spec.name),
            None => "Training on the CPU\n".to_owned(),
        };
        let first = if self.options.resume { self.load(host) } else { 0 };
        if first > 0 {
            let _ = writeln!(text, "Resuming from step {first}");
        }
        io.stdout.extend_from_slice(text.as_bytes());
        self.phase = Phase::Running(Running { began: host.now, first, done: first, gpus });
        Ok(())
    }

    /// Takes one GPU; answers the ECC errors that it has had.
    fn enter(&self, host: &mut ContainerHost<'_>, rank: usize, number: usize) -> Result<u64, String> {
        let now = host.now;
        let gpu = host.gpu_mut(number).ok_or_else(|| cuda_error("invalid device ordinal"))?;
        if gpu.is_lost() {
            return Err(cuda_error("no CUDA-capable device is detected"));
        }
        let memory_mib = if self.options.oom { u32::MAX } else { self.options.gpu_memory_mib };
        let process = GpuProcess {
            pid: self.pid,
            name: "python".to_owned(),
            memory_mib,
            sm_percent: self.options.gpu_util,
        };
        match gpu.attach(now, process) {
            Ok(()) => Ok(gpu.ecc().uncorrected),
            Err(short) => Err(out_of_memory(gpu, rank, short.wanted_mib, short.free_mib)),
        }
    }

    /// Tells what happened up to now, and when there is more to tell.
    fn go_on(&mut self, host: &mut ContainerHost<'_>, io: &mut Io<'_>) -> Step {
        let Phase::Running(mut running) = self.phase.clone() else { return Step::Ready };
        if let Some(error) = failure(host, &running) {
            return self.crash(host, io, &error);
        }
        let total = self.options.epochs.saturating_mul(self.options.steps_per_epoch);
        let reached = self.done_at(&running, host.now).min(total);
        while running.done < total {
            let next = self.next_mark(running.done).min(total);
            if next > reached {
                let at = running.began + times(self.options.step_time, next - running.first);
                self.phase = Phase::Running(running);
                return Step::Until(at);
            }
            running.done = next;
            if self.options.fail_at_step == Some(next) {
                self.phase = Phase::Running(running);
                return self.crash(host, io, &format!("RuntimeError: training failed at step {next}"));
            }
            let text = self.report(next, running.gpus.len().max(1));
            io.stdout.extend_from_slice(text.as_bytes());
            if next.is_multiple_of(self.options.steps_per_epoch) {
                self.save(host, next);
            }
        }
        let text = format!(
            "Training finished: {} epochs, {total} steps, final loss {}\n",
            self.options.epochs,
            decimals(self.loss(total))
        );
        io.stdout.extend_from_slice(text.as_bytes());
        self.phase = Phase::Running(running);
        self.leave(host);
        Step::Exit(0)
    }

    /// Steps that are done at `now`.
    fn done_at(&self, running: &Running, now: SimTime) -> u64 {
        let steps = now.since(running.began).as_nanos() / self.options.step_time.as_nanos().max(1);
        running.first.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// The next step after `done` at which something is printed or happens.
    fn next_mark(&self, done: u64) -> u64 {
        let after = |every: u64| (done / every).saturating_add(1).saturating_mul(every);
        let epoch = self.options.steps_per_epoch;
        // Lines count within the epoch, as a progress bar does.
        let within = done % epoch;
        let line =
            (done - within).saturating_add((within / self.options.log_every + 1) * self.options.log_every);
        let fail = self.options.fail_at_step.filter(|step| *step > done).unwrap_or(u64::MAX);
        after(epoch).min(line).min(fail)
    }

    /// The lines for a step that was reached.
    fn report(&self, step: u64, gpus: usize) -> String {
        let Options { epochs, steps_per_epoch, .. } = self.options;
        let (epoch, within) = ((step - 1) / steps_per_epoch + 1, (step - 1) % steps_per_epoch + 1);
        let mut text = String::new();
        if within.is_multiple_of(self.options.log_every) || within == steps_per_epoch {
            // Samples per second in tenths, without a float.
            let samples = u128::from(self.options.batch_size) * gpus as u128 * 10_000_000_000;
            let rate = samples / self.options.step_time.as_nanos().max(1);
            let _ = writeln!(
                text,
                "epoch {epoch}/{epochs} step {within:>width$}/{steps_per_epoch} loss {} {}.{} samples/s",
                decimals(self.loss(step)),
                rate / 10,
                rate % 10,
                width = steps_per_epoch.to_string().len(),
            );
        }
        if within == steps_per_epoch {
            let span = times(self.options.step_time, steps_per_epoch);
            let _ = writeln!(
                text,
                "epoch {epoch}/{epochs} done in {}.{} s, loss {}",
                span.as_secs(),
                span.subsec_millis() / 100,
                decimals(self.loss(step))
            );
        }
        text
    }

    /// The loss after `step`, in ten-thousandths: from 2.5 down towards 0.3, with noise.
    fn loss(&self, step: u64) -> u64 {
        let steps = u128::from(self.options.steps_per_epoch);
        // A hyperbola that halves the distance after one epoch.
        let fallen = 22_000 * steps / (steps + u128::from(step));
        let mut rng = Seed::new(self.options.seed).rng(&format!("train/{step}"));
        let noise = rng.below(fallen as u64 / 20 + 1);
        3_000 + fallen as u64 + noise
    }

    /// Ends with a traceback.
    fn crash(&mut self, host: &mut ContainerHost<'_>, io: &mut Io<'_>, error: &str) -> Step {
        let rank = if self.ranks.is_some() { "[rank0]: " } else { "" };
        let mut text = String::new();
        let path = files::resolve(&self.cwd, &self.script);
        let _ = writeln!(
            text,
            "{rank}Traceback (most recent call last):\n{rank}  File \"{path}\", line 1, in <module>"
        );
        for line in error.lines() {
            let _ = writeln!(text, "{rank}{line}");
        }
        if self.ranks.is_some() {
            let _ = writeln!(
                text,
                "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n\
                 ============================================================\n\
                 {} FAILED\n\
                 ------------------------------------------------------------\n\
                 Root Cause (first observed failure):\n  rank      : 0 (local_rank: 0)\n  exitcode  : 1 (pid: {})\n\
                 ============================================================",
                self.script, self.pid
            );
        }
        io.stderr.extend_from_slice(text.as_bytes());
        self.leave(host);
        Step::Exit(1)
    }

    /// All of its processes take what they need of the machine's memory.
    fn take_memory(&mut self, host: &mut ContainerHost<'_>) -> Result<(), OutOfMemory> {
        let mib = u64::from(self.options.host_memory_mib) * self.ranks.unwrap_or(1) as u64;
        host.memory.charge(mib)?;
        self.host_mib = mib;
        Ok(())
    }

    /// Takes the load off the GPUs, and gives the memory back.
    fn leave(&mut self, host: &mut ContainerHost<'_>) {
        host.memory.uncharge(std::mem::take(&mut self.host_mib));
        let Phase::Running(running) = &self.phase else { return };
        let now = host.now;
        for (number, _) in &running.gpus {
            if let Some(gpu) = host.gpu_mut(*number) {
                gpu.detach(now, self.pid);
            }
        }
    }

    fn checkpoint(&self) -> Option<String> {
        let directory = files::resolve(&self.cwd, self.options.checkpoint_dir.as_deref()?);
        Some(files::join(&directory, "checkpoint.json"))
    }

    /// Writes the checkpoint; a disk that is full costs the checkpoint, not the run.
    fn save(&self, host: &mut ContainerHost<'_>, step: u64) {
        let Some(path) = self.checkpoint() else { return };
        let now = host.now;
        let text = format!("{{\"step\": {step}, \"loss\": {}}}\n", decimals(self.loss(step)));
        let _ = host
            .files
            .create_dir_all(files::parent(&path), now)
            .and_then(|()| host.files.write(&path, text.into_bytes(), now));
    }

    /// The step of the checkpoint; 0 if there is none that can be read.
    fn load(&self, host: &ContainerHost<'_>) -> u64 {
        let read = || {
            let path = self.checkpoint()?;
            let value: serde_json::Value = serde_json::from_slice(host.files.read(&path).ok()?).ok()?;
            value.get("step")?.as_u64()
        };
        let total = self.options.epochs.saturating_mul(self.options.steps_per_epoch);
        read().unwrap_or(0).min(total)
    }
}

/// `span × count`, at most what a [`Duration`] of nanoseconds in 64 bits holds.
fn times(span: Duration, count: u64) -> Duration {
    let nanos = span.as_nanos().saturating_mul(u128::from(count));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Ten-thousandths as a decimal number.
fn decimals(value: u64) -> String {
    format!("{}.{:04}", value / 10_000, value % 10_000)
}

/// Whether a GPU failed under the run since it began.
fn failure(host: &ContainerHost<'_>, running: &Running) -> Option<String> {
    running.gpus.iter().find_map(|(number, errors)| match host.gpu(*number) {
        Some(gpu) if gpu.is_lost() => Some(cuda_error("unspecified launch failure")),
        Some(gpu) if gpu.ecc().uncorrected > *errors => {
            Some(cuda_error("uncorrectable ECC error encountered"))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests;
