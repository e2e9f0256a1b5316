//! Reservations: who may use which nodes when.

use super::schedule::Blocked;
use super::{Controller, Event, Reservation};
use crate::slurm::Time;
use crate::slurm::model::{Bits, Job, JobBase, JobId, NodeFlags, Reason};

impl Reservation {
    /// Whether it is in force at `now`.
    pub fn is_active(&self, now: Time) -> bool {
        self.start <= now && now < self.end
    }

    /// Whether a user with an account may use it.
    pub fn admits(&self, user: &str, groups: &[String], account: Option<&str>) -> bool {
        let listed = |list: &[String], name: &str| list.iter().any(|other| other == name);
        (!self.users.is_empty() && listed(&self.users, user))
            || (!self.groups.is_empty() && groups.iter().any(|group| listed(&self.groups, group)))
            || (!self.accounts.is_empty() && account.is_some_and(|account| listed(&self.accounts, account)))
    }
}

impl Controller {
    /// Takes nodes out of `nodes` that reservations keep from the job between `now` and `until`; returns what to say
    /// if the job lacks nodes because of that.
    pub(super) fn reserved_nodes(
        &self,
        job: &Job,
        now: Time,
        until: Time,
        nodes: &mut Bits,
    ) -> Result<Option<Blocked>, Blocked> {
        let mut kept: Option<Blocked> = None;
        if let Some(id) = job.reservation {
            let Some(reservation) = self.reservations.iter().find(|reservation| reservation.id == id) else {
                return Err(Blocked::Other(Reason::RESERVATION_DELETED, None));
            };
            if reservation.start > now {
                return Err(Blocked::Other(Reason::RESERVATION, None));
            }
            if reservation.end <= now {
                return Err(Blocked::Other(Reason::RESERVATION, None));
            }
            nodes.intersect(&reservation.nodes);
            return Ok(Some(Blocked::Busy));
        }
        for reservation in &self.reservations {
            // A job without a reservation must be gone before one begins.
            if reservation.start >= until || reservation.end <= now {
                continue;
            }
            let mut lost = reservation.nodes.clone();
            lost.intersect(nodes);
            if lost.is_empty() {
                continue;
            }
            nodes.subtract(&reservation.nodes);
            let text = if reservation.flags.maint {
                "ReqNodeNotAvail, Reserved for maintenance"
            } else {
                "ReqNodeNotAvail, May be reserved for other job"
            };
            if reservation.flags.maint || !job.required_nodes.is_empty() {
                kept = Some(Blocked::NotAvailable(Reason::NODE_NOT_AVAIL, Some(text.into())));
            }
        }
        Ok(kept)
    }

    /// Adds a reservation and has its begin and end noticed.
    pub fn add_reservation(&mut self, mut reservation: Reservation) {
        reservation.id = self.next_reservation;
        self.next_reservation += 1;
        for at in [reservation.start, reservation.end] {
            let at = self.instant(at).max(self.now);
            self.agenda.push(at, Event::Reservation);
        }
        self.reservations.push(reservation);
        self.reservations_changed();
    }

    /// A reservation began, ended, or was changed: flags of nodes, and jobs that run in one that is over.
    pub(super) fn reservations_changed(&mut self) {
        let now = self.time();
        let over: Vec<u32> = self
            .reservations
            .iter()
            .filter(|reservation| reservation.end <= now)
            .map(|reservation| reservation.id)
            .collect();
        for id in &over {
            let jobs: Vec<JobId> = self
                .jobs
                .active()
                .filter(|job| job.reservation == Some(*id) && job.state.base == JobBase::Running)
                .map(|job| job.id)
                .collect();
            for job in jobs {
                self.end_active(job, JobBase::Timeout, Reason::TIME_LIMIT, None);
            }
        }
        self.reservations.retain(|reservation| reservation.end > now);
        let (mut maint, mut reserved) = (Bits::new(), Bits::new());
        for reservation in self.reservations.iter().filter(|reservation| reservation.is_active(now)) {
            if reservation.flags.maint {
                maint.union(&reservation.nodes);
            } else {
                reserved.union(&reservation.nodes);
            }
        }
        for (at, node) in self.nodes.iter_mut().enumerate() {
            node.flags.put(NodeFlags::MAINT, maint.has(at));
            node.flags.put(NodeFlags::RESERVED, reserved.has(at) && !maint.has(at));
        }
        self.ask_schedule();
    }
}
