//! A scheduler plugin of one's own: GPU nodes are left to pods that ask for GPUs.
//!
//! Run it with `cargo run --example scheduler_plugin -p clusterlab`.

use clusterlab::kube::scheduler::cluster::{NodeInfo, ResourceId};
use clusterlab::kube::scheduler::framework::{Context, CycleState, Filter, Plugin, Status};
use clusterlab::kube::scheduler::{Registry, Scheduler, SchedulerConfiguration};
use clusterlab::sim::SimTime;
use serde_json::{from_value, json};

/// Plain data: a plugin is cloned with the scheduler.
#[derive(Clone, Debug)]
struct SpareGpus {
    gpu: ResourceId,
}

impl Plugin for SpareGpus {
    fn name(&self) -> &'static str {
        "SpareGpus"
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
}

impl Filter for SpareGpus {
    fn filter(&self, cx: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        let wanted = cx.pod.requests.exact.get(self.gpu) > 0;
        if wanted || node.allocatable.get(self.gpu) == 0 {
            Status::success()
        } else {
            Status::unresolvable("node(s) keep their GPUs for pods that ask for them")
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = Registry::default();
    registry.register("SpareGpus", |_, cluster| {
        Ok(Box::new(SpareGpus { gpu: cluster.resources.intern("nvidia.com/gpu", &mut cluster.symbols) }))
    });
    let config: SchedulerConfiguration = from_value(json!({
        "profiles": [{"plugins": {"multiPoint": {"enabled": [{"name": "SpareGpus"}]}}}],
    }))?;
    let mut scheduler = Scheduler::with_registry(&config, &registry)?;
    let capacity = json!({"cpu": "8", "memory": "32Gi", "pods": "110", "nvidia.com/gpu": "4"});
    let node = json!({"metadata": {"name": "gpu-1"}, "status": {"allocatable": capacity}});
    scheduler.add_node(from_value::<k8s_openapi::api::core::v1::Node>(node)?);
    for (name, limits) in [("web", json!({})), ("train", json!({"nvidia.com/gpu": "1"}))] {
        let spec = json!({"containers": [{"name": "main", "resources": {"limits": limits}}]});
        let pod = json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
        scheduler.add_pod(from_value::<k8s_openapi::api::core::v1::Pod>(pod)?);
        let decision = scheduler.schedule_one(SimTime::ZERO).ok_or("no pod waits")?;
        println!("{name}: {:?} {}", decision.node(), decision.attempt.message);
    }
    Ok(())
}
