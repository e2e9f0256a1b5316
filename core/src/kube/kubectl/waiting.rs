//! Commands that wait for the world: watches, followed logs, deletions.

use serde_json::json;

use super::context::Context;
use super::delete::Gone;
use super::error::{Error, Result};
use super::logs::Follow;
use super::output::Output;
use super::print::{self, Now, TabWriter, Table, TableOptions};
use super::resource::Scope;
use super::wait::Awaited;
use super::wire::wire_json;
use crate::kube::api::{Kind, Object, WatchVerb};
use crate::process::Step;

/// What a command is waiting for.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Watch(Box<Watch>),
    Follow(Box<Follow>),
    Gone(Box<Gone>),
    Condition(Box<Awaited>),
}

impl Waiting {
    /// Looks whether the world has moved.
    pub fn step(&mut self, ctx: &mut Context<'_>, out: &mut String, err: &mut String) -> Result<Step> {
        match self {
            Self::Watch(watch) => watch.step(ctx, out),
            Self::Follow(follow) => follow.step(ctx, out),
            Self::Gone(gone) => gone.step(ctx, out, err),
            Self::Condition(awaited) => awaited.step(ctx, out),
        }
    }
}

/// `kubectl get --watch`
#[derive(Clone, Debug)]
pub(super) struct Watch {
    kind: Kind,
    scope: Scope,
    since: u64,
    output: Option<Output>,
    events: bool,
    table: Table,
    columns: TabWriter,
    has_header: bool,
    no_headers: bool,
}

impl Watch {
    /// A watch from version `since` on.
    pub fn new(kind: Kind, scope: Scope, since: u64, output: Option<Output>, options: TableOptions) -> Self {
        Self {
            kind,
            scope,
            since,
            output,
            events: options.events,
            no_headers: options.no_headers,
            table: Table::new(options),
            columns: TabWriter::table(),
            has_header: false,
        }
    }

    /// Prints one object.
    pub fn print(&mut self, object: &Object, event: &str, now: Now, out: &mut String) -> Result<()> {
        match &self.output {
            None => self.table.row(object, event, now),
            Some(Output::Columns(columns)) => {
                if !self.has_header && !self.no_headers {
                    columns.header(&mut self.columns);
                }
                self.has_header = true;
                columns.row(&wire_json(object), &mut self.columns)?;
            }
            Some(output) => {
                let mut value = wire_json(object);
                super::wire::without_managed_fields(&mut value);
                if self.events {
                    value = json!({"type": event, "object": value});
                }
                // Documents of a stream are told apart by a line, but for the first.
                if *output == Output::Yaml && std::mem::replace(&mut self.has_header, true) {
                    out.push_str("---\n");
                }
                out.push_str(&output.print(&value)?);
            }
        }
        Ok(())
    }

    /// Prints what is still being aligned.
    pub fn flush(&mut self, out: &mut String) {
        out.push_str(&self.table.flush());
        out.push_str(&self.columns.flush());
    }

    fn step(&mut self, ctx: &Context<'_>, out: &mut String) -> Result<Step> {
        let events = ctx
            .api
            .watch(self.kind, &self.scope.namespace, &self.scope.options, self.since)
            .map_err(Error::from)?;
        // Read even when nothing matched, so that the history may be forgotten behind us.
        self.since = ctx.api.resource_version();
        let now = Now::new(ctx.epoch, ctx.now);
        for event in events {
            let verb = match event.verb {
                WatchVerb::Added => "ADDED",
                WatchVerb::Modified => "MODIFIED",
                WatchVerb::Deleted => "DELETED",
            };
            self.print(&event.object, verb, now, out)?;
            self.flush(out);
        }
        Ok(Step::Outside)
    }
}

/// `name` in quotes, as messages of changes give it.
pub(super) fn quoted(name: &str) -> String {
    print::go_quote(name)
}
