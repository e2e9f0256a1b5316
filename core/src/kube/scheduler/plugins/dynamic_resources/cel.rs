//! CEL expressions that select devices: compiled once, asked once per device.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use cel::objects::{Opaque, Value};
use cel::parser::PrattParser;
use cel::{Context, ExecutionError, IdedExpr};
use k8s_openapi::api::resource::v1::Device as DeviceObject;

use super::super::super::cluster::devices::{Device, DeviceId, Devices};
use crate::kube::quantity::Amount;

/// What an expression says of a device; the error is for people.
pub(super) type Verdict = Result<bool, Arc<str>>;

/// A quantity, as CEL sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quantity(i128);

impl Opaque for Quantity {
    fn runtime_type_name(&self) -> &'static str {
        "kubernetes.Quantity"
    }
}

impl From<Amount> for Quantity {
    fn from(amount: Amount) -> Self {
        Self(amount.nanos())
    }
}

/// One expression with all its answers.
#[derive(Clone)]
struct Selector {
    tree: Result<Arc<IdedExpr>, Arc<str>>,
    /// The texts in it: domains that a device may lack.
    domains: Vec<String>,
    /// The state of the slices that it has seen.
    seen: u64,
    /// By device, with the device's version.
    answers: Vec<Option<(u64, Verdict)>>,
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// All expressions that were met.
#[derive(Clone, Debug, Default)]
pub(super) struct Selectors {
    // Only looked up, never iterated: its order cannot show.
    by_text: HashMap<Arc<str>, Selector>,
}

impl Selectors {
    /// Asks an expression for all devices that have changed since it was asked last.
    pub fn prepare(&mut self, expression: &Arc<str>, devices: &Devices) {
        let selector = self.by_text.entry(Arc::clone(expression)).or_insert_with(|| Selector {
            // Not `Program::compile`: it would bring in the parser that ANTLR generates, 80 kB more to download.
            tree: PrattParser::new()
                .parse(expression)
                .map(Arc::new)
                .map_err(|error| error.to_string().into()),
            domains: literals(expression),
            seen: 0,
            answers: Vec::new(),
        });
        if selector.seen == devices.version() {
            return;
        }
        selector.seen = devices.version();
        for slice in devices.slices() {
            for device in &slice.devices {
                selector.ask(&slice.driver, device);
            }
        }
    }

    /// What an expression that was prepared says of a device.
    pub fn answer(&self, expression: &str, device: DeviceId) -> Verdict {
        let selector = self.by_text.get(expression);
        let answer = selector.and_then(|selector| selector.answers.get(device.index())?.as_ref());
        answer.map_or(Ok(false), |(_, verdict)| verdict.clone())
    }
}

impl Selector {
    fn ask(&mut self, driver: &str, device: &Device) {
        let index = device.id.index();
        if self.answers.len() <= index {
            self.answers.resize(index + 1, None);
        }
        if self.answers[index].as_ref().is_none_or(|(version, _)| *version != device.version) {
            let verdict = self.evaluate(driver, &device.object);
            self.answers[index] = Some((device.version, verdict));
        }
    }

    fn evaluate(&self, driver: &str, device: &DeviceObject) -> Verdict {
        let tree = match &self.tree {
            Ok(tree) => tree,
            Err(error) => return Err(format!("CEL compile error: {error}").into()),
        };
        let fails = |error: &dyn fmt::Display| Arc::from(format!("CEL runtime error: {error}"));
        let mut context = context();
        context.add_variable_from_value("device", value_of(driver, device, &self.domains));
        match Value::resolve(tree, &context) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(fails(&format!("expression gave {}, expected a bool", other.type_of()))),
            Err(error) => Err(fails(&error)),
        }
    }
}

/// A device as expressions see it: `driver`, and `attributes` and `capacity` by domain and name.
fn value_of(driver: &str, device: &DeviceObject, domains: &[String]) -> Value {
    let mut attributes: BTreeMap<String, HashMap<String, Value>> = BTreeMap::new();
    let mut capacity = attributes.clone();
    // A domain that the device does not have is there, and empty.
    for domain in domains {
        attributes.entry(domain.clone()).or_default();
        capacity.entry(domain.clone()).or_default();
    }
    let split = |name: &str| match name.split_once('/') {
        Some((domain, id)) => (domain.to_owned(), id.to_owned()),
        None => (driver.to_owned(), name.to_owned()),
    };
    for (name, attribute) in device.attributes.iter().flatten() {
        let text = |text: &String| Value::String(Arc::new(text.clone()));
        let value = (attribute.string.as_ref().map(text))
            .or_else(|| attribute.int.map(Value::Int))
            .or_else(|| attribute.bool.map(Value::Bool))
            .or_else(|| attribute.version.as_ref().map(text));
        if let Some(value) = value {
            let (domain, id) = split(name);
            attributes.entry(domain).or_default().insert(id, value);
        }
    }
    for (name, amount) in device.capacity.iter().flatten() {
        let (domain, id) = split(name);
        let amount: Amount = amount.value.0.parse().unwrap_or_default();
        let amount = Value::Opaque(Arc::new(Quantity::from(amount)));
        capacity.entry(domain).or_default().insert(id, amount);
    }
    let by_domain = |table: BTreeMap<String, HashMap<String, Value>>| {
        let table: HashMap<String, Value> = table.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
        Value::from(table)
    };
    Value::from(HashMap::from([
        ("driver".to_owned(), Value::String(Arc::new(driver.to_owned()))),
        ("attributes".to_owned(), by_domain(attributes)),
        ("capacity".to_owned(), by_domain(capacity)),
        ("allowMultipleAllocations".to_owned(), Value::Bool(device.allow_multiple_allocations == Some(true))),
    ]))
}

/// The texts between quotes in an expression.
fn literals(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = &rest[start..=start];
        let after = &rest[start + 1..];
        let Some(end) = after.find(quote) else { break };
        found.push(after[..end].to_owned());
        rest = &after[end + 1..];
    }
    found
}

fn quantity(value: &Value) -> Result<i128, ExecutionError> {
    if let Value::Opaque(opaque) = value
        && let Some(quantity) = opaque.downcast_ref::<Quantity>()
    {
        return Ok(quantity.0);
    }
    Err(ExecutionError::UnexpectedType { got: value.type_of().to_string(), want: "quantity".into() })
}

/// The functions on quantities that Kubernetes adds to CEL.
fn context() -> Context<'static, 'static> {
    use cel::extractors::This;
    let mut context = Context::default();
    let parse = |text: &Value| match text {
        Value::String(text) => text.parse::<Amount>().ok(),
        _ => None,
    };
    // Names that clash with nothing: adding them cannot fail.
    let _ = context.add_function("quantity", move |text: Value| {
        let amount = parse(&text).map(|amount| Value::Opaque(Arc::new(Quantity::from(amount))));
        amount.ok_or_else(|| ExecutionError::function_error("quantity", "not a quantity"))
    });
    let _ = context.add_function("isQuantity", move |text: Value| parse(&text).is_some());
    let _ = context.add_function("compareTo", |This(this): This<Value>, other: Value| {
        Ok::<_, ExecutionError>(match quantity(&this)?.cmp(&quantity(&other)?) {
            std::cmp::Ordering::Less => -1_i64,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
        })
    });
    let _ = context.add_function("isGreaterThan", |This(this): This<Value>, other: Value| {
        Ok::<_, ExecutionError>(quantity(&this)? > quantity(&other)?)
    });
    let _ = context.add_function("isLessThan", |This(this): This<Value>, other: Value| {
        Ok::<_, ExecutionError>(quantity(&this)? < quantity(&other)?)
    });
    context
}
