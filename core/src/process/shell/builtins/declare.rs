//! `declare`, `local`, `export`, `readonly`, `unset`.

use super::super::params::quote_always;
use super::super::run::Flow;
use super::super::shell::{Frame, Shell};
use super::super::simple::{Arg, Ready, ReadyValue};
use super::super::vars::{Value, Var, is_name};
use crate::process::host::Host;
use crate::process::kernel::Sys;

impl Var {
    /// The letters behind `declare -`.
    pub(crate) fn flags(&self) -> String {
        let flags = [
            (matches!(self.value, Value::Array(_)), 'a'),
            (matches!(self.value, Value::Map(_)), 'A'),
            (self.integer, 'i'),
            (self.readonly, 'r'),
            (self.exported, 'x'),
        ];
        flags.iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect()
    }

    /// As `declare -p` prints it.
    fn declaration(&self, name: &str) -> String {
        let flags = self.flags();
        let flags = if flags.is_empty() { "-" } else { &flags };
        let quoted = |text: &str| {
            if text.contains(char::is_control) {
                quote_always(text)
            } else {
                let mut out = String::from("\"");
                for c in text.chars() {
                    if "$`\"\\".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out + "\""
            }
        };
        match &self.value {
            Value::Unset => format!("declare -{flags} {name}\n"),
            Value::Text(text) => format!("declare -{flags} {name}={}\n", quoted(text)),
            Value::Array(array) => {
                let elements: Vec<String> =
                    array.iter().map(|(i, text)| format!("[{i}]={}", quoted(text))).collect();
                format!("declare -{flags} {name}=({})\n", elements.join(" "))
            }
            Value::Map(map) => {
                let elements: Vec<String> =
                    map.iter().map(|(key, text)| format!("[{key}]={} ", quoted(text))).collect();
                format!("declare -{flags} {name}=({})\n", elements.concat())
            }
        }
    }
}

/// What `declare` was asked to do.
#[derive(Default)]
struct Wanted {
    array: bool,
    map: bool,
    export: Option<bool>,
    integer: Option<bool>,
    readonly: bool,
    print: bool,
    functions: bool,
    function_names: bool,
    global: bool,
}

impl Shell {
    pub(crate) fn declare<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        args: Vec<Arg>,
    ) -> Flow<H::Program> {
        let mut wanted = Wanted::default();
        match name {
            "export" => wanted.export = Some(true),
            "readonly" => wanted.readonly = true,
            _ => {}
        }
        let in_function = self.frames.iter().any(|frame| matches!(frame, Frame::Call { .. }));
        if name == "local" && !in_function {
            return self.fail(name, "can only be used in a function", 1);
        }
        let mut rest = args.into_iter().skip(1).peekable();
        while let Some(Arg::Text(flag)) = rest
            .next_if(|arg| matches!(arg, Arg::Text(text) if text.len() > 1 && text.starts_with(['-', '+'])))
        {
            let on = flag.starts_with('-');
            if flag == "--" {
                break;
            }
            for letter in flag[1..].chars() {
                match (letter, name) {
                    ('a', _) => wanted.array = true,
                    ('A', _) => wanted.map = true,
                    ('i', _) => wanted.integer = Some(on),
                    ('r', _) => wanted.readonly = true,
                    ('x', _) => wanted.export = Some(on),
                    ('n', "export") => wanted.export = Some(false),
                    ('p', _) => wanted.print = true,
                    ('f', _) => wanted.functions = true,
                    ('F', _) => wanted.function_names = true,
                    ('g', _) => wanted.global = true,
                    ('l' | 'u' | 'n' | 't' | 'c', _) => {
                        return self.fail(name, &format!("not modelled: -{letter}"), 2);
                    }
                    _ => {
                        let usage = format!("{name} [-aAfFgiprx] [name[=value] ...]");
                        return self.misuse(name, &format!("-{letter}: invalid option"), &usage);
                    }
                }
            }
        }
        let rest: Vec<Arg> = rest.collect();
        if wanted.functions || wanted.function_names {
            return self.declare_functions(sys, name, &wanted, &rest);
        }
        if rest.is_empty() {
            return self.list_variables(sys, name, &wanted);
        }
        self.status = 0;
        let local = in_function && !wanted.global && matches!(name, "local" | "declare" | "typeset");
        let mut printed = String::new();
        for arg in rest {
            let (target, ready) = match arg {
                Arg::Assign(ready) => (ready.name.clone(), Some(ready)),
                // `export "$name=value"`: an assignment that only shows after expansion.
                Arg::Text(text) => match text.split_once('=') {
                    Some((left, value)) => {
                        let (left, append) =
                            left.strip_suffix('+').map_or((left, false), |left| (left, true));
                        let value = ReadyValue::Scalar(value.to_owned());
                        (left.to_owned(), Some(Ready { name: left.to_owned(), index: None, append, value }))
                    }
                    None => (text, None),
                },
            };
            if !is_name(&target) {
                let shown = ready.as_ref().map_or_else(|| target.clone(), Ready::text);
                self.complain(&format!("{name}: `{shown}': not a valid identifier"));
                self.status = 1;
                continue;
            }
            if wanted.print {
                match self.vars.get(&target) {
                    Some(var) => printed.push_str(&var.declaration(&target)),
                    None => {
                        self.complain(&format!("{name}: {target}: not found"));
                        self.status = 1;
                    }
                }
                continue;
            }
            if let Some(flow) = self.declare_one(sys, &wanted, &target, ready.as_ref(), local) {
                return flow;
            }
        }
        self.print_bytes(sys, name, printed.as_bytes())
    }

    fn declare_one<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        wanted: &Wanted,
        target: &str,
        ready: Option<&Ready>,
        local: bool,
    ) -> Option<Flow<H::Program>> {
        if local {
            let old = self.vars.get(target).cloned();
            if old.as_ref().is_some_and(|var| var.readonly) {
                self.complain(&format!("local: {target}: readonly variable"));
                self.status = 1;
                return None;
            }
            let call = self.frames.iter_mut().rev().find_map(|frame| match frame {
                Frame::Call { locals, .. } => Some(locals),
                _ => None,
            });
            if let Some(locals) = call
                && !locals.iter().any(|(name, _)| name == target)
            {
                locals.push((target.to_owned(), old));
                self.vars.restore(target, Some(Var::new(Value::Unset)));
            }
        }
        let prepared = self.vars.update(target, |var| {
            match (&var.value, wanted.array, wanted.map) {
                (Value::Unset, true, _) => var.value = Value::Array([].into()),
                (Value::Text(text), true, _) => var.value = Value::Array([(0, text.clone())].into()),
                (Value::Unset, _, true) => var.value = Value::Map([].into()),
                _ => {}
            }
            if let Some(integer) = wanted.integer {
                var.integer = integer;
            }
            if let Some(export) = wanted.export {
                var.exported = export;
            }
        });
        let mut result = prepared.map_err(super::super::expand::Fault::from);
        if let (Ok(()), Some(ready)) = (&result, ready) {
            result = self.attempt(sys, &[], |ex| ex.apply(ready));
        }
        if let Err(fault) = result {
            return Some(self.fault(sys, fault, || Frame::Source { positional: None }));
        }
        if wanted.readonly {
            // It was set a moment ago.
            let _ = self.vars.update(target, |var| var.readonly = true);
        }
        None
    }

    fn list_variables<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        wanted: &Wanted,
    ) -> Flow<H::Program> {
        let listed = |var: &Var| match name {
            "export" => var.exported,
            "readonly" => var.readonly,
            _ => {
                (!wanted.array || matches!(var.value, Value::Array(_)))
                    && (!wanted.map || matches!(var.value, Value::Map(_)))
                    && (!wanted.readonly || var.readonly)
                    && (wanted.export != Some(true) || var.exported)
            }
        };
        let text: String = self
            .vars
            .names()
            .filter(|(_, var)| listed(var))
            .map(|(name, var)| var.declaration(name))
            .collect();
        self.print(sys, name, &text)
    }

    fn declare_functions<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        wanted: &Wanted,
        rest: &[Arg],
    ) -> Flow<H::Program> {
        if name == "export" {
            // A function is not handed to other programs here, and nobody notices.
            return self.done(0);
        }
        let names: Vec<String> = if rest.is_empty() {
            self.functions.keys().cloned().collect()
        } else {
            rest.iter().map(Arg::text).collect()
        };
        let mut text = String::new();
        self.status = 0;
        for name in names {
            match self.functions.get(&name) {
                None => self.status = 1,
                Some(_) if wanted.function_names && rest.is_empty() => {
                    text.push_str(&format!("declare -f {name}\n"));
                }
                Some(_) if wanted.function_names => text.push_str(&format!("{name}\n")),
                Some(function) => text.push_str(&format!("{}\n", function.text)),
            }
        }
        self.print_bytes(sys, name, text.as_bytes())
    }

    pub(crate) fn unset<P>(&mut self, args: &[String]) -> Flow<P> {
        self.status = 0;
        let (mut functions, mut variables) = (true, true);
        for arg in args {
            match arg.as_str() {
                "-f" => variables = false,
                "-v" => functions = false,
                "-n" => return self.fail("unset", "not modelled: -n", 2),
                name => {
                    if let Some((array, index)) =
                        name.split_once('[').and_then(|(a, i)| Some((a, i.strip_suffix(']')?)))
                    {
                        let index = index.trim_matches(['"', '\'']).to_owned();
                        let number = index.parse::<i64>();
                        let result = self.vars.update(array, |var| match &mut var.value {
                            Value::Array(array) => {
                                let end = array.last_key_value().map_or(0, |(last, _)| *last as i64 + 1);
                                if let Ok(n) = number
                                    && let Ok(n) = usize::try_from(if n < 0 { end + n } else { n })
                                {
                                    array.remove(&n);
                                }
                            }
                            Value::Map(map) => {
                                map.remove(&index);
                            }
                            _ => {}
                        });
                        if let Err(error) = result {
                            self.complain(&format!("unset: {error}"));
                        }
                    } else if variables && self.vars.get(name).is_some() {
                        if self.vars.unset(name).is_err() {
                            self.complain(&format!("unset: {name}: cannot unset: readonly variable"));
                            self.status = 1;
                        }
                    } else if functions {
                        std::sync::Arc::make_mut(&mut self.functions).remove(name);
                    }
                }
            }
        }
        Flow::Go
    }
}
