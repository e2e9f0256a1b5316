//! The functions that checks have beyond CEL's own.

use std::sync::Arc;

use cel::extractors::Arguments;
use cel::objects::Key;
use cel::{Context, DeclarationError, ExecutionError, Value};
use clusterlab::kube::quantity::Amount;

use super::World;

/// Their names.
pub(super) const FUNCTIONS: &[&str] =
    &["condition", "gpus", "job", "logs", "node", "pod", "quantity", "status"];

/// Makes the functions known to `context`. They answer from `world`.
pub(super) fn register(context: &mut Context<'_, '_>, world: &Arc<World>) -> Result<(), DeclarationError> {
    let lent = Arc::clone(world);
    context.add_function("pod", move |Arguments(arguments): Arguments| -> Result<Value, ExecutionError> {
        let (name, namespace) = match arguments.as_slice() {
            [name] => (text(name)?, "default"),
            [name, namespace] => (text(name)?, text(namespace)?),
            other => return Err(ExecutionError::invalid_argument_count(1, other.len())),
        };
        lent.find("pods", namespace, name)
    })?;
    let lent = Arc::clone(world);
    context.add_function("node", move |name: Value| lent.find("nodes", "", text(&name)?))?;
    let lent = Arc::clone(world);
    context.add_function("job", move |name: Value| lent.job(text(&name)?))?;
    let lent = Arc::clone(world);
    context
        .add_function("logs", move |pod: Value| of_pod(&pod, |namespace, name| lent.logs(namespace, name)))?;
    let lent = Arc::clone(world);
    context.add_function("status", move |pod: Value| {
        of_pod(&pod, |namespace, name| lent.status(namespace, name))
    })?;
    context.add_function("gpus", |pod: Value| gpus(&pod))?;
    context.add_function("condition", |object: Value, kind: Value| condition(&object, &kind))?;
    context.add_function("quantity", |quantity: Value| {
        let quantity = text(&quantity)?;
        parse_quantity(quantity).map(Value::Float).ok_or_else(|| {
            ExecutionError::function_error("quantity", format!("{quantity:?} is not a quantity"))
        })
    })
}

/// The member of a map; `NoSuchKey` if it is not there.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, ExecutionError> {
    let Value::Map(map) = value else { return Err(ExecutionError::no_such_key(name)) };
    map.map.get(&Key::from(name)).ok_or_else(|| ExecutionError::no_such_key(name))
}

/// What a path of members leads to.
pub(super) fn path<'a>(value: &'a Value, names: &[&str]) -> Result<&'a Value, ExecutionError> {
    names.iter().try_fold(value, |value, name| field(value, name))
}

pub(super) fn text(value: &Value) -> Result<&str, ExecutionError> {
    match value {
        Value::String(text) => Ok(text),
        other => {
            Err(ExecutionError::UnexpectedType { got: other.type_of().to_string(), want: "string".into() })
        }
    }
}

fn items(value: &Value) -> &[Value] {
    if let Value::List(items) = value { items } else { &[] }
}

fn of_pod(pod: &Value, answer: impl Fn(&str, &str) -> Option<String>) -> Result<Value, ExecutionError> {
    let namespace = text(path(pod, &["metadata", "namespace"])?)?;
    let name = text(path(pod, &["metadata", "name"])?)?;
    let answer = answer(namespace, name).ok_or_else(|| ExecutionError::no_such_key(name))?;
    Ok(Value::String(Arc::new(answer)))
}

/// `nvidia.com/gpu` over all containers. The API server copies limits of extended
/// resources to requests, so that requests are what counts; they are whole numbers.
fn gpus(pod: &Value) -> Result<Value, ExecutionError> {
    let sum = items(path(pod, &["spec", "containers"])?)
        .iter()
        .filter_map(|container| path(container, &["resources", "requests", "nvidia.com/gpu"]).ok())
        .filter_map(|quantity| parse_quantity(text(quantity).ok()?))
        .sum::<f64>();
    Ok(Value::Int(sum as i64))
}

fn condition(object: &Value, kind: &Value) -> Result<Value, ExecutionError> {
    let kind = text(kind)?;
    items(path(object, &["status", "conditions"])?)
        .iter()
        .find(|condition| field(condition, "type").and_then(text).is_ok_and(|found| found == kind))
        .cloned()
        .ok_or_else(|| ExecutionError::no_such_key(kind))
}

/// A Kubernetes quantity as a number.
fn parse_quantity(quantity: &str) -> Option<f64> {
    Some(quantity.parse::<Amount>().ok()?.nanos() as f64 / 1e9)
}
