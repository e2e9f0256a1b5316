//! `getopts`, `shift` and `let`.

use std::sync::Arc;

use super::super::run::Flow;
use super::super::shell::{Frame, Shell};
use crate::process::host::Host;
use crate::process::kernel::Sys;

impl Shell {
    pub(crate) fn getopts<P>(&mut self, args: &[String]) -> Flow<P> {
        let [spec, name, rest @ ..] = args else {
            self.messages.push_str("getopts: usage: getopts optstring name [arg ...]\n");
            return self.done(2);
        };
        let words: Vec<String> = if rest.is_empty() { self.positional.to_vec() } else { rest.to_vec() };
        let index = self.vars.text("OPTIND").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1).max(1);
        // `OPTIND` was set by the script: begin anew inside that word.
        let inside = if self.getopts.0 == index { self.getopts.1 } else { 0 };
        let silent = spec.starts_with(':');
        let word = words.get(index - 1).map_or("", String::as_str);
        if inside == 0 && (!word.starts_with('-') || word.len() < 2 || word == "--") {
            let next = index + usize::from(word == "--");
            self.assign_all(&[("OPTIND", next.to_string()), (name, "?".into())]);
            self.getopts = (next, 0);
            return self.done(1);
        }
        let letters: Vec<char> = word.chars().collect();
        let at = inside.max(1);
        let letter = letters.get(at).copied().unwrap_or('?');
        let known = letter != ':' && spec.trim_start_matches(':').contains(letter);
        let takes_value = known && spec.contains(&format!("{letter}:"));
        let (mut next, mut place) = if at + 1 < letters.len() { (index, at + 1) } else { (index + 1, 0) };
        let mut value = None;
        let mut shown = letter.to_string();
        if !known {
            if silent {
                value = Some(letter.to_string());
            } else {
                self.messages.push_str(&format!("{}: illegal option -- {letter}\n", self.name));
            }
            shown = "?".into();
        } else if takes_value {
            if at + 1 < letters.len() {
                value = Some(letters[at + 1..].iter().collect());
                (next, place) = (index + 1, 0);
            } else if let Some(word) = words.get(index) {
                value = Some(word.clone());
                (next, place) = (index + 2, 0);
            } else if silent {
                value = Some(letter.to_string());
                shown = ":".into();
            } else {
                self.messages.push_str(&format!("{}: option requires an argument -- {letter}\n", self.name));
                shown = "?".into();
            }
        }
        match value {
            Some(value) => self.assign_all(&[("OPTARG", value)]),
            None => {
                // It may be readonly; getopts does not mind.
                let _ = self.vars.unset("OPTARG");
            }
        }
        self.assign_all(&[("OPTIND", next.to_string()), (name, shown)]);
        self.getopts = (next, place);
        self.done(0)
    }

    fn assign_all(&mut self, values: &[(&str, String)]) {
        for (name, value) in values {
            if let Err(error) = self.vars.set(name, value.clone()) {
                self.complain(&error.to_string());
            }
        }
    }

    pub(crate) fn shift<P>(&mut self, args: &[String]) -> Flow<P> {
        let n = match args.first().map(|arg| arg.parse::<i64>()) {
            None => 1,
            Some(Ok(n)) if n >= 0 => n as usize,
            Some(Ok(n)) => return self.fail("shift", &format!("{n}: shift count out of range"), 1),
            Some(Err(_)) => return self.fail("shift", &format!("{}: numeric argument required", args[0]), 1),
        };
        if n > self.positional.len() {
            return self.done(1);
        }
        Arc::make_mut(&mut self.positional).drain(..n);
        self.done(0)
    }

    pub(crate) fn let_builtin<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        if args.is_empty() {
            return self.fail("let", "expression expected", 1);
        }
        let mut last = 0;
        for arg in args {
            match self.attempt(sys, &[], |ex| ex.evaluate(arg)) {
                Ok(value) => last = value,
                Err(super::super::expand::Fault::Discard(message)) => return self.fail("let", &message, 1),
                Err(fault) => return self.fault(sys, fault, || Frame::Source { positional: None }),
            }
        }
        self.done(u8::from(last == 0))
    }
}
