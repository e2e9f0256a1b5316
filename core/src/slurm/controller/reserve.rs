//! Reservations: who may use which nodes when.

use super::schedule::Blocked;
use super::{Controller, Event, Reservation};
use crate::slurm::Time;
use crate::slurm::model::{Bits, Job, JobBase, JobId, NodeFlags, PartIdx, Reason};

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

/// When a job may use what reservations leave it.
pub(super) struct Window {
    /// Not before.
    pub(super) when: Time,
    /// Whether reservations keep nodes of its partition from it.
    pub(super) overlaps: bool,
}

impl Controller {
    /// For a plan of backfill: takes nodes out of `nodes` that reservations keep from a job of that length which would
    /// start at `when`; a reservation that it cannot go around moves the start to its end.
    ///
    /// # Errors
    ///
    /// Its own reservation has not begun or is over, or every start is in the way of a reservation.
    pub(super) fn reserved_for(
        &self,
        job: &Job,
        partition: PartIdx,
        when: Time,
        length: Time,
        nodes: &mut Bits,
    ) -> Result<Window, Blocked> {
        let busy = |other: &Reservation, when: Time| other.start < when + length && other.end > when;
        let waits = || Blocked::Other(Reason::RESERVATION, None);
        if let Some(id) = job.reservation {
            let own = self.reservations.iter().find(|other| other.id == id).ok_or_else(waits)?;
            if when < own.start || when > own.end {
                return Err(waits());
            }
            nodes.intersect(&own.nodes);
            let others = self.reservations.iter().filter(|other| other.id != id && !own.flags.maint);
            for other in others.filter(|other| busy(other, when)) {
                nodes.subtract(&other.nodes);
            }
            return Ok(Window { when, overlaps: false });
        }
        let part = &self.partitions[partition].nodes;
        let mut when = when;
        for _ in 0..10 {
            let in_the_way = self.reservations.iter().filter(|other| busy(other, when)).find(|other| {
                (other.flags.maint && part.is_subset(&other.nodes))
                    || job.required_nodes.overlaps(&other.nodes)
            });
            if let Some(other) = in_the_way {
                when = other.end;
                continue;
            }
            let mut overlaps = false;
            for other in self.reservations.iter().filter(|other| busy(other, when)) {
                nodes.subtract(&other.nodes);
                overlaps |= other.nodes.overlaps(part);
            }
            return Ok(Window { when, overlaps });
        }
        Err(waits())
    }

    /// The end of the reservation that is over first after `when`, rounded up to the grain of plans.
    pub(super) fn first_reservation_end(&self, when: Time, grain: Time) -> Option<Time> {
        let ends = self.reservations.iter().map(|other| other.end).filter(|end| *end >= when);
        ends.min().map(|end| (end + grain - 1).div_euclid(grain) * grain)
    }

    /// Takes nodes out of `nodes` that reservations keep from the job between `now` and `until`; returns what to say
    /// if the job lacks nodes because of that.
    pub(super) fn reserved_nodes(
        &self,
        job: &Job,
        part: &Bits,
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
            let whole = reservation.flags.maint && part.is_subset(&reservation.nodes);
            let text = if whole {
                "ReqNodeNotAvail, Reserved for maintenance"
            } else {
                "ReqNodeNotAvail, May be reserved for other job"
            };
            // The most telling text stays.
            if whole
                || !matches!(&kept, Some(Blocked::NotAvailable(_, Some(said))) if said.ends_with("maintenance"))
            {
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
