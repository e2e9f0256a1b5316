//! What a score counts: GPU-seconds that pods held, and for how many of them nothing ran; commands.

use std::collections::BTreeMap;

use clusterlab::kube::api::{ApiServer, Object, WatchVerb};
use clusterlab::kube::quantity::Amount;
use clusterlab::lab::{Event, Input};
use clusterlab::sim::{Entry, SimTime};
use k8s_openapi::api::core::v1::Pod;

/// Follows the changes of pods and adds up. A pod holds its GPUs from the moment
/// the scheduler binds it until it has ended or is gone; it is idle while none of
/// its containers runs: the image is pulled, or the container waits to be started again.
#[derive(Clone, Debug, Default)]
pub(crate) struct GpuMeter {
    /// Changes of the API server up to here are counted.
    version: u64,
    now: SimTime,
    pods: BTreeMap<String, Holding>,
    held: u128,
    idle: u128,
}

/// What a pod has held since the last count.
#[derive(Clone, Copy, Debug)]
struct Holding {
    gpus: u64,
    runs: bool,
}

impl GpuMeter {
    /// Counts up to `now`; from the beginning if that lies in the past.
    pub(crate) fn follow(&mut self, api: &ApiServer, now: SimTime) {
        if now < self.now || api.resource_version() < self.version {
            *self = Self::default();
        }
        for event in api.events_since(self.version) {
            if let Object::Pod(pod) = &event.object {
                self.pass_to(event.at);
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                match holding(pod).filter(|_| event.verb != WatchVerb::Deleted) {
                    Some(holding) => _ = self.pods.insert(uid, holding),
                    None => _ = self.pods.remove(&uid),
                }
            }
        }
        self.version = api.resource_version();
        self.pass_to(now);
    }

    /// GPU-seconds held, and those of them in which nothing ran.
    pub(crate) fn gpu_seconds(&self) -> (f64, f64) {
        (self.held as f64 / 1e9, self.idle as f64 / 1e9)
    }

    fn pass_to(&mut self, at: SimTime) {
        let span = (at.max(self.now) - self.now).as_nanos();
        self.now = self.now.max(at);
        for holding in self.pods.values() {
            let nanos = span * u128::from(holding.gpus);
            self.held += nanos;
            if !holding.runs {
                self.idle += nanos;
            }
        }
    }
}

/// What `pod` holds now; `None` if it has no node or has ended.
fn holding(pod: &Pod) -> Option<Holding> {
    let (spec, status) = (pod.spec.as_ref()?, pod.status.as_ref()?);
    spec.node_name.as_ref()?;
    if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let request = |container: &k8s_openapi::api::core::v1::Container| {
        let quantity = container.resources.as_ref()?.requests.as_ref()?.get("nvidia.com/gpu")?;
        u64::try_from(quantity.0.parse::<Amount>().ok()?.value()).ok()
    };
    let gpus = spec.containers.iter().filter_map(request).sum();
    let running = |status: &k8s_openapi::api::core::v1::ContainerStatus| {
        status.state.as_ref().is_some_and(|state| state.running.is_some())
    };
    let runs = status.container_statuses.iter().flatten().any(running);
    Some(Holding { gpus, runs })
}

/// Counts the commands that ended; blank lines and comments are none.
///
/// It reads each entry of the journal once, however often it is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandMeter {
    /// Entries that are counted, and when the last of them was.
    read: usize,
    at: SimTime,
    /// A line that is a command was typed, and nothing has ended since.
    begun: bool,
    count: u32,
}

impl CommandMeter {
    /// How many there are in `entries`, a journal from its beginning; another journal than
    /// the one before is read anew.
    pub(crate) fn count(&mut self, entries: &[Entry<Event>]) -> u32 {
        if entries.get(..self.read).is_none_or(|read| read.last().is_some_and(|last| last.at != self.at)) {
            *self = Self::default();
        }
        for entry in &entries[self.read..] {
            match &entry.event {
                Event::Input(Input::Line(line)) => {
                    self.begun |= !line.trim().is_empty() && !line.trim_start().starts_with('#');
                }
                Event::CommandEnded { .. } => self.count += u32::from(std::mem::take(&mut self.begun)),
                _ => {}
            }
            self.at = entry.at;
        }
        self.read = entries.len();
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clusterlab::kube::api::{Kind, WriteOptions};
    use clusterlab::sim::{Epoch, Seed};
    use serde_json::json;

    #[test]
    fn gpus_are_held_from_the_binding_to_the_end_and_idle_while_nothing_runs() {
        let mut api = ApiServer::new(Epoch::default(), Seed::default());
        let mut meter = GpuMeter::default();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"containers": [
                {"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "4"}}},
            ]},
        });
        let pod = Object::from_json(Kind::Pod, pod).unwrap();
        let at = |api: &mut ApiServer, seconds: u64| api.set_now(SimTime::from_secs(seconds));
        let status = |api: &mut ApiServer, status: serde_json::Value| {
            let status = serde_json::from_value(status).unwrap();
            api.update_status::<Pod>("default", "a", |pod| pod.status = Some(status)).unwrap();
        };

        // Waiting in the queue costs nothing.
        api.create("default", pod, &WriteOptions::default()).unwrap();
        at(&mut api, 10);
        api.bind("default", "a", "gpu-1").unwrap();
        // Three seconds of pulling the image.
        at(&mut api, 13);
        status(
            &mut api,
            json!({
                "phase": "Running",
                "containerStatuses": [{
                    "name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}},
                }],
            }),
        );
        meter.follow(&api, SimTime::from_secs(15));
        assert_eq!(meter.gpu_seconds(), (20.0, 12.0));
        at(&mut api, 20);
        status(&mut api, json!({"phase": "Succeeded"}));
        meter.follow(&api, SimTime::from_secs(100));
        assert_eq!(meter.gpu_seconds(), (40.0, 12.0));

        // Gone back in time: counted again, up to there.
        meter.follow(&api, SimTime::from_secs(50));
        assert_eq!(meter.gpu_seconds(), (40.0, 12.0));
    }
}
