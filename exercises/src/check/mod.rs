//! Checks: questions about the state of a lab, in CEL, Kubernetes' own expression
//! language ([its definition](https://github.com/google/cel-spec)).
//!
//! A check looks at what is, never at what was typed. It sees
//!
//! | name | what |
//! | --- | --- |
//! | `pods`, `nodes`, `events`, `namespaces`, … | every object of that kind, as `kubectl get -A -o json` has it |
//! | `files` | the learner's files: path relative to the home directory → text |
//! | `now` | seconds since the lab was switched on |
//! | `pod(name)`, `pod(name, namespace)` | that pod (of namespace `default`) |
//! | `node(name)` | that node |
//! | `status(pod)` | the STATUS column of `kubectl get pods`: `Running`, `ImagePullBackOff` |
//! | `logs(pod)` | what its containers have written, as `kubectl logs` shows it |
//! | `gpus(pod)` | how many whole GPUs it asks for (`nvidia.com/gpu`) |
//! | `condition(object, type)` | the condition of that type: `condition(node('a'), 'Ready').status == 'True'` |
//! | `quantity(text)` | a Kubernetes quantity as a number: `quantity('500m') == 0.5` |
//! | `slurm.jobs` | Slurm's jobs: those that the controller still has a record of, and of all others what accounting has |
//! | `slurm.runs` | every run of a job that is over, as accounting has it: a job that was requeued has several |
//! | `slurm.nodes`, `slurm.partitions`, `slurm.reservations`, `slurm.associations` | what they say |
//! | `job(name)` | the latest job of that name: `job('train').job_state == 'RUNNING'` |
//!
//! The fields of Slurm's objects are those of [`clusterlab::lab::slurm::view`]; most are called as in `squeue --json`. Times
//! are seconds since the lab was switched on, as `now` is; one that is not set is not there.
//!
//! What is not there is not so: a check that asks for a field, key, element, pod
//! or node that does not exist is false, so that `status(pod('web')) == 'Running'`
//! needs no guard. Write `!pods.exists(p, …)` to ask for absence.

mod expression;
mod functions;
mod lab;
mod world;

pub use expression::{CheckError, Expression, Uses};
pub use world::World;
