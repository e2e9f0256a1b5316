//! The shell's machine: one frame, one step.
//!
//! The script is never walked by recursion. What bash keeps on its C stack is
//! here a list of [`Frame`]s; a step takes the innermost one, does one thing and
//! puts back what is still to do. Between any two steps the shell can be put
//! aside, cloned, or woken by a signal.

use std::sync::Arc;

use super::expand::{Captured, Expander, Fault};
use super::script::{Block, CaseEnd, Chain, Command, CommandKind, Join, Part, Pipeline, Timed};
use super::shell::{Frame, Origin, Shell, Stage, Trap};
use crate::process::host::Host;
use crate::process::kernel::{Body, Handle, State, Sys};
use crate::process::pattern::Pattern;
use crate::sim::SimTime;

/// What a step leads to.
pub(crate) enum Flow<P> {
    /// Another step.
    Go,
    Block(State),
    Exit(u8),
    /// The task goes on as something else: `exec`, or the last command of a subshell.
    Become(Body<P>),
}

/// Calls in one another, as `FUNCNEST` would limit them.
const MAX_FRAMES: usize = 4000;
/// Bytes that one command substitution may yield.
const MAX_CAPTURE: usize = 16 << 20;

impl Shell {
    /// Does one thing.
    pub(crate) fn step<H: Host>(&mut self, sys: &mut Sys<'_, H>) -> Flow<H::Program> {
        self.own_pid = sys.pid;
        let flow = self.step_inner(sys);
        if !self.messages.is_empty() {
            let text = std::mem::take(&mut self.messages);
            let handle = sys.fd(2);
            // Nobody can be told that standard error is gone.
            let _ = sys.write(handle, text.as_bytes());
        }
        flow
    }

    fn step_inner<H: Host>(&mut self, sys: &mut Sys<'_, H>) -> Flow<H::Program> {
        if self.frames.len() > MAX_FRAMES {
            self.complain("maximum function nesting level exceeded (1000)");
            self.status = 1;
            return self.discard();
        }
        if !self.pending.is_empty() && self.may_handle_signals() {
            let signal = self.pending.remove(0);
            if let Some(Frame::Jobs { .. } | Frame::Read(_)) = self.frames.last() {
                self.frames.pop();
                self.status = 128 + signal.number();
            }
            if let Some(handler) = self.traps.get(&signal.into()).cloned() {
                self.run_handler(&handler);
            }
            return Flow::Go;
        }
        let Some(frame) = self.frames.pop() else {
            if self.origin == Origin::Session && !self.subshell {
                return Flow::Block(State::Idle);
            }
            return self.exit(self.status);
        };
        match frame {
            Frame::Block { block, at } => self.block(sys, block, at),
            Frame::Chain { chain, at, started } => self.chain(chain, at, started),
            Frame::Pipeline { node, since, started } => self.pipeline(sys, node, since, started),
            Frame::Wait { pids, statuses, pipeline } => self.wait(sys, pids, statuses, pipeline),
            Frame::Capture { pid, pipe, bytes, to_file } => self.capture(sys, pid, pipe, bytes, to_file),
            Frame::Command { command, memo } => self.command(sys, command, memo),
            Frame::If { command, arm } => self.if_frame(command, arm),
            Frame::Loop { command, testing, status } => self.loop_frame(command, testing, status),
            Frame::For { command, values, at } => self.for_frame(command, values, at),
            Frame::ForArithmetic { command, memo, stage } => self.for_arithmetic(sys, command, memo, stage),
            Frame::Case { command, memo, subject, item, ran } => {
                self.case(sys, command, memo, subject, item, ran)
            }
            Frame::Read(read) => self.read_step(sys, read),
            Frame::Jobs { pids, any } => self.jobs_step(sys, pids, any),
            Frame::Slurp(bytes) => self.slurp(sys, bytes),
            Frame::Exit { status } => Flow::Exit(status),
            Frame::Leave { status } => self.exit(status),
            other => {
                self.undo(sys, other);
                Flow::Go
            }
        }
    }

    /// A handler runs between two commands, or breaks off a `wait`.
    fn may_handle_signals(&self) -> bool {
        !matches!(self.frames.last(), Some(Frame::Wait { .. } | Frame::Capture { .. } | Frame::Exit { .. }))
    }

    pub(crate) fn run_handler(&mut self, text: &str) {
        self.frames.push(Frame::Trap { status: self.status });
        match super::parse_lines(text) {
            Ok(block) => self.frames.push(Frame::Block { block, at: 0 }),
            Err(error) => self.complain(&format!("trap: {}", error.message)),
        }
    }

    /// What has to be put back when a frame ends, however it ends.
    pub(crate) fn undo<H: Host>(&mut self, sys: &mut Sys<'_, H>, frame: Frame) {
        match frame {
            Frame::Fds(saved) => saved.into_iter().rev().for_each(|(fd, handle)| sys.set_fd(fd, handle)),
            Frame::Vars(saved) => {
                saved.into_iter().rev().for_each(|(name, var)| self.vars.restore(&name, var));
            }
            Frame::Call { locals, positional } => {
                locals.into_iter().rev().for_each(|(name, var)| self.vars.restore(&name, var));
                self.positional = positional;
                self.calls.pop();
            }
            Frame::Source { positional: Some(positional) } => self.positional = positional,
            Frame::Trap { status } => self.status = status,
            _ => {}
        }
    }

    /// Ends the shell: first its EXIT handler.
    pub(crate) fn exit<P>(&mut self, status: u8) -> Flow<P> {
        self.status = status;
        match self.traps.remove(&Trap::Exit) {
            Some(handler) if !handler.is_empty() => {
                // Frames stay below, so that descriptors are as they were; none of them runs any more.
                self.frames.push(Frame::Exit { status });
                self.run_handler(&handler);
                Flow::Go
            }
            _ => Flow::Exit(status),
        }
    }

    /// Gives up the command line, as after an error in an expansion.
    pub(crate) fn discard<P>(&mut self) -> Flow<P> {
        if self.subshell {
            return self.exit(self.status);
        }
        self.unwinding(1)
    }

    /// Drops all frames above the lowest `keep`; the next steps put back what they had changed.
    fn unwinding<P>(&mut self, keep: usize) -> Flow<P> {
        let above = self.frames.split_off(keep.min(self.frames.len()));
        self.frames.extend(above.into_iter().filter(|frame| {
            matches!(frame, Frame::Fds(_) | Frame::Vars(_) | Frame::Call { .. } | Frame::Source { .. })
        }));
        if let Some(Frame::Block { block, at }) = self.frames.first_mut() {
            // The rest of the line goes, the next line stays.
            let line = block.get(at.saturating_sub(1)).map(|item| item.group);
            while block.get(*at).is_some_and(|item| Some(item.group) == line) {
                *at += 1;
            }
        }
        Flow::Go
    }

    /// Ctrl-C at a prompt: back to it.
    pub(crate) fn interrupt(&mut self) {
        self.status = 130;
        let _ = self.unwinding::<()>(0);
    }

    fn block<H: Host>(&mut self, sys: &mut Sys<'_, H>, block: Block, at: usize) -> Flow<H::Program> {
        let Some(item) = block.get(at) else {
            if block.is_empty() {
                self.status = 0;
            }
            return Flow::Go;
        };
        let (chain, background) = (item.chain.clone(), item.background);
        if at + 1 < block.len() {
            self.frames.push(Frame::Block { block, at: at + 1 });
        } else if self.frames.is_empty() && !self.subshell {
            // The lowest frame of a script stays, for `discard` to find its place.
            self.frames.push(Frame::Block { block, at: at + 1 });
        }
        if background {
            self.start_background(sys, &chain);
        } else {
            self.frames.push(Frame::Chain { chain, at: 0, started: false });
        }
        Flow::Go
    }

    fn start_background<H: Host>(&mut self, sys: &mut Sys<'_, H>, chain: &Arc<Chain>) {
        let mut child = self.fork();
        child.frames.push(Frame::Chain { chain: chain.clone(), at: 0, started: false });
        child.lenient = false;
        let mut fds = sys.fds();
        if fds.get(&0) == Some(&Handle::Stdin) {
            fds.insert(0, Handle::Null);
        }
        match sys.kernel.spawn(sys.pid, None, fds, Body::Shell(Box::new(child))) {
            Some(pid) => {
                let number = self.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1;
                self.jobs.push(super::shell::Job { number, pid, text: chain.text.clone(), status: None });
                self.background = Some(pid);
                if self.options.interactive && !self.subshell {
                    self.messages.push_str(&format!("[{number}] {pid}\n"));
                }
                self.status = 0;
            }
            None => self.fork_failed(),
        }
    }

    /// Whether nothing is left for this shell to do once the present command has ended.
    pub(crate) fn is_last(&self) -> bool {
        (self.subshell && self.frames.is_empty() || self.one_shot) && self.traps.is_empty()
    }

    pub(crate) fn fork_failed(&mut self) {
        self.complain("fork: retry: Resource temporarily unavailable");
        self.status = 254;
    }

    fn chain<P>(&mut self, chain: Arc<Chain>, at: usize, started: bool) -> Flow<P> {
        let mut next = at;
        if started {
            loop {
                let Some((join, _)) = chain.rest.get(next) else { return Flow::Go };
                next += 1;
                if (*join == Join::And) == (self.status == 0) {
                    break;
                }
            }
        }
        let Some(node) = chain.pipeline(next).cloned() else { return Flow::Go };
        if !chain.rest.is_empty() {
            self.frames.push(Frame::Chain { chain, at: next, started: true });
        }
        self.frames.push(Frame::Pipeline { node, since: SimTime::ZERO, started: false });
        Flow::Go
    }

    fn pipeline<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        node: Arc<Pipeline>,
        since: SimTime,
        started: bool,
    ) -> Flow<H::Program> {
        if !started {
            sys.kernel.spent += 1;
            if self.options.noexec {
                return Flow::Go;
            }
            // Nothing is left to do for this shell afterwards: the command may take its place.
            let plain = !node.inverted && node.timed.is_none();
            let last = plain && self.is_last() && node.commands.len() == 1;
            if !last {
                self.frames.push(Frame::Pipeline { node: node.clone(), since: sys.now(), started: true });
            }
            match &node.commands[..] {
                [] => self.status = 0,
                [command] => {
                    self.frames.push(Frame::Command { command: command.clone(), memo: Vec::new() });
                }
                commands => return self.start_stages(sys, commands),
            }
            return Flow::Go;
        }
        if node.inverted {
            self.status = u8::from(self.status == 0);
        }
        if let Some(timed) = node.timed {
            let seconds = sys.now().since(since).as_secs_f64();
            let text = match timed {
                Timed::Bash => {
                    let minutes = (seconds / 60.0).floor();
                    let rest = seconds - minutes * 60.0;
                    format!("\nreal\t{minutes:.0}m{rest:.3}s\nuser\t0m0.000s\nsys\t0m0.000s\n")
                }
                Timed::Posix => format!("real {seconds:.2}\nuser 0.00\nsys 0.00\n"),
            };
            self.messages.push_str(&text);
        }
        let counts = node.commands.len() != 1
            || node.commands.iter().all(|command| {
                matches!(
                    command.kind,
                    CommandKind::Simple { .. }
                        | CommandKind::Subshell(_)
                        | CommandKind::Arithmetic { .. }
                        | CommandKind::Test(_)
                )
            });
        if self.status != 0 && !node.inverted && counts && !self.errexit_ignored() {
            let exits = self.options.errexit;
            if let Some(handler) = self.traps.get(&Trap::Err).cloned()
                && !handler.is_empty()
            {
                if exits {
                    self.frames.push(Frame::Leave { status: self.status });
                }
                self.run_handler(&handler);
            } else if exits {
                return self.exit(self.status);
            }
        }
        Flow::Go
    }

    fn start_stages<H: Host>(&mut self, sys: &mut Sys<'_, H>, commands: &[Arc<Command>]) -> Flow<H::Program> {
        let mut pids = Vec::with_capacity(commands.len());
        let mut input = None;
        let group = sys.group();
        for (i, command) in commands.iter().enumerate() {
            let mut fds = sys.fds();
            if let Some(handle) = input.take() {
                fds.insert(0, handle);
            }
            if i + 1 < commands.len() {
                let (reader, writer) = sys.kernel.pipe();
                fds.insert(1, writer);
                input = Some(reader);
            }
            let mut child = self.fork();
            child.frames.push(Frame::Command { command: command.clone(), memo: Vec::new() });
            match sys.kernel.spawn(sys.pid, Some(group), fds, Body::Shell(Box::new(child))) {
                Some(pid) => pids.push(pid),
                None => {
                    self.fork_failed();
                    break;
                }
            }
        }
        let statuses = vec![None; pids.len()];
        self.frames.push(Frame::Wait { pids, statuses, pipeline: true });
        Flow::Go
    }

    fn wait<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        pids: Vec<u32>,
        mut statuses: Vec<Option<u8>>,
        pipeline: bool,
    ) -> Flow<H::Program> {
        for (pid, status) in pids.iter().zip(&mut statuses) {
            if status.is_none() {
                *status = sys.kernel.reap(*pid);
            }
        }
        if statuses.iter().any(Option::is_none) {
            self.frames.push(Frame::Wait { pids, statuses, pipeline });
            return Flow::Block(State::Child(None));
        }
        let statuses: Vec<u8> = statuses.into_iter().flatten().collect();
        self.status = statuses.last().copied().unwrap_or(self.status);
        if pipeline && self.options.pipefail {
            self.status = statuses.iter().rev().copied().find(|status| *status != 0).unwrap_or(0);
        }
        self.set_pipestatus(&statuses);
        Flow::Go
    }

    pub(crate) fn set_pipestatus(&mut self, statuses: &[u8]) {
        let values = statuses.iter().map(ToString::to_string).enumerate().collect();
        // A dozen numbers always fit, or the shell is about to end of memory anyway.
        let _ = self.vars.set_value("PIPESTATUS", super::vars::Value::Array(values));
    }

    fn capture<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        pid: u32,
        pipe: u32,
        mut bytes: Vec<u8>,
        to_file: bool,
    ) -> Flow<H::Program> {
        if let Some(pipe) = sys.kernel.pipes.get_mut(&pipe) {
            bytes.append(&mut pipe.bytes);
        }
        if bytes.len() > MAX_CAPTURE {
            self.complain(&format!("xrealloc: cannot allocate {} bytes", bytes.len()));
            return self.exit(2);
        }
        let open = sys.kernel.has_writers(pipe);
        let ended =
            matches!(sys.kernel.tasks.get(&pid).map(|task| task.state), None | Some(State::Zombie(_)));
        if open || !ended {
            self.frames.push(Frame::Capture { pid, pipe, bytes, to_file });
            // A full pipe has to be emptied, or its writer would wait for ever.
            return Flow::Block(State::Capture { pid, pipe });
        }
        sys.kernel.pipes.remove(&pipe);
        let status = sys.kernel.reap(pid).unwrap_or(0);
        self.substitution = Some(status);
        self.status = status;
        let captured = if to_file {
            let path = format!("/dev/fd/{}", 63 - sys.kernel.next % 32);
            let now = sys.now();
            if let Err(error) = sys.host.files().put(&path, bytes, now) {
                self.complain(&format!("{path}: {error}"));
            }
            Captured { text: path }
        } else {
            if bytes.contains(&0) {
                self.complain("warning: command substitution: ignored null byte in input");
                bytes.retain(|byte| *byte != 0);
            }
            Captured { text: String::from_utf8_lossy(&bytes).into_owned() }
        };
        if let Some(
            Frame::Command { memo, .. } | Frame::ForArithmetic { memo, .. } | Frame::Case { memo, .. },
        ) = self.frames.last_mut()
        {
            memo.push(captured);
        }
        Flow::Go
    }

    /// Expands with the results of substitutions so far. On [`Fault::Need`] the variables are as before.
    pub(crate) fn attempt<H: Host, T>(
        &mut self,
        sys: &mut Sys<'_, H>,
        memo: &[Captured],
        expand: impl FnOnce(&mut Expander<'_>) -> super::expand::Result<T>,
    ) -> super::expand::Result<T> {
        let vars = self.vars.clone();
        let messages = self.messages.len();
        let (now, epoch) = (sys.host.now(), sys.host.epoch());
        let files = sys.host.files();
        let mut expander = Expander { shell: self, files, now, epoch, memo, used: 0, split: false };
        let result = expand(&mut expander);
        if let Err(Fault::Need { .. }) = &result {
            self.forked = Some(Box::new(self.fork()));
            self.vars = vars;
            self.messages.truncate(messages);
        }
        result
    }

    /// What follows when an expansion did not end. `retry` is the frame that will expand again.
    pub(crate) fn fault<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        fault: Fault,
        retry: impl FnOnce() -> Frame,
    ) -> Flow<H::Program> {
        match fault {
            Fault::Need { block, to_file } => {
                self.frames.push(retry());
                let Some(mut child) = self.forked.take() else { return Flow::Go };
                child.frames.push(Frame::Block { block, at: 0 });
                // `set -e` does not reach into command substitutions, unless in POSIX mode.
                child.options.errexit = false;
                let (reader, writer) = sys.kernel.pipe();
                let Handle::PipeIn(pipe) = reader else { return Flow::Go };
                let mut fds = sys.fds();
                fds.insert(1, writer);
                let group = sys.group();
                match sys.kernel.spawn(sys.pid, Some(group), fds, Body::Shell(child)) {
                    Some(pid) => {
                        self.frames.push(Frame::Capture { pid, pipe, bytes: Vec::new(), to_file });
                        Flow::Go
                    }
                    None => {
                        self.fork_failed();
                        self.discard()
                    }
                }
            }
            Fault::Discard(message) => {
                self.complain(&message);
                self.status = 1;
                self.discard()
            }
            Fault::Exit(message) => {
                self.complain(&message);
                if self.origin == Origin::Session {
                    self.status = 1;
                    return self.discard();
                }
                let status = if self.origin == Origin::Command && !self.subshell { 127 } else { 1 };
                self.exit(status)
            }
            Fault::Abort(message) => {
                self.complain(&message);
                self.exit(2)
            }
        }
    }

    fn command<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        command: Arc<Command>,
        memo: Vec<Captured>,
    ) -> Flow<H::Program> {
        self.line = command.line;
        if memo.is_empty() {
            self.substitution = None;
        }
        if let CommandKind::Simple { .. } = command.kind {
            return self.simple(sys, command, memo);
        }
        if !command.redirects.is_empty() {
            let ready = self.attempt(sys, &memo, |ex| ex.redirects(&command.redirects));
            let opened = match ready {
                Ok(ready) => self.open_redirects(sys, &ready),
                Err(fault) => return self.fault(sys, fault, || Frame::Command { command, memo }),
            };
            match opened {
                Ok(saved) => self.frames.push(Frame::Fds(saved)),
                Err(message) => {
                    self.complain(&message);
                    self.status = 1;
                    return Flow::Go;
                }
            }
        }
        self.compound(sys, command)
    }

    fn compound<H: Host>(&mut self, sys: &mut Sys<'_, H>, command: Arc<Command>) -> Flow<H::Program> {
        match &command.kind {
            CommandKind::Simple { .. } => {}
            CommandKind::Group(block) => self.frames.push(Frame::Block { block: block.clone(), at: 0 }),
            CommandKind::Subshell(block) => {
                let mut child = self.fork();
                child.frames.push(Frame::Block { block: block.clone(), at: 0 });
                if self.is_last() {
                    child.lenient = self.lenient;
                    return Flow::Become(Body::Shell(Box::new(child)));
                }
                let (fds, group) = (sys.fds(), sys.group());
                match sys.kernel.spawn(sys.pid, Some(group), fds, Body::Shell(Box::new(child))) {
                    Some(pid) => {
                        self.frames.push(Frame::Wait {
                            pids: vec![pid],
                            statuses: vec![None],
                            pipeline: false,
                        });
                    }
                    None => self.fork_failed(),
                }
            }
            CommandKind::If { .. } => return self.if_frame(command, usize::MAX),
            CommandKind::Loop { condition, .. } => {
                let block = condition.clone();
                self.frames.push(Frame::Loop { command, testing: true, status: 0 });
                self.frames.push(Frame::Block { block, at: 0 });
            }
            CommandKind::For { .. } => {
                // Its words are expanded in a frame of their own, after the redirections.
                return self.for_words(sys, command, Vec::new());
            }
            CommandKind::ForArithmetic { .. } => {
                self.frames.push(Frame::ForArithmetic { command, memo: Vec::new(), stage: Stage::Init });
            }
            CommandKind::Case { .. } => {
                self.frames.push(Frame::Case {
                    command,
                    memo: Vec::new(),
                    subject: None,
                    item: 0,
                    ran: false,
                });
            }
            CommandKind::Arithmetic { .. } | CommandKind::Test(_) => {
                self.frames.push(Frame::ForArithmetic { command, memo: Vec::new(), stage: Stage::Init });
            }
            CommandKind::Function(function) => {
                Arc::make_mut(&mut self.functions).insert(function.name.clone(), function.clone());
                self.status = 0;
            }
            CommandKind::NotModelled(what) => {
                self.complain(&format!("not modelled: {what}"));
                self.status = 2;
            }
            CommandKind::SyntaxError(error) => {
                let text = super::syntax_message(self, error);
                self.messages.push_str(&text);
                return self.exit(2);
            }
        }
        Flow::Go
    }

    /// `arm` is twice the number of the arm, plus one while its body runs.
    fn if_frame<P>(&mut self, command: Arc<Command>, arm: usize) -> Flow<P> {
        let CommandKind::If { arms, otherwise } = &command.kind else { return Flow::Go };
        if arm != usize::MAX && arm % 2 == 1 {
            return Flow::Go;
        }
        let passed = arm != usize::MAX && self.status == 0;
        let number = if arm == usize::MAX { 0 } else { arm / 2 + usize::from(!passed) };
        if passed {
            self.frames.push(Frame::Block { block: arms[number].1.clone(), at: 0 });
        } else if let Some((condition, _)) = arms.get(number) {
            let block = condition.clone();
            self.frames.push(Frame::If { command, arm: 2 * number });
            self.frames.push(Frame::Block { block, at: 0 });
        } else {
            self.status = 0;
            if let Some(block) = otherwise {
                self.frames.push(Frame::Block { block: block.clone(), at: 0 });
            }
        }
        Flow::Go
    }

    fn loop_frame<P>(&mut self, command: Arc<Command>, testing: bool, status: u8) -> Flow<P> {
        let CommandKind::Loop { condition, body, until } = &command.kind else { return Flow::Go };
        if testing {
            if (self.status == 0) == *until {
                self.status = status;
                return Flow::Go;
            }
            let block = body.clone();
            self.frames.push(Frame::Loop { command, testing: false, status });
            self.frames.push(Frame::Block { block, at: 0 });
        } else {
            let block = condition.clone();
            self.frames.push(Frame::Loop { command, testing: true, status: self.status });
            self.frames.push(Frame::Block { block, at: 0 });
        }
        Flow::Go
    }

    fn for_words<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        command: Arc<Command>,
        memo: Vec<Captured>,
    ) -> Flow<H::Program> {
        let CommandKind::For { words, .. } = &command.kind else { return Flow::Go };
        let values = match words {
            None => Ok(self.positional.to_vec()),
            Some(words) => self.attempt(sys, &memo, |ex| ex.fields(words)),
        };
        match values {
            Ok(values) => {
                self.status = 0;
                self.frames.push(Frame::For { command, values, at: 0 });
                Flow::Go
            }
            Err(fault) => {
                self.fault(sys, fault, || Frame::ForArithmetic { command, memo, stage: Stage::Init })
            }
        }
    }

    fn for_frame<P>(&mut self, command: Arc<Command>, values: Vec<String>, at: usize) -> Flow<P> {
        let CommandKind::For { name, body, .. } = &command.kind else { return Flow::Go };
        let Some(value) = values.get(at) else { return Flow::Go };
        if let Err(error) = self.vars.set(name, value.clone()) {
            self.complain(&error.to_string());
            self.status = 1;
            return Flow::Go;
        }
        let block = body.clone();
        self.frames.push(Frame::For { command, values, at: at + 1 });
        self.frames.push(Frame::Block { block, at: 0 });
        Flow::Go
    }

    /// Everything that evaluates an expression: `for ((…))`, `((…))`, `[[ … ]]`, and the words of `for`.
    fn for_arithmetic<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        command: Arc<Command>,
        memo: Vec<Captured>,
        stage: Stage,
    ) -> Flow<H::Program> {
        let (init, condition, step, body) = match &command.kind {
            CommandKind::For { .. } => return self.for_words(sys, command, memo),
            CommandKind::Arithmetic { word, text } => {
                if self.options.xtrace {
                    self.trace(&format!("(({text}))"));
                }
                let value = self.attempt(sys, &memo, |ex| ex.arithmetic(&word.parts));
                return match value {
                    Ok(value) => {
                        self.status = u8::from(value == 0);
                        Flow::Go
                    }
                    // Unlike in `$((…))`, a wrong expression only fails here.
                    Err(Fault::Discard(message)) => {
                        self.complain(&format!("((: {message}"));
                        self.status = 1;
                        Flow::Go
                    }
                    Err(fault) => self.fault(sys, fault, || Frame::ForArithmetic { command, memo, stage }),
                };
            }
            CommandKind::Test(test) => {
                let outcome = self.attempt(sys, &memo, |ex| ex.test(test));
                return match outcome {
                    Ok(yes) => {
                        self.status = u8::from(!yes);
                        Flow::Go
                    }
                    Err(Fault::Discard(message)) => {
                        self.complain(&message);
                        self.status =
                            if message.contains("arithmetic") || !message.contains("error") { 1 } else { 2 };
                        Flow::Go
                    }
                    Err(fault) => self.fault(sys, fault, || Frame::ForArithmetic { command, memo, stage }),
                };
            }
            CommandKind::ForArithmetic { init, condition, step, body } => {
                (init, condition, step, body.clone())
            }
            _ => return Flow::Go,
        };
        let word = match stage {
            Stage::Init => init,
            Stage::Condition => condition,
            Stage::Step => step,
        };
        // A condition that is left out is true.
        let value = if word.parts.is_empty() {
            Ok(1)
        } else {
            self.attempt(sys, &memo, |ex| ex.arithmetic(&word.parts))
        };
        let value = match value {
            Ok(value) => value,
            Err(Fault::Discard(message)) => {
                self.complain(&format!("((: {message}"));
                self.status = 1;
                return Flow::Go;
            }
            Err(fault) => return self.fault(sys, fault, || Frame::ForArithmetic { command, memo, stage }),
        };
        match stage {
            Stage::Init | Stage::Step => {
                if stage == Stage::Init {
                    self.status = 0;
                }
                self.frames.push(Frame::ForArithmetic { command, memo: Vec::new(), stage: Stage::Condition });
            }
            Stage::Condition if value != 0 => {
                self.frames.push(Frame::ForArithmetic { command, memo: Vec::new(), stage: Stage::Step });
                self.frames.push(Frame::Block { block: body, at: 0 });
            }
            Stage::Condition => {}
        }
        Flow::Go
    }

    fn case<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        command: Arc<Command>,
        memo: Vec<Captured>,
        subject: Option<String>,
        item: usize,
        ran: bool,
    ) -> Flow<H::Program> {
        let CommandKind::Case { word, items } = &command.kind else { return Flow::Go };
        let Some(subject) = subject else {
            return match self.attempt(sys, &memo, |ex| ex.text(&word.parts)) {
                Ok(subject) => {
                    self.status = 0;
                    let subject = Some(subject);
                    self.frames.push(Frame::Case { command, memo: Vec::new(), subject, item: 0, ran: false });
                    Flow::Go
                }
                Err(fault) => {
                    self.fault(sys, fault, || Frame::Case { command, memo, subject: None, item, ran })
                }
            };
        };
        let mut forced = false;
        let mut at = item;
        if ran {
            match items.get(item).map(|item| item.then) {
                Some(CaseEnd::FallThrough) => forced = true,
                Some(CaseEnd::TestNext) => {}
                _ => return Flow::Go,
            }
            at += 1;
        }
        let Some(candidate) = items.get(at) else { return Flow::Go };
        let matched = forced || {
            let found = self.attempt(sys, &memo, |ex| {
                for pattern in &candidate.patterns {
                    if Pattern::new(&ex.pattern(&pattern.parts)?).matches(&subject) {
                        return Ok(true);
                    }
                }
                Ok(false)
            });
            match found {
                Ok(found) => found,
                Err(fault) => {
                    let subject = Some(subject);
                    return self.fault(sys, fault, || Frame::Case {
                        command,
                        memo,
                        subject,
                        item: at,
                        ran: false,
                    });
                }
            }
        };
        let (body, then) = (candidate.body.clone(), candidate.then);
        if !matched {
            let subject = Some(subject);
            self.frames.push(Frame::Case { command, memo: Vec::new(), subject, item: at + 1, ran: false });
            return Flow::Go;
        }
        if then != CaseEnd::Leave {
            let subject = Some(subject);
            self.frames.push(Frame::Case { command, memo: Vec::new(), subject, item: at, ran: true });
        }
        self.frames.push(Frame::Block { block: body, at: 0 });
        Flow::Go
    }

    /// A line of `set -x`.
    pub(crate) fn trace(&mut self, text: &str) {
        let prefix = self.vars.text("PS4").unwrap_or("+ ").to_owned();
        self.messages.push_str(&format!("{prefix}{text}\n"));
    }
}

/// Whether a word stands in the script as this very text, without quotes or expansions.
pub(crate) fn is_literal(parts: &[Part], texts: &[&str]) -> bool {
    matches!(parts, [Part::Literal(text)] if texts.contains(&text.as_str()))
}
