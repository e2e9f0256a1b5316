//! Expressions of the small Python: values, names and a few calls.

use std::collections::BTreeMap;
use std::fmt;

use super::scan::{call, quoted, split, split_once, unescape};
use crate::hardware::Gpu;
use crate::process::container::ContainerHost;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Value {
    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::None | Self::Text(_) => None,
        }
    }

    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
        }
    }
}

/// As `str(value)` does it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => write!(f, "{value}"),
            // Rust's `Debug` keeps the `.0`, as Python does.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// Python itself would raise this.
    Raised(String),
    /// Python would know it; we do not.
    NotModelled(String),
}

/// What can be imported, and what it answers from.
#[derive(Clone, Debug)]
pub(super) struct Modules {
    pub(super) torch: bool,
    pub(super) imported: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) pid: u32,
    /// GPUs that CUDA shows, by their number in the container.
    pub(super) visible: Vec<usize>,
}

impl Modules {
    pub(super) fn has(&self, module: &str) -> bool {
        self.imported.iter().any(|name| name == module)
    }

    pub(super) fn import(&mut self, module: &str) -> Result<(), Error> {
        let top = module.split('.').next().unwrap_or(module);
        match top {
            "os" | "sys" | "time" | "socket" | "platform" => {}
            "torch" if self.torch => {}
            _ if module.contains(' ') => return Err(Error::NotModelled(format!("`import {module}`"))),
            "torch" | "numpy" | "tensorflow" | "jax" | "transformers" | "requests" | "" => {
                return Err(Error::Raised(format!("ModuleNotFoundError: No module named '{top}'")));
            }
            // It may be one of the standard library: say that it is we who lack it.
            _ => return Err(Error::NotModelled(format!("module `{top}`"))),
        }
        self.imported.push(top.to_owned());
        Ok(())
    }
}

/// Everything that an expression can see.
pub(super) struct Scope<'a> {
    pub(super) modules: &'a Modules,
    pub(super) variables: &'a BTreeMap<String, Value>,
    pub(super) host: &'a ContainerHost<'a>,
}

/// Longest expression that is looked at, so that nesting stays shallow.
const MAX_LENGTH: usize = 2_000;

impl Scope<'_> {
    /// The value of an expression.
    pub(super) fn evaluate(&self, text: &str) -> Result<Value, Error> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(Error::NotModelled("expressions of that length".to_owned()));
        }
        for operator in ["==", "!=", ">=", "<=", ">", "<"] {
            if let Some((left, right)) = split_once(text, operator) {
                return compare(operator, &self.evaluate(left)?, &self.evaluate(right)?);
            }
        }
        let parts = split(text, '+');
        if parts.len() > 1 && !parts.iter().any(|part| part.trim().is_empty()) {
            let mut sum = self.evaluate(&parts[0])?;
            for part in &parts[1..] {
                sum = add(&sum, &self.evaluate(part)?)?;
            }
            return Ok(sum);
        }
        self.atom(text)
    }

    fn atom(&self, text: &str) -> Result<Value, Error> {
        let not_modelled = || Error::NotModelled(format!("expression `{text}`"));
        match text {
            "None" => return Ok(Value::None),
            "True" => return Ok(Value::Bool(true)),
            "False" => return Ok(Value::Bool(false)),
            _ => {}
        }
        if let Some(body) = text.strip_prefix('f').and_then(quoted) {
            return self.format(body);
        }
        if let Some(body) = quoted(text) {
            return unescape(body).map(Value::Text).ok_or_else(not_modelled);
        }
        if let Ok(number) = text.parse() {
            return Ok(Value::Int(number));
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
            return text.parse().map(Value::Float).map_err(|_| not_modelled());
        }
        if let Some(key) = text.strip_prefix("os.environ[").and_then(|rest| rest.strip_suffix(']')) {
            self.needs("os")?;
            let key = self.evaluate(key)?.to_string();
            let value = self.modules.env.get(&key).cloned();
            return value.map(Value::Text).ok_or_else(|| Error::Raised(format!("KeyError: '{key}'")));
        }
        if let Some((name, arguments)) = call(text) {
            let arguments =
                arguments.iter().map(|argument| self.evaluate(argument)).collect::<Result<Vec<_>, _>>()?;
            return self.call(name, &arguments)?.ok_or_else(not_modelled);
        }
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
            return self.name(text);
        }
        Err(not_modelled())
    }

    fn name(&self, name: &str) -> Result<Value, Error> {
        let (first, _) = name.split_once('.').unwrap_or((name, ""));
        if let Some(value) = self.variables.get(name) {
            return Ok(value.clone());
        }
        self.needs(first)?;
        let variable = |name: &str| self.modules.env.get(name).cloned().unwrap_or_default();
        Ok(match name {
            "torch.__version__" => Value::Text(variable("PYTORCH_VERSION")),
            "torch.version.cuda" => {
                let version = variable("CUDA_VERSION");
                Value::Text(version.split('.').take(2).collect::<Vec<_>>().join("."))
            }
            "sys.stderr" | "sys.stdout" => Value::None,
            _ => return Err(Error::NotModelled(format!("expression `{name}`"))),
        })
    }

    /// A name that was neither assigned nor imported is an error of Python's.
    fn needs(&self, module: &str) -> Result<(), Error> {
        if self.modules.has(module) {
            return Ok(());
        }
        Err(Error::Raised(match module {
            "os" | "sys" | "time" | "socket" | "platform" => {
                format!("NameError: name '{module}' is not defined. Did you forget to import '{module}'?")
            }
            _ => format!("NameError: name '{module}' is not defined"),
        }))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
        if let Some((module, _)) = name.split_once('.') {
            self.needs(module)?;
        }
        let text = |value: &str| Value::Text(value.to_owned());
        let variable = |key: &Value| self.modules.env.get(&key.to_string()).map(|value| text(value));
        Ok(Some(match (name, arguments) {
            ("str", [value]) => Value::Text(value.to_string()),
            ("len", [Value::Text(value)]) => Value::Int(value.chars().count() as i64),
            ("os.getenv" | "os.environ.get", [key]) => variable(key).unwrap_or(Value::None),
            ("os.getenv" | "os.environ.get", [key, default]) => {
                variable(key).unwrap_or_else(|| default.clone())
            }
            ("os.getpid", []) => Value::Int(self.modules.pid.into()),
            ("os.cpu_count", []) => Value::Int(self.host.node.cpu.logical().into()),
            ("socket.gethostname" | "platform.node", []) => text(self.host.hostname),
            ("torch.cuda.is_available", []) => {
                Value::Bool(self.modules.visible.iter().any(|gpu| self.works(*gpu)))
            }
            ("torch.cuda.device_count", []) => Value::Int(self.modules.visible.len() as i64),
            ("torch.cuda.current_device", []) => self.device(0).map(|_| Value::Int(0))?,
            ("torch.cuda.get_device_name", []) => text(self.device(0)?.spec.name),
            ("torch.cuda.get_device_name", [Value::Int(number)]) => text(self.device(*number)?.spec.name),
            _ => return Ok(None),
        }))
    }

    fn works(&self, gpu: usize) -> bool {
        self.host.gpu(gpu).is_some_and(|gpu| !gpu.is_lost())
    }

    fn device(&self, number: i64) -> Result<&Gpu, Error> {
        if !self.host.has_driver() {
            return Err(Error::Raised(
                "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and \
                 installed a driver from http://www.nvidia.com/Download/index.aspx"
                    .to_owned(),
            ));
        }
        let gpu = usize::try_from(number).ok().and_then(|number| self.modules.visible.get(number));
        gpu.and_then(|gpu| self.host.gpu(*gpu)).ok_or_else(|| {
            Error::Raised(if self.modules.visible.is_empty() {
                "RuntimeError: No CUDA GPUs are available".to_owned()
            } else {
                "AssertionError: Invalid device id".to_owned()
            })
        })
    }

    /// The text of an f-string.
    fn format(&self, body: &str) -> Result<Value, Error> {
        let not_modelled = || Error::NotModelled(format!("expression `f'{body}'`"));
        let mut out = String::new();
        let mut rest = body;
        while let Some(at) = rest.find(['{', '}']) {
            out += &unescape(&rest[..at]).ok_or_else(not_modelled)?;
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                out.push_str(&brace[..1]);
                rest = &brace[2..];
            } else {
                let end = brace.find('}').filter(|_| brace.starts_with('{')).ok_or_else(not_modelled)?;
                out += &self.evaluate(&brace[1..end])?.to_string();
                rest = &brace[end + 1..];
            }
        }
        out += &unescape(rest).ok_or_else(not_modelled)?;
        Ok(Value::Text(out))
    }
}

fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => Ok(Value::Text(format!("{a}{b}"))),
        (Value::Int(a), Value::Int(b)) => Ok(Value::Int(a.saturating_add(*b))),
        (Value::Text(_), _) => {
            let name = right.type_name();
            Err(Error::Raised(format!("TypeError: can only concatenate str (not \"{name}\") to str")))
        }
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(a), Some(b)) => Ok(Value::Float(a + b)),
            _ => Err(Error::Raised(format!(
                "TypeError: unsupported operand type(s) for +: '{}' and '{}'",
                left.type_name(),
                right.type_name()
            ))),
        },
    }
}

fn compare(operator: &str, left: &Value, right: &Value) -> Result<Value, Error> {
    let numbers = left.as_f64().zip(right.as_f64());
    let equal = numbers.map_or(left == right, |(a, b)| a.total_cmp(&b).is_eq());
    let order = match (left, right) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => numbers.map(|(a, b)| a.total_cmp(&b)),
    };
    Ok(Value::Bool(match (operator, order) {
        ("==", _) => equal,
        ("!=", _) => !equal,
        (">", Some(order)) => order.is_gt(),
        (">=", Some(order)) => order.is_ge(),
        ("<", Some(order)) => order.is_lt(),
        ("<=", Some(order)) => order.is_le(),
        _ => {
            return Err(Error::Raised(format!(
                "TypeError: '{operator}' not supported between instances of '{}' and '{}'",
                left.type_name(),
                right.type_name()
            )));
        }
    }))
}
