//! `enroot import docker://…`: the conversation with a registry, and its layers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Enroot, Squash};
use crate::process::files::Files;
use crate::process::images::{PullError, Registry};

/// An image that was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) squash: Squash,
    /// What Enroot prints.
    pub(crate) log: Vec<String>,
    pub(crate) took: Duration,
    /// Digests of the layers that had to be fetched; for [`Enroot::keep_layers`].
    pub(crate) layers: Vec<String>,
}

/// Why none was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportError {
    /// What Enroot prints.
    pub(crate) log: Vec<String>,
    /// Its exit code: that of curl where curl failed.
    pub(crate) code: u8,
}

/// The parts of `[USER@][REGISTRY#]IMAGE[:TAG]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Uri<'a> {
    user: Option<&'a str>,
    registry: &'a str,
    image: String,
    tag: &'a str,
}

fn parse(uri: &str) -> Option<Uri<'_>> {
    let (user, rest) = match uri.split_once('@') {
        // `image@sha256:…` is a digest, not a user.
        Some((user, rest)) if !rest.starts_with("sha256:") => (Some(user), rest),
        _ => (None, uri),
    };
    let (registry, rest) = rest.split_once('#').unwrap_or(("registry-1.docker.io", rest));
    let (image, tag) = match rest.rsplit_once(':') {
        Some((image, tag)) if !tag.contains('/') => (image, tag),
        _ => (rest, "latest"),
    };
    if image.is_empty() || registry.is_empty() {
        return None;
    }
    let official = registry == "registry-1.docker.io" && !image.contains('/');
    let image = if official { format!("library/{image}") } else { image.to_owned() };
    Some(Uri { user, registry, image, tag })
}

/// Whether the file of credentials has an entry for a host: `machine HOST login USER password PASSWORD`.
fn has_credentials(files: &Files, env: &BTreeMap<String, String>, host: &str) -> Option<(String, String)> {
    let home = env.get("HOME").map_or("/root", String::as_str);
    let directory =
        env.get("ENROOT_CONFIG_PATH").cloned().unwrap_or_else(|| format!("{home}/.config/enroot"));
    let path = format!("{directory}/.credentials");
    let text = String::from_utf8_lossy(files.read(&path).ok()?).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == ["machine", host])?;
    let login = words[at..].windows(2).find(|pair| pair[0] == "login").map(|pair| pair[1].to_owned())?;
    Some((path, login))
}

/// Fetches an image onto a node.
pub(crate) fn fetch(
    enroot: &mut Enroot,
    files: &Files,
    node: &str,
    env: &BTreeMap<String, String>,
    uri: &str,
) -> Result<Fetched, ImportError> {
    let whole = format!("docker://{uri}");
    let Some(parts) = parse(uri) else {
        return Err(ImportError { log: vec![format!("[ERROR] Invalid image reference: {whole}")], code: 1 });
    };
    let mut log = vec!["[INFO] Querying registry for permission grant".to_owned()];
    let fails = |mut log: Vec<String>, line: String, code: u8| {
        log.push(line);
        Err(ImportError { log, code })
    };
    let bad = |text: &str| text.chars().any(|c| c.is_whitespace() || c.is_control());
    if bad(&parts.image) || bad(parts.registry) || bad(parts.tag) {
        return fails(log, "curl: (3) URL using bad/illegal format or missing URL".into(), 3);
    }
    if !enroot.conf.online {
        return fails(log, format!("curl: (6) Could not resolve host: {}", parts.registry), 6);
    }
    let host = if parts.registry == "registry-1.docker.io" { "docker.io" } else { parts.registry };
    let name = format!("{host}/{}:{}", parts.image, parts.tag);
    let auth = if host == "docker.io" { "auth.docker.io" } else { host };
    match has_credentials(files, env, auth) {
        Some((path, login)) => {
            log.push(format!("[INFO] Using credentials from file: {path}"));
            log.push(format!("[INFO] Authenticating with user: {}", parts.user.unwrap_or(&login)));
        }
        None => log.push(format!("[INFO] Authenticating with user: {}", parts.user.unwrap_or("<anonymous>"))),
    }
    let manifest = format!("https://{}/v2/{}/manifests/{}", parts.registry, parts.image, parts.tag);
    let image = match enroot.registry.resolve(&name) {
        Ok(image) => image,
        Err(PullError::NoSuchHost(_)) => {
            log.truncate(1);
            return fails(log, format!("curl: (6) Could not resolve host: {}", parts.registry), 6);
        }
        Err(PullError::Unauthorized(..)) => {
            let url = format!("https://{auth}/proxy_auth?scope=repository:{}:pull", parts.image);
            return fails(log, format!("[ERROR] URL {url} returned error code: 401 Unauthorized"), 1);
        }
        Err(PullError::Denied(_)) => {
            log.push("[INFO] Authentication succeeded".into());
            log.push("[INFO] Fetching image manifest list".into());
            return fails(log, format!("[ERROR] URL {manifest} returned error code: 401 Unauthorized"), 1);
        }
        Err(PullError::NotFound(_) | PullError::Invalid(_)) => {
            log.push("[INFO] Authentication succeeded".into());
            log.push("[INFO] Fetching image manifest list".into());
            return fails(log, format!("[ERROR] URL {manifest} returned error code: 404 Not Found"), 1);
        }
    };
    for line in ["Authentication succeeded", "Fetching image manifest list", "Fetching image manifest"] {
        log.push(format!("[INFO] {line}"));
    }
    let cache = enroot.layers.entry(enroot_scope(enroot.conf.node_local, node)).or_default();
    let missing: Vec<_> = image.layers.iter().filter(|layer| !cache.contains(&layer.digest)).collect();
    if missing.is_empty() {
        log.push("[INFO] Found all layers in cache".into());
    } else {
        log.push(format!("[INFO] Downloading {} missing layers...", missing.len()));
    }
    let bytes: u64 = missing.iter().map(|layer| layer.size_bytes).sum();
    for line in ["Extracting image layers...", "Converting whiteouts...", "Creating squashfs filesystem..."] {
        log.push(format!("[INFO] {line}"));
    }
    let took = Registry::LATENCY + Duration::from_millis(bytes * 1000 / Registry::BYTES_PER_S);
    let layers = missing.iter().map(|layer| layer.digest.clone()).collect();
    Ok(Fetched { squash: Squash::of_image(&image), log, took, layers })
}

impl Enroot {
    /// Layers are in the cache of a node now.
    pub(crate) fn keep_layers(&mut self, node: &str, layers: Vec<String>) {
        if !layers.is_empty() {
            self.layers.entry(enroot_scope(self.conf.node_local, node)).or_default().extend(layers);
        }
    }
}

fn enroot_scope(node_local: bool, node: &str) -> String {
    if node_local { node.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, expect: Option<(Option<&str>, &str, &str, &str)>) {
        let found = parse(uri);
        let found = found.as_ref().map(|uri| (uri.user, uri.registry, uri.image.as_str(), uri.tag));
        assert_eq!(found, expect, "{uri}");
    }

    #[test]
    fn an_image_reference_has_user_registry_name_and_tag() {
        check("ubuntu", Some((None, "registry-1.docker.io", "library/ubuntu", "latest")));
        check("nvcr.io#nvidia/pytorch:25.06-py3", Some((None, "nvcr.io", "nvidia/pytorch", "25.06-py3")));
        check("$oauthtoken@nvcr.io#a/b", Some((Some("$oauthtoken"), "nvcr.io", "a/b", "latest")));
        check("", None);
    }

    #[test]
    fn a_registry_that_refuses_says_why() {
        let log = |uri: &str| {
            let mut enroot = Enroot::default();
            fetch(&mut enroot, &Files::new(), "n1", &BTreeMap::new(), uri)
                .map(|fetched| fetched.log)
                .map_err(|error| (error.log.last().cloned().unwrap_or_default(), error.code))
        };
        assert_eq!(
            log("ubuntu:0.1"),
            Err((
                "[ERROR] URL https://registry-1.docker.io/v2/library/ubuntu/manifests/0.1 returned error code: 404 Not Found"
                    .into(),
                1
            ))
        );
        assert!(log("nosuchthing").is_err_and(|(line, _)| line.ends_with("401 Unauthorized")));
        // Recorded: pyxis_enroot.
        assert_eq!(log("BAD NAME"), Err(("curl: (3) URL using bad/illegal format or missing URL".into(), 3)));
        assert!(log("ubuntu:24.04").is_ok_and(|log| log[4] == "[INFO] Fetching image manifest"));
    }

    #[test]
    fn layers_are_fetched_once() {
        let mut enroot = Enroot::default();
        let fetch = |enroot: &mut Enroot| {
            fetch(enroot, &Files::new(), "n1", &BTreeMap::new(), "ubuntu").expect("an image")
        };
        let first = fetch(&mut enroot);
        let again = fetch(&mut enroot);
        assert_eq!(again.took, first.took, "what is on its way is not there");
        enroot.keep_layers("n1", first.layers.clone());
        let second = fetch(&mut enroot);
        assert!(
            second.took < first.took && second.log.contains(&"[INFO] Found all layers in cache".to_owned())
        );
    }
}
