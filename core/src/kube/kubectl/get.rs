//! `kubectl get`: objects as a table, as data, or as they change.

use super::command::{Next, Run};
use super::documents;
use super::error::{Error, Result, fail};
use super::jsonpath::JsonPath;
use super::output::{GET_FORMATS, Output, list_of};
use super::print::{Table, TableOptions};
use super::resource::{Scope, Selection, look_up};
use super::waiting::{Waiting, Watch};
use super::wire::wire_json;
use crate::kube::api::Object;
use crate::order::InOrder;

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    if let Some(raw) = run.flags.text("raw") {
        return fail(format!("not modelled: --raw {raw}"));
    }
    if run.flags.on("output-watch-events") && !run.flags.on("watch") && !run.flags.on("watch-only") {
        return fail("--output-watch-events option can only be used with --watch or --watch-only");
    }
    if let Some(subresource) = run.flags.text("subresource")
        && subresource != "status"
    {
        return Err(Error::Raw(
            "Error from server (NotFound): the server could not find the requested resource".to_owned(),
        ));
    }
    let from_files = run.flags.given("filename");
    if run.args().is_empty() && !from_files {
        run.warn(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n",
        );
        return run.usage(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).",
        );
    }
    let output = Output::parse(run, GET_FORMATS)?;
    let selection = if from_files { Selection::default() } else { Selection::parse(run.args())? };
    for warning in &selection.warnings {
        run.err.push_str(warning);
        run.err.push('\n');
    }
    if run.flags.on("watch") || run.flags.on("watch-only") {
        return watch(run, &selection, output);
    }
    let scope = Scope::of(run);
    let (mut objects, mut errors, single) = if from_files {
        let (objects, errors, single) = documents::look_up(run)?;
        (objects, errors, single)
    } else {
        let (objects, errors) = look_up(run, &selection, &scope);
        (objects, errors, selection.single)
    };
    let ignore = run.flags.on("ignore-not-found");
    if ignore {
        errors.retain(|error| !error.is_not_found());
    }
    let sort_by = run.flags.text_or_empty("sort-by").to_owned();
    let table = matches!(output, None | Some(Output::Table { .. }));
    if !sort_by.is_empty() {
        let several = objects.iter().any(|object| object.kind() != objects[0].kind());
        match sort(&mut objects, &sort_by) {
            Err(error) if !table || several || !error.text().starts_with("couldn't find") => {
                return Err(error);
            }
            // The table of a kind in which no object has the field is not printed at all.
            Err(_) => objects.clear(),
            Ok(()) => {}
        }
    }
    match output {
        None | Some(Output::Table { .. }) => {
            let options = TableOptions {
                wide: output == Some(Output::Table { wide: true }),
                ..table_options(run, &selection, &objects)
            };
            print_table(run, &objects, options);
            if objects.is_empty() && errors.is_empty() && !ignore {
                let namespaced = selection.wanted.iter().all(|wanted| wanted.kind.info().namespaced);
                if scope.namespace.is_empty() || !namespaced {
                    run.warn("No resources found");
                } else {
                    run.warn(&format!("No resources found in {} namespace.", scope.namespace));
                }
            }
        }
        Some(output) => {
            if single && !errors.is_empty() {
                return Error::collect(errors).map(|()| Next::Done);
            }
            if objects.is_empty() && ignore {
                return Error::collect(errors).map(|()| Next::Done);
            }
            let json = |object: &Object| {
                let mut value = wire_json(object);
                if !run.flags.on("show-managed-fields") {
                    super::wire::without_managed_fields(&mut value);
                }
                value
            };
            let value = match objects.as_slice() {
                [object] if single => json(object),
                objects => list_of(objects.iter().map(json).collect()),
            };
            let text = output.print(&value)?;
            run.out.push_str(&text);
        }
    }
    Error::collect(errors).map(|()| Next::Done)
}

fn table_options(run: &Run<'_, '_>, selection: &Selection, objects: &[Object]) -> TableOptions {
    let several =
        objects.first().is_some_and(|first| objects.iter().any(|object| object.kind() != first.kind()));
    TableOptions {
        wide: false,
        no_headers: run.flags.on("no-headers"),
        namespace: run.flags.on("all-namespaces"),
        kind: run.flags.on("show-kind") || selection.several_kinds || several,
        labels: run.flags.on("show-labels"),
        label_columns: run.flags.texts("label-columns").to_vec(),
        events: run.flags.on("output-watch-events"),
    }
}

/// One table per run of objects of the same kind, with an empty line between.
fn print_table(run: &mut Run<'_, '_>, objects: &[Object], options: TableOptions) {
    let now = run.ctx.clock();
    let no_headers = options.no_headers;
    let mut table = Table::new(options);
    let mut last = None;
    for object in objects {
        if last.is_some_and(|kind| kind != object.kind()) {
            run.out.push_str(&table.flush());
            if !no_headers {
                run.out.push('\n');
            }
            table.restart();
        }
        last = Some(object.kind());
        table.row(object, "", now);
    }
    run.out.push_str(&table.flush());
}

/// Orders objects by a field.
pub(super) fn sort(objects: &mut [Object], field: &str) -> Result<()> {
    let path = JsonPath::parse_relaxed(field).map_err(|error| Error::Message(error.0))?;
    let mut keyed = Vec::with_capacity(objects.len());
    for object in objects.iter() {
        let found = path.find(&wire_json(object)).map_err(|error| Error::Message(error.0))?;
        keyed.push((found.into_iter().flatten().next(), object.clone()));
    }
    if !keyed.is_empty() && keyed.iter().all(|(key, _)| key.is_none()) {
        return fail(not_found(path.source()));
    }
    if keyed.len() <= INSERTION {
        // Go sorts short lists by insertion, which shows where objects without the field are: each passes the one before.
        for i in 1..keyed.len() {
            let mut j = i;
            while j > 0 && is_less(keyed[j].0.as_ref(), keyed[j - 1].0.as_ref()) {
                keyed.swap(j, j - 1);
                j -= 1;
            }
        }
    } else {
        keyed.order_by(|(a, _), (b, _)| order(a.as_ref(), b.as_ref()));
    }
    for (slot, (_, object)) in objects.iter_mut().zip(keyed) {
        *slot = object;
    }
    Ok(())
}

/// The longest list that Go's `sort.Sort` sorts by insertion.
const INSERTION: usize = 12;

fn not_found(path: &str) -> String {
    format!("couldn't find any field with path {} in the list of objects", super::print::go_quote(path))
}

/// Whether one comes before the other; an object without the field comes before every other.
fn is_less(a: Option<&serde_json::Value>, b: Option<&serde_json::Value>) -> bool {
    a.is_none() || (b.is_some() && order(a, b).is_lt())
}

fn order(a: Option<&serde_json::Value>, b: Option<&serde_json::Value>) -> std::cmp::Ordering {
    use serde_json::Value;
    use std::cmp::Ordering;
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Some(Value::String(a)), Some(Value::String(b))) => {
            // Two quantities are compared by their worth, other text letter by letter.
            let amount = |text: &str| text.parse::<crate::kube::quantity::Amount>().ok();
            match (amount(a), amount(b)) {
                (Some(x), Some(y)) => x.partial_cmp(&y).unwrap_or(Ordering::Equal),
                _ => a.cmp(b),
            }
        }
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// Prints what there is and then every change.
fn watch(run: &mut Run<'_, '_>, selection: &Selection, output: Option<Output>) -> Result<Next> {
    let [wanted] = selection.wanted.as_slice() else {
        return fail(if selection.wanted.is_empty() {
            "not modelled: --watch with --filename"
        } else {
            "you may only specify a single resource type"
        });
    };
    let mut scope = Scope::of(run);
    let (objects, mut errors) = look_up(run, selection, &scope);
    if run.flags.on("ignore-not-found") {
        errors.retain(|error| !error.is_not_found());
        if objects.is_empty() && wanted.name.is_some() {
            return Error::collect(errors).map(|()| Next::Done);
        }
    }
    Error::collect(errors)?;
    if let Some(name) = &wanted.name {
        scope.options.field_selector = format!("metadata.name={name}");
    }
    let wide = output == Some(Output::Table { wide: true });
    let options = TableOptions { wide, ..table_options(run, selection, &objects) };
    let mut watch = Watch::new(
        wanted.kind,
        scope,
        run.ctx.api.resource_version(),
        output.filter(|output| !matches!(output, Output::Table { .. })),
        options,
    );
    if !run.flags.on("watch-only") {
        let now = run.ctx.clock();
        for object in &objects {
            watch.print(object, "ADDED", now, run.out)?;
        }
        watch.flush(run.out);
    }
    Ok(Next::Wait(Waiting::Watch(Box::new(watch))))
}
