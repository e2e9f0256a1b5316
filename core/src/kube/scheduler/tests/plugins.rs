//! Extension points that no default plugin uses, by plugins made for the purpose.

use std::time::Duration;

use serde_json::{Value, from_value, json};

use super::*;
use crate::kube::scheduler::Registry;
use crate::kube::scheduler::cluster::{NodeId, PodInfo};
use crate::kube::scheduler::framework::{
    Binder, Code, Context, CycleState, Permit, Plugin, PreBind, Reserve, Status,
};

/// A plugin that does what the pod's labels say.
#[derive(Clone, Debug, Default)]
struct Obedient {
    reserved: i32,
}

fn asked(context: &Context<'_>, what: &str) -> Option<String> {
    context.pod.object.as_ref()?.metadata.labels.as_ref()?.get(what).cloned()
}

impl Plugin for Obedient {
    fn name(&self) -> &'static str {
        "Obedient"
    }

    fn reserve(&mut self) -> Option<&mut dyn Reserve> {
        Some(self)
    }

    fn permit(&mut self) -> Option<&mut dyn Permit> {
        Some(self)
    }

    fn pre_bind(&self) -> Option<&dyn PreBind> {
        Some(self)
    }
}

impl Reserve for Obedient {
    fn reserve(&mut self, context: &Context<'_>, _: &mut CycleState, _: NodeId) -> Status {
        self.reserved += 1;
        asked(context, "reserve").map_or_else(Status::success, Status::unschedulable)
    }

    fn unreserve(&mut self, _: &Context<'_>, _: &mut CycleState, _: NodeId) {
        self.reserved -= 1;
    }
}

impl Permit for Obedient {
    fn permit(&mut self, context: &Context<'_>, _: &mut CycleState, _: NodeId) -> (Status, Duration) {
        let wait = asked(context, "wait").map(|reason| Status::new(Code::Wait, reason));
        (wait.unwrap_or_default(), Duration::from_secs(30))
    }
}

impl PreBind for Obedient {
    fn pre_bind(&self, context: &Context<'_>, _: &mut CycleState, _: NodeId, _: &mut dyn Binder) -> Status {
        asked(context, "pre-bind").map_or_else(Status::success, |why| Status::new(Code::Error, why))
    }
}

/// A scheduler with the plugin and one node of 4 CPUs, and a pod of 4 CPUs with that label.
fn with_pod(label: &str) -> Scheduler {
    let mut registry = Registry::default();
    registry.register("Obedient", |_, _| Ok(Box::new(Obedient::default())));
    let config: SchedulerConfiguration =
        from_value(json!({"profiles": [{"plugins": {"multiPoint": {"enabled": [{"name": "Obedient"}]}}}]}))
            .unwrap();
    let mut scheduler = Scheduler::with_registry(&config, &registry).unwrap();
    scheduler.add_node(node("n1", "4", &Value::Null));
    scheduler.add_pod(pod("asks", "4", &json!({"metadata": {"labels": {label: "as asked"}}})));
    scheduler
}

fn reserved(scheduler: &Scheduler) -> i32 {
    let (_, plugin) =
        scheduler.profiles()[0].plugins().find(|(_, plugin)| plugin.name() == "Obedient").unwrap();
    plugin.as_any().downcast_ref::<Obedient>().unwrap().reserved
}

/// The room is free again: another pod of the same size finds it.
fn assert_room_is_free(scheduler: &mut Scheduler, now: SimTime) {
    assert_eq!(reserved(scheduler), 0);
    scheduler.remove_pod("default", "asks");
    scheduler.add_pod(pod("next", "4", &Value::Null));
    drain(scheduler, now);
    assert_eq!(node_of(scheduler, "next").as_deref(), Some("n1"));
}

#[test]
fn a_pod_that_cannot_be_reserved_waits_and_takes_no_room() {
    let mut scheduler = with_pod("reserve");
    drain(&mut scheduler, secs(1));
    assert_eq!(message(&scheduler, "asks"), "0/1 nodes are available: 1 as asked.");
    assert_room_is_free(&mut scheduler, secs(2));
}

#[test]
fn a_pod_waits_for_permission_with_its_room_taken() {
    let mut scheduler = with_pod("wait");
    let decisions = drain(&mut scheduler, secs(1));
    assert_eq!(outcomes(&decisions), [("asks".to_owned(), Outcome::Waiting { node: "n1".into() })]);
    scheduler.add_pod(pod("late", "1", &Value::Null));
    drain(&mut scheduler, secs(2));
    assert_eq!(node_of(&scheduler, "late"), None);
    let mut binder = crate::kube::scheduler::NoBinder;
    let decision = scheduler.allow_waiting("default", "asks", "Obedient", secs(3), &mut binder).unwrap();
    assert_eq!(decision.attempt.outcome, Outcome::Scheduled { node: "n1".into() });
    assert_eq!(scheduler.attempts("default", "asks").len(), 1);
}

#[test]
fn permission_that_does_not_come_in_time_is_a_refusal() {
    let mut scheduler = with_pod("wait");
    drain(&mut scheduler, secs(1));
    assert_eq!(scheduler.next_wakeup(), Some(secs(31)));
    let decisions = scheduler.advance(secs(31));
    assert_eq!(
        decisions[0].attempt.message,
        "0/1 nodes are available: 1 rejected due to timeout after waiting at plugin Obedient."
    );
    assert_room_is_free(&mut scheduler, secs(32));
}

#[test]
fn a_pod_that_goes_while_it_waits_gives_its_room_back() {
    let mut scheduler = with_pod("wait");
    drain(&mut scheduler, secs(1));
    scheduler.remove_pod("default", "asks");
    assert_room_is_free(&mut scheduler, secs(2));
}

#[test]
fn an_error_before_the_binding_is_tried_again_after_a_back_off() {
    let mut scheduler = with_pod("pre-bind");
    let decisions = drain(&mut scheduler, secs(1));
    assert_eq!(outcomes(&decisions), [("asks".to_owned(), Outcome::Error)]);
    assert_eq!(message(&scheduler, "asks"), "running PreBind plugin \"Obedient\": as asked");
    assert_eq!(scheduler.next_wakeup(), Some(secs(3)));
    assert_room_is_free(&mut scheduler, secs(2));
}

#[test]
fn a_binding_that_is_refused_is_an_error_and_frees_the_room() {
    struct Refuses;
    impl Binder for Refuses {
        fn bind(&mut self, _: &PodInfo, node: &str) -> Result<(), String> {
            Err(format!("no binding to {node} today"))
        }
    }
    let mut scheduler = with_pod("none");
    let decision = scheduler.schedule_one_with(secs(1), &mut Refuses).unwrap();
    assert_eq!(decision.attempt.message, "running Bind plugin \"DefaultBinder\": no binding to n1 today");
    assert_room_is_free(&mut scheduler, secs(2));
}

#[test]
fn configurations_that_make_no_sense_are_refused_with_the_place() {
    let check = |config: Value, expect: &str| {
        let config: SchedulerConfiguration = from_value(config).unwrap();
        assert_eq!(Scheduler::new(&config).unwrap_err().to_string(), expect);
    };
    let args =
        |name: &str, args: Value| json!({"profiles": [{"pluginConfig": [{"name": name, "args": args}]}]});
    check(json!({"profiles": []}), "profiles: Required value");
    check(json!({"profiles": [{}, {}]}), "profiles[1].schedulerName: Duplicate value: \"default-scheduler\"");
    check(
        json!({"percentageOfNodesToScore": 101}),
        "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
    );
    check(args("Nothing", json!({})), "profiles[0].pluginConfig[0].name: Nothing does not exist");
    check(
        args("InterPodAffinity", json!({"hardPodAffinityWeight": 101})),
        "profiles[0].pluginConfig InterPodAffinity: hardPodAffinityWeight: Invalid value: 101: \
         not in valid range [0, 100]",
    );
    check(
        json!({"profiles": [{"plugins": {"multiPoint": {"disabled": [{"name": "PrioritySort"}]}}}]}),
        "profiles[0]: only one queue sort plugin required for profile with scheduler name \
         \"default-scheduler\", but got 0",
    );
    let unknown: Result<SchedulerConfiguration, _> = from_value(json!({"leaderElect": true}));
    assert!(unknown.unwrap_err().to_string().starts_with("unknown field `leaderElect`"));
}
