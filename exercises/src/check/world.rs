//! The state of a lab, as expressions see it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, Value};
use clusterlab::order::Collected;

use super::functions::{field, path, register, text};
use super::{CheckError, Uses};

/// What expressions may ask about, at one instant.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Seconds since the lab was switched on.
    pub(crate) now: i64,
    /// Lists of objects by the plural of their kind.
    lists: BTreeMap<&'static str, Value>,
    files: Option<Value>,
    /// The Slurm cluster: lists by name.
    slurm: Option<Value>,
    logs: BTreeMap<(String, String), String>,
    statuses: BTreeMap<(String, String), String>,
}

impl World {
    /// A world in which nothing is.
    pub fn new(uses: &Uses) -> Self {
        let lists =
            uses.kinds.iter().map(|kind| (kind.info().plural, Value::List(Arc::default()))).into_map();
        let empty = |used: bool| used.then(|| map(HashMap::new()));
        Self { lists, files: empty(uses.files), slurm: empty(uses.slurm), ..Self::default() }
    }

    /// Sets the objects of the kind with that plural.
    pub fn set_objects<'a>(
        &mut self,
        plural: &'static str,
        objects: impl IntoIterator<Item = &'a serde_json::Value>,
    ) {
        let objects = objects.into_iter().map(from_json).collect::<Vec<_>>();
        self.lists.insert(plural, Value::List(Arc::new(objects)));
    }

    /// Sets the learner's files, by path relative to the home directory.
    pub fn set_files<'a>(&mut self, files: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let entries = files.into_iter().map(|(path, text)| (path.into(), Value::from(text)));
        self.files = Some(map(entries.collect()));
    }

    /// Sets what there is of the Slurm cluster: an object of lists. Members that are null are not there.
    pub fn set_slurm(&mut self, slurm: &serde_json::Value) {
        self.slurm = Some(from_json_present(slurm));
    }

    /// Sets what the containers of a pod have written.
    pub fn set_logs(&mut self, namespace: &str, pod: &str, logs: String) {
        self.logs.insert((namespace.to_owned(), pod.to_owned()), logs);
    }

    /// Sets what the STATUS column of `kubectl get pods` says of a pod.
    pub fn set_status(&mut self, namespace: &str, pod: &str, status: String) {
        self.statuses.insert((namespace.to_owned(), pod.to_owned()), status);
    }

    /// A context in which expressions can be evaluated.
    ///
    /// # Errors
    ///
    /// None in practice: two of our functions would have to have one name.
    pub fn context(self: &Arc<Self>, env: &Arc<Env>) -> Result<Context<'static, 'static>, CheckError> {
        let mut context = Context::with_env(Arc::clone(env));
        for (plural, list) in &self.lists {
            context.add_variable_from_value(*plural, list.clone());
        }
        if let Some(files) = &self.files {
            context.add_variable_from_value("files", files.clone());
        }
        if let Some(slurm) = &self.slurm {
            context.add_variable_from_value("slurm", slurm.clone());
        }
        context.add_variable_from_value("now", self.now);
        register(&mut context, self).map_err(|error| CheckError::Evaluation(error.to_string()))?;
        Ok(context)
    }

    pub(super) fn find(&self, plural: &str, namespace: &str, name: &str) -> Result<Value, ExecutionError> {
        let Some(Value::List(objects)) = self.lists.get(plural) else {
            return Err(ExecutionError::no_such_key(name));
        };
        let named = |object: &&Value| {
            path(object, &["metadata", "name"]).and_then(text).is_ok_and(|found| found == name)
                && field(object, "metadata")
                    .and_then(|meta| field(meta, "namespace"))
                    .and_then(text)
                    .unwrap_or_default()
                    == namespace
        };
        objects.iter().find(named).cloned().ok_or_else(|| ExecutionError::no_such_key(name))
    }

    /// The latest job of that name.
    pub(super) fn job(&self, name: &str) -> Result<Value, ExecutionError> {
        let jobs = self.slurm.as_ref().and_then(|slurm| field(slurm, "jobs").ok());
        let Some(Value::List(jobs)) = jobs else { return Err(ExecutionError::no_such_key(name)) };
        let named = |job: &&Value| field(job, "name").and_then(text).is_ok_and(|found| found == name);
        let id = |job: &&Value| if let Ok(Value::Int(id)) = field(job, "job_id") { *id } else { 0 };
        jobs.iter().filter(named).max_by_key(id).cloned().ok_or_else(|| ExecutionError::no_such_key(name))
    }

    pub(super) fn logs(&self, namespace: &str, pod: &str) -> Option<String> {
        self.logs.get(&(namespace.to_owned(), pod.to_owned())).cloned()
    }

    pub(super) fn status(&self, namespace: &str, pod: &str) -> Option<String> {
        self.statuses.get(&(namespace.to_owned(), pod.to_owned())).cloned()
    }
}

fn map(entries: HashMap<Key, Value>) -> Value {
    Value::Map(Map { map: Arc::new(entries) })
}

/// JSON as CEL has it: whole numbers are `int`, so that `restartCount > 0` needs no `u`.
fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(from_json).collect())),
        serde_json::Value::Object(members) => {
            map(members.iter().map(|(name, value)| (name.as_str().into(), from_json(value))).collect())
        }
    }
}

/// The same without members that are null, so that a time that is not set is absent.
fn from_json_present(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Array(items) => {
            Value::List(Arc::new(items.iter().map(from_json_present).collect()))
        }
        serde_json::Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            map(there.map(|(name, value)| (name.as_str().into(), from_json_present(value))).collect())
        }
        other => from_json(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Expression;
    use super::*;
    use serde_json::json;

    /// Evaluates `source` in a world of one GPU pod and one node.
    fn check(source: &str, expect: &str) {
        let expression = Expression::parse(source).unwrap();
        let mut world = World::new(expression.uses());
        world.now = 42;
        world.set_objects(
            "pods",
            &[json!({
                "metadata": {"name": "cuda", "namespace": "default", "labels": {"app": "x"}},
                "spec": {"containers": [{"resources": {"requests": {"nvidia.com/gpu": "8"}}}, {}]},
                "status": {
                    "phase": "Pending",
                    "conditions": [{"type": "PodScheduled", "status": "False"}],
                    "containerStatuses": [{"restartCount": 3}],
                },
            })],
        );
        world.set_objects("nodes", &[json!({"metadata": {"name": "gpu-1"}})]);
        world.set_files([("gpu.txt", "NVIDIA-SMI\n")]);
        world.set_logs("default", "cuda", "hello\n".to_owned());
        world.set_status("default", "cuda", "CrashLoopBackOff".to_owned());
        world.set_slurm(&json!({
            "jobs": [
                {"job_id": 4, "name": "train", "job_state": "COMPLETED", "start_time": 3, "gpus": 2},
                {"job_id": 7, "name": "train", "job_state": "PENDING", "start_time": null},
            ],
            "nodes": [],
        }));
        let context = Arc::new(world).context(&Arc::new(Env::stdlib())).unwrap();
        let got = expression.text(&context);
        let got = got.map_or_else(|error| format!("error: {error}"), |text| text.unwrap_or("absent".into()));
        assert_eq!(got, expect, "{source}");
    }

    #[test]
    fn an_expression_sees_objects_files_logs_and_the_clock() {
        check("pods.exists(p, p.metadata.name == 'cuda' && p.status.phase == 'Pending')", "true");
        check("pods[0].status.containerStatuses[0].restartCount + 1", "4");
        check("nodes.map(n, n.metadata.name)[0]", "gpu-1");
        check("files['gpu.txt'].contains('NVIDIA')", "true");
        check("'gpu.txt' in files && !('why.txt' in files)", "true");
        check("now", "42");
    }

    #[test]
    fn its_functions_answer_as_the_tools_do() {
        check("pod('cuda').status.phase", "Pending");
        check("pod('cuda', 'default').status.phase", "Pending");
        check("node('gpu-1').metadata.name", "gpu-1");
        check("gpus(pod('cuda'))", "8");
        check("logs(pod('cuda'))", "hello\n");
        check("status(pod('cuda'))", "CrashLoopBackOff");
        check("condition(pod('cuda'), 'PodScheduled').status", "False");
        check(
            "quantity('500m') == 0.5 && quantity('1Gi') == 1073741824.0 && quantity('1e3') == 1000.0",
            "true",
        );
        check("pods.map(p, gpus(p))[0]", "8");
    }

    #[test]
    fn jobs_of_slurm_are_found_by_name_and_what_is_not_set_is_absent() {
        check("slurm.jobs.filter(j, j.job_state == 'COMPLETED').map(j, j.gpus)[0]", "2");
        check("job('train').job_state", "PENDING");
        check("job('train').start_time > 1", "absent");
        check("has(slurm.jobs[1].start_time)", "false");
        check("job('other').gpus", "absent");
        check("slurm.nodes.size()", "0");
    }

    #[test]
    fn what_is_not_there_is_absent_and_not_an_error() {
        check("pod('other').status.phase == 'Running'", "absent");
        check("pod('cuda', 'other').status.phase", "absent");
        check("files['why.txt'].contains('x')", "absent");
        check("pods[3].status.phase == 'Running'", "absent");
        check("pods.exists(p, p.status.nothing.at.all == 1)", "absent");
        // One pod without the field does not hide another that has it.
        check("[{}, {'a': 1}].exists(m, m.a == 1)", "true");
        check("condition(pod('cuda'), 'Ready').status == 'True'", "absent");
        check("has(pods[0].spec.nodeName)", "false");
    }

    #[test]
    fn a_mistake_in_an_expression_is_an_error() {
        check("1 / 0", "error: Division by zero of Int(1)");
        check("quantity('many')", "error: Error executing function 'quantity': \"many\" is not a quantity");
        check("pods", "error: gives list, expected a text, a number or a truth value");
    }
}
