//! The tasks of steps: how they start on their nodes, and how their ends are collected.

use std::time::Duration;

use super::environment::{TaskOf, task_environment};
use super::machines::oom_text;
use super::{End, For, LAUNCH, Place, ProcId, Role, SlurmCluster, Timer, no_directory, pattern, start};
use crate::process::{Call, ExecError, Stream};
use crate::sim::SimTime;
use crate::slurm::commands::srun::Plan;
use crate::slurm::model::{JobId, SIG_OOM, StepId};

/// A run of a job and the number of its step.
pub(super) type StepKey = (JobId, u32, u32);

/// From `srun`'s message to the first instruction of a task.
const TASK_LAUNCH: Duration = Duration::from_millis(80);
/// From the end of the last task to the controller's knowledge of it.
const REPORT: Duration = Duration::from_millis(20);

/// One task.
#[derive(Clone, Debug)]
pub(super) struct TaskRun {
    pub(super) node: usize,
    pub(super) proc: Option<ProcId>,
    pub(super) end: Option<End>,
    /// What it wrote and `srun` has not taken.
    pub(super) output: Vec<(Stream, Vec<u8>)>,
    /// Where its streams go when not to `srun`.
    pub(super) files: [Option<String>; 2],
}

/// A step that was launched.
#[derive(Clone, Debug)]
pub(super) struct StepRun {
    /// The process of its `srun`.
    pub(super) owner: ProcId,
    pub(super) uid: u32,
    pub(super) call: Call,
    pub(super) plan: Plan,
    /// Names of its nodes.
    pub(super) nodes: Vec<String>,
    pub(super) tasks: Vec<TaskRun>,
    /// It was told to end: what slurmstepd says of it, until `srun` has printed it.
    pub(super) cancelled: Option<String>,
    /// It was told to end at some time.
    pub(super) aborted: bool,
    /// Input that came before its tasks were there, and whether it has ended.
    pub(super) input: Vec<u8>,
    pub(super) input_closed: bool,
    over: bool,
}

impl StepRun {
    /// Ended tasks all the same way, and not by a signal: then one message tells `srun`.
    fn ended_alike(&self) -> bool {
        let mut ends = self.tasks.iter().filter_map(|task| task.end);
        let first = ends.next();
        first.is_none_or(|first| first.signal.is_none() && ends.all(|end| end == first))
    }

    /// How long `srun` stays after the last task.
    pub(super) fn lingers(&self) -> Duration {
        // One that hears of all ends at once is gone before the controller hears of them (observed in exit_codes).
        if self.ended_alike() { REPORT / 2 } else { REPORT + REPORT / 2 }
    }

    /// The highest exit code, or the signal.
    fn exit(&self) -> (u8, u8) {
        let ends = || self.tasks.iter().filter_map(|task| task.end);
        let code = ends().filter(|end| end.signal.is_none()).map(|end| end.code).max().unwrap_or(0);
        let signal = ends().filter_map(|end| end.signal).max().unwrap_or(0);
        // The want of memory counts more than a code, a code more than other signals.
        if code > 0 && signal != SIG_OOM { (code, 0) } else { (0, signal) }
    }
}

impl SlurmCluster {
    /// Sends the tasks of a step to their nodes.
    pub(super) fn launch_step(&mut self, key: StepKey, owner: ProcId, uid: u32, call: &Call, plan: &Plan) {
        let Some(job) = self.controller.jobs.get(key.0) else { return };
        let Some(step) = job.steps.iter().find(|step| step.id == StepId::Number(key.2)) else { return };
        let nodes: Vec<String> =
            step.shares.iter().map(|share| self.controller.nodes[share.node].name.clone()).collect();
        let mut tasks: Vec<TaskRun> = Vec::new();
        for rank in 0..step.tasks {
            let node = step.shares.iter().position(|share| share.ranks.contains(&rank)).unwrap_or(0);
            let names =
                pattern::Names { node: &nodes[node], node_id: node as u32, step: Some(key.2), task: rank };
            let directory = plan.chdir.as_deref().unwrap_or(&call.cwd);
            let file = |text: Option<&String>| match text.map(String::as_str) {
                None | Some("all") => None,
                Some("none") => Some("/dev/null".to_owned()),
                Some(number) if number.parse::<u32>().is_ok() => {
                    (number.parse() != Ok(rank)).then(|| "/dev/null".to_owned())
                }
                Some(text) => Some(pattern::path(job, text, directory, names)),
            };
            // Only task 0 has the terminal (srun(1), --pty).
            let away = plan.pty && rank > 0;
            let out = if away { Some("/dev/null".to_owned()) } else { file(plan.output.as_ref()) };
            let err =
                file(plan.error.as_ref()).or_else(|| plan.error.is_none().then(|| out.clone()).flatten());
            tasks.push(TaskRun { node, proc: None, end: None, output: Vec::new(), files: [out, err] });
        }
        if !plan.append {
            let mut paths: Vec<String> =
                tasks.iter().flat_map(|task| task.files.iter().flatten().cloned()).collect();
            paths.sort();
            paths.dedup();
            for path in paths.iter().filter(|path| *path != "/dev/null") {
                let _ = self.files.write(path, Vec::new(), self.now);
            }
        }
        let run = StepRun {
            owner,
            uid,
            call: call.clone(),
            plan: plan.clone(),
            nodes,
            tasks,
            cancelled: None,
            aborted: false,
            input: Vec::new(),
            input_closed: false,
            over: false,
        };
        for node in 0..run.nodes.len() {
            self.at(TASK_LAUNCH, Timer::Tasks(key, node));
        }
        self.steps.insert(key, run);
    }

    /// The tasks of a step begin on one of its nodes, in their container if they have one.
    pub(super) fn launch_tasks(&mut self, key: StepKey, node: usize) {
        let Some(run) = self.steps.get(&key) else { return };
        if !run.plan.pyxis.container() {
            return self.launch_tasks_inside(key, node, &start::Prepared::default());
        }
        let (name, uid, cwd) = (run.nodes[node].clone(), run.uid, run.call.cwd.clone());
        let (args, ntasks) = (run.plan.pyxis.clone(), run.tasks.len());
        let rank = run.tasks.iter().position(|task| task.node == node).unwrap_or(0);
        let Some(env) = self.environment_of(key, rank as u32) else { return };
        let who = For { node: &name, uid, job: key.0, step: key.2, ntasks, env: &env, cwd: &cwd };
        let prepared = self.prepare_container(who, &args);
        for line in &prepared.said {
            self.say(key, rank as u32, line);
        }
        let took = if prepared.errors.is_empty() { prepared.took } else { LAUNCH };
        self.at(took, Timer::TasksInside(key, node, Box::new(prepared)));
    }

    fn environment_of(&self, key: StepKey, rank: u32) -> Option<std::collections::BTreeMap<String, String>> {
        let run = self.steps.get(&key)?;
        let job = self.controller.jobs.get(key.0)?;
        let step = job.steps.iter().find(|step| step.id == StepId::Number(key.2))?;
        let task = TaskOf {
            job,
            step,
            number: key.2,
            node: run.tasks[rank as usize].node,
            rank,
            gpu_bind: run.plan.gpu_bind.as_deref(),
            gpus_per_task: run.plan.step.gpus_per_task,
            cpus_per_task: run.plan.step.cpus_per_task,
        };
        Some(task_environment(&self.controller, &run.call.env, task))
    }

    /// The tasks of a step begin on one of its nodes.
    pub(super) fn launch_tasks_inside(&mut self, key: StepKey, node: usize, prepared: &start::Prepared) {
        let Some(run) = self.steps.get(&key) else { return };
        let (name, uid, plan, call) = (run.nodes[node].clone(), run.uid, run.plan.clone(), run.call.clone());
        let stepd = self.stepd(&name);
        let ranks: Vec<usize> = (0..run.tasks.len()).filter(|rank| run.tasks[*rank].node == node).collect();
        for (at, rank) in ranks.into_iter().enumerate() {
            if self.steps.get(&key).is_none_or(|run| run.tasks[rank].end.is_some()) {
                continue;
            }
            let rank = rank as u32;
            let errors = if at == 0 { &prepared.errors } else { &prepared.others };
            let mut errors = errors.clone();
            let Some(mut env) = self.environment_of(key, rank) else { return };
            let mut cwd = plan.chdir.clone().unwrap_or_else(|| call.cwd.clone());
            if let Some(squash) = &prepared.squash {
                env =
                    start::environment(squash, &env, |name| plan.pyxis.env.iter().any(|other| other == name));
                for name in ["LANG", "LC_ALL", "LANGUAGE"] {
                    if !squash.env.iter().any(|(known, _)| known == name) {
                        env.remove(name);
                    }
                }
                cwd = plan.pyxis.workdir.clone().unwrap_or_else(|| squash.workdir.clone());
                let view = prepared.view.as_ref();
                let there = view.is_some_and(|view| {
                    let files = self.enter(&name, view);
                    files.is_dir(&cwd)
                });
                if errors.is_empty() && !there {
                    errors = no_directory(&cwd);
                }
            } else if !self.files.is_dir(&cwd) {
                let text =
                    format!("couldn't chdir to `{cwd}': No such file or directory: going to /tmp instead");
                self.say(key, rank, &format!("{stepd}: error: {text}"));
                cwd = "/tmp".into();
            }
            if !errors.is_empty() {
                for line in &errors {
                    self.say(key, rank, &format!("{stepd}: error: {line}"));
                }
                self.task_ended(key, rank, End { code: 1, signal: None });
                continue;
            }
            let argv = plan.argv_of(rank).unwrap_or_else(|why| {
                self.say(key, rank, &format!("{stepd}: error: {why}"));
                Vec::new()
            });
            let Some(program) = argv.first().cloned() else {
                self.say(
                    key,
                    rank,
                    &format!("{stepd}: error: No executable program specified for this task"),
                );
                self.task_ended(key, rank, End { code: 2, signal: None });
                continue;
            };
            let role = Role::Task { job: key.0, run: key.1, step: key.2, rank };
            let task = Call { argv, env, cwd, pid: 0 };
            let gpus = self.gpus_of_step(key, node);
            let (node, inside, terminal) = (name.clone(), prepared.view.clone(), plan.pty);
            let place = Place { uid, node, inside, gpus, terminal, leader: None };
            match self.start_process(task, role, place) {
                Ok(id) => {
                    if let Some(run) = self.steps.get_mut(&key) {
                        run.tasks[rank as usize].proc = Some(id);
                        let (input, closed) = (run.input.clone(), run.input_closed);
                        self.write_input(id, &input);
                        if closed {
                            self.close_input(id);
                        }
                    }
                }
                Err(error) => {
                    let (why, code) = match error {
                        ExecError::NotFound(_) | ExecError::BadInterpreter { .. } => {
                            ("No such file or directory", 2)
                        }
                        ExecError::PermissionDenied(_) | ExecError::IsDirectory(_) => {
                            ("Permission denied", 13)
                        }
                    };
                    self.say(key, rank, &format!("{stepd}: error: execve(): {program}: {why}"));
                    self.task_ended(key, rank, End { code, signal: None });
                }
            }
        }
    }

    /// A line on the standard error of a task.
    fn say(&mut self, key: StepKey, rank: u32, line: &str) {
        if let Some(task) = self.steps.get_mut(&key).and_then(|run| run.tasks.get_mut(rank as usize)) {
            task.output.push((Stream::Stderr, format!("{line}\n").into_bytes()));
            self.changes += 1;
        }
    }

    /// slurmstepd says that something of a task was killed for want of memory.
    fn say_oom(&mut self, key: StepKey, rank: u32) {
        let run = self.steps.get(&key);
        let Some((node, proc)) = run.and_then(|run| {
            let task = run.tasks.get(rank as usize)?;
            Some((run.nodes[task.node].clone(), self.procs.get(&task.proc?)?))
        }) else {
            return;
        };
        let text = oom_text(proc.oom_kills, &format!("{}.{}", key.0, key.2));
        let stepd = self.stepd(&node);
        self.say(key, rank, &format!("{stepd}: error: {text}"));
    }

    /// A task has ended.
    pub(super) fn task_ended(&mut self, key: StepKey, rank: u32, end: End) {
        let output = self
            .steps
            .get(&key)
            .and_then(|run| run.tasks.get(rank as usize)?.proc)
            .map(|id| self.take_output(id))
            .unwrap_or_default();
        let Some(run) = self.steps.get_mut(&key) else { return };
        let Some(task) = run.tasks.get_mut(rank as usize) else { return };
        task.output.extend(output);
        if end.signal == Some(SIG_OOM) {
            self.say_oom(key, rank);
        }
        let Some(run) = self.steps.get_mut(&key) else { return };
        let Some(task) = run.tasks.get_mut(rank as usize) else { return };
        if task.end.is_some() {
            return;
        }
        task.end = Some(end);
        if let Some(id) = task.proc.take() {
            self.procs.remove(&id);
        }
        self.changes += 1;
        let Some(run) = self.steps.get(&key) else { return };
        if run.tasks.iter().all(|task| task.end.is_some()) {
            let later = if run.ended_alike() { REPORT } else { REPORT / 2 };
            self.close_containers(key);
            self.at(later, Timer::StepOver(key));
        }
    }

    /// The containers of a step are saved and removed.
    fn close_containers(&mut self, key: StepKey) {
        let Some(run) = self.steps.get(&key).filter(|run| run.plan.pyxis.container()) else { return };
        let (nodes, uid, args, cwd) =
            (run.nodes.clone(), run.uid, run.plan.pyxis.clone(), run.call.cwd.clone());
        let (env, ntasks) = (run.call.env.clone(), run.tasks.len());
        for (at, node) in nodes.iter().enumerate() {
            let who = For { node, uid, job: key.0, step: key.2, ntasks, env: &env, cwd: &cwd };
            if let Some(line) = self.close_container(who, &args) {
                let rank =
                    self.steps.get(&key).and_then(|run| run.tasks.iter().position(|task| task.node == at));
                self.say(key, rank.unwrap_or(0) as u32, &line);
            }
        }
    }

    /// The controller hears that a step is over.
    pub(super) fn step_over(&mut self, key: StepKey) {
        let Some(run) = self.steps.get_mut(&key).filter(|run| !run.over) else { return };
        run.over = true;
        let exit = run.exit();
        let owned = self.procs.get(&run.owner).is_some_and(|proc| proc.end.is_none());
        self.controller.step_ended(key.0, key.1, key.2, exit);
        if !owned {
            self.steps.remove(&key);
        }
    }

    /// `srun` is done with a step.
    pub(super) fn leave_step(&mut self, key: StepKey) {
        if self.steps.get(&key).is_some_and(|run| run.over) {
            self.steps.remove(&key);
        } else if let Some(run) = self.steps.get_mut(&key) {
            // It is forgotten when the controller has heard of its end.
            run.owner = 0;
        }
    }

    /// Sends a signal to all tasks of a step.
    pub(super) fn signal_step(&mut self, key: StepKey, signal: u8) {
        let ends = matches!(signal, 9 | 15);
        let why = self.end_of_job(key.0).unwrap_or_default();
        let stamp = crate::slurm::units::stamp(self.controller.time());
        let Some(run) = self.steps.get(&key).filter(|run| !run.over) else { return };
        let stepd = self.stepd(&run.nodes[0]);
        let text = format!(
            "{stepd}: error: *** STEP {}.{} ON {} CANCELLED AT {stamp}{why} ***",
            key.0, key.2, run.nodes[0]
        );
        let waiting: Vec<u32> = (0..run.tasks.len() as u32)
            .filter(|rank| {
                run.tasks[*rank as usize].end.is_none() && run.tasks[*rank as usize].proc.is_none()
            })
            .collect();
        let running: Vec<ProcId> = run.tasks.iter().filter_map(|task| task.proc).collect();
        if ends && let Some(run) = self.steps.get_mut(&key) {
            if !run.aborted {
                run.cancelled = Some(text);
            }
            run.aborted = true;
        }
        self.changes += 1;
        for id in running {
            self.signal_process(id, signal, true);
        }
        if ends {
            for rank in waiting {
                self.task_ended(key, rank, End { code: 128 + signal, signal: Some(signal) });
            }
        }
    }

    /// Gives all tasks of a step input.
    pub(super) fn feed_step(&mut self, key: StepKey, bytes: &[u8], closed: bool) {
        let Some(run) = self.steps.get_mut(&key) else { return };
        if run.plan.input.as_deref() == Some("none") {
            return;
        }
        run.input.extend_from_slice(bytes);
        let close = closed && !run.input_closed;
        run.input_closed |= closed;
        let readers = if run.plan.pty { 1 } else { run.tasks.len() };
        let running: Vec<ProcId> = run.tasks.iter().take(readers).filter_map(|task| task.proc).collect();
        for id in running {
            if !bytes.is_empty() {
                self.write_input(id, bytes);
            }
            if close {
                self.close_input(id);
            }
        }
    }

    /// What the tasks of a step wrote: to their files, else for `srun`, by rank.
    pub(super) fn collect(&mut self, key: StepKey) -> Vec<(u32, Stream, Vec<u8>)> {
        let Some(run) = self.steps.get(&key) else { return Vec::new() };
        let procs: Vec<Option<ProcId>> = run.tasks.iter().map(|task| task.proc).collect();
        let mut collected = Vec::new();
        for (rank, proc) in procs.into_iter().enumerate() {
            let fresh = proc.map(|id| self.take_output(id)).unwrap_or_default();
            let Some(task) = self.steps.get_mut(&key).and_then(|run| run.tasks.get_mut(rank)) else {
                continue;
            };
            let output: Vec<_> = std::mem::take(&mut task.output).into_iter().chain(fresh).collect();
            let files = task.files.clone();
            for (stream, bytes) in output {
                match &files[usize::from(stream == Stream::Stderr)] {
                    Some(path) => self.write_output(path, &bytes),
                    None => collected.push((rank as u32, stream, bytes)),
                }
            }
        }
        collected
    }

    /// The tasks on a node whose daemon is gone: `srun` never hears of them; the controller notices.
    pub(super) fn lose_tasks(&mut self, node: &str) {
        let mut over = Vec::new();
        for (key, run) in &mut self.steps {
            for task in &mut run.tasks {
                if run.nodes[task.node] == node && task.end.is_none() {
                    task.end = Some(End { code: 137, signal: Some(9) });
                    task.proc = None;
                }
            }
            if !run.over && run.tasks.iter().all(|task| task.end.is_some()) {
                over.push(*key);
            }
        }
        let at: SimTime = self.now + REPORT;
        self.timers.extend(over.into_iter().map(|key| (at, Timer::StepOver(key))));
    }
}
