//! `scontrol show assoc_mgr`: limits of users, associations and QOS, and what is in use of them.

use std::collections::BTreeMap;

use crate::slurm::accounting::{Association, Qos, Shares, TresLimits};
use crate::slurm::commands::CommandOutput;
use crate::slurm::controller::Controller;
use crate::slurm::model::{Bits, Job, PreemptMode, TresCount};

/// What some jobs use.
#[derive(Clone, Debug, Default)]
struct Used {
    jobs: u32,
    accrue: u32,
    submitted: u32,
    nodes: Bits,
    tres: TresCount,
    /// TRES times the seconds that their limits leave, as of the last time that usage was counted.
    run_seconds: Vec<(TresCount, u64)>,
}

impl Used {
    fn of<'a>(controller: &'a Controller, jobs: impl Iterator<Item = &'a Job>) -> Self {
        let now = controller.time();
        let mut used = Self::default();
        for job in jobs {
            let tasks = job.pending_tasks.as_ref().map_or(1, |tasks| tasks.tasks.len() as u32);
            used.submitted += tasks;
            let Some(tres) = &job.alloc_tres else {
                // Jobs that are held, wait for others or for their time gather no age.
                used.accrue += if job.accrue != 0 && job.accrue <= now { tasks } else { 0 };
                continue;
            };
            used.jobs += 1;
            used.nodes.union(&job.nodes);
            used.tres.cpus += tres.cpus;
            used.tres.memory += tres.memory;
            used.tres.billing += tres.billing;
            for (name, count) in &tres.gres {
                match used.tres.gres.iter_mut().find(|(other, _)| other == name) {
                    Some((_, sum)) => *sum += count,
                    None => used.tres.gres.push((name.clone(), *count)),
                }
            }
            let limit = (job.end - job.start).max(0);
            let counted = (controller.last_decay() - job.start).max(0);
            used.run_seconds.push((tres.clone(), u64::try_from(limit - counted).unwrap_or(0)));
        }
        used.tres.nodes = used.nodes.count() as u64;
        used
    }

    fn run_minutes(&self, name: &str) -> u64 {
        self.run_seconds.iter().map(|(tres, seconds)| tres.of(name) * seconds).sum::<u64>() / 60
    }
}

/// Names of the TRES that are counted, in their order.
fn names(controller: &Controller) -> Vec<String> {
    let standard = ["cpu", "mem", "energy", "node", "billing", "fs/disk", "vmem", "pages"];
    standard.into_iter().map(str::to_owned).chain(controller.params.accounting_tres.iter().cloned()).collect()
}

/// `cpu=4(3),mem=N(3000)`: each with its limit and what is in use.
fn with_use(names: &[String], limits: &TresLimits, used: impl Fn(&str) -> u64) -> String {
    let part = |name: &String| {
        let limit = limits.iter().find(|(other, _)| other == name).map(|(_, most)| *most);
        format!("{name}={}({})", number(limit), used(name))
    };
    names.iter().map(part).collect::<Vec<_>>().join(",")
}

/// `cpu=4`: only what is limited.
fn limited(names: &[String], limits: &TresLimits) -> String {
    let part = |name: &String| {
        let (_, most) = limits.iter().find(|(other, _)| other == name)?;
        Some(format!("{name}={most}"))
    };
    names.iter().filter_map(part).collect::<Vec<_>>().join(",")
}

fn number<T: ToString>(limit: Option<T>) -> String {
    limit.map_or_else(|| "N".into(), |limit| limit.to_string())
}

/// `MaxJobs=1(1)`, or nothing behind the equals sign without a limit.
fn own(limit: Option<u32>, used: u32) -> String {
    limit.map_or_else(String::new, |limit| format!("{limit}({used})"))
}

/// What to show.
#[derive(Clone, Debug, Default)]
struct Wanted {
    users: Vec<String>,
    accounts: Vec<String>,
    qos: Vec<String>,
    flags: [bool; 3],
}

pub(super) fn show(controller: &Controller, one_line: bool, words: &[&str]) -> CommandOutput {
    let mut wanted = Wanted::default();
    for word in words {
        let (tag, value) = word.split_once('=').unwrap_or((word, ""));
        let lower = tag.to_ascii_lowercase();
        let is = |name: &str| !lower.is_empty() && name.starts_with(&lower);
        let list = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
        if value.is_empty() {
            let stderr = format!("No value given for option {tag}\n");
            return CommandOutput { stderr, ..CommandOutput::default() };
        } else if is("accounts") {
            wanted.accounts = list();
        } else if is("flags") {
            let value = value.to_ascii_lowercase();
            wanted.flags = ["users", "assoc", "qos"].map(|name| value.contains(name));
            if wanted.flags == [false; 3] {
                let stderr =
                    format!("invalid flag '{value}', valid options are 'Assoc, QOS, and/or Users'\n");
                return CommandOutput { stderr, ..CommandOutput::default() };
            }
        } else if is("qos") {
            wanted.qos = list();
        } else if is("users") {
            wanted.users = list();
        } else {
            return CommandOutput::error(format!("invalid entity: {tag} for keyword:show assoc_mgr\n"));
        }
    }
    if wanted.flags == [false; 3] {
        wanted.flags = [true; 3];
    }
    let (before, after) = if one_line { ("", "") } else { ("\n", "\n") };
    let newline = if one_line { " " } else { "\n    " };
    let mut text = "Current Association Manager state\n".to_owned();
    let mut part = |title: &str, none: &str, records: Vec<String>| {
        let head = if records.is_empty() { none } else { title };
        text.push_str(&format!("{before}{head}{after}\n"));
        records.iter().for_each(|record| text.push_str(record));
    };
    if wanted.flags[0] {
        part("User Records", "No users currently cached in Slurm.", users(controller, &wanted));
    }
    if wanted.flags[1] {
        let records = associations(controller, &wanted, newline);
        part("Association Records", "No associations currently cached in Slurm.", records);
    }
    if wanted.flags[2] {
        let all = &controller.accounting.qos;
        let chosen = all.iter().filter(|qos| wanted.qos.is_empty() || wanted.qos.contains(&qos.name));
        let records = chosen.map(|qos| qos_record(controller, qos, newline, one_line)).collect();
        part("QOS Records", "No QOS currently cached in Slurm.", records);
    }
    CommandOutput::text(text)
}

fn users(controller: &Controller, wanted: &Wanted) -> Vec<String> {
    controller
        .accounting
        .users
        .iter()
        .filter(|user| wanted.users.is_empty() || wanted.users.contains(&user.name))
        .map(|user| {
            let uid = controller.users.by_name(&user.name).map_or(u32::MAX - 1, |known| known.uid);
            format!(
                "UserName={}({uid}) DefAccount={} DefWckey= AdminLevel={}\n",
                user.name, user.default_account, user.admin
            )
        })
        .collect()
}

/// Left ends of the intervals by which the database nests associations: what was added last comes first.
fn intervals(controller: &Controller) -> BTreeMap<u32, u32> {
    fn walk(controller: &Controller, id: u32, next: &mut u32, left: &mut BTreeMap<u32, u32>) {
        left.insert(id, *next);
        *next += 1;
        let all = &controller.accounting.associations;
        let mut below: Vec<u32> =
            all.iter().filter(|assoc| assoc.parent == id && assoc.id != id).map(|assoc| assoc.id).collect();
        below.sort_unstable_by(|a, b| b.cmp(a));
        for child in below.into_iter().filter(|child| !left.contains_key(child)).collect::<Vec<_>>() {
            walk(controller, child, next, left);
        }
        *next += 1;
    }
    let (mut next, mut left) = (1, BTreeMap::new());
    walk(controller, 1, &mut next, &mut left);
    left
}

fn associations(controller: &Controller, wanted: &Wanted, newline: &str) -> Vec<String> {
    let left = intervals(controller);
    let mut order = vec![1];
    let mut at = 0;
    // Each account with its users before the accounts below it, by name.
    while let Some(id) = order.get(at).copied() {
        let mut below = controller.children(id);
        below.retain(|child| !order.contains(child));
        let rest = order.split_off(at + 1);
        order.extend(below);
        order.extend(rest);
        at += 1;
    }
    order
        .iter()
        .filter_map(|id| controller.accounting.association(*id))
        .filter(|assoc| wanted.accounts.is_empty() || wanted.accounts.contains(&assoc.account))
        .filter(|assoc| {
            wanted.users.is_empty() || assoc.user.as_ref().is_some_and(|user| wanted.users.contains(user))
        })
        .map(|assoc| association(controller, assoc, left.get(&assoc.id).copied().unwrap_or(0), newline))
        .collect()
}

fn association(controller: &Controller, assoc: &Association, left: u32, newline: &str) -> String {
    let db = &controller.accounting;
    let names = names(controller);
    let live =
        controller.jobs.pending().chain(controller.jobs.active()).filter(|job| !job.state.is_finished());
    let of_this = live.filter(|job| job.assoc != 0 && db.chain(job.assoc).any(|above| above.id == assoc.id));
    let used = Used::of(controller, of_this);
    let usage = controller.usage_of(assoc.id).cloned().unwrap_or_default();
    let shares = |shares: Shares| match shares {
        Shares::Number(number) => number,
        Shares::Parent => 2_147_483_647,
    };
    let siblings = controller.children(assoc.parent);
    let level: u32 =
        siblings.iter().filter_map(|id| db.association(*id)).map(|other| shares(other.shares)).sum();
    let root = assoc.id == 1;
    let user = assoc.user.as_ref().map_or_else(String::new, |name| {
        format!("{name}({})", controller.users.by_name(name).map_or(u32::MAX - 1, |user| user.uid))
    });
    let parent = match db.association(assoc.parent) {
        Some(parent) if assoc.user.is_none() && !root => format!("{}({})", parent.account, parent.id),
        _ => String::new(),
    };
    let default = assoc.user.as_ref().is_some_and(|name| {
        db.users.iter().any(|user| user.name == *name && user.default_account == assoc.account)
    });
    let limits = &assoc.limits;
    let factor = if assoc.user.is_some() { usage.factor } else { 0.0 };
    let lines = [
        format!(
            "ClusterName={} Account={} UserName={user} Partition={} Priority={} ID={}",
            controller.params.cluster,
            assoc.account,
            assoc.partition.as_deref().unwrap_or_default(),
            assoc.priority.unwrap_or(0),
            assoc.id
        ),
        format!(
            "SharesRaw/Norm/Level/Factor={}/{:.2}/{}/{factor:.2}",
            shares(assoc.shares),
            if root { 0.0 } else { usage.norm_shares },
            if root { 1 } else { level }
        ),
        format!(
            "UsageRaw/Norm/Efctv={:.2}/{:.2}/{:.2}",
            usage.raw,
            if root { 1.0 } else { usage.norm },
            if root { 1.0 } else { usage.effective }
        ),
        format!("ParentAccount={parent} Lft={left} DefAssoc={}", if default { "Yes" } else { "No" }),
        format!("GrpJobs={}({}) GrpJobsAccrue=N({})", number(limits.grp_jobs), used.jobs, used.accrue),
        format!(
            "GrpSubmitJobs={}({}) GrpWall={}(0.00)",
            number(limits.grp_submit_jobs),
            used.submitted,
            number(limits.grp_wall)
        ),
        format!("GrpTRES={}", with_use(&names, &limits.grp_tres, |name| used.tres.of(name))),
        format!("GrpTRESMins={}", with_use(&names, &limits.grp_tres_mins, |_| 0)),
        format!(
            "GrpTRESRunMins={}",
            with_use(&names, &limits.grp_tres_run_mins, |name| used.run_minutes(name))
        ),
        format!(
            "MaxJobs={} MaxJobsAccrue= MaxSubmitJobs={} MaxWallPJ={}",
            own(assoc.max_jobs, used.jobs),
            own(assoc.max_submit_jobs, used.submitted),
            limits.max_wall.map_or_else(String::new, |minutes| minutes.to_string())
        ),
        format!("MaxTRESPJ={}", limited(&names, &limits.max_tres_per_job)),
        format!("MaxTRESPN={}", limited(&names, &limits.max_tres_per_node)),
        format!("MaxTRESMinsPJ={}", limited(&names, &limits.max_tres_mins_per_job)),
        "MinPrioThresh=".to_owned(),
    ];
    lines.join(newline) + "\n"
}

fn qos_record(controller: &Controller, qos: &Qos, newline: &str, one_line: bool) -> String {
    let names = names(controller);
    let live = || {
        let all = controller.jobs.pending().chain(controller.jobs.active());
        all.filter(|job| !job.state.is_finished() && job.qos == qos.name)
    };
    let used = Used::of(controller, live());
    let limits = &qos.limits;
    let mode = match qos.preempt_mode {
        None | Some(PreemptMode::Off) => "OFF",
        Some(PreemptMode::Suspend) => "SUSPEND",
        Some(PreemptMode::Requeue) => "REQUEUE",
        Some(PreemptMode::Cancel) => "CANCEL",
    };
    let mut text = [
        format!("QOS={}({})", qos.name, qos.id),
        "UsageRaw=0.000000".to_owned(),
        format!(
            "GrpJobs={}({}) GrpJobsAccrue=N({}) GrpSubmitJobs={}({}) GrpWall={}(0.00)",
            number(limits.grp_jobs),
            used.jobs,
            used.accrue,
            number(limits.grp_submit_jobs),
            used.submitted,
            number(limits.grp_wall)
        ),
        format!("GrpTRES={}", with_use(&names, &limits.grp_tres, |name| used.tres.of(name))),
        format!("GrpTRESMins={}", with_use(&names, &limits.grp_tres_mins, |_| 0)),
        format!(
            "GrpTRESRunMins={}",
            with_use(&names, &limits.grp_tres_run_mins, |name| used.run_minutes(name))
        ),
        format!("MaxWallPJ={}", limits.max_wall.map_or_else(String::new, |minutes| minutes.to_string())),
        format!("MaxTRESPJ={}", limited(&names, &limits.max_tres_per_job)),
        format!("MaxTRESPN={}", limited(&names, &limits.max_tres_per_node)),
        format!("MaxTRESMinsPJ={}", limited(&names, &limits.max_tres_mins_per_job)),
        "MinPrioThresh= ".to_owned(),
        format!("MinTRESPJ={}", limited(&names, &qos.min_tres_per_job)),
        format!("PreemptMode={mode}"),
        format!("Priority={}", qos.priority),
    ]
    .join(newline);
    // Accounts and users in the order in which their first jobs came.
    let mut accounts: Vec<&str> = Vec::new();
    let mut users: Vec<u32> = Vec::new();
    let mut jobs: Vec<&Job> = live().collect();
    jobs.sort_by_key(|job| job.id);
    for job in &jobs {
        let account = job.request.account.as_deref().unwrap_or_default();
        if !accounts.contains(&account) {
            accounts.push(account);
        }
        if !users.contains(&job.request.uid) {
            users.push(job.request.uid);
        }
    }
    let limits = |kind: &str, who: &str, used: &Used, most: [Option<u32>; 2], tres: &TresLimits| {
        let (open, inner, close) = if one_line { ("={", " ", "}") } else { ("", "\n        ", "") };
        let lead = if one_line { " " } else { "\n      " };
        let inner_first = if one_line { open } else { inner };
        format!(
            "{lead}{who}{inner_first}MaxJobsP{kind}={}({}) MaxJobsAccrueP{kind}=N({}) MaxSubmitJobsP{kind}={}({}){inner}MaxTRESP{kind}={}{close}",
            number(most[0]),
            used.jobs,
            used.accrue,
            number(most[1]),
            used.submitted,
            with_use(&names, tres, |name| used.tres.of(name))
        )
    };
    let none = |what: &str| if one_line { what.to_owned() } else { format!("\n        {what}") };
    let sign = if one_line { "=" } else { "" };
    text.push_str(&format!("{newline}Account Limits{sign}"));
    for account in &accounts {
        let of = live().filter(|job| job.request.account.as_deref().unwrap_or_default() == *account);
        let most = [qos.max_jobs_per_account, qos.max_submit_jobs_per_account];
        text.push_str(&limits("A", account, &Used::of(controller, of), most, &qos.max_tres_per_account));
    }
    if accounts.is_empty() {
        text.push_str(&none("No Accounts"));
    }
    text.push_str(&format!("{newline}User Limits{sign}"));
    for uid in &users {
        let of = live().filter(|job| job.request.uid == *uid);
        let most = [qos.max_jobs_per_user, qos.max_submit_jobs_per_user];
        text.push_str(&limits(
            "U",
            &uid.to_string(),
            &Used::of(controller, of),
            most,
            &qos.max_tres_per_user,
        ));
    }
    if users.is_empty() {
        text.push_str(&none("No Users"));
    }
    text.push('\n');
    text
}
