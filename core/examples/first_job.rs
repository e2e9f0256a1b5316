//! A job that waits for another, and why: `cargo run --example first_job -p clusterlab`

use std::time::Duration;

use clusterlab::lab::{Lab, LabSpec, SpecError};

fn main() -> Result<(), SpecError> {
    let mut lab =
        Lab::new(LabSpec::from_yaml("{nodes: [{name: gpu-1, system: dgx-h100}], slurm: {alone: true}}")?)?;
    lab.run(
        "sbatch --gres=gpu:6 --time=30 --wrap 'sleep 600'; sbatch --gres=gpu:4 --time=10 --wrap 'nvidia-smi'",
    );
    lab.advance(Duration::from_secs(60));
    print!("{}", lab.run("squeue").stdout);
    if let Some(why) = lab.why_job("2") {
        println!(
            "{:?}; starts after {:?} s; holders {:?}",
            why.job.blocked, why.job.expected_start, why.holders
        );
    }
    Ok(())
}
