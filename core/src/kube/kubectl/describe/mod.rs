//! `kubectl describe`: objects told at length, with the events about them.

mod container;
mod events;
mod generic;
mod lines;
mod node;
mod others;
mod pod;
mod volumes;

use super::command::{Next, Run};
use super::documents;
use super::error::{Error, Result, fail};
use super::print::Now;
use super::resource::{Scope, Selection, look_up};
use crate::kube::api::{ApiServer, Object};

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    if run.args().is_empty() && !run.flags.given("filename") {
        return fail(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n",
        );
    }
    let scope = Scope::of(run);
    let (mut objects, mut errors, mut by_prefix) = if run.flags.given("filename") {
        let (objects, errors, _) = documents::look_up(run)?;
        (objects, errors, false)
    } else {
        let selection = Selection::parse(run.args())?;
        let (objects, errors) = look_up(run, &selection, &scope);
        (objects, errors, false)
    };
    // A name that no object has may be the beginning of several.
    if let ([kind, prefix], [error], true) = (run.args(), errors.as_slice(), objects.is_empty())
        && error.is_not_found()
        && !kind.contains('/')
    {
        let all = Selection::parse(std::slice::from_ref(kind))?;
        let (found, _) = look_up(run, &all, &scope);
        let matching: Vec<Object> =
            found.into_iter().filter(|object| object.name().starts_with(prefix.as_str())).collect();
        if !matching.is_empty() {
            objects = matching;
            errors.clear();
            by_prefix = true;
        }
    }
    let asked = run.flags.bool("show-events");
    let alone = objects.len() == 1 && errors.is_empty() && !by_prefix;
    let show_events = asked.unwrap_or(alone);
    let now = run.ctx.clock();
    for (index, object) in objects.iter().enumerate() {
        if index > 0 && !by_prefix {
            run.out.push_str("\n\n");
        }
        let text = describe(run.ctx.api, object, show_events, now);
        run.out.push_str(&text);
        if by_prefix {
            run.out.push('\n');
        }
    }
    if objects.is_empty() && errors.is_empty() {
        if scope.namespace.is_empty() {
            run.warn("No resources found");
        } else {
            run.warn(&format!("No resources found in {} namespace.", scope.namespace));
        }
    }
    Error::collect(errors).map(|()| Next::Done)
}

/// What `kubectl describe` prints of an object, with the events about it or without.
pub fn describe(api: &ApiServer, object: &Object, show_events: bool, now: Now) -> String {
    let mut lines = lines::Lines::default();
    match object {
        Object::Pod(pod) => pod::describe(&mut lines, pod, now),
        Object::Node(node) => node::describe(&mut lines, api, node, now),
        Object::Namespace(namespace) => {
            others::namespace(&mut lines, namespace);
            // A namespace's description ends before any events.
            return lines.finish();
        }
        Object::ConfigMap(map) => others::config_map(&mut lines, map),
        Object::ServiceAccount(account) => others::service_account(&mut lines, account),
        Object::PriorityClass(class) => others::priority_class(&mut lines, class),
        Object::Event(_) => return generic::describe(object),
        Object::PodGroup(_)
        | Object::ClusterQueue(_)
        | Object::LocalQueue(_)
        | Object::ResourceFlavor(_)
        | Object::Workload(_)
        | Object::WorkloadPriorityClass(_) => generic::fields_of(&mut lines, object),
    }
    if show_events {
        events::describe(&mut lines, api, object, now);
    }
    lines.finish()
}
