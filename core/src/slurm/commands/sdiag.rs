//! `sdiag`: counters of the controller.

use super::format::date_line;
use super::{CommandOutput, Session};
use crate::slurm::controller::Controller;
use crate::slurm::model::JobBase;

/// Runs `sdiag` with these arguments (without the name itself).
///
/// Times of cycles are virtual here and print as 0; threads and RPC are those of a controller that nobody else asks.
pub fn sdiag(controller: &Controller, _session: &Session<'_>, args: &[String]) -> CommandOutput {
    if let Some(word) = args.first() {
        return match word.as_str() {
            "--version" | "-V" => CommandOutput::text("slurm-wlm 22.05.8\n"),
            "--all" | "-a" => text(controller),
            _ => CommandOutput::error(format!("sdiag: not modelled: {word}\n")),
        };
    }
    text(controller)
}

fn text(controller: &Controller) -> CommandOutput {
    if let Some(output) = super::no_contact(controller, "slurm_get_statistics") {
        return output;
    }
    let s = &controller.statistics;
    let mean = |sum: u64, count: u64| sum.checked_div(count).unwrap_or(0);
    let at = |time: i64| format!("{} ({time})", date_line(time));
    let now = controller.time();
    let line = "*".repeat(55);
    let pending = controller.jobs.pending().count();
    let running = controller.jobs.active().filter(|job| job.state.base == JobBase::Running).count();
    // The counts of jobs by state are brought up to date by a thread once a minute (recorded: 0 at the stamp of the start).
    let counted = controller.boot + (now - controller.boot).div_euclid(60) * 60;
    let (pending, running) = if counted == controller.boot { (0, 0) } else { (pending, running) };
    let out = format!(
        "{line}\nsdiag output at {}\nData since      {}\n{line}\n\
         Server thread count:  1\nAgent queue size:     0\nAgent count:          0\nAgent thread count:   0\nDBD Agent queue size: 0\n\n\
         Jobs submitted: {}\nJobs started:   {}\nJobs completed: {}\nJobs canceled:  {}\nJobs failed:    {}\n\n\
         Job states ts:  {}\nJobs pending:   {pending}\nJobs running:   {running}\n\n\
         Main schedule statistics (microseconds):\n\tLast cycle:   0\n\tMax cycle:    0\n\tTotal cycles: {}\n\tMean cycle:   0\n\
         \tMean depth cycle:  {}\n\tLast queue length: {}\n\n\
         Backfilling stats\n\tTotal backfilled jobs (since last slurm start): {}\n\
         \tTotal backfilled jobs (since last stats cycle start): {}\n\tTotal backfilled heterogeneous job components: 0\n\
         \tTotal cycles: {}\n\tLast cycle when: {}\n\tLast cycle: 0\n\tMax cycle:  0\n\tMean cycle: 0\n\
         \tLast depth cycle: {}\n\tLast depth cycle (try sched): {}\n\tDepth Mean: {}\n\tDepth Mean (try depth): {}\n\
         \tLast queue length: {}\n\tQueue length mean: {}\n\tLast table size: {}\n\tMean table size: {}\n\n\
         Latency for 1000 calls to gettimeofday(): 0 microseconds\n\n\
         Remote Procedure Call statistics by message type\n\nRemote Procedure Call statistics by user\n\n\
         Pending RPC statistics\n\tNo pending RPCs\n",
        at(now),
        at(controller.boot),
        s.jobs_submitted,
        s.jobs_started,
        s.jobs_completed,
        s.jobs_canceled,
        s.jobs_failed,
        at(counted),
        s.main_cycles,
        mean(s.main_depth_sum, s.main_cycles),
        s.main_last_queue_length,
        s.backfilled_jobs,
        s.backfilled_jobs_since_cycle,
        s.backfill_cycles,
        if s.backfill_last_cycle_at == 0 { "N/A".into() } else { at(s.backfill_last_cycle_at) },
        s.backfill_last_depth,
        s.backfill_last_depth_try,
        mean(s.backfill_depth_sum, s.backfill_cycles),
        mean(s.backfill_depth_try_sum, s.backfill_cycles),
        s.backfill_last_queue_length,
        mean(s.backfill_queue_length_sum, s.backfill_cycles),
        s.backfill_table_size,
        s.backfill_table_size,
    );
    CommandOutput::text(out)
}
