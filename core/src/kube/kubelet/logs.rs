//! What a container wrote, as the container runtime keeps it.

use std::collections::VecDeque;

use crate::sim::SimTime;

/// Bytes that are kept per container instance: `containerLogMaxSize`, 10 MiB.
const MAX_BYTES: usize = 10 << 20;

/// Which stream a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the two standard streams")]
pub enum LogStream {
    Stdout,
    Stderr,
}

/// One line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When its last byte was written.
    pub at: SimTime,
    /// Where to.
    pub stream: LogStream,
    /// Its text with the final newline; without one, the container has not
    /// ended the line yet.
    pub text: String,
}

/// The log of one container instance. Its oldest lines go when it outgrows 10 MiB.
#[derive(Clone, Debug, Default)]
pub struct ContainerLog {
    lines: VecDeque<LogLine>,
    bytes: usize,
    dropped: usize,
}

impl ContainerLog {
    /// Appends what was written at `at`. Bytes that are not UTF-8 are shown as U+FFFD.
    pub fn write(&mut self, at: SimTime, stream: LogStream, bytes: &[u8]) {
        for piece in String::from_utf8_lossy(bytes).split_inclusive('\n') {
            self.bytes += piece.len();
            match self.lines.back_mut() {
                Some(last) if last.stream == stream && !last.text.ends_with('\n') => {
                    last.text.push_str(piece);
                    last.at = at;
                }
                _ => self.lines.push_back(LogLine { at, stream, text: piece.to_owned() }),
            }
        }
        while self.bytes > MAX_BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.text.len();
            self.dropped += 1;
        }
    }

    /// The lines that are still there, oldest first.
    pub const fn lines(&self) -> &VecDeque<LogLine> {
        &self.lines
    }

    /// The last lines, at most `lines` of them and of these the last `bytes` bytes.
    /// A character that this cuts is shown as U+FFFD.
    pub fn tail(&self, lines: usize, bytes: usize) -> String {
        let from = self.lines.len().saturating_sub(lines);
        let text: String = self.lines.range(from..).map(|line| line.text.as_str()).collect();
        String::from_utf8_lossy(&text.as_bytes()[text.len().saturating_sub(bytes)..]).into_owned()
    }

    /// How many older lines have been dropped: the number of the first line in
    /// [`ContainerLog::lines`], for whoever follows the log.
    pub const fn dropped(&self) -> usize {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_written_in_pieces_is_one_line_and_streams_do_not_mix() {
        let mut log = ContainerLog::default();
        log.write(SimTime::from_secs(1), LogStream::Stdout, b"one\ntw");
        log.write(SimTime::from_secs(2), LogStream::Stdout, b"o\n");
        log.write(SimTime::from_secs(3), LogStream::Stdout, b"thr");
        log.write(SimTime::from_secs(3), LogStream::Stderr, b"oops\n");
        let lines: Vec<_> = log.lines().iter().map(|l| (l.at.as_secs(), l.text.as_str())).collect();
        assert_eq!(lines, [(1, "one\n"), (2, "two\n"), (3, "thr"), (3, "oops\n")]);
    }

    #[test]
    fn the_tail_is_limited_in_lines_and_in_bytes() {
        let mut log = ContainerLog::default();
        log.write(SimTime::ZERO, LogStream::Stdout, "one\ntwo\nthr\u{e9}e\n".as_bytes());
        assert_eq!(log.tail(2, 100), "two\nthr\u{e9}e\n");
        assert_eq!(log.tail(2, 4), "\u{e9}e\n");
        assert_eq!(log.tail(2, 3), "\u{fffd}e\n");
        assert_eq!(log.tail(9, 100), "one\ntwo\nthr\u{e9}e\n");
    }

    #[test]
    fn the_oldest_lines_go_when_the_log_outgrows_its_limit() {
        let mut log = ContainerLog::default();
        let line = format!("{}\n", "x".repeat((1 << 20) - 1));
        for _ in 0..12 {
            log.write(SimTime::ZERO, LogStream::Stdout, line.as_bytes());
        }
        assert_eq!((log.lines().len(), log.dropped()), (10, 2));
    }
}
