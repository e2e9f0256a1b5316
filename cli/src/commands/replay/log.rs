//! Files that may be compressed, and what is told of a log.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use clusterlab::slurm::swf::Log;
use clusterlab::slurm::textbook::Workload;

/// A file that is larger, decompressed, is a mistake.
const LARGEST: u64 = 4 << 30;
/// So many rows that are not well formed are told one by one.
const TOLD: usize = 20;

/// The bytes of a file, decompressed if it is compressed by gzip; `-` is standard input.
pub fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let mut raw = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(LARGEST + 1).read_to_end(&mut raw)
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
        file.take(LARGEST + 1).read_to_end(&mut raw)
    };
    read.with_context(|| format!("cannot read {name}"))?;
    if raw.starts_with(&[0x1f, 0x8b]) {
        let mut bytes = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(&raw[..]).take(LARGEST + 1).read_to_end(&mut bytes);
        read.with_context(|| format!("{name} is damaged: it cannot be decompressed"))?;
        raw = bytes;
    }
    if raw.len() as u64 > LARGEST {
        bail!("{name} is larger than {LARGEST} bytes");
    }
    Ok(raw)
}

/// The name of a log without folder and endings.
pub fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".swf").unwrap_or(name).to_owned()
}

/// What must be known of a log before its results are believed: rows that are not well formed or not in order.
pub fn warnings(name: &str, log: &Log, workload: &Workload) -> Vec<String> {
    let told = log.faults.iter().take(TOLD);
    let mut warnings: Vec<_> = told.map(|fault| format!("{name}: {fault}; the row is dropped")).collect();
    if log.faults.len() > TOLD {
        warnings
            .push(format!("{name}: {} more rows are not well formed and dropped", log.faults.len() - TOLD));
    }
    // The first of these reasons are the rows above; the last is what was asked for.
    let dropped = workload.dropped.reasons();
    for (rows, what) in &dropped[1..dropped.len() - 1] {
        if let Some(line) = rows.first_line {
            warnings.push(format!("{name}: line {line}: {what}; {} dropped", such(rows.count)));
        }
    }
    if let Some(line) = workload.out_of_order.first_line {
        let such = such(workload.out_of_order.count);
        warnings
            .push(format!("{name}: line {line}: submitted earlier than a row before it; {such} sorted in"));
    }
    warnings
}

fn such(count: usize) -> String {
    if count == 1 { "the row is".to_owned() } else { format!("{count} such rows are") }
}
