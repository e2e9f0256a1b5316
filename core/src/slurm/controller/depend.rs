//! Whether a job may be considered: held, begin time, dependencies, limits of its array.

use super::Controller;
use crate::slurm::model::{
    Dependency, DependencyKind, DependencyState, DependencyTarget, Job, JobBase, JobFlags, JobId, Reason,
};

/// Whether each task of an array waits for the task of its number in another one (`aftercorr`).
pub(super) fn is_correlated(job: &Job) -> bool {
    job.dependency.iter().any(|dependency| dependency.kind == DependencyKind::AfterCorr)
}

impl Controller {
    /// Whether the schedulers may consider a pending job now; sets its reason and its times when not.
    pub(super) fn is_independent(&mut self, id: JobId) -> bool {
        let now = self.time();
        let states = self.dependency_states(id);
        let kill = self.params.scheduler.kill_invalid_depend;
        let Some(job) = self.jobs.get_mut(id) else { return false };
        if !job.is_pending() {
            return false;
        }
        for (dependency, state) in job.dependency.iter_mut().zip(states) {
            if dependency.state == DependencyState::Unfulfilled {
                dependency.state = state;
            }
        }
        let verdict = verdict(&job.dependency);
        if verdict == DependencyState::Failed {
            let doomed = job.request.kill_on_invalid_dep.unwrap_or(kill);
            set_reason(job, Reason::DEPENDENCY_NEVER);
            job.eligible = 0;
            job.accrue = 0;
            if doomed {
                self.cancel_pending(id, JobBase::Cancelled, Reason::DEPENDENCY_NEVER);
            }
            return false;
        }
        if verdict == DependencyState::Unfulfilled {
            // A hold says more than a dependency.
            if job.priority != 0 || !matches!(job.reason, Reason::HELD_USER | Reason::HELD_ADMIN) {
                set_reason(job, Reason::DEPENDENCY);
            }
            job.eligible = 0;
            job.accrue = 0;
            return false;
        }
        if !job.dependency.is_empty() {
            job.dependency.clear();
        }
        if let Some(blocked) = self.array_limit(id) {
            self.set_blocked(id, blocked);
            return false;
        }
        let Some(job) = self.jobs.get_mut(id) else { return false };
        if job.request.begin.is_some_and(|begin| begin > now) || job.begin > now {
            if job.priority != 0 {
                set_reason(job, Reason::BEGIN_TIME);
            }
            job.eligible = job.begin.max(job.request.begin.unwrap_or(0));
            return false;
        }
        if job.priority == 0 {
            if !matches!(job.reason, Reason::HELD_USER | Reason::HELD_ADMIN) && job.state_desc.is_none() {
                job.reason = Reason::HELD_USER;
            }
            job.eligible = 0;
            job.accrue = 0;
            return false;
        }
        if job.eligible == 0 || job.eligible > now {
            job.eligible = now;
        }
        if matches!(job.reason, Reason::DEPENDENCY | Reason::BEGIN_TIME) {
            set_reason(job, Reason::NONE);
        }
        true
    }

    /// Tasks that wait for tasks of another array (aftercorr) get records of their own: each has its own dependency.
    pub(super) fn split_correlated(&mut self) {
        let split: Vec<(JobId, Vec<u32>)> = self
            .jobs
            .pending()
            .filter(|job| is_correlated(job))
            .filter_map(|job| {
                Some((job.array?.0, job.pending_tasks.as_ref()?.tasks.iter().copied().collect()))
            })
            .collect();
        for (array, tasks) in split {
            for task in tasks {
                self.task_record(array, task);
            }
        }
    }

    /// What each part of a job's dependencies says now.
    fn dependency_states(&self, id: JobId) -> Vec<DependencyState> {
        let Some(job) = self.jobs.get(id) else { return Vec::new() };
        job.dependency.iter().map(|dependency| self.dependency_state(job, dependency)).collect()
    }

    fn dependency_state(&self, job: &Job, dependency: &Dependency) -> DependencyState {
        let done = |held: bool| if held { DependencyState::Fulfilled } else { DependencyState::Unfulfilled };
        let Some(target) = dependency.target else {
            // singleton: no earlier job of this name and user is left.
            let earlier = self.jobs.iter().any(|other| {
                other.id < job.id
                    && other.request.uid == job.request.uid
                    && other.request.name == job.request.name
                    && (!other.state.is_finished() || other.state.is_completing())
            });
            return done(!earlier);
        };
        let others = self.targets(target, dependency.kind, job);
        let now = self.time();
        match dependency.kind {
            // A job that is not known any more counts as satisfied.
            _ if others.is_empty() => DependencyState::Fulfilled,
            DependencyKind::After => done(others.iter().all(|other| {
                let begun = other.state.base != JobBase::Pending;
                begun && now >= other.start + i64::from(target.delay) * 60
            })),
            DependencyKind::AfterAny => done(others.iter().all(|other| ended(other))),
            DependencyKind::AfterOk | DependencyKind::AfterCorr => {
                if others.iter().any(|other| ended(other) && other.state.base != JobBase::Completed) {
                    DependencyState::Failed
                } else {
                    done(others.iter().all(|other| ended(other)))
                }
            }
            DependencyKind::AfterNotOk => {
                if others.iter().all(|other| ended(other)) {
                    if others.iter().any(|other| other.state.base != JobBase::Completed) {
                        DependencyState::Fulfilled
                    } else {
                        DependencyState::Failed
                    }
                } else {
                    DependencyState::Unfulfilled
                }
            }
            DependencyKind::Singleton | DependencyKind::Expand => DependencyState::Fulfilled,
        }
    }

    /// The records that a dependency is on.
    fn targets(&self, target: DependencyTarget, kind: DependencyKind, job: &Job) -> Vec<&Job> {
        let wanted = match kind {
            // Task n waits for task n.
            DependencyKind::AfterCorr => target.task.or_else(|| job.array.and_then(|(_, task)| task)),
            _ => target.task,
        };
        self.jobs
            .iter()
            .filter(|other| match other.array {
                Some((array, task)) if array == target.job => match (wanted, &other.pending_tasks) {
                    (Some(wanted), Some(pending)) => pending.tasks.contains(&wanted),
                    (Some(wanted), None) => task == Some(wanted),
                    (None, _) => true,
                },
                _ => other.id == target.job && other.array.is_none(),
            })
            .collect()
    }
}

fn ended(job: &Job) -> bool {
    job.state.is_finished() && !job.state.is_completing() && !job.state.flags.has(JobFlags::REQUEUE)
}

/// What the parts say together: with `,` all must hold, with `?` one is enough.
pub(super) fn verdict(dependencies: &[Dependency]) -> DependencyState {
    if dependencies.is_empty() {
        return DependencyState::Fulfilled;
    }
    let any = dependencies.iter().any(|dependency| dependency.any);
    let states = || dependencies.iter().map(|dependency| dependency.state);
    if any {
        if states().any(|state| state == DependencyState::Fulfilled) {
            DependencyState::Fulfilled
        } else if states().all(|state| state == DependencyState::Failed) {
            DependencyState::Failed
        } else {
            DependencyState::Unfulfilled
        }
    } else if states().any(|state| state == DependencyState::Failed) {
        DependencyState::Failed
    } else if states().all(|state| state == DependencyState::Fulfilled) {
        DependencyState::Fulfilled
    } else {
        DependencyState::Unfulfilled
    }
}

/// Sets the reason and drops a longer text that belonged to the one before.
pub(super) fn set_reason(job: &mut Job, reason: Reason) {
    job.reason = reason;
    job.state_desc = None;
}
