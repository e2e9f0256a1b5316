//! Waiting while a command runs: for the clock, for Ctrl-C, for a line typed into the command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clusterlab::lab::Lab;
use clusterlab::sim::SimTime;

/// How often Ctrl-C is looked for.
const GLANCE: Duration = Duration::from_millis(50);

/// Lets a lab's clock follow the real one, or run as fast as it can.
pub struct Waiter {
    fast: bool,
    interrupted: Arc<AtomicBool>,
}

impl Waiter {
    /// Takes over Ctrl-C from now on.
    pub fn new(fast: bool) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        {
            let flag = Arc::clone(&interrupted);
            ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst))?;
        }
        Ok(Self { fast, interrupted })
    }

    /// Waits until `next`, when something happens in the lab, and lets it happen; or
    /// until something is typed, and hands it over. Answers whether it was Ctrl-C.
    pub fn wait(&self, lab: &mut Lab, next: SimTime) -> anyhow::Result<bool> {
        if self.fast {
            lab.advance_to(next);
        } else {
            self.wait_with_the_clock(lab, next)?;
        }
        let interrupted = self.interrupted.swap(false, Ordering::SeqCst);
        if interrupted {
            lab.interrupt();
        }
        Ok(interrupted)
    }

    fn wait_with_the_clock(&self, lab: &mut Lab, next: SimTime) -> anyhow::Result<()> {
        let (from, began) = (lab.now(), Instant::now());
        let span = Duration::from_nanos((next.max(from) - from).as_nanos() as u64);
        while let Some(left) = span.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            if self.interrupted.load(Ordering::SeqCst) {
                break;
            }
            if let Some(typed) = typed_within(left.min(GLANCE))? {
                lab.advance_to(next.min(from + began.elapsed()));
                if typed.is_empty() {
                    lab.end_of_file();
                }
                typed.lines().for_each(|line| lab.type_line(line));
                return Ok(());
            }
        }
        lab.advance_to(if began.elapsed() >= span { next } else { from + began.elapsed() });
        Ok(())
    }
}

/// What was typed within `span`; empty for Ctrl-D.
#[cfg(unix)]
fn typed_within(span: Duration) -> anyhow::Result<Option<String>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdin = std::io::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let timeout = Timespec { tv_sec: span.as_secs() as i64, tv_nsec: i64::from(span.subsec_nanos()) };
    match poll(&mut watched, Some(&timeout)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
        Ok(_) => {}
        Err(error) => return Err(error.into()),
    }
    // Not through std's buffer, which could keep what belongs to the next prompt.
    let mut buffer = [0; 4096];
    let length = rustix::io::read(&stdin, &mut buffer)?;
    Ok(Some(String::from_utf8_lossy(&buffer[..length]).into_owned()))
}

/// Without `poll`, lines are only read at a prompt.
#[cfg(not(unix))]
fn typed_within(span: Duration) -> anyhow::Result<Option<String>> {
    std::thread::sleep(span);
    Ok(None)
}
