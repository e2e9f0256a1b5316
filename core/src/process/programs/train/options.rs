//! The command line of a training script, as `argparse` would read it.

use std::time::Duration;

use super::super::Printed;

/// How the run shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--epochs`, 3 unless said.
    pub epochs: u64,
    /// `--steps-per-epoch`, 100 unless said.
    pub steps_per_epoch: u64,
    /// `--step-time` (or `--seconds-per-step`), in seconds; 0.1 unless said.
    pub step_time: Duration,
    /// `--batch-size` per GPU, 64 unless said.
    pub batch_size: u64,
    /// `--gpu-util`: how busy it keeps each GPU, in percent; 95 unless said.
    pub gpu_util: u32,
    /// `--gpu-memory`: what it takes on each GPU, in MiB (or with a unit, `20GiB`);
    /// 12000 unless said.
    pub gpu_memory_mib: u32,
    /// `--host-memory`: what each of its processes takes of the machine's memory, in MiB (or with a unit); 0 unless said.
    pub host_memory_mib: u32,
    /// `--gpus`: how many GPUs `python` uses, or `all`; 1 unless said.
    pub gpus: Option<usize>,
    /// `--device cpu`: no GPU at all.
    pub cpu: bool,
    /// `--log-every`: a line every so many steps, 20 unless said.
    pub log_every: u64,
    /// `--seed`: of the loss curve, 42 unless said.
    pub seed: u64,
    /// `--fail-at-step`: it raises an error there.
    pub fail_at_step: Option<u64>,
    /// `--oom`: it asks for more memory than any GPU has.
    pub oom: bool,
    /// `--checkpoint-dir`: where a checkpoint is written after every epoch.
    pub checkpoint_dir: Option<String>,
    /// `--resume`: it goes on from the checkpoint, if there is one.
    pub resume: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epochs: 3,
            steps_per_epoch: 100,
            step_time: Duration::from_millis(100),
            batch_size: 64,
            gpu_util: 95,
            gpu_memory_mib: 12_000,
            host_memory_mib: 0,
            gpus: Some(1),
            cpu: false,
            log_every: 20,
            seed: 42,
            fail_at_step: None,
            oom: false,
            checkpoint_dir: None,
            resume: false,
        }
    }
}

const FLAGS: &str = "[-h] [--epochs EPOCHS] [--steps-per-epoch STEPS_PER_EPOCH] [--step-time STEP_TIME] \
    [--batch-size BATCH_SIZE] [--gpus GPUS] [--device DEVICE] [--gpu-util GPU_UTIL] [--gpu-memory GPU_MEMORY] [--host-memory HOST_MEMORY] \
    [--log-every LOG_EVERY] [--seed SEED] [--fail-at-step FAIL_AT_STEP] [--oom] [--checkpoint-dir CHECKPOINT_DIR] [--resume]";

impl Options {
    /// Reads `args` over what is already set; `script` is the name that the
    /// complaint bears.
    pub(super) fn read(mut self, script: &str, args: &[String]) -> Result<Self, Printed> {
        let mut unknown: Vec<&str> = Vec::new();
        let mut rest = args.iter().map(String::as_str);
        while let Some(arg) = rest.next() {
            let (name, attached) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (arg, None),
            };
            match name {
                "-h" | "--help" => return Err(Printed::out(format!("usage: {script} {FLAGS}\n"))),
                "--oom" => self.oom = true,
                "--resume" => self.resume = true,
                name if VALUED.contains(&name) => {
                    let value = attached.or_else(|| rest.next());
                    let Some(value) = value else {
                        return Err(usage(script, &format!("argument {name}: expected one argument")));
                    };
                    self.set(name, value).map_err(|what| {
                        usage(script, &format!("argument {name}: invalid {what} value: '{value}'"))
                    })?;
                }
                _ => unknown.push(arg),
            }
        }
        if unknown.is_empty() {
            Ok(self)
        } else {
            Err(usage(script, &format!("unrecognized arguments: {}", unknown.join(" "))))
        }
    }

    /// Sets one option; the error names the type that was expected.
    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let number = || value.parse::<u64>().map_err(|_| "int");
        match name {
            "--epochs" => self.epochs = number()?,
            "--steps-per-epoch" => self.steps_per_epoch = number()?.max(1),
            "--step-time" | "--seconds-per-step" => self.step_time = seconds(value)?,
            "--batch-size" => self.batch_size = number()?,
            "--gpus" => {
                self.gpus = match value {
                    "all" => None,
                    _ => Some(usize::try_from(number()?).map_err(|_| "int")?),
                }
            }
            "--device" => match value {
                "cpu" => self.cpu = true,
                "cuda" | "cuda:0" | "gpu" => self.cpu = false,
                _ => return Err("device"),
            },
            "--gpu-util" => self.gpu_util = u32::try_from(number()?.min(100)).map_err(|_| "int")?,
            "--gpu-memory" => self.gpu_memory_mib = mib(value)?,
            "--host-memory" => self.host_memory_mib = mib(value)?,
            "--log-every" => self.log_every = number()?.max(1),
            "--seed" => self.seed = number()?,
            "--fail-at-step" => self.fail_at_step = Some(number()?),
            _ => self.checkpoint_dir = Some(value.to_owned()),
        }
        Ok(())
    }
}

const VALUED: [&str; 14] = [
    "--epochs",
    "--steps-per-epoch",
    "--step-time",
    "--seconds-per-step",
    "--batch-size",
    "--gpus",
    "--device",
    "--gpu-util",
    "--gpu-memory",
    "--host-memory",
    "--log-every",
    "--seed",
    "--fail-at-step",
    "--checkpoint-dir",
];

fn usage(script: &str, problem: &str) -> Printed {
    Printed::error(2, format!("usage: {script} {FLAGS}\n{script}: error: {problem}\n"))
}

/// A decimal number of seconds, at least a microsecond and at most a day.
fn seconds(value: &str) -> Result<Duration, &'static str> {
    let seconds: f64 = value.parse().map_err(|_| "float")?;
    if !seconds.is_finite() || seconds < 0.0 {
        return Err("float");
    }
    let span = Duration::try_from_secs_f64(seconds.min(86_400.0)).map_err(|_| "float")?;
    Ok(span.max(Duration::from_micros(1)))
}

/// A size in MiB, or with `GiB`, `G`, `MiB` or `M`.
fn mib(value: &str) -> Result<u32, &'static str> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &value[digits.len()..] {
        "" | "M" | "MiB" | "Mi" => 1.0,
        "G" | "GiB" | "Gi" => 1024.0,
        _ => return Err("size"),
    };
    let size: f64 = digits.parse().map_err(|_| "size")?;
    // A cast from float saturates, which is what a size beyond all bounds should do.
    if size.is_finite() && size >= 0.0 { Ok((size * factor) as u32) } else { Err("size") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(args: &str) -> Result<Options, Printed> {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        Options::default().read("train.py", &args)
    }

    #[test]
    fn options_are_read_as_argparse_reads_them() {
        let options =
            read("--epochs 2 --step-time=0.5 --gpu-memory 20GiB --gpus all --oom --seed 7").unwrap();
        assert_eq!((options.epochs, options.step_time.as_millis()), (2, 500));
        assert_eq!((options.gpu_memory_mib, options.gpus, options.oom, options.seed), (20480, None, true, 7));
        assert_eq!(read("").unwrap(), Options::default());
    }

    #[test]
    fn bad_options_get_argparses_complaint_and_exit_code_two() {
        let check = |args: &str, expect: &str| {
            let printed = read(args).unwrap_err();
            assert_eq!(printed.stderr.lines().last().unwrap(), expect);
            assert_eq!(printed.code, 2);
        };
        check("--foo 1", "train.py: error: unrecognized arguments: --foo 1");
        check("--epochs", "train.py: error: argument --epochs: expected one argument");
        check("--epochs x", "train.py: error: argument --epochs: invalid int value: 'x'");
        check("--step-time x", "train.py: error: argument --step-time: invalid float value: 'x'");
        check("--gpu-memory 3PB", "train.py: error: argument --gpu-memory: invalid size value: '3PB'");
        assert_eq!(read("--help").unwrap_err().code, 0);
    }

    proptest! {
        #[test]
        fn no_command_line_breaks_it(args in prop::collection::vec("--[a-z-]{0,16}(=\\PC{0,8})?|\\PC{0,12}", 0..6)) {
            let _ = Options::default().read("train.py", &args);
        }
    }
}
