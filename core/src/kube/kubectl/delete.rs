//! `kubectl delete`, and waiting until what was deleted is gone.

use std::time::Duration;

use super::command::{DryRun, Next, Run};
use super::context::Context;
use super::documents;
use super::error::{Error, Result, fail};
use super::resource::{Scope, Selection, look_up};
use super::waiting::{Waiting, quoted};
use crate::kube::api::{DeleteOptions, Deletion, Kind, Object};
use crate::process::Step;
use crate::sim::SimTime;

/// Objects that are on their way out.
#[derive(Clone, Debug)]
pub(super) struct Gone {
    pending: Vec<Leaving>,
    deadline: Option<SimTime>,
}

#[derive(Clone, Debug)]
struct Leaving {
    kind: Kind,
    namespace: String,
    name: String,
    uid: Option<String>,
}

impl Gone {
    pub fn step(&mut self, ctx: &mut Context<'_>, _: &mut String, _: &mut String) -> Result<Step> {
        self.pending.retain(|leaving| {
            ctx.api
                .get(leaving.kind, &leaving.namespace, &leaving.name)
                .is_ok_and(|object| object.meta().uid == leaving.uid)
        });
        if self.pending.is_empty() {
            return Ok(Step::Exit(0));
        }
        let Some(deadline) = self.deadline else { return Ok(Step::Outside) };
        if ctx.now < deadline {
            return Ok(Step::Until(deadline.min(ctx.now + super::POLL)));
        }
        let timed_out = |leaving: &Leaving| {
            Error::Message(format!(
                "timed out waiting for the condition on {}/{}",
                leaving.kind.info().plural,
                leaving.name
            ))
        };
        Error::collect(self.pending.iter().map(timed_out).collect()).map(|()| Step::Exit(1))
    }
}

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    let dry_run = run.dry_run()?;
    let flags = run.flags;
    let all = flags.on("all");
    let mut grace = flags.int("grace-period").unwrap_or(-1);
    let force = flags.on("force");
    if flags.on("now") {
        if grace != -1 {
            return fail("--now and --grace-period cannot be specified together");
        }
        grace = 1;
    }
    if all && !flags.text_or_empty("selector").is_empty() {
        return fail("setting 'all' parameter but found a non empty selector. ");
    }
    if all && !flags.text_or_empty("field-selector").is_empty() {
        return fail("cannot set --all and --field-selector at the same time");
    }
    if force && grace > 0 {
        return fail("--force and --grace-period greater than 0 cannot be specified together");
    }
    if force && grace < 0 {
        grace = 0;
    } else if grace == 0 && !force {
        // A pod gets at least a second unless it is forced out.
        grace = 1;
    }
    match flags.text("output") {
        None | Some("" | "name") => {}
        Some(other) => {
            return fail(format!("unexpected -o output mode: {other}. We only support '-o name'"));
        }
    }
    let options = DeleteOptions {
        grace_period_seconds: (grace >= 0).then_some(grace),
        dry_run: dry_run == DryRun::Server,
        ..DeleteOptions::default()
    };
    let mut deleter = Deleter { options, dry_run, force: force && grace == 0, found: 0, leaving: Vec::new() };
    let mut errors = Vec::new();
    if flags.given("filename") {
        if !run.args().is_empty() {
            return fail(
                "when paths, URLs, or stdin is provided as input, you may not specify a resource by arguments as well",
            );
        }
        let (documents, wrong) = documents::read(run, false)?;
        deleter.warn(run);
        errors.extend(wrong);
        for document in documents {
            let target = (document.kind, document.namespace.clone(), document.name.clone());
            if let Err(error) = deleter.delete(run, &target) {
                errors.push(error.when("deleting", &document.source));
            }
        }
    } else {
        if run.args().is_empty() {
            return fail(
                "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
            );
        }
        let selection = Selection::parse(run.args())?;
        let scope = Scope::of(run);
        let nameless = selection.wanted.iter().any(|wanted| wanted.name.is_none());
        if nameless && !all && !scope.selects() {
            return fail("resource(s) were provided, but no name was specified");
        }
        deleter.warn(run);
        let (objects, wrong) = look_up(run, &selection, &scope);
        errors.extend(wrong);
        for object in objects {
            let target = (object.kind(), object.namespace().to_owned(), object.name().to_owned());
            if let Err(error) = deleter.delete(run, &target) {
                errors.push(error);
            }
        }
    }
    let ignore = flags.bool("ignore-not-found").unwrap_or(all);
    let missed = errors.iter().any(Error::is_not_found);
    if ignore {
        errors.retain(|error| !error.is_not_found());
    }
    Error::collect(errors)?;
    if deleter.found == 0 {
        if !missed {
            run.say("No resources found");
        }
        return Ok(Next::Done);
    }
    if dry_run != DryRun::None || !flags.bool("wait").unwrap_or(true) || deleter.leaving.is_empty() {
        return Ok(Next::Done);
    }
    let deadline = flags
        .duration("timeout")
        .filter(|span| *span > 0)
        .map(|span| run.ctx.now + Duration::from_nanos(span.unsigned_abs()));
    Ok(Next::Wait(Waiting::Gone(Box::new(Gone { pending: deleter.leaving, deadline }))))
}

struct Deleter {
    options: DeleteOptions,
    dry_run: DryRun,
    force: bool,
    found: usize,
    leaving: Vec<Leaving>,
}

impl Deleter {
    fn warn(&self, run: &mut Run<'_, '_>) {
        if self.force {
            run.warn(
                "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.",
            );
        }
    }

    fn delete(
        &mut self,
        run: &mut Run<'_, '_>,
        (kind, namespace, name): &(Kind, String, String),
    ) -> Result<()> {
        let info = kind.info();
        let pending: Option<Object> = if self.dry_run == DryRun::Client {
            None
        } else {
            match run.ctx.api.delete(*kind, namespace, name, &self.options)? {
                Deletion::Pending(object) => Some(object),
                Deletion::Gone(_) => None,
            }
        };
        self.found += 1;
        if let Some(object) = pending {
            self.leaving.push(Leaving {
                kind: *kind,
                namespace: namespace.clone(),
                name: name.clone(),
                uid: object.meta().uid.clone(),
            });
        }
        let singular = info.qualified_singular();
        if run.flags.text("output") == Some("name") {
            run.say(&format!("{singular}/{name}"));
            return Ok(());
        }
        let verb = if self.force { "force deleted" } else { "deleted" };
        let place = if info.namespaced { format!(" from {namespace} namespace") } else { String::new() };
        let suffix = self.dry_run.suffix();
        run.say(&format!("{singular} {} {verb}{place}{suffix}", quoted(name)));
        Ok(())
    }
}
