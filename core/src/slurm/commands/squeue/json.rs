//! `squeue --json`: job records as the OpenAPI plugin `v0.0.38` writes them (recorded in `outputs`).

use serde_json::Value;

use super::super::jobs;
use super::fields;
use crate::slurm::controller::Controller;
use crate::slurm::model::{Job, Memory, NodeShare};

/// A value in the order of the plugin: objects keep the order of their keys.
enum Json {
    Plain(Value),
    Object(Vec<(String, Json)>),
    List(Vec<Json>),
}

fn object<const N: usize>(entries: [(&str, Json); N]) -> Json {
    Json::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn plain(value: impl Into<Value>) -> Json {
    Json::Plain(value.into())
}

/// A number, or null where nothing is set.
fn number(value: Option<u32>) -> Json {
    Json::Plain(value.map_or(Value::Null, Value::from))
}

fn text(value: Option<&String>) -> Json {
    plain(value.cloned().unwrap_or_default())
}

impl Json {
    fn write(&self, out: &mut String, depth: usize) {
        let (open, close, entries): (char, char, Vec<(Option<&str>, &Self)>) = match self {
            Self::Plain(value) => {
                out.push_str(&value.to_string().replace('/', "\\/"));
                return;
            }
            Self::Object(entries) => {
                ('{', '}', entries.iter().map(|(key, value)| (Some(key.as_str()), value)).collect())
            }
            Self::List(entries) => ('[', ']', entries.iter().map(|value| (None, value)).collect()),
        };
        out.push(open);
        for (at, (key, value)) in entries.iter().enumerate() {
            out.push_str(if at > 0 { ",\n" } else { "\n" });
            out.push_str(&"  ".repeat(depth + 1));
            if let Some(key) = key {
                out.push_str(&format!("\"{key}\": "));
            }
            value.write(out, depth + 1);
        }
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
        out.push(close);
    }
}

/// The whole text.
pub(super) fn text_of(controller: &Controller, shown: &[&Job]) -> String {
    let version = object([("major", plain(22)), ("micro", plain(8)), ("minor", plain(5))]);
    let plugin = object([("type", plain("openapi/v0.0.38")), ("name", plain("Slurm OpenAPI v0.0.38"))]);
    let meta = object([
        ("plugin", plugin),
        ("Slurm", object([("version", version), ("release", plain("22.05.8"))])),
    ]);
    let jobs = shown.iter().map(|job| job_of(controller, job)).collect();
    let mut out = String::new();
    object([("meta", meta), ("errors", Json::List(Vec::new())), ("jobs", Json::List(jobs))])
        .write(&mut out, 0);
    out
}

fn job_of(controller: &Controller, job: &Job) -> Json {
    let request = &job.request;
    let waits = job.is_pending();
    let row = fields::Row { job, task: None, partition: None, step: None, position: 0 };
    let shown = |name: &str| {
        let value = fields::value(controller, &row, name);
        plain(if matches!(value.as_str(), "(null)" | "N/A" | "n/a") { String::new() } else { value })
    };
    let (array, task) = job.array.map_or((0, None), |(array, task)| (array, task));
    let limit = jobs::time_limit(controller, job);
    let memory = |per_cpu: bool| match job.memory {
        Some(Memory::PerCpu(amount)) if per_cpu => plain(amount),
        Some(Memory::PerNode(amount)) if !per_cpu => plain(amount),
        _ => plain(Value::Null),
    };
    let start = fields::start(job);
    let end = if waits {
        limit.filter(|_| start != 0).map_or(0, |minutes| start + i64::from(minutes) * 60)
    } else {
        job.end
    };
    let reserved = |list: &crate::slurm::model::Bits| plain(controller.names_of(list));
    let pending = job.pending_tasks.as_ref();
    let head = object([
        ("account", text(request.account.as_ref())),
        ("accrue_time", plain(job.accrue)),
        ("admin_comment", plain("")),
        ("array_job_id", plain(array)),
        ("array_task_id", number(task.filter(|_| pending.is_none()))),
        (
            "array_max_tasks",
            plain(
                pending
                    .and_then(|tasks| tasks.limit)
                    .or(request.array.as_ref().and_then(|array| array.limit))
                    .unwrap_or(0),
            ),
        ),
        (
            "array_task_string",
            plain(pending.map(crate::slurm::model::PendingTasks::text).unwrap_or_default()),
        ),
        ("association_id", plain(job.assoc)),
        ("batch_features", plain("")),
        ("batch_flag", plain(request.batch)),
        ("batch_host", shown("batchhost")),
        ("flags", Json::List(if waits { Vec::new() } else { vec![plain("JOB_WAS_RUNNING")] })),
        ("burst_buffer", plain("")),
        ("burst_buffer_state", plain("")),
        ("cluster", plain(controller.params.cluster.clone())),
        ("cluster_features", plain("")),
        ("command", text(request.command.as_ref())),
        ("comment", text(request.comment.as_ref())),
        ("container", text(request.container.as_ref())),
        ("contiguous", plain(request.contiguous)),
        ("core_spec", plain(Value::Null)),
        ("thread_spec", plain(Value::Null)),
        ("cores_per_socket", number(request.cores_per_socket)),
        (
            "billable_tres",
            plain(
                job.alloc_tres
                    .as_ref()
                    .filter(|_| !waits)
                    .map_or(Value::Null, |tres| Value::from(tres.billing)),
            ),
        ),
        ("cpus_per_task", number(request.cpus_per_task)),
        ("cpu_frequency_minimum", plain(Value::Null)),
        ("cpu_frequency_maximum", plain(Value::Null)),
        ("cpu_frequency_governor", plain(Value::Null)),
        ("cpus_per_tres", text(request.cpus_per_tres.as_ref())),
        ("deadline", plain(request.deadline.unwrap_or(0))),
        ("delay_boot", plain(request.delay_boot)),
        ("dependency", shown("dependency")),
        ("derived_exit_code", plain(job.derived_exit.0)),
        ("eligible_time", plain(job.eligible)),
        ("end_time", plain(end)),
        ("excluded_nodes", reserved(&job.excluded_nodes)),
        ("exit_code", plain(job.exit.0)),
        ("features", text(request.constraint.as_ref())),
        ("federation_origin", plain("")),
        ("federation_siblings_active", plain("")),
        ("federation_siblings_viable", plain("")),
        ("gres_detail", Json::List(Vec::new())),
        ("group_id", plain(request.gid)),
        ("group_name", plain(job.group.clone())),
        ("job_id", plain(job.id)),
    ]);
    let resources = object([("job_resources", resources(controller, job))]);
    let tail = object([
        ("job_state", plain(job.state.base.name())),
        ("last_sched_evaluation", plain(job.last_sched_eval)),
        ("licenses", text(request.licenses.as_ref())),
        ("max_cpus", plain(0)),
        ("max_nodes", plain(if waits { job.max_nodes.unwrap_or(0) } else { 0 })),
        ("mcs_label", plain("")),
        ("memory_per_tres", text(request.mem_per_tres.as_ref())),
        ("name", plain(request.name.clone())),
        ("nodes", shown("nodelist")),
        ("nice", if request.nice == 0 { plain(Value::Null) } else { plain(request.nice) }),
        ("tasks_per_core", number(request.ntasks_per_core)),
        ("tasks_per_node", plain(request.ntasks_per_node.unwrap_or(0))),
        ("tasks_per_socket", number(request.ntasks_per_socket)),
        ("tasks_per_board", plain(0)),
        ("cpus", plain(jobs::cpu_count(job))),
        ("node_count", plain(jobs::node_count(job))),
        ("tasks", plain(job.ntasks)),
        ("het_job_id", plain(0)),
        ("het_job_id_set", plain("")),
        ("het_job_offset", plain(0)),
        ("partition", plain(jobs::partitions(controller, job))),
        ("prefer", text(request.prefer.as_ref())),
        ("memory_per_node", memory(false)),
        ("memory_per_cpu", memory(true)),
        ("minimum_cpus_per_node", plain(job.pn_min_cpus.max(1))),
        ("minimum_tmp_disk_per_node", plain(request.tmp_disk)),
        ("preempt_time", plain(job.preempt_time)),
        ("pre_sus_time", plain(if job.suspended_at == 0 { 0 } else { job.run_time(controller.time()) })),
        ("priority", plain(job.priority)),
        ("profile", plain(Value::Null)),
        ("qos", plain(job.qos.clone())),
        ("reboot", plain(request.reboot)),
        ("required_nodes", reserved(&job.required_nodes)),
        ("requeue", plain(job.requeue)),
        ("resize_time", plain(0)),
        ("restart_cnt", plain(job.restarts)),
        ("resv_name", text(request.reservation.as_ref())),
        ("shared", plain(Value::Null)),
        ("show_flags", Json::List(["SHOW_ALL", "SHOW_DETAIL", "SHOW_LOCAL"].map(plain).into())),
        ("sockets_per_board", plain(0)),
        ("sockets_per_node", number(request.sockets_per_node)),
        ("start_time", plain(start)),
        ("state_description", plain(job.state_desc.clone().unwrap_or_default())),
        ("state_reason", plain(job.reason.to_string())),
        ("standard_error", text(request.std_err.as_ref())),
        ("standard_input", plain(request.std_in.clone().unwrap_or_else(|| "/dev/null".into()))),
        ("standard_output", text(request.std_out.as_ref())),
        ("submit_time", plain(job.submit)),
        ("suspend_time", plain(job.suspended_at)),
        ("system_comment", plain("")),
        ("time_limit", number(limit)),
        ("time_minimum", plain(request.time_min.unwrap_or(0))),
        ("threads_per_core", number(request.threads_per_core)),
        ("tres_bind", text(request.tres_bind.as_ref())),
        ("tres_freq", plain("")),
        ("tres_per_job", text(request.tres_per_job.as_ref())),
        ("tres_per_node", text(request.tres_per_node.as_ref())),
        ("tres_per_socket", text(request.tres_per_socket.as_ref())),
        ("tres_per_task", text(request.tres_per_task.as_ref())),
        ("tres_req_str", plain(jobs::tres_text(&controller.requested_tres(job)))),
        (
            "tres_alloc_str",
            if waits {
                plain("")
            } else {
                plain(job.alloc_tres.as_ref().map(jobs::tres_text).unwrap_or_default())
            },
        ),
        ("user_id", plain(request.uid)),
        ("user_name", plain(job.user.clone())),
        ("wckey", text(request.wckey.as_ref())),
        ("current_working_directory", plain(request.work_dir.clone())),
    ]);
    let parts = if job.shares_of_nodes.is_empty() { vec![head, tail] } else { vec![head, resources, tail] };
    let entries = parts.into_iter().flat_map(|part| match part {
        Json::Object(entries) => entries,
        _ => Vec::new(),
    });
    Json::Object(entries.collect())
}

/// Which cores of which nodes a job has.
fn resources(controller: &Controller, job: &Job) -> Json {
    let node = |share: &NodeShare| {
        let Some(node) = controller.nodes.get(share.node) else { return Json::Object(Vec::new()) };
        let per_socket = node.cores_per_socket.max(1) as usize;
        let mut sockets: Vec<(String, Json)> = Vec::new();
        for core in share.cores.iter() {
            let (socket, core) =
                ((core / per_socket).to_string(), ((core % per_socket).to_string(), plain("allocated")));
            match sockets.last_mut() {
                Some((last, Json::Object(cores))) if *last == socket => cores.push(core),
                _ => sockets.push((socket, Json::Object(vec![core]))),
            }
        }
        let sockets =
            sockets.into_iter().map(|(socket, cores)| (socket, object([("cores", cores)]))).collect();
        object([
            ("sockets", Json::Object(sockets)),
            ("nodename", plain(node.name.clone())),
            ("cpus_used", plain(0)),
            ("memory_used", plain(0)),
            ("memory_allocated", plain(share.memory)),
        ])
    };
    let shares = &job.shares_of_nodes;
    object([
        ("nodes", plain(controller.names_of(&job.nodes))),
        ("allocated_cores", plain(shares.iter().map(|share| share.cores.count()).sum::<usize>())),
        ("allocated_hosts", plain(shares.len())),
        ("allocated_nodes", Json::List(shares.iter().map(node).collect())),
    ])
}
