//! `clusterlab nvml watch`.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use clap::Args;
use clusterlab::hardware::source::{GpuSample, GpuSource as _, HealthEvent, Slot};
use clusterlab_nvml::NvmlSource;
use clusterlab_nvml::monitor::{Monitor, MonitorOptions, Sample, Update};
use serde::Serialize;

use super::{cell, interrupted, runtime, told};
use crate::output;

/// Print what the GPUs measure and what happens to them, until Ctrl-C
#[derive(Debug, Args)]
pub struct Watch {
    /// Seconds from sample to sample
    #[arg(long, default_value_t = 1.0)]
    interval: f64,
    /// End after so many samples
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Print health events only
    #[arg(long)]
    events: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// A sample, as `--json` prints it.
#[derive(Serialize)]
struct ShownSample<'a> {
    /// Seconds since 1970.
    at: f64,
    skipped: u64,
    gpus: &'a [Slot<GpuSample>],
}

/// An event, as `--json` prints it.
#[derive(Serialize)]
struct ShownEvent<'a> {
    at: f64,
    #[serde(flatten)]
    event: &'a HealthEvent,
}

/// So many lines stand under one header.
const PAGE: usize = 24;

impl Watch {
    /// Watches.
    pub fn run(self, source: NvmlSource) -> Result<u8> {
        if !(0.001..=86400.0).contains(&self.interval) {
            bail!("--interval must be from 0.001 to 86400 seconds");
        }
        let interval = if self.events { Duration::ZERO } else { Duration::from_secs_f64(self.interval) };
        let source = Arc::new(source);
        runtime()?.block_on(async {
            let options = MonitorOptions { interval, ..MonitorOptions::default() };
            // Names for the lines; what is not known is shown by number.
            let names = source.inventory().map_err(|error| told(&error))?;
            let mut monitor = Monitor::start(source, options).map_err(|error| told(&error))?;
            let mut printer = Printer { json: self.json, lines: 0 };
            let mut samples = 0;
            let mut end = std::pin::pin!(interrupted());
            let printed = loop {
                if self.count.is_some_and(|count| samples >= count) {
                    break Ok(());
                }
                let update = tokio::select! {
                    () = &mut end => break Ok(()),
                    update = monitor.next_update() => update,
                };
                let printed = match update {
                    None => break Ok(()),
                    Some(Update::Sample(sample)) => {
                        samples += 1;
                        let name = |index| {
                            let gpu = names.answering().find(|(other, _)| *other == index);
                            gpu.map_or("", |(_, gpu)| gpu.name.as_str())
                        };
                        printer.sample(&sample, &name)
                    }
                    Some(Update::Health(event)) => printer.event(&event),
                };
                if let Err(error) = printed {
                    break Err(error);
                }
            };
            monitor.shutdown().await;
            printed.map(|()| 0)
        })
    }
}

struct Printer {
    json: bool,
    lines: usize,
}

impl Printer {
    fn sample<'a>(&mut self, sample: &Sample, name: &dyn Fn(u32) -> &'a str) -> Result<()> {
        if self.json {
            let shown =
                ShownSample { at: since_1970(sample.at), skipped: sample.skipped, gpus: &sample.gpus };
            return output::json_line(&shown);
        }
        let mut text = String::new();
        if self.lines == 0 {
            text += "TIME      GPU  UTIL   MEM USED     TEMP   POWER     SM         NAME\n";
        }
        let clock = clock(sample.at);
        for slot in &sample.gpus {
            match &slot.read {
                Ok(gpu) => {
                    let used = gpu.memory.map(|memory| format!("{} MiB", memory.used >> 20));
                    text += &format!(
                        "{clock}  {:<3}  {:<5}  {:<11}  {:<5}  {:<8}  {:<9}  {}\n",
                        slot.index,
                        cell(gpu.utilization.map(|percent| format!("{percent} %"))),
                        cell(used),
                        cell(gpu.celsius.map(|celsius| format!("{celsius} C"))),
                        cell(gpu.power_mw.map(|mw| format!("{:.1} W", f64::from(mw) / 1000.0))),
                        cell(gpu.sm_mhz.map(|mhz| format!("{mhz} MHz"))),
                        name(slot.index),
                    );
                }
                Err(error) => text += &format!("{clock}  {:<3}  {}\n", slot.index, error.kind),
            }
        }
        self.lines += sample.gpus.len();
        if self.lines >= PAGE {
            self.lines = 0;
        }
        Ok(output::text(&text)?)
    }

    fn event(&mut self, event: &HealthEvent) -> Result<()> {
        let now = SystemTime::now();
        if self.json {
            return output::json_line(&ShownEvent { at: since_1970(now), event });
        }
        let whom = match (event.gpu, event.instance) {
            (Some(gpu), Some((gi, ci))) => format!("GPU {gpu}, instance {gi}/{ci}: "),
            (Some(gpu), None) => format!("GPU {gpu}: "),
            (None, _) => String::new(),
        };
        let advice = match event.kind.advice() {
            "" => String::new(),
            advice => format!("; {advice}"),
        };
        Ok(output::text(&format!("{}  {whom}{}{advice}\n", clock(now), event.kind.meaning()))?)
    }
}

fn since_1970(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The time of day, UTC.
fn clock(at: SystemTime) -> String {
    let seconds = since_1970(at) as u64 % 86400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
