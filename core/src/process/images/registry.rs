//! All registries of the world: what can be pulled, how long it takes, and how
//! it fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::order::Collected;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::catalogue::{self, Lookup, Recipe};
use super::image::{Image, Layer, Rootfs, digest_of};
use super::reference::{InvalidReference, Reference};

/// What to do with an image that neither the catalogue nor the lab knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// It does not exist.
    #[default]
    Refuse,
    /// It exists and is a plain Debian, unless its name says otherwise: names
    /// with `does-not-exist`, `missing` or `nope` are not found, names with
    /// `private` are denied.
    Accept,
}

/// An image that a lab adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ImageSpec {
    /// Its name.
    pub name: String,
    /// An image of the catalogue that it is otherwise like; a plain Debian if
    /// none is said.
    #[serde(default)]
    pub like: Option<String>,
    /// Compressed size in MiB.
    #[serde(default)]
    pub size_mib: Option<u64>,
    /// `ENTRYPOINT`.
    #[serde(default)]
    pub entrypoint: Option<Vec<String>>,
    /// `CMD`.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// `ENV`, in addition.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// `WORKDIR`.
    #[serde(default)]
    pub working_dir: Option<String>,
    /// Files by absolute path, in addition.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// Why an image cannot be had.
///
/// Its text is what the kubelet shows: the runtime's gRPC error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PullError {
    /// The name is none (`InvalidImageName`).
    #[error(transparent)]
    Invalid(#[from] InvalidReference),
    /// The registry has no such repository or tag.
    #[error(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": {0}: not found"
    )]
    NotFound(Reference),
    /// The registry does not say whether it exists.
    #[error(
        "rpc error: code = Unknown desc = failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
    )]
    Denied(Reference),
    /// The registry wants a token that nobody gave.
    #[error("rpc error: code = Unknown desc = failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://{host}/token?scope=repository%3A{path}%3Apull&service={host}: {1}", host = .0.domain(), path = .0.path().replace('/', "%2F"))]
    Unauthorized(Reference, &'static str),
    /// There is no such registry.
    #[error("rpc error: code = Unknown desc = failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": failed to do request: Head \"https://{host}/v2/{path}/manifests/{what}\": dial tcp: lookup {host} on 127.0.0.53:53: no such host", host = .0.domain(), path = .0.path(), what = .0.digest().or(.0.tag()).unwrap_or("latest"))]
    NoSuchHost(Reference),
}

/// Everything that can be pulled.
///
/// ```
/// use clusterlab::process::images::Registry;
///
/// let registry = Registry::default();
/// let image = registry.resolve("nvidia/cuda:12.4.1-base-ubuntu22.04").unwrap();
/// assert_eq!(image.reference.to_string(), "docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04");
/// assert!(registry.resolve("nvidia/cuda").is_err(), "there is no `latest`");
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    extra: BTreeMap<String, Arc<Image>>,
    unknown: Unknown,
    bytes_per_s: u64,
}

impl Default for Registry {
    fn default() -> Self {
        Self { extra: BTreeMap::new(), unknown: Unknown::default(), bytes_per_s: Self::BYTES_PER_S }
    }
}

impl Registry {
    /// Download and unpacking together, in bytes of compressed image per second:
    /// a cluster near a mirror, with local NVMe.
    pub const BYTES_PER_S: u64 = 150_000_000;
    /// What every pull takes before the first layer: names, tokens, manifests.
    pub const LATENCY: Duration = Duration::from_millis(600);

    /// The same with another rule for images that nobody knows.
    #[must_use]
    pub fn with_unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// The same with another speed; 0 is taken for 1.
    #[must_use]
    pub fn with_bytes_per_s(mut self, bytes_per_s: u64) -> Self {
        self.bytes_per_s = bytes_per_s.max(1);
        self
    }

    /// Adds an image, or replaces one of the same name.
    ///
    /// # Errors
    ///
    /// If its name is none, or the image that it shall be like does not exist.
    pub fn add(&mut self, spec: &ImageSpec) -> Result<(), PullError> {
        let reference: Reference = spec.name.parse()?;
        let mut image = match &spec.like {
            Some(like) => (*self.resolve(like)?).clone(),
            None => build(&reference, &plain()),
        };
        image.digest = digest_of(&reference.to_string());
        if let Some(mib) = spec.size_mib {
            image.size_bytes = mib << 20;
            image.layers = vec![Layer {
                digest: digest_of(&format!("layer {reference}")),
                size_bytes: image.size_bytes,
            }];
        }
        if let Some(entrypoint) = &spec.entrypoint {
            image.entrypoint.clone_from(entrypoint);
            image.cmd.clear();
        }
        if let Some(command) = &spec.command {
            image.cmd.clone_from(command);
        }
        for (name, value) in &spec.env {
            image.env.retain(|(n, _)| n != name);
            image.env.push((name.clone(), value.clone()));
        }
        if let Some(directory) = &spec.working_dir {
            image.working_dir.clone_from(directory);
        }
        let mut content = (*image.content).clone();
        content.extend(spec.files.iter().map(|(path, text)| (path.clone(), text.clone())));
        image.content = Arc::new(content);
        image.reference = reference;
        self.extra.insert(image.reference.to_string(), Arc::new(image));
        Ok(())
    }

    /// The image of that name.
    ///
    /// # Errors
    ///
    /// [`PullError`], in the words of the runtime.
    pub fn resolve(&self, name: &str) -> Result<Arc<Image>, PullError> {
        let reference: Reference = name.parse()?;
        let image = self.find(&reference)?;
        match reference.digest() {
            Some(digest) if digest != image.digest => Err(PullError::NotFound(reference)),
            _ => Ok(image),
        }
    }

    fn find(&self, reference: &Reference) -> Result<Arc<Image>, PullError> {
        let tag = reference.tag().unwrap_or("latest");
        let repository = reference.repository();
        if let Some(image) = self.extra.get(&format!("{repository}:{tag}")) {
            return Ok(Arc::clone(image));
        }
        let says = |words: &[&str]| words.iter().any(|word| reference.to_string().contains(word));
        match catalogue::look_up(&repository, tag) {
            Lookup::Found(recipe) => Ok(Arc::new(build(reference, &recipe))),
            _ if says(&["does-not-exist", "missing", "nope"]) => Err(PullError::NotFound(reference.clone())),
            _ if says(&["private"]) => Err(PullError::Denied(reference.clone())),
            _ if self.unknown == Unknown::Accept => Ok(Arc::new(build(reference, &plain()))),
            Lookup::NoTag => Err(PullError::NotFound(reference.clone())),
            Lookup::NoRepository => Err(refusal(reference.clone())),
        }
    }

    /// How long it takes a node that has no layer of it, or to learn that there
    /// is no such image.
    pub fn pull_time(&self, name: &str) -> Duration {
        self.pull_time_beside(name, [])
    }

    /// How long it takes a node that has the images `present`: layers that they
    /// share are not fetched again.
    pub fn pull_time_beside<'a>(&self, name: &str, present: impl IntoIterator<Item = &'a Image>) -> Duration {
        let Ok(image) = self.resolve(name) else { return Self::LATENCY };
        let have: BTreeSet<&str> =
            present.into_iter().flat_map(|image| &image.layers).map(|layer| layer.digest.as_str()).into_set();
        let missing: u64 =
            image.layers.iter().filter(|l| !have.contains(l.digest.as_str())).map(|l| l.size_bytes).sum();
        // Whole milliseconds, so that events carry short numbers.
        Self::LATENCY + Duration::from_millis(missing.saturating_mul(1000) / self.bytes_per_s)
    }
}

/// How a registry says that it has no such repository.
fn refusal(reference: Reference) -> PullError {
    match reference.domain() {
        "docker.io" => PullError::Denied(reference),
        "ghcr.io" | "nvcr.io" => PullError::Unauthorized(reference, "403 Forbidden"),
        "quay.io" => PullError::Unauthorized(reference, "401 Unauthorized"),
        "registry.k8s.io" | "k8s.gcr.io" | "gcr.io" | "mcr.microsoft.com" | "public.ecr.aws" => {
            PullError::NotFound(reference)
        }
        _ => PullError::NoSuchHost(reference),
    }
}

/// An image of which nothing is known.
fn plain() -> Recipe {
    Recipe {
        size_bytes: 60_000_000,
        base: None,
        entrypoint: Vec::new(),
        cmd: vec!["sh"],
        env: vec![("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned())],
        working_dir: "/",
        rootfs: Rootfs::Debian,
        tools: Vec::new(),
        content: Vec::new(),
    }
}

/// Makes the image that a recipe describes.
fn build(reference: &Reference, recipe: &Recipe) -> Image {
    let name = format!("{}:{}", reference.repository(), reference.tag().unwrap_or("latest"));
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let (base, base_bytes) =
        recipe.base.map_or((None, 0), |(base, size)| (Some(base), size.min(recipe.size_bytes)));
    let mut layers: Vec<Layer> = base
        .map(|base| Layer { digest: digest_of(&format!("layer {base}")), size_bytes: base_bytes })
        .into_iter()
        .collect();
    if recipe.size_bytes > base_bytes {
        let size_bytes = recipe.size_bytes - base_bytes;
        layers.push(Layer { digest: digest_of(&format!("layer {name}")), size_bytes });
    }
    Image {
        reference: reference.clone(),
        digest: digest_of(&name),
        size_bytes: recipe.size_bytes,
        layers,
        entrypoint: owned(&recipe.entrypoint),
        cmd: owned(&recipe.cmd),
        env: recipe.env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        working_dir: recipe.working_dir.to_owned(),
        rootfs: recipe.rootfs,
        tools: recipe.tools.clone(),
        content: Arc::new(
            recipe.content.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_exist_are_found_and_others_are_not() {
        let registry = Registry::default();
        let check = |name: &str, exists: bool| assert_eq!(registry.resolve(name).is_ok(), exists, "{name}");
        for name in [
            "busybox",
            "busybox:1.36",
            "alpine:3.20",
            "ubuntu:22.04",
            "debian:12-slim",
            "nginx:1.27",
            "nginx:1.26.3",
            "nginx:1.27-alpine",
            "python:3.12-slim",
            "redis:7",
            "postgres:17",
            "envoyproxy/envoy:v1.33",
            "registry.k8s.io/pause:3.10",
            "nvcr.io/nvidia/k8s/dcgm-exporter:4.2.0",
            "nvidia/cuda:12.4.1-base-ubuntu22.04",
            "nvcr.io/nvidia/cuda:12.9.1-cudnn-devel-ubuntu24.04",
            "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0-ubuntu22.04",
            "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda11.7.1-ubuntu20.04",
            "nvcr.io/nvidia/pytorch:25.06-py3",
            "pytorch/pytorch",
            "pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime",
        ] {
            check(name, true);
        }
        for name in [
            "nvidia/cuda",
            "nvidia/cuda:latest",
            "nvidia/cuda:12.4",
            "nvidia/cuda:12.4.1",
            "nvidia/cuda:12.4.1-base-ubuntu24.04",
            "nginx:1.99",
            "nginx:1.27.x",
            "nginx:missing",
            "nvcr.io/nvidia/pytorch:25.13-py3",
            "nvcr.io/nvidia/pytorch",
            "busybox:",
            "nosuchimage",
        ] {
            check(name, false);
        }
    }

    /// The words of a real cluster's events.
    #[test]
    fn what_cannot_be_pulled_fails_in_the_words_of_the_runtime() {
        let registry = Registry::default();
        let check = |name: &str, expect: &str| {
            assert_eq!(registry.resolve(name).unwrap_err().to_string(), expect);
        };
        check(
            "registry.example.com/team/does-not-exist:v1",
            "rpc error: code = NotFound desc = failed to pull and unpack image \
             \"registry.example.com/team/does-not-exist:v1\": failed to resolve reference \
             \"registry.example.com/team/does-not-exist:v1\": registry.example.com/team/does-not-exist:v1: not found",
        );
        check(
            "example/private:1",
            "rpc error: code = Unknown desc = failed to pull and unpack image \"docker.io/example/private:1\": failed \
             to resolve reference \"docker.io/example/private:1\": pull access denied, repository does not exist or \
             may require authorization: server message: insufficient_scope: authorization failed",
        );
        check(
            "nginx:missing",
            "rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx:missing\": \
             failed to resolve reference \"docker.io/library/nginx:missing\": docker.io/library/nginx:missing: not found",
        );
        check(
            "ghcr.io/team/app:1",
            "rpc error: code = Unknown desc = failed to pull and unpack image \"ghcr.io/team/app:1\": failed to resolve \
             reference \"ghcr.io/team/app:1\": failed to authorize: failed to fetch anonymous token: unexpected status \
             from GET request to https://ghcr.io/token?scope=repository%3Ateam%2Fapp%3Apull&service=ghcr.io: 403 Forbidden",
        );
        check(
            "registry.example.com/team/app:1",
            "rpc error: code = Unknown desc = failed to pull and unpack image \"registry.example.com/team/app:1\": \
             failed to resolve reference \"registry.example.com/team/app:1\": failed to do request: Head \
             \"https://registry.example.com/v2/team/app/manifests/1\": dial tcp: lookup registry.example.com on \
             127.0.0.53:53: no such host",
        );
        let denied = registry.resolve("nosuchimage").unwrap_err();
        assert!(matches!(denied, PullError::Denied(_)), "{denied}");
    }

    #[test]
    fn digests_and_ids_follow_from_the_name() {
        let registry = Registry::default();
        let image = registry.resolve("nginx:1.27").unwrap();
        assert_eq!(image.digest, registry.resolve("docker.io/library/nginx:1.27").unwrap().digest);
        assert_ne!(image.digest, registry.resolve("nginx:1.28").unwrap().digest);
        assert_eq!(image.id(), format!("docker.io/library/nginx@{}", image.digest));
        assert!(registry.resolve(&format!("nginx:1.27@{}", image.digest)).is_ok());
        assert!(registry.resolve(&format!("nginx:1.28@{}", image.digest)).is_err());
    }

    #[test]
    fn pulling_takes_longer_for_more_and_shared_layers_come_once() {
        let registry = Registry::default();
        let time = |name| registry.pull_time(name).as_millis();
        assert_eq!(time("busybox:1.36"), 614);
        assert_eq!(time("nginx:1.27"), 1081);
        assert_eq!(time("nvcr.io/nvidia/pytorch:25.06-py3"), 67_933);
        assert_eq!(time("nosuchimage"), 600);
        let ubuntu = registry.resolve("ubuntu:22.04").unwrap();
        let beside = registry.pull_time_beside("nvidia/cuda:12.4.1-base-ubuntu22.04", [&*ubuntu]);
        assert_eq!(beside.as_millis(), time("nvidia/cuda:12.4.1-base-ubuntu22.04") - 198);
        assert_eq!(registry.with_bytes_per_s(0).pull_time("busybox").as_secs(), 2_156_519);
    }

    #[test]
    fn a_lab_adds_images_of_its_own_and_may_accept_all() {
        let mut registry = Registry::default();
        let spec = ImageSpec {
            name: "registry.local/team/trainer:v2".into(),
            like: Some("pytorch/pytorch".into()),
            size_mib: Some(100),
            command: Some(vec!["python".into(), "train.py".into()]),
            env: BTreeMap::from([("LEVEL".into(), "7".into())]),
            files: BTreeMap::from([("/data/readme".into(), "hello".into())]),
            ..ImageSpec::default()
        };
        registry.add(&spec).unwrap();
        let image = registry.resolve("registry.local/team/trainer:v2").unwrap();
        assert_eq!((image.size_bytes, image.cmd.join(" ").as_str()), (100 << 20, "python train.py"));
        assert!(image.env.contains(&("LEVEL".into(), "7".into())));
        assert_eq!(image.files().read("/data/readme").unwrap(), b"hello");
        assert!(image.files().exists("/workspace/train.py"));
        assert!(registry.add(&ImageSpec { name: "UP".into(), ..spec.clone() }).is_err());
        assert!(registry.add(&ImageSpec { like: Some("nosuchimage".into()), ..spec }).is_err());

        let open = Registry::default().with_unknown(Unknown::Accept);
        assert!(open.resolve("example/app:1").is_ok() && open.resolve("nginx:1.30").is_ok());
        assert!(open.resolve("nginx:missing").is_err() && open.resolve("example/private:1").is_err());
    }
}
