//! `kubectl wait`: until a condition holds, a field has a value, or objects are gone.

use std::time::Duration;

use serde_json::Value;

use super::command::{Next, Run};
use super::context::Context;
use super::documents;
use super::error::{Error, Result, fail};
use super::jsonpath::JsonPath;
use super::resource::{Scope, Selection, look_up};
use super::waiting::Waiting;
use super::wire::wire_json;
use crate::kube::api::Kind;
use crate::process::Step;
use crate::sim::SimTime;

/// What is awaited.
#[derive(Clone, Debug, PartialEq)]
enum Until {
    Condition { name: String, status: String },
    Field { path: JsonPath, value: Option<String> },
    Deleted,
    Created,
}

/// Objects of which something is awaited, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    targets: Vec<(Kind, String, String)>,
    until: Until,
    /// How long each is waited for.
    patience: Duration,
    deadline: SimTime,
}

impl Awaited {
    pub fn step(&mut self, ctx: &mut Context<'_>, out: &mut String) -> Result<Step> {
        while let Some((kind, namespace, name)) = self.targets.first() {
            let object = ctx.api.get(*kind, namespace, name).ok();
            let json = object.as_ref().map(wire_json);
            let met = match (&self.until, &json) {
                (Until::Deleted, json) => json.is_none(),
                (Until::Created, json) => json.is_some(),
                (Until::Condition { name, status }, Some(json)) => condition_holds(json, name, status),
                (Until::Field { path, value }, Some(json)) => field_holds(json, path, value.as_deref())?,
                (_, None) => {
                    let missing = crate::kube::api::Status::not_found(&kind.info().qualified_plural(), name);
                    return Err(missing.into());
                }
            };
            if met {
                out.push_str(&format!("{}/{name} condition met\n", kind.info().qualified_singular()));
                self.targets.remove(0);
                self.deadline = ctx.now + self.patience;
            } else if ctx.now >= self.deadline {
                return fail(format!(
                    "timed out waiting for the condition on {}/{name}",
                    kind.info().qualified_plural()
                ));
            } else {
                return Ok(Step::Until(self.deadline.min(ctx.now + super::POLL)));
            }
        }
        Ok(Step::Exit(0))
    }
}

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    let until = parse(run.flags.text_or_empty("for"))?;
    let span = run.flags.duration("timeout").unwrap_or(30_000_000_000);
    let patience = match span {
        // A negative span means a week.
        span if span < 0 => Duration::from_hours(24 * 7),
        span => Duration::from_nanos(span.unsigned_abs()),
    };
    let (objects, mut errors) = if run.flags.given("filename") {
        let (objects, errors, _) = documents::look_up(run)?;
        (objects, errors)
    } else {
        let selection = Selection::parse(run.args())?;
        let scope = Scope::of(run);
        if selection.wanted.iter().any(|wanted| wanted.name.is_none())
            && !scope.selects()
            && !run.flags.on("all")
        {
            return fail("resource name must be provided");
        }
        if until == Until::Created {
            let namespace = scope.namespace;
            let target = |wanted: super::resource::Wanted| {
                wanted.name.map(|name| (wanted.kind, namespace.clone(), name))
            };
            let targets = selection.wanted.into_iter().filter_map(target).collect();
            return Ok(start(run, targets, until, patience));
        }
        look_up(run, &selection, &scope)
    };
    if until == Until::Deleted {
        errors.retain(|error| !error.is_not_found());
    }
    Error::collect(errors)?;
    if objects.is_empty() && until != Until::Deleted {
        return fail("no matching resources found");
    }
    let targets = objects.iter().map(|o| (o.kind(), o.namespace().to_owned(), o.name().to_owned())).collect();
    Ok(start(run, targets, until, patience))
}

fn start(run: &Run<'_, '_>, targets: Vec<(Kind, String, String)>, until: Until, patience: Duration) -> Next {
    let deadline = run.ctx.now + patience;
    Next::Wait(Waiting::Condition(Box::new(Awaited { targets, until, patience, deadline })))
}

fn parse(text: &str) -> Result<Until> {
    if text.eq_ignore_ascii_case("delete") {
        return Ok(Until::Deleted);
    }
    if text.eq_ignore_ascii_case("create") {
        return Ok(Until::Created);
    }
    if let Some(condition) = text.strip_prefix("condition=") {
        let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(Until::Condition { name: name.to_owned(), status: status.to_owned() });
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        let (path, value) = match rest.rfind("}=") {
            Some(at) => (&rest[..=at], Some(&rest[at + 2..])),
            None if rest.ends_with('}') => (rest, None),
            None => rest.split_once('=').map_or((rest, None), |(path, value)| (path, Some(value))),
        };
        if value == Some("") {
            return fail("jsonpath wait has to have a value after equal sign");
        }
        let path =
            JsonPath::parse_relaxed(path.trim_matches('\'')).map_err(|error| Error::Message(error.0))?;
        let value = value.map(|value| value.trim_matches(['\'', '"']).to_owned());
        return Ok(Until::Field { path, value });
    }
    fail(format!("unrecognized condition: {}", super::print::go_quote(text)))
}

fn condition_holds(object: &Value, name: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(name)));
    found.is_some_and(|condition| {
        let generation = object["metadata"]["generation"].as_i64();
        let observed = condition["observedGeneration"].as_i64();
        let current = match (generation, observed) {
            (Some(generation), Some(observed)) => observed >= generation,
            _ => true,
        };
        current && condition["status"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(status))
    })
}

fn field_holds(object: &Value, path: &JsonPath, value: Option<&str>) -> Result<bool> {
    let found: Vec<Value> =
        path.find(object).map_err(|error| Error::Message(error.0))?.into_iter().flatten().collect();
    match (found.as_slice(), value) {
        ([], _) => Ok(false),
        (_, None) => Ok(true),
        ([Value::Object(_) | Value::Array(_)], Some(_)) => {
            fail("jsonpath leads to a nested object or list which is not supported")
        }
        ([one], Some(value)) => Ok(super::print::go_value(one) == value),
        (_, Some(_)) => fail("given jsonpath expression matches more than one value"),
    }
}
