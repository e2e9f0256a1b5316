//! The files that a process sees: a tree of directories and regular files in memory.
//!
//! A [`Files`] is a value: cloning it copies one pointer (the tree is shared
//! until one side writes), so that a lab with thousands of containers can be
//! snapshot at every step. What the kubelet mounts into a container (a
//! ConfigMap, an `emptyDir`) is another [`Files`] [mounted](Files::mount) at a
//! path: it can be taken out again, written by its owner, and put back, which
//! is how two containers share a volume without shared memory.
//!
//! Errors are those of `errno(3)`, so that every program above prints the
//! sentence that the real one prints. Owners, links and permissions other than
//! "may be executed" are not modelled: everything belongs to root, who may all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thiserror::Error;

use crate::order::Collected;
use crate::sim::SimTime;

/// Why an operation on files failed, in the words of `strerror(3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FileError {
    /// `ENOENT`.
    #[error("No such file or directory")]
    NotFound,
    /// `EISDIR`.
    #[error("Is a directory")]
    IsDirectory,
    /// `ENOTDIR`.
    #[error("Not a directory")]
    NotDirectory,
    /// `ENOTEMPTY`.
    #[error("Directory not empty")]
    NotEmpty,
    /// `EEXIST`.
    #[error("File exists")]
    Exists,
    /// `EROFS`.
    #[error("Read-only file system")]
    ReadOnly,
    /// `ENOSPC`.
    #[error("No space left on device")]
    NoSpace,
    /// `EINVAL`: a directory moved into itself.
    #[error("Invalid argument")]
    Invalid,
    /// `EBUSY`: a mount point or the root is to be removed.
    #[error("Device or resource busy")]
    Busy,
    /// `ENAMETOOLONG`.
    #[error("File name too long")]
    NameTooLong,
}

/// What `stat(2)` tells of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// A directory, else a regular file or a device.
    pub is_dir: bool,
    /// A device such as `/dev/null`.
    pub is_device: bool,
    /// Bytes of content; 4096 for a directory, as ext4 says.
    pub len: u64,
    /// Any of the `x` bits of a regular file.
    pub executable: bool,
    /// When it was last written.
    pub modified: SimTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Directory,
    // A `Vec` inside the `Arc`, so that a log that is appended to line by line grows in place.
    Regular(Arc<Vec<u8>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    content: Content,
    executable: bool,
    modified: SimTime,
}

impl Node {
    fn directory(now: SimTime) -> Self {
        Self { content: Content::Directory, executable: true, modified: now }
    }

    fn len(&self) -> usize {
        match &self.content {
            Content::Directory => 0,
            Content::Regular(bytes) => bytes.len(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    files: Files,
    read_only: bool,
}

/// Bytes that a file system holds unless told otherwise.
const DEFAULT_LIMIT: usize = 64 << 20;
/// What an inode costs, so that empty files cannot be made without end.
const NODE_COST: usize = 256;
/// The longest path that Linux takes (`PATH_MAX`).
const PATH_MAX: usize = 4096;
/// Devices that every container has. Reading one ends at once, writing vanishes.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero"];

/// A file system in memory.
///
/// ```
/// use clusterlab::process::files::{FileError, Files};
/// use clusterlab::sim::SimTime;
///
/// let now = SimTime::ZERO;
/// let mut files = Files::new();
/// files.put("/etc/motd", "welcome\n", now)?;
/// files.append("/etc/motd", b"to the lab\n", now)?;
/// assert_eq!(files.read("/etc/../etc/motd")?, b"welcome\nto the lab\n");
/// assert_eq!(files.read("/etc"), Err(FileError::IsDirectory));
/// # Ok::<(), FileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Normalised absolute path → node; the root itself is not in it.
    tree: Arc<BTreeMap<String, Node>>,
    mounts: BTreeMap<String, Mount>,
    used: usize,
    limit: usize,
    /// Nothing but what is mounted may be changed.
    read_only: bool,
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

impl Files {
    /// An empty file system of 64 MiB.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// An empty file system that holds `limit` bytes (each file costs 256 more than its content).
    pub fn with_limit(limit: usize) -> Self {
        Self { tree: Arc::default(), mounts: BTreeMap::new(), used: 0, limit, read_only: false }
    }

    /// Bytes in use, without what is mounted.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes that it holds at most, without what is mounted.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether changes outside of mounts are refused (`EROFS`).
    pub fn set_read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
    }

    /// A copy of the directory at `path` as a file system of its own, with the same limit. What is mounted below it is
    /// left out.
    ///
    /// # Errors
    ///
    /// What `opendir(3)` answers.
    pub fn subtree(&self, path: &str) -> Result<Self, FileError> {
        let path = normalize(path);
        if let Some((fs, rest)) = self.below(&path) {
            return fs.subtree(&rest);
        }
        if !self.metadata(&path)?.is_dir {
            return Err(FileError::NotDirectory);
        }
        let prefix = if path == "/" { String::new() } else { path };
        let below = format!("{prefix}/");
        let tree: BTreeMap<String, Node> = self
            .tree
            .range(below.clone()..)
            .take_while(|(path, _)| path.starts_with(&below))
            .map(|(path, node)| (path[prefix.len()..].to_owned(), node.clone()))
            .collect();
        let used = tree.values().map(|node| node.len() + NODE_COST).sum();
        let rest = self.limit.saturating_sub(self.used);
        Ok(Self { tree: Arc::new(tree), mounts: BTreeMap::new(), used, limit: used + rest, read_only: false })
    }

    /// Puts back what was taken out with [`subtree`](Self::subtree): the directory at `path` then holds just that.
    ///
    /// # Errors
    ///
    /// What the system calls that this takes answer.
    pub fn replace(&mut self, path: &str, files: &Self) -> Result<(), FileError> {
        let path = normalize(path);
        if let Some(fs) = self.below_mut(&path) {
            let (fs, rest) = fs?;
            return fs.replace(&rest, files);
        }
        if !self.metadata(&path)?.is_dir {
            return Err(FileError::NotDirectory);
        }
        let prefix = if path == "/" { String::new() } else { path };
        let below = format!("{prefix}/");
        let tree = Arc::make_mut(&mut self.tree);
        tree.retain(|path, _| !path.starts_with(&below));
        tree.extend(files.tree.iter().map(|(path, node)| (format!("{prefix}{path}"), node.clone())));
        self.used = tree.values().map(|node| node.len() + NODE_COST).sum();
        Ok(())
    }

    /// Mounts `files` at `path`, which is made if it is missing and hidden if it is not empty.
    /// What was mounted there before is given back.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn mount(&mut self, path: &str, files: Self, read_only: bool) -> Result<Option<Self>, FileError> {
        let path = normalize(path);
        self.create_dir_all(&path, SimTime::ZERO)?;
        if let Some((at, rest)) = self.mount_of(&path)
            && rest != "/"
        {
            let at = at.to_owned();
            return match self.mounts.get_mut(&at) {
                Some(mount) => mount.files.mount(&rest, files, read_only),
                None => Err(FileError::NotFound),
            };
        }
        Ok(self.mounts.insert(path, Mount { files, read_only }).map(|mount| mount.files))
    }

    /// Takes out what is mounted at `path`; the directory stays.
    pub fn unmount(&mut self, path: &str) -> Option<Self> {
        self.mounts.remove(&normalize(path)).map(|mount| mount.files)
    }

    /// What is mounted at `path`, for its owner to read.
    pub fn mounted(&self, path: &str) -> Option<&Self> {
        self.mounts.get(&normalize(path)).map(|mount| &mount.files)
    }

    /// What is mounted at `path`, for its owner to write, even when it is read-only for processes.
    pub fn mounted_mut(&mut self, path: &str) -> Option<&mut Self> {
        self.mounts.get_mut(&normalize(path)).map(|mount| &mut mount.files)
    }

    /// The content of the file at `path`.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn read(&self, path: &str) -> Result<&[u8], FileError> {
        let path = normalize(path);
        if let Some((fs, rest)) = self.below(&path) {
            return fs.read(&rest);
        }
        if DEVICES.contains(&path.as_str()) {
            return Ok(&[]);
        }
        match self.lookup(&path)? {
            None => Err(FileError::IsDirectory),
            Some(node) => match &node.content {
                Content::Directory => Err(FileError::IsDirectory),
                Content::Regular(bytes) => Ok(bytes),
            },
        }
    }

    /// Writes the whole file at `path`; its directory must exist.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn write(&mut self, path: &str, content: impl Into<Vec<u8>>, now: SimTime) -> Result<(), FileError> {
        let content = content.into();
        self.change(path, now, |bytes| *bytes = content)
    }

    /// [Writes](Files::write) after making the directories above.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn put(&mut self, path: &str, content: impl Into<Vec<u8>>, now: SimTime) -> Result<(), FileError> {
        let path = normalize(path);
        self.create_dir_all(parent(&path), now)?;
        self.write(&path, content, now)
    }

    /// Writes at the end of the file at `path`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn append(&mut self, path: &str, content: &[u8], now: SimTime) -> Result<(), FileError> {
        self.change(path, now, |bytes| bytes.extend_from_slice(content))
    }

    /// Writes `content` over the bytes from `offset` on; a gap fills with zeros, as with `pwrite(2)`.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn write_at(
        &mut self,
        path: &str,
        offset: usize,
        content: &[u8],
        now: SimTime,
    ) -> Result<(), FileError> {
        if offset > self.limit {
            return Err(FileError::NoSpace);
        }
        self.change(path, now, |bytes| {
            let end = offset + content.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[offset..end].copy_from_slice(content);
        })
    }

    /// Makes a directory whose parent exists.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn create_dir(&mut self, path: &str, now: SimTime) -> Result<(), FileError> {
        let path = normalize(path);
        if let Some(fs) = self.below_mut(&path) {
            let (fs, rest) = fs?;
            return fs.create_dir(&rest, now);
        }
        if (path != "/dev" || self.has_dev()) && self.lookup_any(&path)? {
            return Err(FileError::Exists);
        }
        self.check_writable()?;
        self.check_parent(&path)?;
        self.insert(path, Node::directory(now))
    }

    /// Makes a directory and all that are missing above it.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn create_dir_all(&mut self, path: &str, now: SimTime) -> Result<(), FileError> {
        let path = normalize(path);
        let ends = path.match_indices('/').map(|(i, _)| i).skip(1).chain([path.len()]);
        for end in ends {
            let directory = &path[..end];
            match self.metadata(directory) {
                // Devices are there without it; made, it is also listed.
                Ok(found) if found.is_dir && (directory != "/dev" || self.has_dev()) => {}
                Ok(found) if found.is_dir => self.create_dir(directory, now)?,
                Ok(_) if end == path.len() => return Err(FileError::Exists),
                Ok(_) => return Err(FileError::NotDirectory),
                Err(FileError::NotFound) => self.create_dir(directory, now)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let path = normalize(path);
        if path == "/" || self.mounts.contains_key(&path) {
            return Err(FileError::Busy);
        }
        if let Some(fs) = self.below_mut(&path) {
            let (fs, rest) = fs?;
            return fs.remove(&rest);
        }
        if !self.lookup_any(&path)? {
            return Err(FileError::NotFound);
        }
        self.check_writable()?;
        if children(&self.tree, &path).next().is_some() {
            return Err(FileError::NotEmpty);
        }
        if let Some(node) = Arc::make_mut(&mut self.tree).remove(&path) {
            self.used = self.used.saturating_sub(node.len() + NODE_COST);
        }
        Ok(())
    }

    /// Removes a file, or a directory with all that is in it.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn remove_all(&mut self, path: &str) -> Result<(), FileError> {
        let path = normalize(path);
        if self.metadata(&path)?.is_dir {
            for name in self.list(&path)? {
                self.remove_all(&join(&path, &name))?;
            }
        }
        self.remove(&path)
    }

    /// Moves `from` to `to`, replacing a file or an empty directory there.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn rename(&mut self, from: &str, to: &str, now: SimTime) -> Result<(), FileError> {
        let (from, to) = (normalize(from), normalize(to));
        let source = self.metadata(&from)?;
        if from == to {
            return Ok(());
        }
        if to.starts_with(&format!("{from}/")) {
            return Err(FileError::Invalid);
        }
        match self.metadata(&to) {
            Ok(target) if target.is_dir && !source.is_dir => return Err(FileError::IsDirectory),
            Ok(target) if !target.is_dir && source.is_dir => return Err(FileError::NotDirectory),
            Ok(target) if target.is_dir => self.remove(&to)?,
            Ok(_) | Err(FileError::NotFound) => {}
            Err(error) => return Err(error),
        }
        // Not the cheapest way for a large directory, but the one that also crosses mounts.
        self.copy(&from, &to, now)?;
        self.remove_all(&from)
    }

    /// Copies a file, or a directory with all that is in it, to the new name `to`.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn copy(&mut self, from: &str, to: &str, now: SimTime) -> Result<(), FileError> {
        let (from, to) = (normalize(from), normalize(to));
        let source = self.metadata(&from)?;
        if !source.is_dir {
            let content = self.read(&from)?.to_vec();
            self.write(&to, content, now)?;
            return self.set_executable(&to, source.executable);
        }
        if to == from || to.starts_with(&format!("{from}/")) {
            return Err(FileError::Invalid);
        }
        if !self.is_dir(&to) {
            self.create_dir(&to, now)?;
        }
        for name in self.list(&from)? {
            self.copy(&join(&from, &name), &join(&to, &name), now)?;
        }
        Ok(())
    }

    /// The names in a directory, in byte order.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let path = normalize(path);
        if let Some((fs, rest)) = self.below(&path) {
            return fs.list(&rest);
        }
        if !self.metadata(&path)?.is_dir {
            return Err(FileError::NotDirectory);
        }
        let mut names: BTreeSet<String> = children(&self.tree, &path).map(ToOwned::to_owned).into_set();
        if path == "/dev" {
            names
                .extend(DEVICES.iter().filter_map(|device| device.rsplit('/').next()).map(ToOwned::to_owned));
        }
        Ok(names.into_iter().collect())
    }

    /// Whether there is anything at `path`.
    pub fn exists(&self, path: &str) -> bool {
        self.metadata(path).is_ok()
    }

    /// Whether there is a directory at `path`.
    pub fn is_dir(&self, path: &str) -> bool {
        self.metadata(path).is_ok_and(|found| found.is_dir)
    }

    /// What `stat(2)` tells.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn metadata(&self, path: &str) -> Result<Metadata, FileError> {
        let path = normalize(path);
        if let Some((fs, rest)) = self.below(&path) {
            return fs.metadata(&rest);
        }
        if DEVICES.contains(&path.as_str()) {
            let modified = SimTime::ZERO;
            return Ok(Metadata { is_dir: false, is_device: true, len: 0, executable: false, modified });
        }
        let directory =
            |modified| Metadata { is_dir: true, is_device: false, len: 4096, executable: true, modified };
        Ok(match self.lookup(&path)? {
            None => directory(SimTime::ZERO),
            Some(node) => match &node.content {
                Content::Directory => directory(node.modified),
                Content::Regular(bytes) => Metadata {
                    is_dir: false,
                    is_device: false,
                    len: bytes.len() as u64,
                    executable: node.executable,
                    modified: node.modified,
                },
            },
        })
    }

    /// Sets or clears the `x` bits of a file.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn set_executable(&mut self, path: &str, executable: bool) -> Result<(), FileError> {
        self.touch_node(path, |node| {
            if matches!(node.content, Content::Regular(_)) {
                node.executable = executable;
            }
        })
    }

    /// Sets the time of the last change of a file or directory.
    ///
    /// # Errors
    ///
    /// What the system call of that name answers.
    pub fn set_modified(&mut self, path: &str, modified: SimTime) -> Result<(), FileError> {
        self.touch_node(path, |node| node.modified = modified)
    }

    fn touch_node(&mut self, path: &str, change: impl FnOnce(&mut Node)) -> Result<(), FileError> {
        let path = normalize(path);
        if let Some(fs) = self.below_mut(&path) {
            let (fs, rest) = fs?;
            return fs.touch_node(&rest, change);
        }
        self.lookup(&path)?;
        self.check_writable()?;
        if let Some(node) = Arc::make_mut(&mut self.tree).get_mut(&path) {
            change(node);
        }
        Ok(())
    }

    fn change(
        &mut self,
        path: &str,
        now: SimTime,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), FileError> {
        let path = normalize(path);
        if let Some(fs) = self.below_mut(&path) {
            let (fs, rest) = fs?;
            return fs.change(&rest, now, change);
        }
        if DEVICES.contains(&path.as_str()) {
            return Ok(());
        }
        if path == "/" {
            return Err(FileError::IsDirectory);
        }
        self.check_parent(&path)?;
        self.check_writable()?;
        if !self.tree.contains_key(&path) {
            let content = Content::Regular(Arc::default());
            self.insert(path.clone(), Node { content, executable: false, modified: now })?;
        }
        let free = self.limit.saturating_sub(self.used);
        let Some(node) = Arc::make_mut(&mut self.tree).get_mut(&path) else {
            return Err(FileError::NotFound);
        };
        let Content::Regular(bytes) = &mut node.content else {
            return Err(FileError::IsDirectory);
        };
        let before = bytes.len();
        change(Arc::make_mut(bytes));
        node.modified = now;
        if bytes.len() > before + free {
            // What fits is written, as on a real disk that fills up.
            Arc::make_mut(bytes).truncate(before + free);
            self.used = self.limit;
            return Err(FileError::NoSpace);
        }
        self.used = self.used + bytes.len() - before;
        Ok(())
    }

    fn insert(&mut self, path: String, node: Node) -> Result<(), FileError> {
        if path.len() > PATH_MAX {
            return Err(FileError::NameTooLong);
        }
        let cost = node.len() + NODE_COST;
        if self.used + cost > self.limit {
            return Err(FileError::NoSpace);
        }
        self.used += cost;
        Arc::make_mut(&mut self.tree).insert(path, node);
        Ok(())
    }

    /// The mount that holds `path`, and the path inside it.
    fn mount_of(&self, path: &str) -> Option<(&str, String)> {
        self.mounts.keys().rev().find_map(|at| {
            let rest = path.strip_prefix(at.as_str())?;
            match rest.as_bytes().first() {
                None => Some((at.as_str(), "/".to_owned())),
                Some(b'/') => Some((at.as_str(), rest.to_owned())),
                Some(_) => None,
            }
        })
    }

    fn below(&self, path: &str) -> Option<(&Self, String)> {
        let (at, rest) = self.mount_of(path)?;
        Some((&self.mounts.get(at)?.files, rest))
    }

    #[allow(clippy::type_complexity, reason = "a pair, or the mount's refusal")]
    fn below_mut(&mut self, path: &str) -> Option<Result<(&mut Self, String), FileError>> {
        let (at, rest) = self.mount_of(path)?;
        let at = at.to_owned();
        let mount = self.mounts.get_mut(&at)?;
        Some(if mount.read_only { Err(FileError::ReadOnly) } else { Ok((&mut mount.files, rest)) })
    }

    /// The node at a normalised path of this file system itself; `None` is a directory without a
    /// node of its own (the root, `/dev`).
    fn lookup(&self, path: &str) -> Result<Option<&Node>, FileError> {
        if path == "/" {
            return Ok(None);
        }
        if let Some(node) = self.tree.get(path) {
            return Ok(Some(node));
        }
        if path == "/dev" {
            return Ok(None);
        }
        // A regular file on the way gives another error than nothing on the way.
        let on_the_way = path.match_indices('/').skip(1).map(|(i, _)| &path[..i]);
        for directory in on_the_way {
            if let Some(node) = self.tree.get(directory)
                && matches!(node.content, Content::Regular(_))
            {
                return Err(FileError::NotDirectory);
            }
        }
        Err(FileError::NotFound)
    }

    fn lookup_any(&self, path: &str) -> Result<bool, FileError> {
        match self.lookup(path) {
            Ok(_) => Ok(true),
            Err(FileError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether `/dev` is a directory of the tree, or there is no way to make it one.
    fn has_dev(&self) -> bool {
        self.tree.contains_key("/dev") || self.below("/dev").is_some() || self.read_only
    }

    fn check_writable(&self) -> Result<(), FileError> {
        if self.read_only { Err(FileError::ReadOnly) } else { Ok(()) }
    }

    fn check_parent(&self, path: &str) -> Result<(), FileError> {
        match self.lookup(parent(path))? {
            Some(Node { content: Content::Regular(_), .. }) => Err(FileError::NotDirectory),
            _ => Ok(()),
        }
    }
}

/// The names directly below a directory, in byte order.
fn children<'a>(
    tree: &'a BTreeMap<String, Node>,
    directory: &str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let prefix = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
    let skip = prefix.len();
    tree.range(prefix.clone()..)
        .take_while(move |(path, _)| path.starts_with(&prefix))
        .map(move |(path, _)| &path[skip..])
        .filter(|name| !name.contains('/'))
}

/// The directory above a normalised path.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

/// A name inside a directory, as a path.
pub fn join(directory: &str, name: &str) -> String {
    if directory.ends_with('/') { format!("{directory}{name}") } else { format!("{directory}/{name}") }
}

/// The absolute path without `.`, `..`, doubled and trailing slashes; what does not begin with `/`
/// begins at the root.
pub fn normalize(path: &str) -> String {
    resolve("/", path)
}

/// The [normalised](normalize) path of `path` as a process in the directory `cwd` understands it.
///
/// ```
/// use clusterlab::process::files::resolve;
///
/// assert_eq!(resolve("/home/ada", "../bob/./x"), "/home/bob/x");
/// assert_eq!(resolve("/home", "/../etc//passwd"), "/etc/passwd");
/// ```
pub fn resolve(cwd: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { cwd };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: SimTime = SimTime::ZERO;

    fn sample() -> Files {
        let mut files = Files::new();
        files.put("/a/b/c.txt", "one", NOW).unwrap();
        files.put("/a/x.txt", "two", NOW).unwrap();
        files.put("/a-b/y", "three", NOW).unwrap();
        files
    }

    #[test]
    fn errors_are_those_of_the_system_calls() {
        let mut files = sample();
        let text = |error: FileError| error.to_string();
        assert_eq!(files.read("/nope").map_err(text), Err("No such file or directory".into()));
        assert_eq!(files.read("/a").map_err(text), Err("Is a directory".into()));
        assert_eq!(files.read("/a/x.txt/z").map_err(text), Err("Not a directory".into()));
        assert_eq!(files.list("/a/x.txt").map_err(text), Err("Not a directory".into()));
        assert_eq!(files.remove("/a").map_err(text), Err("Directory not empty".into()));
        assert_eq!(files.create_dir("/a/b", NOW).map_err(text), Err("File exists".into()));
        assert_eq!(files.create_dir_all("/a/x.txt", NOW).map_err(text), Err("File exists".into()));
        assert_eq!(files.create_dir_all("/a/x.txt/d", NOW).map_err(text), Err("Not a directory".into()));
        assert_eq!(files.write("/no/file", "", NOW).map_err(text), Err("No such file or directory".into()));
        assert_eq!(files.write("/a", "", NOW).map_err(text), Err("Is a directory".into()));
        assert_eq!(files.remove("/").map_err(text), Err("Device or resource busy".into()));
        assert_eq!(files.rename("/a", "/a/b/d", NOW).map_err(text), Err("Invalid argument".into()));
    }

    #[test]
    fn a_listing_has_the_names_of_one_directory_in_byte_order() {
        let files = sample();
        assert_eq!(files.list("/").unwrap(), ["a", "a-b"]);
        assert_eq!(files.list("/a").unwrap(), ["b", "x.txt"]);
        assert!(files.list("/dev").unwrap().contains(&"null".to_owned()));
    }

    #[test]
    fn a_read_only_mount_refuses_processes_but_not_its_owner() {
        let mut files = sample();
        let mut config = Files::new();
        config.put("/key", "v1", NOW).unwrap();
        files.mount("/etc/config", config, true).unwrap();
        assert_eq!(files.read("/etc/config/key").unwrap(), b"v1");
        assert_eq!(files.list("/etc").unwrap(), ["config"]);
        for refused in [
            files.clone().write("/etc/config/key", "v2", NOW),
            files.clone().append("/etc/config/new", b"", NOW),
            files.clone().create_dir("/etc/config/d", NOW),
            files.clone().remove("/etc/config/key"),
            files.clone().rename("/etc/config/key", "/k", NOW),
        ] {
            assert_eq!(refused, Err(FileError::ReadOnly));
        }
        assert_eq!(files.remove("/etc/config"), Err(FileError::Busy));
        files.mounted_mut("/etc/config").unwrap().write("/key", "v2", NOW).unwrap();
        assert_eq!(files.read("/etc/config/key").unwrap(), b"v2");
    }

    #[test]
    fn a_read_only_file_system_takes_changes_below_its_mounts_only() {
        let mut files = sample();
        files.mount("/scratch", Files::new(), false).unwrap();
        files.set_read_only(true);
        assert_eq!(files.write("/a/x.txt", "new", NOW), Err(FileError::ReadOnly));
        assert_eq!(files.write("/a/new", "new", NOW), Err(FileError::ReadOnly));
        assert_eq!(files.create_dir("/d", NOW), Err(FileError::ReadOnly));
        assert_eq!(files.remove("/a/x.txt"), Err(FileError::ReadOnly));
        assert_eq!(files.write("/no/such", "", NOW), Err(FileError::NotFound));
        assert_eq!(files.write("/scratch/x", "1", NOW), Ok(()));
        assert_eq!(files.write("/dev/null", "1", NOW), Ok(()));
    }

    #[test]
    fn a_directory_can_be_taken_out_and_put_back() {
        let mut files = sample();
        let mut taken = files.subtree("/a").unwrap();
        assert_eq!(taken.list("/").unwrap(), ["b", "x.txt"]);
        taken.remove("/x.txt").unwrap();
        taken.write("/b/c.txt", "changed", NOW).unwrap();
        files.replace("/a", &taken).unwrap();
        assert_eq!(files.list("/a").unwrap(), ["b"]);
        assert_eq!(files.read("/a/b/c.txt").unwrap(), b"changed");
        assert_eq!(files.read("/a-b/y").unwrap(), b"three");
        assert_eq!(files.subtree("/a-b/y"), Err(FileError::NotDirectory));
    }

    #[test]
    fn a_volume_taken_out_keeps_what_was_written() {
        let mut files = sample();
        files.mount("/scratch", Files::new(), false).unwrap();
        files.write("/scratch/result", "42", NOW).unwrap();
        let volume = files.unmount("/scratch").unwrap();
        assert_eq!(volume.read("/result").unwrap(), b"42");
        assert!(!files.exists("/scratch/result"));
    }

    #[test]
    fn a_full_disk_keeps_what_fitted() {
        let mut files = Files::with_limit(NODE_COST + 10);
        files.write("/log", "12345678", NOW).unwrap();
        assert_eq!(files.append("/log", b"9abc", NOW), Err(FileError::NoSpace));
        assert_eq!(files.read("/log").unwrap(), b"123456789a");
        assert_eq!(files.write("/other", "", NOW), Err(FileError::NoSpace));
        files.remove("/log").unwrap();
        assert_eq!(files.used(), 0);
    }

    #[test]
    fn devices_swallow_what_is_written() {
        let mut files = Files::new();
        files.write("/dev/null", "gone", NOW).unwrap();
        assert_eq!(files.read("/dev/null").unwrap(), b"");
        assert_eq!(files.used(), 0);
    }

    proptest! {
        #[test]
        fn usage_is_what_a_recount_says(ops in prop::collection::vec((0u8..6, "[ab]{1,2}(/[ab]{1,2}){0,2}", 0usize..50), 0..60)) {
            let mut files = Files::with_limit(4000);
            for (op, path, n) in ops {
                let _ = match op {
                    0 => files.write(&path, vec![b'x'; n], NOW),
                    1 => files.append(&path, &vec![b'y'; n], NOW),
                    2 => files.create_dir_all(&path, NOW),
                    3 => files.remove_all(&path),
                    4 => files.rename(&path, "/b/moved", NOW),
                    _ => files.write_at(&path, n, b"zz", NOW),
                };
                let recount: usize = files.tree.values().map(|node| node.len() + NODE_COST).sum();
                prop_assert_eq!(recount, files.used());
                prop_assert!(files.used() <= 4000);
                // Every node hangs on a directory.
                for path in files.tree.keys() {
                    prop_assert!(files.is_dir(parent(path)), "{} hangs in the air", path);
                }
            }
        }

        #[test]
        fn a_normalised_path_is_its_own_normal_form(path in "[a./]{0,20}", cwd in "(/[ab]{1,3}){0,3}") {
            let once = resolve(&cwd, &path);
            prop_assert_eq!(&normalize(&once), &once);
            prop_assert!(once.starts_with('/'));
        }
    }
}
