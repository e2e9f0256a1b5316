//! Probes and lifecycle hooks.

use k8s_openapi::api::core::v1::{
    ExecAction, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::field::{At, Errors, inclusive_range};
use super::names::is_port_name;

/// Which probe it is: they differ in what they may say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Liveness,
    Readiness,
    Startup,
}

pub(super) fn validate(probe: Option<&Probe>, role: Role, at: &At<'_>, errors: &mut Errors) {
    let Some(probe) = probe else { return };
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc_port: probe.grpc.as_ref().map(|grpc| grpc.port),
        sleep: None,
    };
    handler.validate(0, at, errors);
    errors.non_negative(&at.child("initialDelaySeconds"), probe.initial_delay_seconds);
    errors.non_negative(&at.child("timeoutSeconds"), probe.timeout_seconds);
    errors.non_negative(&at.child("periodSeconds"), probe.period_seconds);
    errors.non_negative(&at.child("successThreshold"), probe.success_threshold);
    errors.non_negative(&at.child("failureThreshold"), probe.failure_threshold);
    if let Some(seconds) = probe.termination_grace_period_seconds {
        let at = at.child("terminationGracePeriodSeconds");
        if seconds <= 0 {
            errors.invalid_bare(&at, seconds, "must be greater than 0");
        }
        if role == Role::Readiness {
            errors.invalid_bare(&at, seconds, "must not be set for readinessProbes");
        }
    }
    let successes = probe.success_threshold.unwrap_or(1);
    if role != Role::Readiness && successes != 1 {
        errors.invalid_bare(&at.child("successThreshold"), successes, "must be 1");
    }
}

pub(super) fn lifecycle(lifecycle: Option<&Lifecycle>, grace: i64, at: &At<'_>, errors: &mut Errors) {
    let Some(lifecycle) = lifecycle else { return };
    for (field, handler) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
        let Some(LifecycleHandler { exec, http_get, sleep, tcp_socket }) = handler else { continue };
        let handler = Handler {
            exec: exec.as_ref(),
            http_get: http_get.as_ref(),
            tcp_socket: tcp_socket.as_ref(),
            grpc_port: None,
            sleep: sleep.as_ref(),
        };
        handler.validate(grace, &at.child(field), errors);
    }
}

struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc_port: Option<i32>,
    sleep: Option<&'a SleepAction>,
}

impl Handler<'_> {
    fn validate(&self, grace: i64, at: &At<'_>, errors: &mut Errors) {
        let mut found = false;
        let mut first = |field: &str, errors: &mut Errors| {
            if found {
                errors.forbidden(&at.child(field), "may not specify more than 1 handler type");
            }
            !std::mem::replace(&mut found, true)
        };
        if let Some(exec) = self.exec
            && first("exec", errors)
            && exec.command.as_ref().is_none_or(Vec::is_empty)
        {
            errors.required(&at.child("exec").child("command"), "");
        }
        if let Some(get) = self.http_get
            && first("httpGet", errors)
        {
            http_get(get, &at.child("httpGet"), errors);
        }
        if let Some(socket) = self.tcp_socket
            && first("tcpSocket", errors)
        {
            port(&socket.port, &at.child("tcpSocket").child("port"), errors);
        }
        if let Some(number) = self.grpc_port
            && first("grpc", errors)
        {
            port(&IntOrString::Int(number), &at.child("grpc").child("port"), errors);
        }
        if let Some(sleep) = self.sleep
            && first("sleep", errors)
            && !(0..=grace).contains(&sleep.seconds)
        {
            let detail =
                format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
            errors.invalid_bare(&at.child("sleep"), sleep.seconds, &detail);
        }
        if !found {
            errors.required(at, "must specify a handler type");
        }
    }
}

fn http_get(get: &HTTPGetAction, at: &At<'_>, errors: &mut Errors) {
    if get.path.as_ref().is_none_or(String::is_empty) {
        errors.required(&at.child("path"), "");
    }
    port(&get.port, &at.child("port"), errors);
    let scheme = get.scheme.as_deref().unwrap_or_default();
    if !["HTTP", "HTTPS"].contains(&scheme) {
        errors.not_supported(&at.child("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    for header in get.http_headers.iter().flatten() {
        let valid =
            !header.name.is_empty() && header.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !valid {
            let detail = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
            errors.invalid(&at.child("httpHeaders"), &header.name, detail);
        }
    }
}

fn port(port: &IntOrString, at: &At<'_>, errors: &mut Errors) {
    match port {
        IntOrString::Int(number) => port_number(*number, at, errors),
        IntOrString::String(name) => errors.invalid_all(at, name, &is_port_name(name)),
    }
}

pub(super) fn port_number(number: i32, at: &At<'_>, errors: &mut Errors) {
    if !(1..=65535).contains(&number) {
        errors.invalid_bare(at, number, &inclusive_range(1, 65535));
    }
}
