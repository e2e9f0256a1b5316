//! Redirections: what `<`, `>`, `>>`, `<<`, `2>&1` and their like open.

use super::expand::{Expander, Fault, Result};
use super::script::{Block, Redirect, Target};
use super::shell::{Frame, Shell};
use crate::process::files::{FileError, resolve};
use crate::process::host::Host;
use crate::process::kernel::{Body, Handle, Source, Stream, Sys};

/// A redirection with its word expanded.
#[derive(Clone, Debug)]
pub(crate) struct ReadyRedirect {
    fd: Option<u32>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Read(String),
    Write { path: String, clobber: bool },
    Append(String),
    ReadWrite(String),
    Duplicate { from: u32, input: bool, moves: bool },
    Close { input: bool },
    Both { path: String, append: bool },
    Text(String),
    FromProcess(Block),
    ToProcess(Block),
}

/// The highest descriptor that a script may use.
const MAX_FD: u32 = 1023;

impl Expander<'_> {
    pub(crate) fn redirects(&mut self, redirects: &[Redirect]) -> Result<Vec<ReadyRedirect>> {
        redirects.iter().map(|redirect| self.redirect(redirect)).collect()
    }

    /// A file name: one field, or the redirection is ambiguous.
    fn file_name(&mut self, word: &super::script::Word) -> Result<String> {
        let fields = self.fields(std::slice::from_ref(word))?;
        match <[String; 1]>::try_from(fields) {
            Ok([path]) => Ok(path),
            Err(_) => {
                let text = self.text(&word.parts)?;
                Err(Fault::Discard(format!("{text}: ambiguous redirect")))
            }
        }
    }

    fn redirect(&mut self, redirect: &Redirect) -> Result<ReadyRedirect> {
        let what = match &redirect.target {
            Target::Read(word) => What::Read(self.file_name(word)?),
            Target::Write { word, clobber } => What::Write { path: self.file_name(word)?, clobber: *clobber },
            Target::Append(word) => What::Append(self.file_name(word)?),
            Target::ReadWrite(word) => What::ReadWrite(self.file_name(word)?),
            Target::Both { word, append } => What::Both { path: self.file_name(word)?, append: *append },
            Target::HereDocument(parts) => What::Text(self.text(parts)?),
            Target::HereString(word) => What::Text(self.text(&word.parts)? + "\n"),
            Target::FromProcess(block) => What::FromProcess(block.clone()),
            Target::ToProcess(block) => What::ToProcess(block.clone()),
            Target::Duplicate { word, input } => {
                let text = self.file_name(word)?;
                let (digits, moves) =
                    text.strip_suffix('-').map_or((text.as_str(), false), |digits| (digits, true));
                match digits.parse() {
                    Ok(from) => What::Duplicate { from, input: *input, moves },
                    Err(_) if text == "-" => What::Close { input: *input },
                    // `>& file` is an old way to write `&> file`.
                    Err(_) if !input && redirect.fd.is_none() => What::Both { path: text, append: false },
                    Err(_) => return Err(Fault::Discard(format!("{text}: ambiguous redirect"))),
                }
            }
        };
        Ok(ReadyRedirect { fd: redirect.fd, what })
    }
}

impl Shell {
    /// Opens redirections one after the other; gives what has to be put back. On an error nothing is changed.
    pub(crate) fn open_redirects<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        redirects: &[ReadyRedirect],
    ) -> std::result::Result<Vec<(u32, Option<Handle>)>, String> {
        let mut saved = Vec::new();
        for redirect in redirects {
            if let Err(message) = self.open_redirect(sys, redirect, &mut saved) {
                self.undo(sys, Frame::Fds(saved));
                return Err(message);
            }
        }
        Ok(saved)
    }

    fn open_redirect<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        redirect: &ReadyRedirect,
        saved: &mut Vec<(u32, Option<Handle>)>,
    ) -> std::result::Result<(), String> {
        let mut set = |sys: &mut Sys<'_, H>, fd: u32, handle: Option<Handle>| {
            saved.push((fd, sys.fd(fd)));
            sys.set_fd(fd, handle);
        };
        let input = matches!(
            redirect.what,
            What::Read(_)
                | What::ReadWrite(_)
                | What::Text(_)
                | What::FromProcess(_)
                | What::Duplicate { input: true, .. }
                | What::Close { input: true }
        );
        let fd = redirect.fd.unwrap_or(u32::from(!input));
        if fd > MAX_FD {
            return Err(format!("{fd}: Bad file descriptor"));
        }
        match &redirect.what {
            What::Read(path) => {
                let handle = self.open_input(sys, path)?;
                set(sys, fd, Some(handle));
            }
            What::ReadWrite(path) => {
                let handle = self.open_output(sys, path, true, true)?;
                if let Handle::Open(id) = handle
                    && let Some(file) = sys.kernel.open.get_mut(&id)
                {
                    file.append = false;
                }
                set(sys, fd, Some(handle));
            }
            What::Write { path, clobber } => {
                let handle = self.open_output(sys, path, false, *clobber)?;
                set(sys, fd, Some(handle));
            }
            What::Append(path) => {
                let handle = self.open_output(sys, path, true, true)?;
                set(sys, fd, Some(handle));
            }
            What::Both { path, append } => {
                let handle = self.open_output(sys, path, *append, false)?;
                set(sys, 1, Some(handle));
                set(sys, 2, Some(handle));
            }
            What::Duplicate { from, moves, .. } => {
                let Some(handle) = sys.fd(*from) else { return Err(format!("{from}: Bad file descriptor")) };
                set(sys, fd, Some(handle));
                if *moves && *from != fd {
                    set(sys, *from, None);
                }
            }
            What::Close { .. } => set(sys, fd, None),
            What::Text(text) => {
                let handle = sys.kernel.open_file(Source::Memory(text.as_bytes().into()), false);
                set(sys, fd, Some(handle));
            }
            What::FromProcess(block) | What::ToProcess(block) => {
                let from = matches!(redirect.what, What::FromProcess(_));
                let (reader, writer) = sys.kernel.pipe();
                let mut child = self.fork();
                child.frames.push(Frame::Block { block: block.clone(), at: 0 });
                let mut fds = sys.fds();
                if from {
                    fds.insert(1, writer);
                } else {
                    fds.insert(0, reader);
                }
                let group = sys.group();
                if sys.kernel.spawn(sys.pid, Some(group), fds, Body::Shell(Box::new(child))).is_none() {
                    return Err("fork: retry: Resource temporarily unavailable".into());
                }
                set(sys, fd, Some(if from { reader } else { writer }));
            }
        }
        Ok(())
    }

    fn device<H: Host>(sys: &Sys<'_, H>, path: &str) -> Option<std::result::Result<Handle, FileError>> {
        let own = |fd| sys.fd(fd).ok_or(FileError::NotFound);
        Some(match path {
            "/dev/null" => Ok(Handle::Null),
            "/dev/stdin" => own(0),
            "/dev/stdout" => own(1),
            "/dev/stderr" => own(2),
            "/dev/tty" => Ok(Handle::Out(Stream::Stdout)),
            _ => {
                let number = path.strip_prefix("/dev/fd/")?.parse().ok()?;
                return sys.fd(number).map(Ok);
            }
        })
    }

    fn open_input<H: Host>(&self, sys: &mut Sys<'_, H>, name: &str) -> std::result::Result<Handle, String> {
        let path = resolve(&self.cwd, name);
        let complaint = |error: FileError| format!("{name}: {error}");
        if let Some(device) = Self::device(sys, &path) {
            return device.map_err(complaint);
        }
        // Opening a directory succeeds; it is reading that fails.
        sys.host.files().metadata(&path).map_err(complaint)?;
        Ok(sys.kernel.open_file(Source::Path(path), false))
    }

    fn open_output<H: Host>(
        &self,
        sys: &mut Sys<'_, H>,
        name: &str,
        append: bool,
        clobber: bool,
    ) -> std::result::Result<Handle, String> {
        let path = resolve(&self.cwd, name);
        let complaint = |error: FileError| format!("{name}: {error}");
        if let Some(device) = Self::device(sys, &path) {
            return device.map_err(complaint);
        }
        let now = sys.now();
        let files = sys.host.files();
        match files.metadata(&path) {
            Ok(found) if found.is_dir => return Err(complaint(FileError::IsDirectory)),
            Ok(_) if !append && !clobber && self.options.noclobber => {
                return Err(format!("{name}: cannot overwrite existing file"));
            }
            Ok(_) if append => {
                // Opening for writing is where a read-only mount refuses.
                files.append(&path, b"", now).map_err(complaint)?;
            }
            Ok(_) | Err(FileError::NotFound) => files.write(&path, Vec::new(), now).map_err(complaint)?,
            Err(error) => return Err(complaint(error)),
        }
        Ok(sys.kernel.open_file(Source::Path(path), append))
    }
}
