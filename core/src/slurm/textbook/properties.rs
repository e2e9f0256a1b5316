//! What every schedule keeps, and that it is what the definitions say, taken literally, step by step.

use proptest::prelude::*;

use super::{Job, Policy, Workload, replay};

const PROCESSORS: u32 = 16;

/// Workloads in which jobs come in bursts, end at the same instants, and often end early.
fn workloads(jobs: usize) -> impl Strategy<Value = Workload> {
    // Two of three come at the same instant as the one before.
    let gap = prop_oneof![2 => Just(0_i64), 1 => 0..12_i64];
    let run = prop_oneof![Just(1_i64), 1..40_i64];
    let slack = prop_oneof![Just(0_i64), 0..60_i64];
    prop::collection::vec((gap, run, slack, 1..=PROCESSORS), 1..jobs).prop_map(|jobs| {
        let mut submit = 0;
        let jobs = (0..).zip(jobs).map(|(number, (gap, run, slack, processors))| {
            submit += if number == 0 { 0 } else { gap };
            Job { number, submit, run, estimate: run + slack, processors }
        });
        Workload { jobs: jobs.collect(), processors: PROCESSORS, ..Workload::default() }
    })
}

/// Free processors of each second from an instant on, if running jobs (start, rank) take as long as estimated.
fn seconds(jobs: &[Job], running: &[(i64, usize)], now: i64) -> Vec<i64> {
    let length: i64 = jobs.iter().map(|job| job.estimate).sum();
    let mut free = vec![i64::from(PROCESSORS); length as usize + 1];
    for (start, rank) in running {
        let until = start + jobs[*rank].estimate - now;
        free[..until as usize].iter_mut().for_each(|free| *free -= i64::from(jobs[*rank].processors));
    }
    free
}

/// The first second at which a job fits; it is taken.
fn take(free: &mut [i64], job: &Job) -> usize {
    let wanted = i64::from(job.processors);
    let length = job.estimate as usize;
    let first =
        (0..free.len()).find(|start| free[*start..].iter().take(length).all(|free| *free >= wanted)).unwrap();
    free.iter_mut().skip(first).take(length).for_each(|free| *free -= wanted);
    first
}

/// What a policy looks at, and what it answers: who starts now.
struct Instant<'a> {
    jobs: &'a [Job],
    now: i64,
    running: &'a [(i64, usize)],
    queue: &'a [usize],
    free: u32,
}

fn in_order(queue: &[usize], jobs: &[Job], shortest_first: bool) -> Vec<usize> {
    let mut queue = queue.to_vec();
    if shortest_first {
        queue.sort_by_key(|rank| (jobs[*rank].estimate, *rank));
    }
    queue
}

fn first_that_fit(at: &Instant<'_>, shortest_first: bool) -> Vec<usize> {
    let mut free = at.free;
    let queue = in_order(at.queue, at.jobs, shortest_first).into_iter();
    queue
        .take_while(|rank| {
            let fits = at.jobs[*rank].processors <= free;
            free -= if fits { at.jobs[*rank].processors } else { 0 };
            fits
        })
        .collect()
}

fn easy(at: &Instant<'_>, shortest_first: bool) -> Vec<usize> {
    let mut started = first_that_fit(at, shortest_first);
    let queue = in_order(at.queue, at.jobs, shortest_first);
    let taken: u32 = started.iter().map(|rank| at.jobs[*rank].processors).sum();
    let mut free = at.free - taken;
    let Some(head) = queue.get(started.len()).map(|rank| &at.jobs[*rank]) else { return started };
    let running = at.running.iter().copied().chain(started.iter().map(|rank| (at.now, *rank)));
    let mut ends: Vec<(i64, u32)> =
        running.map(|(start, rank)| (start + at.jobs[rank].estimate, at.jobs[rank].processors)).collect();
    ends.sort_unstable();
    let freed = |shadow| free + ends.iter().filter(|end| end.0 <= shadow).map(|end| end.1).sum::<u32>();
    let shadow = ends.iter().map(|end| end.0).find(|shadow| freed(*shadow) >= head.processors).unwrap();
    let mut extra = freed(shadow) - head.processors;
    for rank in &queue[started.len() + 1..] {
        let job = &at.jobs[*rank];
        let in_time = at.now + job.estimate <= shadow;
        if job.processors <= free && (in_time || job.processors <= extra) {
            free -= job.processors;
            extra -= if in_time { 0 } else { job.processors };
            started.push(*rank);
        }
    }
    started
}

fn conservative(at: &Instant<'_>) -> Vec<usize> {
    let mut free = seconds(at.jobs, at.running, at.now);
    at.queue.iter().copied().filter(|rank| take(&mut free, &at.jobs[*rank]) == 0).collect()
}

/// Runs a policy that has no memory, event by event.
fn literally(workload: &Workload, policy: impl Fn(&Instant<'_>) -> Vec<usize>) -> Vec<i64> {
    let jobs = &workload.jobs;
    let (mut starts, mut arrived) = (vec![0; jobs.len()], 0);
    let (mut running, mut queue): (Vec<(i64, usize)>, Vec<usize>) = Default::default();
    loop {
        let ends = running.iter().map(|(start, rank)| start + jobs[*rank].run);
        let Some(now) = ends.chain(jobs.get(arrived).map(|job| job.submit)).min() else { return starts };
        running.retain(|(start, rank)| start + jobs[*rank].run > now);
        while jobs.get(arrived).is_some_and(|job| job.submit == now) {
            queue.push(arrived);
            arrived += 1;
        }
        let taken: u32 = running.iter().map(|(_, rank)| jobs[*rank].processors).sum();
        let free = workload.processors - taken;
        for rank in policy(&Instant { jobs, now, running: &running, queue: &queue, free }) {
            queue.retain(|other| *other != rank);
            running.push((now, rank));
            starts[rank] = now;
        }
    }
}

/// The same for Mu'alem and Feitelson's, whose memory is the reservations; answers also each job's first one.
fn reservations(workload: &Workload) -> (Vec<i64>, Vec<i64>) {
    let jobs = &workload.jobs;
    let (mut starts, mut first, mut arrived) = (vec![0; jobs.len()], vec![0; jobs.len()], 0);
    let (mut running, mut queue): (Vec<(i64, usize)>, Vec<usize>) = Default::default();
    loop {
        let ends = running.iter().map(|(start, rank)| start + jobs[*rank].run);
        let due = queue.iter().map(|rank| starts[*rank]);
        let next = ends.chain(due).chain(jobs.get(arrived).map(|job| job.submit)).min();
        let Some(now) = next else { return (starts, first) };
        let early = running
            .iter()
            .any(|(start, rank)| start + jobs[*rank].run == now && jobs[*rank].run < jobs[*rank].estimate);
        running.retain(|(start, rank)| start + jobs[*rank].run > now);
        // Where each job would start if all others stay.
        let place = |rank: usize, queue: &[usize], starts: &[i64], running: &[(i64, usize)]| {
            let mut free = seconds(jobs, running, now);
            for other in queue.iter().filter(|other| **other != rank) {
                let from = (starts[*other] - now) as usize;
                let wanted = i64::from(jobs[*other].processors);
                let length = jobs[*other].estimate as usize;
                free.iter_mut().skip(from).take(length).for_each(|free| *free -= wanted);
            }
            now + take(&mut free, &jobs[rank]) as i64
        };
        if early {
            for rank in &queue {
                starts[*rank] = place(*rank, &queue, &starts, &running);
            }
        }
        while jobs.get(arrived).is_some_and(|job| job.submit == now) {
            starts[arrived] = place(arrived, &queue, &starts, &running);
            first[arrived] = starts[arrived];
            queue.push(arrived);
            arrived += 1;
        }
        running.extend(queue.iter().filter(|rank| starts[**rank] == now).map(|rank| (now, *rank)));
        queue.retain(|rank| starts[*rank] > now);
    }
}

/// A queue of wide jobs, and a few narrow ones of all lengths among them that may pass many.
fn crowds() -> impl Strategy<Value = Workload> {
    let wide = (1..30_i64, 0..60_i64, PROCESSORS / 2..=PROCESSORS);
    let narrow = (1..40_i64, 0..40_i64, 1..=5_u32);
    prop::collection::vec(prop_oneof![2 => wide, 1 => narrow], 10..50).prop_map(|jobs| {
        let jobs = (0..).zip(jobs).map(|(number, (run, slack, processors))| {
            let submit = number / 8;
            Job { number, submit, run, estimate: run + slack, processors }
        });
        Workload { jobs: jobs.collect(), processors: PROCESSORS, ..Workload::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_start_is_that_of_the_definition_taken_literally(workload in workloads(60)) {
        let check = |policy, expect: Vec<i64>| {
            prop_assert_eq!(replay(&workload, policy), expect, "{}", policy);
            Ok(())
        };
        check(Policy::Fcfs, literally(&workload, |at| first_that_fit(at, false)))?;
        check(Policy::Sjf, literally(&workload, |at| first_that_fit(at, true)))?;
        check(Policy::Easy, literally(&workload, |at| easy(at, false)))?;
        check(Policy::EasySjf, literally(&workload, |at| easy(at, true)))?;
        check(Policy::Conservative, literally(&workload, conservative))?;
        check(Policy::MualemFeitelson, reservations(&workload).0)?;
    }

    #[test]
    fn a_job_that_passes_many_starts_as_if_all_of_them_had_been_planned(workload in crowds()) {
        prop_assert_eq!(replay(&workload, Policy::Conservative), literally(&workload, conservative));
    }

    #[test]
    fn nobody_starts_before_it_comes_and_never_are_more_processors_in_use_than_there_are(
        workload in workloads(200)
    ) {
        for policy in Policy::ALL {
            let starts = replay(&workload, policy);
            let mut changes: Vec<(i64, i64)> = Vec::new();
            for (job, start) in workload.jobs.iter().zip(&starts) {
                prop_assert!(*start >= job.submit, "{}", policy);
                // Those that end go first.
                changes.push((start + job.run, -i64::from(job.processors)));
                changes.push((*start, i64::from(job.processors)));
            }
            changes.sort_unstable();
            let mut used = 0;
            for (_, change) in changes {
                used += change;
                prop_assert!(used <= i64::from(PROCESSORS), "{}", policy);
            }
        }
    }

    #[test]
    fn first_come_is_first_served_whoever_comes_later(workload in workloads(200), first in 1_usize..200) {
        let starts = replay(&workload, Policy::Fcfs);
        prop_assert!(starts.is_sorted());
        let mut prefix = workload.clone();
        prefix.jobs.truncate(first);
        prop_assert_eq!(&replay(&prefix, Policy::Fcfs)[..], &starts[..prefix.jobs.len()]);
    }

    /// The head's shadow when it became the head is where it would start if every job ran as long as estimated; so with true
    /// estimates it starts no later than if nobody had passed it.
    #[test]
    fn with_true_estimates_easy_starts_a_head_no_later_than_its_shadow(workload in workloads(100)) {
        let mut workload = workload;
        for job in &mut workload.jobs {
            job.estimate = job.run;
        }
        let starts = replay(&workload, Policy::Easy);
        for (rank, start) in starts.iter().enumerate() {
            // When all before it had started, or it came.
            let head = starts[..rank].iter().copied().max().unwrap_or(0).max(workload.jobs[rank].submit);
            let running = (0..starts.len())
                .filter(|other| starts[*other] < head && starts[*other] + workload.jobs[*other].run > head)
                .chain((0..rank).filter(|other| starts[*other] == head))
                .map(|other| (starts[other], other))
                .collect::<Vec<_>>();
            let shadow = head + take(&mut seconds(&workload.jobs, &running, head), &workload.jobs[rank]) as i64;
            prop_assert!(*start <= shadow, "job {} at {} not {}", rank, start, shadow);
        }
    }

    #[test]
    fn no_reservation_of_mualem_and_feitelson_moves_back(workload in workloads(60)) {
        let starts = replay(&workload, Policy::MualemFeitelson);
        let (_, first) = reservations(&workload);
        prop_assert!(starts.iter().zip(&first).all(|(start, first)| start <= first));
    }
}
