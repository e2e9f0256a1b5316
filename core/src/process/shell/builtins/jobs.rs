//! `wait`, `jobs`, `kill`, `trap`, `fg`.

use super::super::params::quote_always;
use super::super::run::Flow;
use super::super::shell::{Frame, Shell, Trap};
use crate::process::host::{Host, Signal};
use crate::process::kernel::{State, Sys};

/// Signals by number, as `kill -l` names them; those in between are not modelled.
const SIGNALS: &[(u8, &str)] = &[
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (6, "ABRT"),
    (9, "KILL"),
    (10, "USR1"),
    (12, "USR2"),
    (13, "PIPE"),
    (14, "ALRM"),
    (15, "TERM"),
    (17, "CHLD"),
    (18, "CONT"),
    (19, "STOP"),
    (20, "TSTP"),
    (28, "WINCH"),
];

/// The number of a signal by number or name, with or without `SIG`.
fn signal_number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (number <= 64).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

fn trap_of(text: &str) -> Option<Trap> {
    Some(match text {
        "EXIT" | "0" => Trap::Exit,
        "ERR" => Trap::Err,
        "DEBUG" => Trap::Debug,
        "RETURN" => Trap::Return,
        other => match signal_number(other)? {
            2 => Trap::Int,
            9 => Trap::Kill,
            15 => Trap::Term,
            number => Trap::Other(number),
        },
    })
}

fn trap_name(trap: Trap) -> String {
    let name = match trap {
        Trap::Exit => "EXIT",
        Trap::Err => "ERR",
        Trap::Debug => "DEBUG",
        Trap::Return => "RETURN",
        Trap::Int => "SIGINT",
        Trap::Kill => "SIGKILL",
        Trap::Term => "SIGTERM",
        Trap::Other(number) => {
            let name = SIGNALS.iter().find(|(known, _)| *known == number).map_or("RTMIN", |(_, name)| name);
            return format!("SIG{name}");
        }
    };
    name.to_owned()
}

impl Shell {
    /// Notes which jobs have ended.
    pub(crate) fn update_jobs<H: Host>(&mut self, sys: &mut Sys<'_, H>) {
        for job in self.jobs.iter_mut().filter(|job| job.status.is_none()) {
            job.status = sys.kernel.reap(job.pid);
        }
    }

    fn job_pid(&self, text: &str) -> Option<u32> {
        let Some(spec) = text.strip_prefix('%') else { return text.parse().ok() };
        match spec {
            "" | "+" | "%" => self.jobs.last().map(|job| job.pid),
            "-" => self.jobs.iter().rev().nth(1).map(|job| job.pid),
            number => {
                let number: u32 = number.parse().ok()?;
                self.jobs.iter().find(|job| job.number == number).map(|job| job.pid)
            }
        }
    }

    pub(crate) fn wait_builtin<P>(&mut self, args: &[String]) -> Flow<P> {
        let any = args.first().is_some_and(|arg| arg == "-n");
        let mut pids = Vec::new();
        for arg in args.iter().filter(|arg| *arg != "-n") {
            match self.job_pid(arg) {
                Some(pid) if self.jobs.iter().any(|job| job.pid == pid) => pids.push(pid),
                Some(pid) if !arg.starts_with('%') => {
                    return self.fail("wait", &format!("pid {pid} is not a child of this shell"), 127);
                }
                _ if arg.starts_with('%') => return self.fail("wait", &format!("{arg}: no such job"), 127),
                _ => return self.fail("wait", &format!("`{arg}': not a pid or valid job spec"), 1),
            }
        }
        let named = !pids.is_empty();
        if !named {
            pids = self.jobs.iter().map(|job| job.pid).collect();
        }
        self.status = if any && pids.is_empty() { 127 } else { 0 };
        // Without names the status is 0 whatever the jobs did: a pid that is none says so.
        if !named && !any {
            pids.push(0);
        }
        self.frames.push(Frame::Jobs { pids, any });
        Flow::Go
    }

    pub(crate) fn jobs_step<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        pids: Vec<u32>,
        any: bool,
    ) -> Flow<H::Program> {
        self.update_jobs(sys);
        let all = pids.last() == Some(&0);
        let ended = |pid: u32| self.jobs.iter().find(|job| job.pid == pid).and_then(|job| job.status);
        let waiting = pids.iter().any(|&pid| pid != 0 && ended(pid).is_none());
        if any {
            let done = pids.iter().find_map(|&pid| Some((pid, ended(pid)?)));
            match done {
                Some((pid, status)) => {
                    self.status = status;
                    self.jobs.retain(|job| job.pid != pid);
                    return Flow::Go;
                }
                None if pids.is_empty() => return Flow::Go,
                None => {}
            }
        }
        if waiting {
            self.frames.push(Frame::Jobs { pids, any });
            return Flow::Block(State::Child(None));
        }
        self.status = if all { 0 } else { pids.last().and_then(|&pid| ended(pid)).unwrap_or(127) };
        self.jobs.retain(|job| !pids.contains(&job.pid));
        Flow::Go
    }

    pub(crate) fn jobs_builtin<H: Host>(&mut self, sys: &mut Sys<'_, H>) -> Flow<H::Program> {
        self.update_jobs(sys);
        let text = self.job_lines(false);
        self.jobs.retain(|job| job.status.is_none());
        self.print(sys, "jobs", &text)
    }

    /// The table of jobs; `ended` leaves out those that run.
    pub(crate) fn job_lines(&self, ended: bool) -> String {
        let mut text = String::new();
        let count = self.jobs.len();
        for (i, job) in self.jobs.iter().enumerate() {
            let mark = if i + 1 == count {
                '+'
            } else if i + 2 == count {
                '-'
            } else {
                ' '
            };
            let state = match job.status {
                None if ended => continue,
                None => "Running".to_owned(),
                Some(0) => "Done".to_owned(),
                Some(130) => "Interrupt".to_owned(),
                Some(137) => "Killed".to_owned(),
                Some(143) => "Terminated".to_owned(),
                Some(status) => format!("Exit {status}"),
            };
            let amp = if job.status.is_none() { " &" } else { "" };
            text.push_str(&format!("[{}]{mark}  {state:<24}{}{amp}\n", job.number, job.text));
        }
        text
    }

    pub(crate) fn fg<P>(&mut self, args: &[String]) -> Flow<P> {
        let spec = args.first().map_or("%+", String::as_str);
        match self.job_pid(spec) {
            Some(pid) if self.jobs.iter().any(|job| job.pid == pid) => {
                if let Some(job) = self.jobs.iter().find(|job| job.pid == pid) {
                    self.messages.push_str(&format!("{}\n", job.text));
                }
                self.frames.push(Frame::Jobs { pids: vec![pid], any: false });
                Flow::Go
            }
            _ => self.fail(
                "fg",
                &format!("{}: no such job", if args.is_empty() { "current" } else { spec }),
                1,
            ),
        }
    }

    pub(crate) fn kill<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        const USAGE: &str = "kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]";
        let mut number = 15;
        let mut rest = args;
        match args {
            [flag, ..] if flag == "-l" => {
                let names: Vec<String> =
                    SIGNALS.iter().map(|(number, name)| format!("{number:>2}) SIG{name}")).collect();
                return self.print(sys, "kill", &format!("{}\n", names.join("\t")));
            }
            [flag, name, tail @ ..] if flag == "-s" || flag == "-n" => {
                match signal_number(name) {
                    Some(found) => number = found,
                    None => return self.fail("kill", &format!("{name}: invalid signal specification"), 1),
                }
                rest = tail;
            }
            [flag, tail @ ..] if flag == "--" => rest = tail,
            [flag, tail @ ..] if flag.starts_with('-') && flag.len() > 1 => {
                match signal_number(&flag[1..]) {
                    Some(found) => number = found,
                    None => {
                        return self.fail(
                            "kill",
                            &format!("{}: invalid signal specification", &flag[1..]),
                            1,
                        );
                    }
                }
                rest = tail;
            }
            _ => {}
        }
        if rest.is_empty() {
            self.messages.push_str(&format!("kill: usage: {USAGE}\n"));
            return self.done(2);
        }
        self.status = 0;
        for target in rest {
            let pid = self.job_pid(target);
            let signal = Signal::from_number(number);
            let Some(pid) = pid else {
                self.complain(&if target.starts_with('%') {
                    format!("kill: {target}: no such job")
                } else {
                    format!("kill: {target}: arguments must be process or job IDs")
                });
                self.status = 1;
                continue;
            };
            let alive =
                sys.kernel.tasks.get(&pid).is_some_and(|task| !matches!(task.state, State::Zombie(_)));
            if !alive {
                self.complain(&format!("kill: ({pid}) - No such process"));
                self.status = 1;
                continue;
            }
            if matches!(number, 19..=22) {
                self.complain(&format!("kill: not modelled: signal {number}"));
                self.status = 1;
                continue;
            }
            let Some(signal) = signal else { continue };
            if pid == sys.pid {
                let protected = sys.kernel.init && pid == sys.kernel.main && signal != Signal::Kill;
                if self.receive(signal) && !protected {
                    sys.kernel.note_death(pid, signal);
                    return Flow::Exit(128 + signal.number());
                }
            } else {
                sys.signal(pid, signal);
            }
        }
        Flow::Go
    }

    pub(crate) fn trap<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        self.status = 0;
        let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
        if args.is_empty() || args[0] == "-p" {
            let text: String = self
                .traps
                .iter()
                .map(|(trap, text)| format!("trap -- {} {}\n", quote_always(text), trap_name(*trap)))
                .collect();
            return self.print(sys, "trap", &text);
        }
        if args[0] == "-l" {
            return self.kill(sys, &["-l".to_owned()]);
        }
        // `trap TERM` and `trap - TERM` both put back what was.
        let (action, names) = match args {
            [only] => (None, std::slice::from_ref(only)),
            [dash, names @ ..] if dash == "-" => (None, names),
            [action, names @ ..] => (Some(action), names),
            [] => return Flow::Go,
        };
        for name in names {
            match (trap_of(name), action) {
                (None, _) => {
                    self.complain(&format!("trap: {name}: invalid signal specification"));
                    self.status = 1;
                }
                (Some(Trap::Debug | Trap::Return), Some(_)) => {
                    self.complain(&format!("trap: not modelled: {name}"));
                    self.status = 2;
                }
                (Some(trap), None) => {
                    self.traps.remove(&trap);
                }
                (Some(trap), Some(action)) => {
                    self.one_shot = false;
                    self.traps.insert(trap, action.clone());
                }
            }
        }
        Flow::Go
    }

    pub(crate) fn ulimit<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        match args {
            [] => self.print(sys, "ulimit", "unlimited\n"),
            [flag] if flag == "-n" => self.print(sys, "ulimit", "1048576\n"),
            [flag] if flag == "-a" => self.fail("ulimit", "not modelled: -a", 2),
            [flag] if flag.starts_with('-') => self.print(sys, "ulimit", "unlimited\n"),
            _ => self.done(0),
        }
    }
}
