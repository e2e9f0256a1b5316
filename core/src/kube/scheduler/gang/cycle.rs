//! The cycle of a pod group.

use std::sync::Arc;

use super::super::cluster::{NodeId, PodInfo};
use super::super::decision::{Attempt, Decision, Outcome, Recording};
use super::super::engine::Scheduler;
use super::super::framework::{Binder, CycleState, Nomination, Placement};
use super::super::plugins::GANG_SCHEDULING;
use super::super::queue::PodId;
use super::super::schedule::Failure;
use super::attempt::{GroupAttempt, PlacementAttempt, PlacementScoreRow};
use super::groups::GroupKey;
use super::placement;
use crate::order::InOrder;
use crate::sim::SimTime;

/// What is said of a group that cannot run.
const UNSCHEDULABLE: &str = "pod group is unschedulable";
/// What is said of a pod whose permit plugins asked to wait, after their own words.
const ASKED_TO_WAIT: &str = "one or more plugins asked to wait and no plugin rejected pod";
const PREEMPTING: &str = "pod group is unschedulable, pod group is waiting for preemption to complete";

/// A pod of the group in its cycle.
struct Member {
    id: PodId,
    info: Arc<PodInfo>,
    profile: usize,
    number: u32,
}

/// What came of one pod in one placement.
struct Trial {
    attempt: Attempt,
    state: CycleState,
    verdict: Verdict,
}

enum Verdict {
    /// It was refused, or failed by an error.
    Failed(Failure),
    /// It found a node.
    Placed {
        node: NodeId,
        /// What the permit plugins said if they asked to wait.
        wait: Option<String>,
        /// That it needs a preemption there, and what the filters had said.
        preempts: Option<Failure>,
    },
}

/// What came of the group in one placement.
enum Status {
    Success,
    /// It fits once victims are gone.
    Preempting,
    Unschedulable,
    Error(String),
}

struct Tried {
    trials: Vec<Trial>,
    status: Status,
}

/// What has to be taken back: the pod of that index, and victims that were taken off its node.
struct Held {
    index: usize,
    node: NodeId,
    victims: Vec<Arc<PodInfo>>,
}

impl Scheduler {
    /// Runs the cycle of the group of `leader`, which has just been popped; the first of its
    /// decisions is the answer, the others follow.
    pub(in super::super) fn schedule_group(
        &mut self,
        leader: PodId,
        key: GroupKey,
        now: SimTime,
        binder: &mut dyn Binder,
    ) -> Option<Decision> {
        let members = self.take_members(leader, key, now);
        let profile = members.first().map(|member| member.profile);
        let Some(profile) = profile else { return self.outbox.pop_front() };
        let group = self.cluster.groups.get_mut(key);
        group.attempts += 1;
        let number = group.attempts;
        self.cluster.refresh();
        let mut report = GroupAttempt {
            at: now,
            number,
            namespace: Arc::clone(self.cluster.symbols.name(key.0)),
            name: Arc::clone(self.cluster.symbols.name(key.1)),
            placements: Vec::new(),
            chosen: None,
            scheduled: false,
            reason: String::new(),
            message: String::new(),
        };
        let tried = match members.iter().find(|member| member.profile != profile) {
            Some(other) => {
                let name = |index: usize| &self.profiles[index].scheduler_name;
                let (first, second) = (name(profile), name(other.profile));
                let text = format!(
                    "all pods in a single pod group should have the same .spec.schedulerName set, got: {first:?} and {second:?}"
                );
                Tried { trials: Vec::new(), status: Status::Error(text) }
            }
            None => self.try_placements(&members, key, profile, now, &mut report),
        };
        (report.reason, report.scheduled) = match &tried.status {
            Status::Success => ("Scheduled".to_owned(), true),
            Status::Preempting | Status::Unschedulable => ("Unschedulable".to_owned(), false),
            Status::Error(text) => {
                report.message.clone_from(text);
                ("SchedulerError".to_owned(), false)
            }
        };
        let mut decisions = self.submit(members, tried, key, now, binder);
        let report = Arc::new(report);
        let history = self.history;
        if history > 0 {
            let attempts = self.group_attempts.entry(key).or_default();
            if attempts.len() >= history {
                attempts.remove(0);
            }
            attempts.push(Arc::clone(&report));
        }
        if let Some(last) = decisions.last_mut() {
            last.group = Some(report);
        }
        self.outbox.extend(decisions);
        self.outbox.pop_front()
    }

    /// Takes all pods of the group that wait out of the queue, in the order in which they are tried.
    fn take_members(&mut self, leader: PodId, key: GroupKey, now: SimTime) -> Vec<Member> {
        let ids: Vec<PodId> = self
            .cluster
            .groups
            .get(key)
            .map(|group| group.members.iter().copied().collect())
            .unwrap_or_default();
        let mut others: Vec<PodId> =
            ids.into_iter().filter(|id| *id != leader && self.queue.is_waiting(*id)).collect();
        // Those of equal age in the order of the queue.
        others.order_by_key(|id| self.queue.get(*id).map(|pod| (pod.timestamp, pod.sequence)));
        let mut popped = vec![leader];
        for id in others {
            if self.queue.pop_specific(id, &self.profiles) {
                popped.push(id);
            }
        }
        let mut members = Vec::new();
        for id in popped {
            let (Some(record), Some(queued)) = (self.record(id), self.queue.get(id)) else { continue };
            let info = Arc::clone(&record.info);
            let member = Member { id, info, profile: queued.profile, number: queued.attempts };
            if member.info.terminating {
                self.queue.remove(id, &self.profiles);
                let names = self.names(&member.info);
                let mut attempt = self.new_attempt(now, member.number, member.profile);
                attempt.message = format!("skip schedule deleting pod: {}/{}", names.0, names.1);
                let decision = self.conclude(id, &member.info, attempt, None);
                self.outbox.push_back(decision);
            } else {
                members.push(member);
            }
        }
        members.order_by_key(|member| {
            let first = self.queue.get(member.id).and_then(|queued| queued.initial_attempt);
            (std::cmp::Reverse(member.info.priority), first)
        });
        members
    }

    /// Tries the group in every placement (`podGroupSchedulingPlacementAlgorithm`).
    fn try_placements(
        &mut self,
        members: &[Member],
        key: GroupKey,
        profile: usize,
        now: SimTime,
        report: &mut GroupAttempt,
    ) -> Tried {
        let error = |text: String| Tried { trials: Vec::new(), status: Status::Error(text) };
        let topology_aware = self.features.topology_aware_workload_scheduling;
        let placements = match placement::generate(&self.profiles[profile], &self.cluster, key) {
            Ok(placements) => placements,
            Err(text) => return error(text),
        };
        let mut results: Vec<Tried> = Vec::new();
        for placement in &placements {
            self.cluster.assume_placement(placement.nodes.clone());
            let tried = self.try_members(members, now);
            self.cluster.forget_placement();
            let failed = matches!(tried.status, Status::Error(_));
            report.placements.push(self.written_down(members, &tried, placement));
            if failed {
                report.chosen = Some(report.placements.len() - 1);
                return tried;
            }
            results.push(tried);
        }
        let feasible: Vec<usize> = (0..results.len())
            .filter(|index| matches!(results[*index].status, Status::Success | Status::Preempting))
            .collect();
        let chosen = match feasible[..] {
            [] => {
                report.message = if topology_aware {
                    format!(
                        "0/{} placements are available, first placement status: {UNSCHEDULABLE}",
                        placements.len()
                    )
                } else {
                    UNSCHEDULABLE.to_owned()
                };
                0
            }
            [only] => only,
            _ => match self.best(&placements, &results, &feasible, members, key, profile, report) {
                Ok(best) => best,
                Err(text) => return error(text),
            },
        };
        if results.is_empty() {
            // No node has the label that the group names.
            return Tried { trials: Vec::new(), status: Status::Unschedulable };
        }
        report.chosen = Some(chosen);
        let tried = results.swap_remove(chosen);
        if matches!(tried.status, Status::Preempting) {
            PREEMPTING.clone_into(&mut report.message);
        }
        tried
    }

    #[allow(clippy::too_many_arguments, reason = "the second half of one function")]
    fn best(
        &self,
        placements: &[Placement],
        results: &[Tried],
        feasible: &[usize],
        members: &[Member],
        key: GroupKey,
        profile: usize,
        report: &mut GroupAttempt,
    ) -> Result<usize, String> {
        let candidates: Vec<_> = feasible
            .iter()
            .map(|index| {
                let placed = results[*index].trials.iter().zip(members).filter_map(|(trial, member)| {
                    let Verdict::Placed { node, .. } = trial.verdict else { return None };
                    Some((&*member.info, node))
                });
                (&placements[*index], placed.collect())
            })
            .collect();
        let scores = placement::score(&self.profiles[profile], &self.cluster, key, &candidates)?;
        let best = scores.iter().map(|(_, total)| *total).max().unwrap_or(0);
        let mut equals = Vec::new();
        for (index, (rows, total)) in feasible.iter().zip(scores) {
            let rows: Vec<PlacementScoreRow> = rows;
            report.placements[*index].scores = rows;
            report.placements[*index].total = total;
            if total == best {
                equals.push(*index);
            }
        }
        // Upstream takes one of the best at random; here it is the first by name.
        let preferred = self.placement_among_equals.as_ref();
        let chosen = equals.iter().find(|index| Some(&placements[**index].name) == preferred);
        Ok(chosen.or(equals.first()).copied().unwrap_or(0))
    }

    /// Tries the pods one after the other, each seeing the ones before it on their nodes
    /// (`podGroupSchedulingDefaultAlgorithm`); leaves everything as it was.
    fn try_members(&mut self, members: &[Member], now: SimTime) -> Tried {
        let mut trials: Vec<Trial> = Vec::new();
        let mut status = Status::Unschedulable;
        let mut held: Vec<Held> = Vec::new();
        let mut preempts_somebody = false;
        for member in members {
            let mut state = CycleState::default();
            let mut attempt = self.new_attempt(now, member.number, member.profile);
            let found = self.search(&member.info, member.profile, &mut state, &mut attempt);
            let (node, preempts) = match found {
                Ok(node) => (Some(node), None),
                Err(failure) => match failure.nomination {
                    Nomination::Node(node) => (Some(node), Some(failure)),
                    _ => (None, Some(failure)),
                },
            };
            let verdict = match (node, preempts) {
                (Some(node), preempts) => {
                    let victims = self.take_off_victims(&attempt, node, preempts.is_some());
                    preempts_somebody |= preempts.is_some();
                    match self.hold(member, &mut state, node, now) {
                        Ok(wait) => {
                            held.push(Held { index: trials.len(), node, victims });
                            Verdict::Placed { node, wait, preempts }
                        }
                        Err(failure) => {
                            self.put_back(&victims, node);
                            Verdict::Failed(failure)
                        }
                    }
                }
                (None, failure) => Verdict::Failed(failure.unwrap_or_else(|| Failure::error(String::new()))),
            };
            match &verdict {
                Verdict::Failed(failure) if !failure.rejected => {
                    status = Status::Error(format!(
                        "failed to schedule other pod from a pod group: {}",
                        failure.message
                    ));
                }
                Verdict::Placed { wait: None, .. } => {
                    status = if preempts_somebody { Status::Preempting } else { Status::Success };
                }
                _ => {}
            }
            trials.push(Trial { attempt, state, verdict });
            if matches!(status, Status::Error(_)) {
                break;
            }
        }
        for Held { index, node, victims } in held.into_iter().rev() {
            let member = &members[index];
            let mut state = std::mem::take(&mut trials[index].state);
            self.unreserve(member.id, &member.info, member.profile, &mut state, node);
            trials[index].state = state;
            self.put_back(&victims, node);
        }
        Tried { trials, status }
    }

    /// Assumes the pod to be on the node and asks the permit plugins; what they said if they want it to wait.
    fn hold(
        &mut self,
        member: &Member,
        state: &mut CycleState,
        node: NodeId,
        now: SimTime,
    ) -> Result<Option<String>, Failure> {
        self.assume_and_reserve(member.id, &member.info, member.profile, state, node)?;
        match self.ask_permission(&member.info, member.profile, state, node, now) {
            Ok(pending) if pending.is_empty() => Ok(None),
            Ok(pending) => {
                let mut said: Vec<String> = pending.values().map(|(_, status)| status.message()).collect();
                said.push(ASKED_TO_WAIT.to_owned());
                Ok(Some(said.join(", ")))
            }
            Err((plugin, status)) => {
                self.unreserve(member.id, &member.info, member.profile, state, node);
                Err(super::super::schedule::refused_on(node, plugin, status))
            }
        }
    }

    /// The pods after one that preempts see its victims gone.
    fn take_off_victims(&mut self, attempt: &Attempt, node: NodeId, preempts: bool) -> Vec<Arc<PodInfo>> {
        if !preempts {
            return Vec::new();
        }
        let victims: Vec<Arc<PodInfo>> = super::super::schedule::victims(attempt)
            .iter()
            .filter_map(|(namespace, name)| self.record(self.find(namespace, name)?))
            .map(|record| Arc::clone(&record.info))
            .collect();
        for victim in &victims {
            self.cluster.remove_pod(victim, node);
        }
        victims
    }

    fn put_back(&mut self, victims: &[Arc<PodInfo>], node: NodeId) {
        let name = Arc::clone(self.cluster.node_name(node));
        for victim in victims.iter().rev() {
            self.cluster.add_pod(victim, &name);
        }
    }

    fn written_down(&self, members: &[Member], tried: &Tried, placement: &Placement) -> PlacementAttempt {
        let full = self.recording == Recording::Full;
        let pods = tried.trials.iter().zip(members).filter(|_| full).map(|(trial, member)| {
            let mut attempt = trial.attempt.clone();
            match &trial.verdict {
                Verdict::Failed(failure) => {
                    attempt.message.clone_from(&failure.message);
                    attempt.outcome = if failure.rejected { Outcome::Unschedulable } else { Outcome::Error };
                }
                Verdict::Placed { node, wait, .. } => {
                    attempt.outcome = Outcome::Waiting { node: Arc::clone(self.cluster.node_name(*node)) };
                    if let Some(wait) = wait {
                        attempt.message = format!("{UNSCHEDULABLE}, {wait}");
                    }
                }
            }
            (self.names(&member.info).1, attempt)
        });
        PlacementAttempt {
            name: Arc::clone(&placement.name),
            nodes: placement.nodes.len(),
            feasible: matches!(tried.status, Status::Success | Status::Preempting),
            pods: pods.collect(),
            scores: Vec::new(),
            total: 0,
        }
    }

    /// Binds the pods of a group that fits, or puts all back (`submitPodGroupAlgorithmResult`).
    fn submit(
        &mut self,
        members: Vec<Member>,
        tried: Tried,
        key: GroupKey,
        now: SimTime,
        binder: &mut dyn Binder,
    ) -> Vec<Decision> {
        let Tried { trials, status } = tried;
        let mut trials = trials.into_iter();
        let mut decisions: Vec<(usize, Decision)> = Vec::new();
        let mut placed = Vec::new();
        for (index, member) in members.into_iter().enumerate() {
            let trial = trials.next().unwrap_or_else(|| Trial {
                attempt: self.new_attempt(now, member.number, member.profile),
                state: CycleState::default(),
                verdict: Verdict::Failed(match &status {
                    Status::Error(text) => Failure::error(text.clone()),
                    _ => Failure { rejected: true, ..Failure::error(UNSCHEDULABLE.to_owned()) },
                }),
            });
            let Trial { attempt, state, verdict } = trial;
            let mut evicts = false;
            let failure = match (&status, verdict) {
                (Status::Error(text), Verdict::Failed(failure)) if failure.rejected => {
                    Failure::error(text.clone())
                }
                (Status::Error(text), Verdict::Placed { .. }) => Failure::error(text.clone()),
                (_, Verdict::Failed(failure)) => failure,
                (Status::Success, Verdict::Placed { node, .. }) => {
                    placed.push((index, member, attempt, state, node));
                    continue;
                }
                (Status::Preempting, Verdict::Placed { preempts: Some(failure), .. }) => {
                    evicts = true;
                    failure
                }
                (Status::Preempting, Verdict::Placed { node, preempts: None, .. }) => Failure {
                    rejected: true,
                    nomination: Nomination::Node(node),
                    ..Failure::error(PREEMPTING.to_owned())
                },
                (Status::Unschedulable, Verdict::Placed { wait, .. }) => {
                    let text = format!("{UNSCHEDULABLE}, {}", wait.unwrap_or_default());
                    Failure { rejected: true, ..Failure::error(text) }
                }
            };
            let mut decision = self.fail(member.id, &member.info, attempt, failure);
            if !evicts {
                decision.victims.clear();
            }
            decisions.push((index, decision));
        }
        decisions.extend(self.bind_group(placed, key, now, binder));
        decisions.order_by_key(|(index, _)| *index);
        decisions.into_iter().map(|(_, decision)| decision).collect()
    }

    /// Reserves and binds the pods of a group that fits. Each waits in its turn until `minCount` are there.
    fn bind_group(
        &mut self,
        placed: Vec<(usize, Member, Attempt, CycleState, NodeId)>,
        key: GroupKey,
        now: SimTime,
        binder: &mut dyn Binder,
    ) -> Vec<(usize, Decision)> {
        let mut decisions = Vec::new();
        let mut reserved = Vec::new();
        for (index, member, attempt, mut state, node) in placed {
            match self.reserve(member.id, &member.info, member.profile, &mut state, node, now) {
                Ok(_) => reserved.push((index, member, attempt, state, node)),
                Err(failure) => {
                    decisions.push((index, self.fail(member.id, &member.info, attempt, failure)));
                }
            }
        }
        let complete = self.cluster.groups.get(key).is_some_and(|group| {
            group.policy.and_then(|policy| policy.min_count).is_none_or(|min| group.scheduled >= min)
        });
        for (index, member, mut attempt, mut state, node) in reserved {
            let name = Arc::clone(self.cluster.node_name(node));
            if let Some(waiting) = self.waiting.get_mut(&member.id) {
                if complete && let Some(plugin) = self.profiles[member.profile].plugin_named(GANG_SCHEDULING)
                {
                    waiting.pending.remove(&plugin);
                }
                if waiting.pending.is_empty() {
                    self.waiting.remove(&member.id);
                } else {
                    waiting.state = state;
                    attempt.outcome = Outcome::Waiting { node: name };
                    decisions.push((index, self.conclude(member.id, &member.info, attempt, None)));
                    continue;
                }
            }
            let decision = match self.bind(member.id, &member.info, member.profile, &mut state, node, binder)
            {
                Ok(()) => {
                    attempt.outcome = Outcome::Scheduled { node: name };
                    self.conclude(member.id, &member.info, attempt, None)
                }
                Err(failure) => self.fail(member.id, &member.info, attempt, failure),
            };
            decisions.push((index, decision));
        }
        decisions
    }
}
