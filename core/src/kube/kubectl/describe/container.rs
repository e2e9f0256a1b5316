//! The containers of a pod: what they are, what state they are in, what they see.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStatus, EnvVar, Pod, Probe, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::lines::{Lines, rfc1123};
use crate::kube::kubectl::print::go_quote;
use crate::kube::quantity::Amount;
use crate::order::InOrder;

/// Writes containers under a title.
pub(super) fn all(
    lines: &mut Lines,
    title: &str,
    containers: &[Container],
    statuses: Option<&[ContainerStatus]>,
    pod: &Pod,
) {
    lines.put(0, &format!("{title}:{}", if containers.is_empty() { " <none>" } else { "" }));
    for container in containers {
        let status = statuses.unwrap_or_default().iter().find(|status| status.name == container.name);
        lines.put(1, &format!("{}:", container.name));
        if let Some(status) = status {
            lines.put(2, &format!("Container ID:\t{}", status.container_id.clone().unwrap_or_default()));
        }
        lines.put(2, &format!("Image:\t{}", container.image.clone().unwrap_or_default()));
        if let Some(status) = status {
            lines.put(2, &format!("Image ID:\t{}", status.image_id));
        }
        ports(lines, container);
        if let Some(profile) = container.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref()) {
            lines.put(2, &format!("SeccompProfile:\t{}", profile.type_));
            if let Some(path) = profile.localhost_profile.as_ref().filter(|_| profile.type_ == "Localhost") {
                lines.put(3, &format!("LocalhostProfile:\t{path}"));
            }
        }
        for (title, words) in [("Command", &container.command), ("Args", &container.args)] {
            let words = words.as_deref().unwrap_or_default();
            if !words.is_empty() {
                lines.put(2, &format!("{title}:"));
                for line in words.iter().flat_map(|word| word.split('\n')) {
                    lines.put(3, line);
                }
            }
        }
        if let Some(status) = status {
            describe_state(lines, "State", status.state.as_ref());
            if status.last_state.as_ref().is_some_and(|state| state.terminated.is_some()) {
                describe_state(lines, "Last State", status.last_state.as_ref());
            }
            lines.put(2, &format!("Ready:\t{}", if status.ready { "True" } else { "False" }));
            lines.put(2, &format!("Restart Count:\t{}", status.restart_count));
        }
        if let Some(wanted) = &container.resources {
            resources(lines, wanted, 2);
        }
        for (title, probe) in [
            ("Liveness", &container.liveness_probe),
            ("Readiness", &container.readiness_probe),
            ("Startup", &container.startup_probe),
        ] {
            if let Some(probe) = probe {
                lines.put(2, &format!("{title}:\t{}", describe_probe(probe)));
            }
        }
        environment(lines, container, pod);
        let mut mounts = container.volume_mounts.clone().unwrap_or_default();
        mounts.order_by(|a, b| a.mount_path.cmp(&b.mount_path));
        lines.put(2, &format!("Mounts:{}", if mounts.is_empty() { "\t<none>" } else { "" }));
        for mount in mounts {
            let mut flags = if mount.read_only == Some(true) { "ro" } else { "rw" }.to_owned();
            if let Some(path) = mount.sub_path.as_deref().filter(|path| !path.is_empty()) {
                flags.push_str(&format!(",path={}", go_quote(path)));
            }
            lines.put(3, &format!("{} from {} ({flags})", mount.mount_path, mount.name));
        }
        if let Some(devices) = container.volume_devices.as_deref().filter(|devices| !devices.is_empty()) {
            lines.put(2, "Devices:");
            for device in devices {
                lines.put(3, &format!("{} from {}", device.device_path, device.name));
            }
        }
    }
}

fn ports(lines: &mut Lines, container: &Container) {
    let all = container.ports.as_deref().unwrap_or_default();
    for (title, host) in [("Port", false), ("Host Port", true)] {
        let shown: Vec<String> = all
            .iter()
            .map(|port| {
                let number = if host { port.host_port.unwrap_or(0) } else { port.container_port };
                let name = port.name.as_deref().filter(|name| !name.is_empty());
                let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
                format!("{number}/{}{name}", port.protocol.as_deref().unwrap_or("TCP"))
            })
            .collect();
        let plural = if shown.len() > 1 { "s" } else { "" };
        let shown = if shown.is_empty() { "<none>".to_owned() } else { shown.join(", ") };
        lines.put(2, &format!("{title}{plural}:\t{shown}"));
    }
}

fn describe_state(lines: &mut Lines, title: &str, state: Option<&ContainerState>) {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let state = state.cloned().unwrap_or_default();
    if let Some(running) = &state.running {
        lines.put(2, &format!("{title}:\tRunning"));
        lines.put(3, &format!("Started:\t{}", rfc1123(running.started_at.as_ref())));
    } else if let Some(waiting) = &state.waiting {
        lines.put(2, &format!("{title}:\tWaiting"));
        if let Some(reason) = some(&waiting.reason) {
            lines.put(3, &format!("Reason:\t{reason}"));
        }
    } else if let Some(ended) = &state.terminated {
        lines.put(2, &format!("{title}:\tTerminated"));
        for (title, value) in [("Reason", &ended.reason), ("Message", &ended.message)] {
            if let Some(value) = some(value) {
                lines.put(3, &format!("{title}:\t{value}"));
            }
        }
        lines.put(3, &format!("Exit Code:\t{}", ended.exit_code));
        if let Some(signal) = ended.signal.filter(|signal| *signal > 0) {
            lines.put(3, &format!("Signal:\t{signal}"));
        }
        lines.put(3, &format!("Started:\t{}", rfc1123(ended.started_at.as_ref())));
        lines.put(3, &format!("Finished:\t{}", rfc1123(ended.finished_at.as_ref())));
    } else {
        lines.put(2, &format!("{title}:\tWaiting"));
    }
}

/// Writes limits and requests.
pub(super) fn resources(lines: &mut Lines, resources: &ResourceRequirements, level: usize) {
    for (title, amounts) in [("Limits", &resources.limits), ("Requests", &resources.requests)] {
        let Some(amounts) = amounts.as_ref().filter(|amounts| !amounts.is_empty()) else { continue };
        lines.put(level, &format!("{title}:"));
        for (name, quantity) in amounts {
            lines.put(level + 1, &format!("{name}:\t{}", quantity.0));
        }
    }
}

fn describe_probe(probe: &Probe) -> String {
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        probe.initial_delay_seconds.unwrap_or(0),
        probe.timeout_seconds.unwrap_or(0),
        probe.period_seconds.unwrap_or(0),
        probe.success_threshold.unwrap_or(0),
        probe.failure_threshold.unwrap_or(0)
    );
    let port = |port: &IntOrString| match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    };
    if let Some(exec) = &probe.exec {
        return format!("exec [{}] {attributes}", exec.command.clone().unwrap_or_default().join(" "));
    }
    if let Some(get) = &probe.http_get {
        let host = get.host.clone().unwrap_or_default();
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let scheme = get.scheme.clone().unwrap_or_default().to_lowercase();
        let path = get.path.clone().unwrap_or_default();
        let path = if path.is_empty() || path.starts_with('/') { path } else { format!("/{path}") };
        return format!("http-get {scheme}://{host}:{}{path} {attributes}", port(&get.port));
    }
    if let Some(socket) = &probe.tcp_socket {
        return format!(
            "tcp-socket {}:{} {attributes}",
            socket.host.clone().unwrap_or_default(),
            port(&socket.port)
        );
    }
    if let Some(grpc) = &probe.grpc {
        return format!("grpc <pod>:{} {} {attributes}", grpc.port, grpc.service.clone().unwrap_or_default());
    }
    format!("unknown {attributes}")
}

fn environment(lines: &mut Lines, container: &Container, pod: &Pod) {
    let sources = container.env_from.as_deref().unwrap_or_default();
    if !sources.is_empty() {
        lines.put(2, "Environment Variables from:");
    }
    for source in sources {
        let (name, kind, optional) = match (&source.config_map_ref, &source.secret_ref) {
            (Some(map), _) => (map.name.clone(), "ConfigMap", map.optional),
            (None, Some(secret)) => (secret.name.clone(), "Secret", secret.optional),
            (None, None) => (String::new(), "", None),
        };
        let prefix = source.prefix.as_deref().filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(|prefix| format!(" with prefix '{prefix}'")).unwrap_or_default();
        lines.put(3, &format!("{name}\t{kind}{prefix}\tOptional: {}", optional.unwrap_or(false)));
    }
    let variables = container.env.as_deref().unwrap_or_default();
    lines.put(2, &format!("Environment:{}", if variables.is_empty() { "\t<none>" } else { "" }));
    for variable in variables {
        describe_variable(lines, variable, container, pod);
    }
}

fn describe_variable(lines: &mut Lines, variable: &EnvVar, container: &Container, pod: &Pod) {
    let name = &variable.name;
    let Some(source) = &variable.value_from else {
        for (index, line) in variable.value.as_deref().unwrap_or_default().split('\n').enumerate() {
            lines.put(3, &if index == 0 { format!("{name}:\t{line}") } else { format!("\t{line}") });
        }
        return;
    };
    if let Some(field) = &source.field_ref {
        let version = field.api_version.as_deref().unwrap_or("v1");
        let value = field_value(pod, &field.field_path);
        lines.put(3, &format!("{name}:\t{value} ({version}:{})", field.field_path));
    } else if let Some(resource) = &source.resource_field_ref {
        let divisor = resource.divisor.as_ref();
        let value = resource_value(container, &resource.resource, divisor);
        lines.put(3, &format!("{name}:\t{value} ({})", resource.resource));
    } else if let Some(secret) = &source.secret_key_ref {
        let optional = secret.optional.unwrap_or(false);
        lines.put(
            3,
            &format!(
                "{name}:\t<set to the key '{}' in secret '{}'>\tOptional: {optional}",
                secret.key, secret.name
            ),
        );
    } else if let Some(map) = &source.config_map_key_ref {
        let optional = map.optional.unwrap_or(false);
        lines.put(
            3,
            &format!(
                "{name}:\t<set to the key '{}' of config map '{}'>\tOptional: {optional}",
                map.key, map.name
            ),
        );
    }
}

/// The fields of a pod that kubectl itself can look up.
fn field_value(pod: &Pod, path: &str) -> String {
    let meta = &pod.metadata;
    let subscript = |prefix: &str, map: &Option<BTreeMap<String, String>>| {
        let key = path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']")?;
        map.as_ref()?.get(key).cloned()
    };
    let value = match path {
        "metadata.name" => meta.name.clone(),
        "metadata.namespace" => meta.namespace.clone(),
        "metadata.uid" => meta.uid.clone(),
        _ => subscript("metadata.labels", &meta.labels)
            .or_else(|| subscript("metadata.annotations", &meta.annotations)),
    };
    value.unwrap_or_default()
}

/// The value of `limits.cpu` and its like, in units of the divisor, rounded up.
fn resource_value(container: &Container, resource: &str, divisor: Option<&Quantity>) -> String {
    let Some((which, name)) = resource.split_once('.') else { return String::new() };
    let resources = container.resources.as_ref();
    let amounts = match which {
        "limits" => resources.and_then(|resources| resources.limits.as_ref()),
        "requests" => resources.and_then(|resources| resources.requests.as_ref()),
        _ => return String::new(),
    };
    let nanos = |quantity: &Quantity| Amount::try_from(quantity).map(Amount::nanos).unwrap_or_default();
    let amount = amounts.and_then(|amounts| amounts.get(name)).map(nanos).unwrap_or_default();
    let unit = divisor.map(nanos).filter(|unit| *unit > 0).unwrap_or(1_000_000_000);
    let value = (amount + unit - 1) / unit;
    if value == 0 && matches!(resource, "limits.cpu" | "limits.memory") {
        return "node allocatable".to_owned();
    }
    value.to_string()
}
