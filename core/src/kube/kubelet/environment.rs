//! A container's environment, command and arguments
//! (`pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;

use crate::kube::api::ApiServer;
use crate::order::Collected;

/// Makes the environment of `container`: the image's variables, those of the
/// cluster, then the container's own in their order, `$(NAME)` expanded.
///
/// # Errors
///
/// The text that `CreateContainerConfigError` shows: a ConfigMap or a key that is
/// not there.
pub(super) fn environment(
    api: &ApiServer,
    pod: &core::Pod,
    container: &core::Container,
    image: &[(String, String)],
    host_ip: &str,
    pod_ip: &str,
) -> Result<BTreeMap<String, String>, String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let mut env: BTreeMap<String, String> = image.iter().cloned().into_map();
    for (key, value) in [
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("KUBERNETES_SERVICE_PORT", "443"),
        ("KUBERNETES_SERVICE_PORT_HTTPS", "443"),
        ("KUBERNETES_PORT", "tcp://10.96.0.1:443"),
        ("KUBERNETES_PORT_443_TCP", "tcp://10.96.0.1:443"),
        ("KUBERNETES_PORT_443_TCP_ADDR", "10.96.0.1"),
        ("KUBERNETES_PORT_443_TCP_PORT", "443"),
        ("KUBERNETES_PORT_443_TCP_PROTO", "tcp"),
    ] {
        env.insert(key.to_owned(), value.to_owned());
    }
    for from in container.env_from.as_deref().unwrap_or_default() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        if let Some(reference) = &from.config_map_ref {
            match api.read::<core::ConfigMap>(namespace, &reference.name) {
                Some(map) => env.extend(
                    map.data.iter().flatten().map(|(key, value)| (format!("{prefix}{key}"), value.clone())),
                ),
                None if reference.optional == Some(true) => {}
                None => return Err(format!("configmap \"{}\" not found", reference.name)),
            }
        } else if from.secret_ref.is_some() {
            return Err("not modelled: envFrom.secretRef".to_owned());
        }
    }
    for variable in container.env.as_deref().unwrap_or_default() {
        let value = match &variable.value_from {
            None => Some(expand(variable.value.as_deref().unwrap_or_default(), &env)),
            Some(source) => from_source(api, pod, container, source, host_ip, pod_ip)?,
        };
        if let Some(value) = value {
            env.insert(variable.name.clone(), value);
        }
    }
    Ok(env)
}

fn from_source(
    api: &ApiServer,
    pod: &core::Pod,
    container: &core::Container,
    source: &core::EnvVarSource,
    host_ip: &str,
    pod_ip: &str,
) -> Result<Option<String>, String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    if let Some(field) = &source.field_ref {
        return field_value(pod, &field.field_path, host_ip, pod_ip).map(Some);
    }
    if let Some(key) = &source.config_map_key_ref {
        let optional = key.optional == Some(true);
        let Some(map) = api.read::<core::ConfigMap>(namespace, &key.name) else {
            return if optional { Ok(None) } else { Err(format!("configmap \"{}\" not found", key.name)) };
        };
        return match map.data.as_ref().and_then(|data| data.get(&key.key)) {
            Some(value) => Ok(Some(value.clone())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {} in ConfigMap {namespace}/{}", key.key, key.name)),
        };
    }
    if let Some(field) = &source.resource_field_ref {
        return resource_value(container, field).map(Some);
    }
    Err("not modelled: env valueFrom.secretKeyRef".to_owned())
}

/// The downward API's fields of a pod.
pub(super) fn field_value(
    pod: &core::Pod,
    path: &str,
    host_ip: &str,
    pod_ip: &str,
) -> Result<String, String> {
    let meta = &pod.metadata;
    let spec = pod.spec.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let keyed = |map: Option<&BTreeMap<String, String>>, key: &str| {
        text(map.and_then(|map| map.get(key.trim_matches(['\'', '"']))))
    };
    if let Some((path, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        return match path {
            "metadata.labels" => Ok(keyed(meta.labels.as_ref(), key)),
            "metadata.annotations" => Ok(keyed(meta.annotations.as_ref(), key)),
            _ => Err(format!("unsupported fieldPath: {path}")),
        };
    }
    Ok(match path {
        "metadata.name" => text(meta.name.as_ref()),
        "metadata.namespace" => text(meta.namespace.as_ref()),
        "metadata.uid" => text(meta.uid.as_ref()),
        "spec.nodeName" => text(spec.and_then(|s| s.node_name.as_ref())),
        "spec.serviceAccountName" => text(spec.and_then(|s| s.service_account_name.as_ref())),
        "status.hostIP" | "status.hostIPs" => host_ip.to_owned(),
        "status.podIP" | "status.podIPs" => pod_ip.to_owned(),
        _ => return Err(format!("unsupported fieldPath: {path}")),
    })
}

/// `limits.cpu` and its like, divided by the divisor and rounded up.
fn resource_value(
    container: &core::Container,
    field: &core::ResourceFieldSelector,
) -> Result<String, String> {
    use super::resources::milli;
    let (list, resource) = field.resource.split_once('.').unwrap_or((&field.resource, ""));
    let resources = container.resources.as_ref();
    let map = match list {
        "limits" => resources.and_then(|r| r.limits.as_ref()),
        "requests" => resources.and_then(|r| r.requests.as_ref()),
        _ => return Err(format!("unsupported container resource : {}", field.resource)),
    };
    let amount = map.and_then(|m| m.get(resource)).map_or(0, milli);
    let divisor = match field.divisor.as_ref().map_or(0, milli) {
        0 => 1000,
        divisor => divisor,
    };
    Ok(((amount + divisor - 1) / divisor).to_string())
}

/// Replaces `$(NAME)` by the variable's value; unknown names stay as they are and
/// `$$` is a single `$` (`third_party/forked/golang/expansion`).
pub(super) fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match env.get(name) {
                Some(value) => out.push_str(value),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollar_names_expand_and_unknown_ones_stay() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        for (text, expected) in [
            ("$(A)", "1"),
            ("x$(A)$(B)y", "x1$(B)y"),
            ("$$(A)", "$(A)"),
            ("$A", "$A"),
            ("$(A", "$(A"),
            ("100$", "100$"),
        ] {
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }
}
