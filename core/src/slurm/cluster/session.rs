//! Shells at a terminal: `srun --pty bash`, `salloc`, `enroot start`. They prompt, and take a line when they are idle.

use super::host::{JobHost, JobProgram};
use crate::process::{ExecError, Fed, Process, ProcessState, Stream};

/// What passes between a shell and its terminal.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    /// What was typed and the shell has not taken.
    pub(super) typed: Vec<u8>,
    /// Nothing more will be typed.
    pub(super) closed: bool,
    /// The prompt of the line that is awaited stands there.
    pub(super) prompted: bool,
}

/// The name of the shell that these words start to talk with somebody.
fn shell(argv: &[String]) -> Option<&str> {
    let name = argv.first()?.rsplit('/').next()?;
    let options = |word: &String| matches!(word.as_str(), "-i" | "-l" | "-il" | "-li" | "--login");
    (matches!(name, "bash" | "sh") && argv[1..].iter().all(options)).then_some(name)
}

impl Session {
    /// A session, where these words start one.
    ///
    /// # Errors
    ///
    /// The shell is not there.
    pub(super) fn of(argv: &[String], host: &JobHost<'_>) -> Result<Option<Self>, ExecError> {
        use crate::process::Host as _;
        match shell(argv) {
            Some(name) if host.has_utility(name) => Ok(Some(Self::default())),
            Some(_) => Err(ExecError::NotFound(argv[0].clone())),
            None => Ok(None),
        }
    }

    fn next_line(&mut self) -> Option<String> {
        let end = self.typed.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.typed.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }

    /// Gives an idle shell the lines that were typed, as long as it takes them. Answers what was printed, and the exit code
    /// if it ends because nothing more comes.
    pub(super) fn converse(
        &mut self,
        process: &mut Process<JobProgram>,
        host: &mut JobHost<'_>,
    ) -> (Vec<(Stream, Vec<u8>)>, Option<u8>) {
        let mut printed = process.take_output();
        while process.state() == ProcessState::Idle {
            let Some(line) = self.next_line() else {
                if self.closed {
                    printed.push((Stream::Stdout, b"exit\n".to_vec()));
                    return (printed, Some(process.last_status()));
                }
                if !self.prompted {
                    printed.push((Stream::Stdout, prompt(process, host).into_bytes()));
                    self.prompted = true;
                }
                break;
            };
            self.prompted = false;
            match process.feed_line(host, &line) {
                Fed::Started => {
                    process.advance(host);
                }
                Fed::Incomplete => {
                    printed.push((Stream::Stdout, b"> ".to_vec()));
                    self.prompted = true;
                }
                Fed::SyntaxError(message) => {
                    printed.push((Stream::Stderr, format!("{message}\n").into_bytes()));
                }
            }
            printed.append(&mut process.take_output());
        }
        if process.exit_code().is_some() && process.killed_by().is_none() {
            printed.push((Stream::Stdout, b"exit\n".to_vec()));
        }
        (printed, None)
    }
}

/// The prompt of a shell as Debian and Ubuntu set it up: user, host, directory.
fn prompt(process: &Process<JobProgram>, host: &JobHost<'_>) -> String {
    let root = host.uid == 0 || host.inside().is_some_and(|view| view.root);
    let users = &host.cluster.controller.users;
    let user = match users.by_uid(host.uid) {
        _ if root => "root",
        Some(user) => user.name.as_str(),
        None => "I have no name!",
    };
    let (cwd, environment) = (process.cwd(), process.environment());
    let home = environment.get("HOME").map_or("", String::as_str);
    let shown = match cwd
        .strip_prefix(home)
        .filter(|rest| !home.is_empty() && (rest.is_empty() || rest.starts_with('/')))
    {
        Some(rest) => format!("~{rest}"),
        None => cwd.to_owned(),
    };
    format!("{user}@{}:{shown}{} ", host.hostname, if root { '#' } else { '$' })
}
