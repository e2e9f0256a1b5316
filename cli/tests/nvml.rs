//! `clusterlab nvml`, with a fake NVML in place of NVIDIA's.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use clusterlab_fake_nvml::copy::Fake;
use clusterlab_fake_nvml::{Gpu, Scenario};

/// What a call printed and how it ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Calls the binary with a library.
fn nvml(library: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clusterlab"));
    let output = command.args(["nvml", "--library"]).arg(library).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn without_a_library_every_command_says_in_one_line_what_is_missing() {
    let missing = Path::new("/does/not/exist");
    for command in
        [&["inventory"][..], &["topo"], &["watch"], &["exporter"], &["export", "--to", "kubernetes"]]
    {
        let ran = nvml(missing, command);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.lines().count()),
            (Some(2), "", 1),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("install the NVIDIA driver"), "{}", ran.stderr);
    }
    let fake = Fake::new(&Scenario { init_error: 9, ..Scenario::dgx_h100() });
    let ran = nvml(&fake.path(), &["inventory"]);
    assert!(
        ran.code == Some(2)
            && ran.stderr.starts_with("error: nvmlInit_v2: the NVIDIA driver is not loaded; load")
    );
}

#[test]
fn the_inventory_shows_cards_mig_devices_and_who_does_not_answer() {
    let mut scenario = Scenario::dgx_h100_mig();
    scenario.gpus[7].lost = true;
    let fake = Fake::new(&scenario);
    let ran = nvml(&fake.path(), &["inventory"]);
    assert_eq!(ran.code, Some(1));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "Driver 550.163.01, CUDA 12.4, 8 GPUs");
    assert!(
        lines[2].starts_with("0    NVIDIA H100 80GB HBM3  00000000:1B:00.0  81559 MiB  700 W"),
        "{}",
        lines[2]
    );
    assert!(lines[3].contains("MIG 0 1g.10gb") && lines[3].contains("gi 9"), "{}", lines[3]);
    assert!(ran.stdout.contains("\n7    the GPU is lost\n"), "{}", ran.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&nvml(&fake.path(), &["inventory", "--json"]).stdout).unwrap();
    assert_eq!(json["gpus"][0]["mig"]["devices"][1]["profile"], "2g.20gb");
    assert_eq!(json["gpus"][7]["error"]["error"], "gpu-lost");
}

#[test]
fn the_exports_are_read_by_those_that_they_are_for() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let lab = nvml(&fake.path(), &["export", "--to", "lab"]);
    let spec = clusterlab::lab::LabSpec::from_yaml(&lab.stdout).unwrap();
    assert_eq!(spec.nodes[0].system, clusterlab::hardware::SystemModel::DgxH100);
    assert!(clusterlab::lab::Lab::new(spec).is_ok());
    let node = nvml(&fake.path(), &["export", "--to", "kubernetes", "--json"]);
    let node: serde_json::Value = serde_json::from_str(&node.stdout).unwrap();
    assert_eq!(node["status"]["allocatable"]["nvidia.com/gpu"], "8");
    assert_eq!(node["metadata"]["labels"]["nvidia.com/gpu.product"], "NVIDIA-H100-80GB-HBM3");
    let slurm = nvml(&fake.path(), &["export", "--to", "slurm"]).stdout;
    assert!(
        slurm.contains(" Gres=gpu:nvidia_h100_80gb_hbm3:8 ") && slurm.contains(" Name=gpu Type="),
        "{slurm}"
    );

    let card =
        Gpu { name: "NVIDIA GeForce RTX 4090".to_owned(), pci_device_id: 0x2684_10DE, ..Gpu::default() };
    let fake = Fake::new(&Scenario { gpus: vec![card], ..Scenario::dgx_h100() });
    let refused = nvml(&fake.path(), &["export", "--to", "lab"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("not modelled: the lab's catalogue has no"));
    let stands_in = nvml(&fake.path(), &["export", "--to", "lab", "--gpu-model", "l40s"]);
    assert!(stands_in.stderr.contains("note: NVIDIA L40S stands for NVIDIA GeForce RTX 4090"));
    assert!(clusterlab::lab::LabSpec::from_yaml(&stands_in.stdout).is_ok());
}

#[test]
fn topo_watch_and_exporter_print_what_the_library_answers() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let topo = nvml(&fake.path(), &["topo"]).stdout;
    assert!(topo.contains("\nGPU0\t X \tNV18\tNV18") && topo.contains("Legend:"), "{topo}");
    let watch = nvml(&fake.path(), &["watch", "--interval", "0.01", "--count", "3", "--json"]);
    assert_eq!(watch.stdout.lines().count(), 3);
    let sample: serde_json::Value = serde_json::from_str(watch.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(sample["gpus"][0]["powerMw"], 71_234);
    let metrics = nvml(&fake.path(), &["exporter", "--once", "--hostname", "h"]).stdout;
    assert!(metrics.contains("DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-00000000-"), "{metrics}");
}
