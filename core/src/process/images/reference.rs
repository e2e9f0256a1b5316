//! Image names, as `distribution/reference` reads them.

use std::fmt;

use thiserror::Error;

/// A normalised image name: `nginx` is `docker.io/library/nginx:latest`.
///
/// ```
/// use clusterlab::process::images::Reference;
///
/// let name: Reference = "nginx:1.27".parse().unwrap();
/// assert_eq!(name.to_string(), "docker.io/library/nginx:1.27");
/// assert_eq!((name.domain(), name.path(), name.tag()), ("docker.io", "library/nginx", Some("1.27")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// A name that is none, in the kubelet's words for `InvalidImageName`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {reason}")]
pub struct InvalidReference {
    image: String,
    reason: String,
}

impl InvalidReference {
    /// What is wrong with it, in the parser's words.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Reference {
    /// The registry's host, such as `docker.io`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository within the registry, such as `library/nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Registry and repository, such as `docker.io/library/nginx`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The tag. A name with neither tag nor digest has been given `latest`.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, such as `sha256:...`, if it was named.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(image: &str) -> Result<Self, Self::Err> {
        parse(image).map_err(|reason| InvalidReference { image: image.to_owned(), reason })
    }
}

const FORMAT: &str = "invalid reference format";

fn parse(image: &str) -> Result<Reference, String> {
    if image.len() == 64 && image.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(format!("invalid repository name ({image}), cannot specify 64-byte hexadecimal strings"));
    }
    let (domain, rest) = split_domain(image);
    let remote = rest.split(':').next().unwrap_or(&rest);
    if remote.to_lowercase() != remote {
        return Err(format!("{FORMAT}: repository name ({remote}) must be lowercase"));
    }
    let (name, digest) = match rest.split_once('@') {
        Some((name, digest)) => (name, Some(check_digest(digest)?)),
        None => (rest.as_str(), None),
    };
    let (path, tag) = match name.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (name, None),
    };
    if !is_domain(&domain) || !path.split('/').all(is_component) || !tag.is_none_or(is_tag) {
        return Err(FORMAT.to_owned());
    }
    if domain.len() + 1 + path.len() > 255 {
        return Err("repository name must not be more than 255 characters".to_owned());
    }
    let tag = match (tag, digest) {
        (None, None) => Some("latest"),
        (tag, _) => tag,
    };
    Ok(Reference {
        domain,
        path: path.to_owned(),
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    })
}

/// The registry's host is what stands before the first `/` if it looks like a
/// host; else it is Docker Hub's, where a bare name is in `library`.
fn split_domain(image: &str) -> (String, String) {
    let hub = |path: &str| {
        let library = if path.contains('/') { "" } else { "library/" };
        ("docker.io".to_owned(), format!("{library}{path}"))
    };
    match image.split_once('/') {
        Some(("docker.io" | "index.docker.io", rest)) => hub(rest),
        Some((host, rest))
            if host.contains(['.', ':']) || host == "localhost" || host.to_lowercase() != host =>
        {
            (host.to_owned(), rest.to_owned())
        }
        _ => hub(image),
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (domain, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Letters and digits, with `.`, `_`, `__` or any number of `-` in between.
fn is_component(component: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut previous_word = false;
    let mut separator = String::new();
    for byte in component.bytes() {
        if is_word(byte) {
            let fits =
                matches!(separator.as_str(), "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-');
            if !fits {
                return false;
            }
            separator.clear();
            previous_word = true;
        } else if previous_word && matches!(byte, b'.' | b'_' | b'-') {
            separator.push(char::from(byte));
        } else {
            return false;
        }
    }
    previous_word && separator.is_empty()
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

fn check_digest(digest: &str) -> Result<&str, String> {
    let hex = |text: &str| text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let Some((algorithm, sum)) = digest.split_once(':').filter(|(_, sum)| hex(sum)) else {
        return Err(FORMAT.to_owned());
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err("unsupported digest algorithm".to_owned()),
    };
    if sum.len() != length {
        return Err("invalid checksum digest length".to_owned());
    }
    if sum.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("invalid checksum digest format".to_owned());
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_completed_as_docker_completes_them() {
        let check = |image: &str, expect: &str| {
            let reference: Reference = image.parse().unwrap();
            assert_eq!(reference.to_string(), expect);
            assert_eq!(expect.parse::<Reference>().unwrap(), reference, "the full name means the same");
        };
        let sum = "a".repeat(64);
        check("busybox", "docker.io/library/busybox:latest");
        check("busybox:1.36", "docker.io/library/busybox:1.36");
        check("index.docker.io/busybox", "docker.io/library/busybox:latest");
        check(
            "pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime",
            "docker.io/pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime",
        );
        check(
            "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0",
            "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0",
        );
        check("localhost/a", "localhost/a:latest");
        check("localhost:5000/a/b__c.d--e:V1_x", "localhost:5000/a/b__c.d--e:V1_x");
        check(&format!("nginx@sha256:{sum}"), &format!("docker.io/library/nginx@sha256:{sum}"));
        check(&format!("nginx:1@sha256:{sum}"), &format!("docker.io/library/nginx:1@sha256:{sum}"));
    }

    /// The sentences were seen in events of real clusters.
    #[test]
    fn what_is_no_name_is_refused_in_the_real_words() {
        let check = |image: &str, reason: &str| {
            let error = image.parse::<Reference>().unwrap_err();
            assert_eq!(error.reason(), reason, "{image}");
            assert_eq!(
                error.to_string(),
                format!(
                    "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {reason}"
                )
            );
        };
        check("busyBOX", "invalid reference format: repository name (library/busyBOX) must be lowercase");
        check(
            "server-<your student ID>",
            "invalid reference format: repository name (library/server-<your student ID>) must be lowercase",
        );
        check(":sha-0b293ab", "invalid reference format");
        check("ghcr.io/${{ github.repository }}:latest", "invalid reference format");
        check("registry.hub.docker.com/library//nginx:latest", "invalid reference format");
        check("https://nginx", "invalid reference format");
        check("bad image", "invalid reference format");
        check("", "invalid reference format");
        check("nginx:", "invalid reference format");
        check("nginx@sha256:abc", "invalid reference format");
        check(&format!("nginx@sha256:{}", "a".repeat(63)), "invalid checksum digest length");
        check(&format!("nginx@md5:{}", "a".repeat(32)), "unsupported digest algorithm");
        check(
            &"a".repeat(64),
            &format!(
                "invalid repository name ({}), cannot specify 64-byte hexadecimal strings",
                "a".repeat(64)
            ),
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser_and_what_it_takes_reads_back(image in "[a-zA-Z0-9._:/@-]{0,40}|\\PC{0,20}") {
            if let Ok(reference) = image.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
            }
        }
    }
}
