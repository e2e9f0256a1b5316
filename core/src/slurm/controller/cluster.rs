//! What a controller is started with, and the smaller tables beside jobs and nodes.

use super::Params;
use crate::slurm::Time;
use crate::slurm::accounting::AccountingDb;
use crate::slurm::model::{Bits, GresNames, Node, Partition};
use crate::slurm::select::Topology;

/// A user of the cluster's machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Id of the first group.
    pub gid: u32,
    /// Groups, the first one first.
    pub groups: Vec<String>,
}

/// The users, as the machines' `/etc/passwd` has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users(Vec<User>);

impl Users {
    /// These users and root.
    pub fn new(users: impl IntoIterator<Item = User>) -> Self {
        let root = User { name: "root".into(), uid: 0, gid: 0, groups: vec!["root".into()] };
        Self(std::iter::once(root).chain(users.into_iter().filter(|user| user.uid != 0)).collect())
    }

    /// Users with ids from 1001 and a group each, by name.
    pub fn named(names: &[&str]) -> Self {
        Self::new(names.iter().enumerate().map(|(at, name)| User {
            name: (*name).to_owned(),
            uid: 1001 + at as u32,
            gid: 1001 + at as u32,
            groups: vec![(*name).to_owned()],
        }))
    }

    /// Adds a user.
    pub fn add(&mut self, user: User) {
        self.0.push(user);
    }

    /// A user by name.
    pub fn by_name(&self, name: &str) -> Option<&User> {
        self.0.iter().find(|user| user.name == name)
    }

    /// A user by id.
    pub fn by_uid(&self, uid: u32) -> Option<&User> {
        self.0.iter().find(|user| user.uid == uid)
    }

    /// All users, root first.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.0.iter()
    }
}

/// A licence of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// Its name.
    pub name: String,
    /// How many there are.
    pub total: u32,
    /// How many are given away.
    pub used: u32,
}

/// Flags of a reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of scontrol(1)")]
pub struct ReservationFlags {
    pub maint: bool,
    pub ignore_jobs: bool,
    pub overlap: bool,
    pub spec_nodes: bool,
    pub all_nodes: bool,
    pub any_nodes: bool,
    pub flex: bool,
    pub daily: bool,
    pub weekly: bool,
    pub static_alloc: bool,
    pub part_nodes: bool,
    pub first_cores: bool,
    /// PURGE_COMP: forgotten when it was empty for so many seconds.
    pub purge: Option<u32>,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Start.
    pub start: Time,
    /// End.
    pub end: Time,
    /// Duration asked for, minutes.
    pub duration: u32,
    /// Its nodes.
    pub nodes: Bits,
    /// Users who may use it.
    pub users: Vec<String>,
    /// Accounts that may use it.
    pub accounts: Vec<String>,
    /// Groups that may use it.
    pub groups: Vec<String>,
    /// The partition whose nodes it has.
    pub partition: Option<String>,
    /// Features of its nodes.
    pub features: Option<String>,
    /// Licences that it keeps.
    pub licenses: Option<String>,
    /// Flags.
    pub flags: ReservationFlags,
}

/// What a controller is started with.
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    /// Parameters.
    pub params: Params,
    /// Users.
    pub users: Users,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Names of generic resources.
    pub names: GresNames,
    /// Partitions.
    pub partitions: Vec<Partition>,
    /// Switches, with `topology/tree`.
    pub topology: Option<Topology>,
    /// Licences.
    pub licenses: Vec<License>,
    /// The accounting database.
    pub accounting: AccountingDb,
    /// The configuration that it came from.
    pub config: std::sync::Arc<crate::slurm::config::Config>,
}
