//! `set`, `shopt`, and the builtin form of `test`.

use std::sync::Arc;

use super::super::params::{quote_always, quote_if_needed};
use super::super::run::Flow;
use super::super::shell::Shell;
use super::super::vars::Value;
use crate::process::host::Host;
use crate::process::kernel::Sys;

const NAMES: &[&str] =
    &["allexport", "errexit", "noclobber", "noexec", "noglob", "nounset", "pipefail", "verbose", "xtrace"];

/// Switches of `shopt` that change nothing here, and are accepted.
const HARMLESS: &[&str] = &[
    "expand_aliases",
    "checkwinsize",
    "cmdhist",
    "histappend",
    "inherit_errexit",
    "lastpipe",
    "login_shell",
    "sourcepath",
];

impl Shell {
    pub(crate) fn set_builtin<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        args: Vec<String>,
    ) -> Flow<H::Program> {
        const USAGE: &str = "set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]";
        if args.is_empty() {
            let text: String = self
                .vars
                .names()
                .filter_map(|(name, var)| match &var.value {
                    Value::Unset => None,
                    Value::Text(text) if text.is_empty() => Some(format!("{name}=\n")),
                    Value::Text(text) => Some(format!("{name}={}\n", quote_if_needed(text))),
                    Value::Array(array) => {
                        let all: Vec<String> = array.iter().map(|(i, t)| format!("[{i}]=\"{t}\"")).collect();
                        Some(format!("{name}=({})\n", all.join(" ")))
                    }
                    Value::Map(map) => {
                        let all: Vec<String> =
                            map.iter().map(|(k, t)| format!("[{k}]={} ", quote_always(t))).collect();
                        Some(format!("{name}=({})\n", all.concat()))
                    }
                })
                .collect();
            return self.print(sys, "set", &text);
        }
        self.status = 0;
        let mut rest = args.into_iter().peekable();
        while let Some(arg) = rest.next_if(|arg| arg.starts_with(['-', '+']) && arg.len() > 1) {
            if arg == "--" {
                self.positional = Arc::new(rest.collect());
                return Flow::Go;
            }
            let on = arg.starts_with('-');
            for letter in arg[1..].chars() {
                match letter {
                    'o' => {
                        let Some(name) = rest.next() else {
                            let mut text = String::new();
                            for name in NAMES {
                                let value = self.options.by_name(name).is_some_and(|flag| *flag);
                                text.push_str(&if on {
                                    format!("{name:<15}\t{}\n", if value { "on" } else { "off" })
                                } else {
                                    format!("set {}o {name}\n", if value { '-' } else { '+' })
                                });
                            }
                            return self.print(sys, "set", &text);
                        };
                        match self.options.by_name(&name) {
                            Some(flag) => *flag = on,
                            None if [
                                "monitor",
                                "emacs",
                                "vi",
                                "history",
                                "posix",
                                "braceexpand",
                                "hashall",
                            ]
                            .contains(&name.as_str()) => {}
                            None => return self.fail("set", &format!("{name}: invalid option name"), 2),
                        }
                    }
                    // What these switch is not modelled, and a script does not notice.
                    'b' | 'h' | 'k' | 'm' | 'B' | 'E' | 'H' | 'P' | 'T' => {}
                    letter => match self.options.by_letter(letter) {
                        Some(flag) => *flag = on,
                        None => return self.misuse("set", &format!("-{letter}: invalid option"), USAGE),
                    },
                }
            }
        }
        if rest.peek().is_some() {
            let skip = usize::from(rest.peek().is_some_and(|arg| arg == "-"));
            self.positional = Arc::new(rest.skip(skip).collect());
        }
        Flow::Go
    }

    pub(crate) fn shopt<P>(&mut self, args: &[String]) -> Flow<P> {
        let (mut on, mut quiet) = (None, false);
        self.status = 0;
        for arg in args {
            match arg.as_str() {
                "-s" => on = Some(true),
                "-u" => on = Some(false),
                "-q" => quiet = true,
                "nullglob" => match on {
                    Some(on) => self.options.nullglob = on,
                    None => self.status = u8::from(!self.options.nullglob),
                },
                name if HARMLESS.contains(&name) => {}
                name => {
                    self.complain(&format!("shopt: not modelled: {name}"));
                    self.status = 1;
                }
            }
        }
        let _ = quiet;
        Flow::Go
    }

    pub(crate) fn test_builtin<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        mut args: Vec<String>,
    ) -> Flow<H::Program> {
        if name == "[" && args.pop().as_deref() != Some("]") {
            return self.fail(name, "missing `]'", 2);
        }
        match self.attempt(sys, &[], |ex| Ok(ex.test_words(&args))) {
            Ok(Ok(yes)) => self.done(u8::from(!yes)),
            Ok(Err(message)) => self.fail(name, &message, 2),
            Err(_) => self.done(2),
        }
    }
}
