//! One image: its configuration and what is in it.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Reference;
use crate::process::files::Files;
use crate::sim::SimTime;

/// Which standard utilities an image brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Rootfs {
    /// None, not even a shell (`pause`, distroless images).
    Empty,
    /// BusyBox: `sh` and small versions of everything, no `bash`.
    Busybox,
    /// Alpine: BusyBox with `apk`.
    Alpine,
    /// Debian: `bash` and the GNU utilities, without `ps`, `top` and `curl`.
    Debian,
    /// Ubuntu: as Debian, with `ps` and `top`.
    Ubuntu,
    /// A development image: also `curl`, `wget`, an editor.
    Development,
}

impl Rootfs {
    /// Whether the standard utility of that name is in it.
    pub fn has(self, name: &str) -> bool {
        const PROCPS: [&str; 8] = ["ps", "top", "free", "uptime", "watch", "pgrep", "pkill", "w"];
        const NETWORK: [&str; 6] = ["curl", "wget", "ping", "nslookup", "dig", "nc"];
        const EDITORS: [&str; 5] = ["vi", "vim", "nano", "less", "jq"];
        match self {
            Self::Empty => false,
            Self::Busybox | Self::Alpine => !matches!(name, "bash" | "curl" | "dig" | "vim" | "nano" | "jq"),
            Self::Debian => !PROCPS.contains(&name) && !NETWORK.contains(&name) && !EDITORS.contains(&name),
            Self::Ubuntu => !NETWORK.contains(&name) && !EDITORS.contains(&name),
            Self::Development => true,
        }
    }

    /// Whether programs of the host, which are linked against glibc, run in it.
    pub const fn has_glibc(self) -> bool {
        matches!(self, Self::Debian | Self::Ubuntu | Self::Development)
    }

    /// What `/etc/os-release` calls it.
    const fn os_release(self) -> Option<&'static str> {
        match self {
            Self::Empty | Self::Busybox => None,
            Self::Alpine => Some("NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"Alpine Linux v3.21\"\n"),
            Self::Debian => {
                Some("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nID=debian\n")
            }
            Self::Ubuntu | Self::Development => {
                Some("PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nNAME=\"Ubuntu\"\nID=ubuntu\n")
            }
        }
    }
}

/// A simulated program that an image can bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Tool {
    /// The CUDA sample `vectorAdd`.
    VectorAdd,
    /// Python without PyTorch.
    Python,
    /// Python with PyTorch, and `torchrun`.
    PyTorch,
    /// The web server.
    Nginx,
    /// `redis-server`.
    Redis,
    /// `postgres`.
    Postgres,
    /// The proxy.
    Envoy,
    /// The process that holds a pod's namespaces.
    Pause,
    /// NVIDIA's metrics exporter.
    DcgmExporter,
    /// `nvcc`, the CUDA compiler; only its version is modelled.
    Nvcc,
}

impl Tool {
    /// The names under which it is called.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::VectorAdd => &["vectorAdd"],
            Self::Python => &["python", "python3"],
            Self::PyTorch => &["python", "python3", "torchrun"],
            Self::Nginx => &["nginx"],
            Self::Redis => &["redis-server"],
            Self::Postgres => &["postgres"],
            Self::Envoy => &["envoy"],
            Self::Pause => &["pause"],
            Self::DcgmExporter => &["dcgm-exporter"],
            Self::Nvcc => &["nvcc"],
        }
    }

    /// The directories that it is in; a bare name finds it only in one of the
    /// search path.
    pub const fn directories(self) -> &'static [&'static str] {
        match self {
            Self::VectorAdd => &["/cuda-samples"],
            Self::Pause => &["/"],
            Self::Nvcc => &["/usr/local/cuda/bin", "/usr/local/bin"],
            Self::PyTorch => &["/usr/bin", "/usr/local/bin", "/opt/conda/bin"],
            Self::Nginx | Self::Envoy | Self::DcgmExporter => &["/usr/sbin", "/usr/bin", "/usr/local/bin"],
            Self::Python | Self::Redis | Self::Postgres => &["/usr/local/bin", "/usr/bin"],
        }
    }
}

/// A layer: what two images share is downloaded once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Its digest.
    pub digest: String,
    /// Compressed size in bytes.
    pub size_bytes: u64,
}

/// An image: its name, its configuration, and what simulated processes find in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its full name.
    pub reference: Reference,
    /// Digest of its manifest.
    pub digest: String,
    /// Compressed size in bytes: what is downloaded, and what the kubelet reports.
    pub size_bytes: u64,
    /// Layers, the lowest first.
    pub layers: Vec<Layer>,
    /// `ENTRYPOINT`. A wrapper script that ends in `exec "$@"` is left out: it
    /// changes nothing that is simulated.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub cmd: Vec<String>,
    /// `ENV`.
    pub env: Vec<(String, String)>,
    /// `WORKDIR`.
    pub working_dir: String,
    /// Standard utilities.
    pub rootfs: Rootfs,
    /// Simulated programs.
    pub tools: Vec<Tool>,
    pub(super) content: Arc<Vec<(String, String)>>,
}

impl Image {
    /// The id that the runtime reports: repository and digest.
    pub fn id(&self) -> String {
        format!("{}@{}", self.reference.repository(), self.digest)
    }

    /// What is run for a container's `command` and `args`: each replaces the
    /// image's entrypoint and command; `command` alone drops both.
    pub fn argv(&self, command: Option<&[String]>, args: Option<&[String]>) -> Vec<String> {
        // An empty list in a manifest is the same as none.
        let command = command.filter(|c| !c.is_empty());
        let args = args.filter(|a| !a.is_empty());
        let entrypoint = command.unwrap_or(&self.entrypoint);
        let rest = match (command, args) {
            (_, Some(args)) => args,
            (Some(_), None) => &[],
            (None, None) => &self.cmd,
        };
        [entrypoint, rest].concat()
    }

    /// The tool that is called `name`, a bare name or a path.
    pub fn tool(&self, name: &str) -> Option<Tool> {
        let name = name.rsplit('/').next().unwrap_or(name);
        self.tools.iter().copied().find(|tool| tool.names().contains(&name))
    }

    /// Of an image of Ubuntu itself that is not 22.04: its version, and the lines that tell it.
    fn ubuntu(&self) -> Option<(&'static str, &'static str)> {
        if self.reference.repository() != "docker.io/library/ubuntu" {
            return None;
        }
        match self.reference.tag()? {
            "20.04" | "focal" => Some(("20.04.6", "ID=ubuntu\nVERSION_ID=\"20.04\"")),
            "24.04" | "noble" | "latest" => Some(("24.04.3", "ID=ubuntu\nVERSION_ID=\"24.04\"")),
            _ => None,
        }
    }

    /// A fresh copy of its file system.
    pub fn files(&self) -> Files {
        let mut files = Files::new();
        let now = SimTime::ZERO;
        // An impossible path in a lab's own image loses that file and nothing else.
        let put = |files: &mut Files, path: &str, text: &str| {
            let directory = path.rsplit_once('/').map_or("/", |(directory, _)| directory);
            let _ = files.create_dir_all(directory, now).and_then(|()| files.put(path, text.as_bytes(), now));
        };
        if let Some(text) = self.rootfs.os_release() {
            let text = match self.ubuntu() {
                Some((version, name)) => text.replace("22.04.5", version).replace("ID=ubuntu", name),
                None => text.to_owned(),
            };
            put(&mut files, "/etc/os-release", &text);
        }
        for (path, text) in self.content.iter() {
            put(&mut files, path, text);
        }
        for tool in &self.tools {
            if *tool == Tool::VectorAdd {
                put(&mut files, "/cuda-samples/vectorAdd", "\u{7f}ELF");
                let _ = files.set_executable("/cuda-samples/vectorAdd", true);
            }
        }
        for directory in ["/tmp", "/dev", "/proc", "/var/log", "/root", &self.working_dir] {
            let _ = files.create_dir_all(directory, now);
        }
        files
    }
}

/// A digest that follows from a name.
pub(super) fn digest_of(text: &str) -> String {
    let mut digest = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::super::Registry;

    #[test]
    fn command_and_args_replace_what_the_image_says() {
        let image = Registry::default().resolve("redis:7").unwrap();
        let words = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let check = |command: Option<&str>, args: Option<&str>, expect: &str| {
            let (command, args) = (command.map(words), args.map(words));
            assert_eq!(image.argv(command.as_deref(), args.as_deref()), words(expect));
        };
        check(None, None, "redis-server");
        check(Some("sh -c ls"), None, "sh -c ls");
        check(None, Some("redis-server --port 1"), "redis-server --port 1");
        check(Some("sh"), Some("-c ls"), "sh -c ls");
        check(Some(""), Some(""), "redis-server");
    }

    #[test]
    fn files_of_an_image_are_there_and_belong_to_the_container_alone() {
        let image = Registry::default().resolve("nvcr.io/nvidia/pytorch:25.06-py3").unwrap();
        let mut files = image.files();
        assert!(files.exists("/workspace/train.py") && files.is_dir("/tmp"));
        files.remove("/workspace/train.py").unwrap();
        assert!(image.files().exists("/workspace/train.py"));
    }
}
