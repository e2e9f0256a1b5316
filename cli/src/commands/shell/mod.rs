//! `clusterlab shell`: a lab to type into.

mod lesson;
mod prompt;
mod wait;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use clusterlab::lab::{Lab, LabSpec, OutputStream, Prompt, RUN_LIMIT, SavedLab};
use clusterlab_exercises::Grader;

use self::lesson::Lesson;
use self::prompt::{LineReader, Typed};
use self::wait::Waiter;
use crate::input::Language;
use crate::{input, output};

/// A lab in this terminal: type kubectl and shell commands
///
/// The lab's clock follows the real one, at the prompt too. Ctrl-C interrupts a command, Tab completes,
/// `exit` or Ctrl-D leaves.
#[derive(Debug, Args)]
#[command(after_help = "\
Lines that begin with a colon are for the lab itself, :help lists them.

Exit code: that of the last command that ran in the lab; 2 if the spec cannot be read.")]
pub struct Shell {
    /// The lab: a YAML file, one saved with `:save`, or an exercise (its id or folder) [default: two
    /// DGX H100 and a server without GPUs]
    spec: Option<String>,
    /// Let virtual time pass as fast as possible while a command waits, and not at all at the prompt
    #[arg(long)]
    fast: bool,
    /// The learner's seed, for an exercise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    language: Language,
}

/// The lab that is there without a spec.
const DEFAULT_SPEC: &str = "\
name: shell
nodes:
- {name: gpu-1, system: dgx-h100}
- {name: gpu-2, system: dgx-h100}
- {name: cpu-1, system: server}
";

const HELP: &str = "\
:advance TIME   let time pass: 90, 90s, 10m, 2h
:undo           take back the last command or edit
:save FILE      save the lab, to go on with `clusterlab shell FILE`
:task           the text of the exercise's present step
:hint           a hint for the present state; again for a clearer one
:help           this list
:quit           leave (also exit, Ctrl-D)
";

impl Shell {
    /// Runs the shell until it is left.
    pub fn run(self) -> anyhow::Result<u8> {
        let (mut lab, lesson) = self.open()?;
        let piped = !std::io::stdin().is_terminal();
        // What comes through a pipe is not typed at a speed that a clock could follow.
        let fast = self.fast || piped;
        let waiter = Waiter::new(fast)?;
        let mut session =
            Session { lesson, waiter, fast, piped, at_prompt: Instant::now(), key_shown: false };
        if let Some(lesson) = &mut session.lesson {
            output::text(&lesson.welcome(&lab))?;
        }
        let mut reader = LineReader::new()?;
        while session.turn(&mut lab, &mut reader)? {}
        Ok(lab.last_exit_code())
    }

    fn open(&self) -> anyhow::Result<(Lab, Option<Lesson>)> {
        let Some(name) = &self.spec else {
            return Ok((Lab::new(LabSpec::from_yaml(DEFAULT_SPEC)?)?, None));
        };
        let path = PathBuf::from(name);
        if !path.is_file() {
            let exercise = input::exercise(name)?;
            let grader = Grader::new(&exercise, self.seed)?;
            return Ok((grader.start_lab()?, Some(Lesson::new(grader, self.language.get()))));
        }
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
            let restore = || Lab::restore(&SavedLab::from_json(&text)?);
            return Ok((restore().with_context(|| format!("{name} is not a saved lab"))?, None));
        }
        Ok((Lab::new(input::spec(&path)?).with_context(|| name.clone())?, None))
    }
}

/// What a shell keeps beside the lab.
struct Session {
    lesson: Option<Lesson>,
    waiter: Waiter,
    fast: bool,
    /// The lines come from a pipe or a file: a script, of which no line is input for a command.
    piped: bool,
    /// When the prompt was shown.
    at_prompt: Instant,
    /// The terminal itself has just shown `^C`, which the lab is about to print too.
    key_shown: bool,
}

impl Session {
    /// One line, and what follows from it; whether the shell goes on.
    fn turn(&mut self, lab: &mut Lab, reader: &mut LineReader) -> anyhow::Result<bool> {
        self.tell(lab)?;
        let prompt = match lab.prompt() {
            Prompt::Ready(text) | Prompt::Continuation(text) => text,
            Prompt::Busy => String::new(),
        };
        let ready = matches!(lab.prompt(), Prompt::Ready(_));
        self.at_prompt = Instant::now();
        let typed = reader.read(&prompt, lab)?;
        if !self.fast {
            lab.advance(self.at_prompt.elapsed());
        }
        let leaves =
            matches!(&typed, Typed::Line(line) if ready && line.split_whitespace().next() == Some("exit"));
        match typed {
            Typed::Line(line) if ready && is_own(&line) => return self.own_command(lab, &line),
            Typed::Line(line) => lab.type_line(&line),
            Typed::Interrupt => lab.interrupt(),
            Typed::End if lab.prompt() == Prompt::Busy => lab.end_of_file(),
            Typed::End => return Ok(false),
        }
        self.wait(lab)?;
        Ok(!leaves)
    }

    /// Prints as the command runs, until it ends or only a typed line can move it.
    fn wait(&mut self, lab: &mut Lab) -> anyhow::Result<()> {
        self.tell(lab)?;
        let limit = lab.now() + RUN_LIMIT;
        while lab.prompt() == Prompt::Busy {
            match lab.next_event() {
                Some(next) if !self.piped || next <= limit => self.key_shown = self.waiter.wait(lab, next)?,
                _ if self.piped => lab.interrupt(),
                _ => return Ok(()),
            }
            self.tell(lab)?;
        }
        Ok(())
    }

    /// Prints what is new: the command's output, and steps that have turned green.
    fn tell(&mut self, lab: &mut Lab) -> anyhow::Result<()> {
        for chunk in lab.take_output() {
            match chunk.stream {
                OutputStream::Stdout if std::mem::take(&mut self.key_shown) => {
                    output::text(chunk.text.strip_prefix("^C").unwrap_or(&chunk.text))?;
                }
                OutputStream::Stdout => output::text(&chunk.text)?,
                OutputStream::Stderr => output::error_text(&chunk.text)?,
            }
        }
        if let Some(lesson) = &mut self.lesson {
            output::text(&lesson.news(lab))?;
        }
        Ok(())
    }

    /// A line for the lab itself; whether the shell goes on.
    fn own_command(&mut self, lab: &mut Lab, line: &str) -> anyhow::Result<bool> {
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match (command, argument.trim()) {
            (":help", "") => HELP.to_owned(),
            (":quit", "") => return Ok(false),
            (":advance", time) => match parse_span(time) {
                Some(span) => {
                    lab.advance(span);
                    String::new()
                }
                None => "expected a time: :advance 90, :advance 10m\n".to_owned(),
            },
            (":undo", "") if lab.undo() => String::new(),
            (":undo", "") => "there is nothing to take back\n".to_owned(),
            (":save", "") => "expected a file: :save my-lab.json\n".to_owned(),
            (":save", file) => match std::fs::write(file, lab.save().to_json()) {
                Ok(()) => format!("saved; go on with: clusterlab shell {file}\n"),
                Err(error) => format!("cannot write {file}: {error}\n"),
            },
            (":task" | ":hint", "") => match &mut self.lesson {
                Some(lesson) if command == ":task" => lesson.task(lab),
                Some(lesson) => lesson.hint(lab),
                None => "this lab is not an exercise; `clusterlab exercises` lists them\n".to_owned(),
            },
            _ => format!("unknown: {line}\n{HELP}"),
        };
        output::text(&answer)?;
        Ok(true)
    }
}

/// Whether a line is for the lab itself; `: > file` and `:(){ :; }` are the shell's.
fn is_own(line: &str) -> bool {
    line.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// `90`, `90s`, `10m`, `2h`; at most a year.
fn parse_span(text: &str) -> Option<Duration> {
    const YEAR: u64 = 365 * 24 * 3600;
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(factor)?;
    (seconds <= YEAR).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        for (text, seconds) in [("90", Some(90)), ("90s", Some(90)), ("10m", Some(600)), ("2h", Some(7200))] {
            assert_eq!(parse_span(text), seconds.map(Duration::from_secs), "{text}");
        }
        for text in ["", "m", "1d", "-5", "9999999999999999999", "100000h", "1 m"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
