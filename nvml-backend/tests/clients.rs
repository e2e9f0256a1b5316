//! Other people's clients of NVML against the same fake library: they must see what our inventory says. And the real
//! library of a machine without a driver.
//!
//! They lie in `nvml-clients` in cargo's target folder, where `cargo xtask test` installs them if it can; what is not
//! there is counted as ignored, with the reason.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("ignored: NVML's clients are tried on Linux only");
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let clients = linux::Clients::find();
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, clients.trials()).exit_code()
}

/// A folder that may be there.
fn existing(path: PathBuf) -> Option<PathBuf> {
    path.exists().then_some(path)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::process::Command;

    use clusterlab::hardware::source::{GpuSource as _, SourceErrorKind};
    use clusterlab_fake_nvml::copy::Fake;
    use clusterlab_fake_nvml::{Gpu, Scenario};
    use clusterlab_nvml::{HostFacts, NvmlSource, Options, Sysfs, export};
    use libtest_mimic::{Failed, Trial};
    use serde_json::{Value, json};

    use super::{Path, PathBuf, existing};

    /// Where the clients are.
    pub struct Clients {
        folder: PathBuf,
    }

    type Check = fn(&Path) -> Result<(), Failed>;

    impl Clients {
        pub fn find() -> Self {
            let named = std::env::var_os("CLUSTERLAB_NVML_CLIENTS").map(PathBuf::from);
            let test = std::env::current_exe().expect("a running program has a file");
            let target = test.ancestors().nth(3).unwrap_or(Path::new("/")).to_path_buf();
            Self { folder: named.unwrap_or_else(|| target.join("nvml-clients")) }
        }

        pub fn trials(&self) -> Vec<Trial> {
            let one = |name: &str, program: Result<PathBuf, String>, check: Check| match program {
                Ok(program) => Trial::test(name, move || check(&program)),
                Err(why) => {
                    println!("ignored: {name}: {why}");
                    Trial::test(name, || Ok(())).with_ignored_flag(true)
                }
            };
            vec![
                one("nvidia_ml_py_sees_our_inventory", self.python(), python_agrees),
                one("slurmd_detects_our_gres_lines", self.slurmd(), slurmd_agrees),
                one("the_real_library_without_a_driver_says_so", self.library(), no_driver),
            ]
        }

        fn in_folder(&self, what: &str, path: &str) -> Result<PathBuf, String> {
            let absent =
                || format!("{what} is not in {} (cargo xtask test installs it)", self.folder.display());
            existing(self.folder.join(path)).ok_or_else(absent)
        }

        fn python(&self) -> Result<PathBuf, String> {
            let python = self.in_folder("nvidia-ml-py", "venv/bin/python")?;
            let imports = Command::new(&python).args(["-c", "import pynvml"]).output();
            match imports {
                Ok(output) if output.status.success() => Ok(python),
                _ => Err("the virtual environment cannot import pynvml".to_owned()),
            }
        }

        fn slurmd(&self) -> Result<PathBuf, String> {
            let slurmd = self.in_folder("slurmd", "root/usr/sbin/slurmd")?;
            if plugins(&slurmd).is_none() {
                return Err("slurmd has no NVML plugin here".to_owned());
            }
            let output =
                slurmd_command(&slurmd, None).arg("-V").output().map_err(|error| error.to_string())?;
            if output.status.success() {
                Ok(slurmd)
            } else {
                Err(format!("slurmd does not start: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
        }

        fn library(&self) -> Result<PathBuf, String> {
            if Path::new("/proc/driver/nvidia").exists() {
                return Err("this machine has a driver".to_owned());
            }
            let folder = library_folders(&self.folder.join("root"));
            let found =
                folder.iter().find_map(|folder| existing(folder.join("nvidia/current/libnvidia-ml.so.1")));
            found.ok_or_else(|| self.in_folder("libnvidia-ml.so.1", "root/no").unwrap_err())
        }
    }

    /// `usr/lib` and the folders of the architecture in it.
    fn library_folders(root: &Path) -> Vec<PathBuf> {
        let libraries = root.join("usr/lib");
        let inner = std::fs::read_dir(&libraries).into_iter().flatten().flatten().map(|entry| entry.path());
        inner.filter(|path| path.is_dir()).chain([libraries.clone()]).collect()
    }

    fn root_of(slurmd: &Path) -> &Path {
        // root/usr/sbin/slurmd
        slurmd.ancestors().nth(3).unwrap_or(slurmd)
    }

    fn plugins(slurmd: &Path) -> Option<PathBuf> {
        let folders = library_folders(root_of(slurmd));
        folders.iter().find_map(|folder| {
            existing(folder.join("slurm-wlm/gpu_nvml.so")).map(|_| folder.join("slurm-wlm"))
        })
    }

    fn slurmd_command(slurmd: &Path, fake: Option<&Path>) -> Command {
        let mut paths: Vec<PathBuf> = fake.map(Path::to_path_buf).into_iter().collect();
        paths.extend(plugins(slurmd));
        paths.extend(library_folders(root_of(slurmd)));
        let mut command = Command::new(slurmd);
        command.env("LD_LIBRARY_PATH", std::env::join_paths(paths).expect("folders without a colon"));
        command
    }

    fn open(fake: &Fake) -> NvmlSource {
        let options = Options { library: Some(fake.path()), sysfs: Sysfs::new(fake.folder().join("sys")) };
        NvmlSource::with(options).expect("the fake starts")
    }

    /// Prints what pynvml reads as JSON.
    const SCRIPT: &str = r#"
import json, pynvml as n
n.nvmlInit()
text = lambda s: s.decode() if isinstance(s, bytes) else s
gpus = []
for i in range(n.nvmlDeviceGetCount()):
    h = n.nvmlDeviceGetHandleByIndex(i)
    pci = n.nvmlDeviceGetPciInfo(h)
    try:
        enabled = n.nvmlDeviceGetMigMode(h)[0] == 1
    except n.NVMLError:
        enabled = False
    mig = []
    if enabled:
        for m in range(n.nvmlDeviceGetMaxMigDeviceCount(h)):
            try:
                d = n.nvmlDeviceGetMigDeviceHandleByIndex(h, m)
            except n.NVMLError:
                continue
            a = n.nvmlDeviceGetAttributes_v2(d) if hasattr(n, "nvmlDeviceGetAttributes_v2") else n.nvmlDeviceGetAttributes(d)
            mig.append([text(n.nvmlDeviceGetUUID(d)), n.nvmlDeviceGetGpuInstanceId(d), a.memorySizeMB])
    gpus.append({
        "name": text(n.nvmlDeviceGetName(h)), "uuid": text(n.nvmlDeviceGetUUID(h)), "serial": text(n.nvmlDeviceGetSerial(h)),
        "pci": text(pci.busId), "device": pci.pciDeviceId, "minor": n.nvmlDeviceGetMinorNumber(h),
        "capability": list(n.nvmlDeviceGetCudaComputeCapability(h)), "memory": n.nvmlDeviceGetMemoryInfo(h).total,
        "limit": n.nvmlDeviceGetEnforcedPowerLimit(h), "celsius": n.nvmlDeviceGetTemperature(h, 0),
        "power": n.nvmlDeviceGetPowerUsage(h), "mig": mig,
    })
version = n.nvmlSystemGetCudaDriverVersion_v2()
print(json.dumps({"driver": text(n.nvmlSystemGetDriverVersion()), "cuda": [version // 1000, version % 1000 // 10], "gpus": gpus}))
"#;

    fn python_agrees(python: &Path) -> Result<(), Failed> {
        let fake = Fake::new(&Scenario::dgx_h100_mig());
        let output =
            Command::new(python).args(["-c", SCRIPT]).env("LD_LIBRARY_PATH", fake.folder()).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let theirs: Value = serde_json::from_slice(&output.stdout)?;
        let source = open(&fake);
        let (inventory, samples) = (source.inventory()?, source.samples()?);
        let gpus: Vec<Value> = inventory
            .answering()
            .zip(&samples)
            .map(|((_, gpu), slot)| {
                let sample = slot.read.clone().unwrap_or_default();
                let mig: Vec<Value> = gpu
                    .mig
                    .devices
                    .iter()
                    .map(|device| json!([device.uuid, device.gpu_instance, device.memory_mib]))
                    .collect();
                json!({
                    "name": gpu.name, "uuid": gpu.uuid, "serial": gpu.serial, "pci": gpu.pci,
                    "device": gpu.pci_device_id, "minor": gpu.minor, "capability": gpu.compute_capability,
                    "memory": gpu.memory_bytes, "limit": gpu.power_limit_mw, "celsius": sample.celsius,
                    "power": sample.power_mw, "mig": mig,
                })
            })
            .collect();
        let ours = json!({"driver": inventory.driver_version, "cuda": inventory.cuda_version, "gpus": gpus});
        if ours == theirs { Ok(()) } else { Err(format!("ours:   {ours}\ntheirs: {theirs}").into()) }
    }

    fn slurmd_agrees(slurmd: &Path) -> Result<(), Failed> {
        // Two GPUs with two direct links, near all CPUs of this machine: slurmd maps them onto its real cores.
        let host = HostFacts::read();
        let gpu = |index: usize| Gpu {
            minor: index as u32,
            bus: 0x10 + index as u32,
            uuid: format!("GPU-{index}"),
            cpus_per_numa: host.cpus,
            nvlinks: 0,
            peers: vec![(0, 1 - index), (1, 1 - index)],
            ..Gpu::default()
        };
        let fake = Fake::new(&Scenario { gpus: vec![gpu(0), gpu(1)], ..Scenario::dgx_h100() });
        let source = open(&fake);
        let lines = export::slurm(&host, &source.inventory()?, &source.topology()?);
        // slurmd looks for the name without a number too.
        std::os::unix::fs::symlink("libnvidia-ml.so.1", fake.folder().join("libnvidia-ml.so"))?;
        let spool = fake.folder().join("spool");
        std::fs::create_dir(&spool)?;
        let plugins = plugins(slurmd).ok_or("slurmd has no NVML plugin")?;
        let configuration = format!(
            "ClusterName=c\nSlurmctldHost={}\nAuthType=auth/none\nCredType=cred/none\nPluginDir={}\n\
             ProctrackType=proctrack/linuxproc\nSelectType=select/cons_tres\nSlurmdSpoolDir={}\n{}",
            host.hostname,
            plugins.display(),
            spool.display(),
            lines.slurm_conf
        );
        std::fs::write(fake.folder().join("slurm.conf"), configuration)?;
        std::fs::write(fake.folder().join("gres.conf"), "AutoDetect=nvml\n")?;
        std::fs::write(fake.folder().join("cgroup.conf"), "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")?;
        let output = slurmd_command(slurmd, Some(fake.folder()))
            .args(["-G", "-N", &host.hostname, "-f"])
            .arg(fake.folder().join("slurm.conf"))
            .output()?;
        let text =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        // slurmd-h: Gres Name=gpu Type=… Count=1 Index=0 ID=… File=… Cores=… CoreCnt=… Links=…
        let wanted = |line: &str| {
            let keys = ["Name=", "Type=", "File=", "Cores=", "Links="];
            let words = line.split_whitespace().filter(|word| keys.iter().any(|key| word.starts_with(key)));
            words.collect::<Vec<_>>().join(" ")
        };
        let theirs: Vec<String> =
            text.lines().filter(|line| line.contains("Gres Name=gpu")).map(wanted).collect();
        let ours: Vec<String> = lines.gres_conf.lines().map(wanted).collect();
        if ours.len() == 2 && ours == theirs {
            Ok(())
        } else {
            Err(format!("ours:   {ours:?}\ntheirs: {theirs:?}\n{text}").into())
        }
    }

    fn no_driver(library: &Path) -> Result<(), Failed> {
        let options = Options { library: Some(library.to_path_buf()), ..Options::default() };
        let error = NvmlSource::with(options).expect_err("there is no driver");
        if error.kind == SourceErrorKind::DriverNotLoaded { Ok(()) } else { Err(error.to_string().into()) }
    }
}
