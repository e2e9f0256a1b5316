//! The accounting database: accounts, users, associations and QOS, with their limits.
//!
//! What `slurmdbd` keeps and slurmctld holds a copy of. The rules that use it (limits, fair share) are the
//! controller's.

pub mod sacctmgr;

use crate::slurm::model::PreemptMode;

/// Amounts of TRES by name (`cpu`, `mem` in MiB, `node`, `billing`, `gres/gpu`, `gres/gpu:h100`), in the order given.
pub type TresLimits = Vec<(String, u64)>;

/// Shares of an association among its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
    /// So many.
    Number(u32),
    /// The user shares the account's (`fairshare=parent`).
    Parent,
}

/// Limits that associations and QOS have in common. Times in minutes.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are those of sacctmgr(1)")]
pub struct Limits {
    pub grp_jobs: Option<u32>,
    pub grp_submit_jobs: Option<u32>,
    pub grp_tres: TresLimits,
    pub grp_tres_mins: TresLimits,
    pub grp_tres_run_mins: TresLimits,
    pub grp_wall: Option<u32>,
    pub max_tres_per_job: TresLimits,
    pub max_tres_per_node: TresLimits,
    pub max_tres_mins_per_job: TresLimits,
    pub max_wall: Option<u32>,
}

/// An association of a user or an account with the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Association {
    /// Its id; root's is 1.
    pub id: u32,
    /// Account.
    pub account: String,
    /// User; `None` for the account's own.
    pub user: Option<String>,
    /// Partition that it is for alone.
    pub partition: Option<String>,
    /// Id of the account's association above; 0 for root's.
    pub parent: u32,
    /// Shares.
    pub shares: Shares,
    /// Limits.
    pub limits: Limits,
    /// MaxJobs.
    pub max_jobs: Option<u32>,
    /// MaxSubmitJobs.
    pub max_submit_jobs: Option<u32>,
    /// QOS that it may use; `None` takes those of the association above.
    pub qos: Option<Vec<String>>,
    /// DefaultQOS.
    pub default_qos: Option<String>,
    /// Priority.
    pub priority: Option<u32>,
}

/// A quality of service.
#[derive(Clone, Debug, PartialEq)]
pub struct Qos {
    /// Its id; `normal` is 1.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Priority.
    pub priority: u32,
    /// GraceTime, seconds.
    pub grace_time: u32,
    /// QOS whose jobs its jobs preempt.
    pub preempt: Vec<String>,
    /// PreemptMode, where it has its own.
    pub preempt_mode: Option<PreemptMode>,
    /// PreemptExemptTime, seconds.
    pub preempt_exempt_time: Option<u32>,
    /// Flags, as typed.
    pub flags: Vec<String>,
    /// UsageFactor.
    pub usage_factor: f64,
    /// UsageThreshold.
    pub usage_threshold: Option<f64>,
    /// Limits.
    pub limits: Limits,
    /// MaxTRESPerUser.
    pub max_tres_per_user: TresLimits,
    /// MaxTRESPerAccount.
    pub max_tres_per_account: TresLimits,
    /// MinTRESPerJob.
    pub min_tres_per_job: TresLimits,
    /// MaxJobsPerUser.
    pub max_jobs_per_user: Option<u32>,
    /// MaxJobsPerAccount.
    pub max_jobs_per_account: Option<u32>,
    /// MaxSubmitJobsPerUser.
    pub max_submit_jobs_per_user: Option<u32>,
    /// MaxSubmitJobsPerAccount.
    pub max_submit_jobs_per_account: Option<u32>,
}

impl Qos {
    /// A QOS without limits.
    pub fn new(id: u32, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            description: name.to_owned(),
            priority: 0,
            grace_time: 0,
            preempt: Vec::new(),
            preempt_mode: None,
            preempt_exempt_time: None,
            flags: Vec::new(),
            usage_factor: 1.0,
            usage_threshold: None,
            limits: Limits::default(),
            max_tres_per_user: Vec::new(),
            max_tres_per_account: Vec::new(),
            min_tres_per_job: Vec::new(),
            max_jobs_per_user: None,
            max_jobs_per_account: None,
            max_submit_jobs_per_user: None,
            max_submit_jobs_per_account: None,
        }
    }

    /// Whether it has a flag.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|other| other.eq_ignore_ascii_case(flag))
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of sacctmgr(1)")]
pub struct Account {
    pub name: String,
    pub description: String,
    pub organization: String,
}

/// A user of accounting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of sacctmgr(1)")]
pub struct AccountingUser {
    pub name: String,
    pub default_account: String,
    pub admin: String,
}

/// The database.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountingDb {
    /// Names of clusters.
    pub clusters: Vec<String>,
    /// Accounts, root first.
    pub accounts: Vec<Account>,
    /// Users, root first.
    pub users: Vec<AccountingUser>,
    /// Associations, by rising id.
    pub associations: Vec<Association>,
    /// QOS, by rising id.
    pub qos: Vec<Qos>,
}

impl Default for AccountingDb {
    fn default() -> Self {
        let root = Account {
            name: "root".into(),
            description: "default root account".into(),
            organization: "root".into(),
        };
        let user = AccountingUser {
            name: "root".into(),
            default_account: "root".into(),
            admin: "Administrator".into(),
        };
        Self {
            clusters: Vec::new(),
            accounts: vec![root],
            users: vec![user],
            associations: vec![association(1, "root", None, 0), association(2, "root", Some("root"), 1)],
            qos: vec![Qos { description: "Normal QOS default".into(), ..Qos::new(1, "normal") }],
        }
    }
}

fn association(id: u32, account: &str, user: Option<&str>, parent: u32) -> Association {
    Association {
        id,
        account: account.to_owned(),
        user: user.map(str::to_owned),
        partition: None,
        parent,
        shares: Shares::Number(1),
        limits: Limits::default(),
        max_jobs: None,
        max_submit_jobs: None,
        qos: None,
        default_qos: None,
        priority: None,
    }
}

impl AccountingDb {
    /// An association by its id.
    pub fn association(&self, id: u32) -> Option<&Association> {
        self.associations.binary_search_by_key(&id, |assoc| assoc.id).ok().map(|at| &self.associations[at])
    }

    /// The association of a user: in the account named, else in the default account; for the partition if there is one.
    pub fn find(&self, user: &str, account: Option<&str>, partition: &str) -> Option<&Association> {
        let account = match account {
            Some(account) => account,
            None => &self.users.iter().find(|record| record.name == user)?.default_account,
        };
        let of_user = |assoc: &&Association| assoc.user.as_deref() == Some(user) && assoc.account == account;
        let candidates = || self.associations.iter().filter(of_user);
        candidates()
            .find(|assoc| assoc.partition.as_deref() == Some(partition))
            .or_else(|| candidates().find(|assoc| assoc.partition.is_none()))
    }

    /// The association and those above it, up to root's.
    pub fn chain(&self, id: u32) -> impl Iterator<Item = &Association> {
        let mut next = self.association(id);
        std::iter::from_fn(move || {
            let here = next?;
            next = self.association(here.parent);
            Some(here)
        })
    }

    /// A QOS by name.
    pub fn qos(&self, name: &str) -> Option<&Qos> {
        self.qos.iter().find(|qos| qos.name == name)
    }

    /// The QOS that an association may use: its own, or those of the nearest association above that names some.
    pub fn qos_of(&self, id: u32) -> Vec<String> {
        self.chain(id).find_map(|assoc| assoc.qos.clone()).unwrap_or_else(|| vec!["normal".into()])
    }

    /// The QOS of a job that names none.
    pub fn default_qos(&self, id: u32) -> String {
        self.chain(id).find_map(|assoc| assoc.default_qos.clone()).unwrap_or_else(|| {
            let allowed = self.qos_of(id);
            if allowed.len() == 1 { allowed[0].clone() } else { "normal".into() }
        })
    }
}
