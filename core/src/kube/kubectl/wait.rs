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

/// Objects of which something is awaited, one after the other, all before one deadline.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    targets: Vec<(Kind, String, String)>,
    until: Vec<Until>,
    /// How many of `until` the first target has fulfilled.
    met: usize,
    deadline: SimTime,
    /// `--timeout=0`: look once.
    once: bool,
    errors: Vec<Error>,
}

impl Awaited {
    pub fn step(&mut self, ctx: &mut Context<'_>, out: &mut String) -> Result<Step> {
        while let Some((kind, namespace, name)) = self.targets.first().cloned() {
            let Some(until) = self.until.get(self.met) else {
                self.next_target();
                continue;
            };
            let json = ctx.api.get(kind, &namespace, &name).ok().as_ref().map(wire_json);
            let met = match (until, &json) {
                (Until::Deleted, json) => Ok(json.is_none()),
                (Until::Created, json) => Ok(json.is_some()),
                (Until::Condition { name, status }, Some(json)) => Ok(condition_holds(json, name, status)),
                (Until::Field { path, value }, Some(json)) => field_holds(json, path, value.as_deref()),
                (_, None) => {
                    Err(crate::kube::api::Status::not_found(&kind.info().qualified_plural(), &name).into())
                }
            };
            match met {
                Ok(true) => {
                    out.push_str(&format!("{}/{name} condition met\n", kind.info().qualified_singular()));
                    self.met += 1;
                }
                Ok(false) if self.once => {
                    self.give_up(Error::Message(format!(
                        "condition not met for {}/{name}",
                        kind.info().plural
                    )));
                }
                Ok(false) if ctx.now >= self.deadline => {
                    let created = *until == Until::Created;
                    let what =
                        if created { String::new() } else { format!(" on {}/{name}", kind.info().plural) };
                    self.give_up(Error::Message(format!("timed out waiting for the condition{what}")));
                }
                Ok(false) => return Ok(Step::Until(self.deadline.min(ctx.now + super::POLL))),
                Err(error) => self.give_up(error),
            }
        }
        Error::collect(std::mem::take(&mut self.errors)).map(|()| Step::Exit(0))
    }

    fn next_target(&mut self) {
        self.targets.remove(0);
        self.met = 0;
    }

    fn give_up(&mut self, error: Error) {
        self.errors.push(error);
        self.next_target();
    }
}

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    let until = match run.flags.texts("for") {
        [] => vec![parse("")?],
        all => all.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?,
    };
    let span = run.flags.duration("timeout").unwrap_or(30_000_000_000);
    let patience = match span {
        // A negative span means a week.
        span if span < 0 => Duration::from_hours(24 * 7),
        span => Duration::from_nanos(span.unsigned_abs()),
    };
    let creates = until.contains(&Until::Created);
    let deletes = until.contains(&Until::Deleted);
    let (objects, mut errors) = if run.flags.given("filename") {
        let (objects, errors, _) = documents::look_up(run)?;
        (objects, errors)
    } else {
        let selection = Selection::parse(run.args())?;
        let scope = Scope::of(run);
        let nameless = selection.wanted.iter().any(|wanted| wanted.name.is_none());
        if nameless && !scope.selects() && !run.flags.on("all") {
            return fail("resource(s) were provided, but no name was specified");
        }
        if creates && !nameless {
            let namespace = scope.namespace;
            let target = |wanted: super::resource::Wanted| {
                wanted.name.map(|name| (wanted.kind, namespace.clone(), name))
            };
            let targets = selection.wanted.into_iter().filter_map(target).collect();
            return Ok(start(run, targets, until, patience));
        }
        look_up(run, &selection, &scope)
    };
    if deletes {
        errors.retain(|error| !error.is_not_found());
    }
    Error::collect(errors)?;
    if objects.is_empty() {
        return if deletes { Ok(Next::Done) } else { fail("no matching resources found") };
    }
    let targets = objects.iter().map(|o| (o.kind(), o.namespace().to_owned(), o.name().to_owned())).collect();
    Ok(start(run, targets, until, patience))
}

fn start(
    run: &Run<'_, '_>,
    targets: Vec<(Kind, String, String)>,
    until: Vec<Until>,
    patience: Duration,
) -> Next {
    let awaited = Awaited {
        targets,
        until,
        met: 0,
        deadline: run.ctx.now + patience,
        once: patience.is_zero(),
        errors: Vec::new(),
    };
    Next::Wait(Waiting::Condition(Box::new(awaited)))
}

fn parse(text: &str) -> Result<Until> {
    const FORM: &str = "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'";
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
            None => return fail(FORM),
        };
        if path.is_empty() {
            return fail("jsonpath expression cannot be empty");
        }
        if value.is_some_and(|value| value.trim_matches(['\'', '"']).is_empty()) {
            return fail(
                "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
            );
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
        let observed = condition["observedGeneration"]
            .as_i64()
            .or_else(|| object["status"]["observedGeneration"].as_i64());
        let current = match (generation, observed) {
            (Some(generation), Some(observed)) => observed >= generation,
            _ => true,
        };
        current && condition["status"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(status))
    })
}

fn field_holds(object: &Value, path: &JsonPath, value: Option<&str>) -> Result<bool> {
    let results = path.find(object).map_err(|error| Error::Message(error.0))?;
    if results.len() > 1 {
        return fail("given jsonpath expression matches more than one list");
    }
    let found: Vec<Value> = results.into_iter().flatten().collect();
    match (found.as_slice(), value) {
        ([], _) => Ok(false),
        ([_], None) => Ok(true),
        ([Value::Object(_) | Value::Array(_)], Some(_)) => {
            fail("jsonpath leads to a nested object or list which is not supported")
        }
        ([one], Some(value)) => Ok(super::print::go_value(one).trim() == value.trim()),
        _ => fail("given jsonpath expression matches more than one value"),
    }
}
