//! The files that a program has open: folders that were opened for it before it began, and files below them, which it
//! can only read.

use std::path::{Component, Path, PathBuf};

/// Error numbers of WASI preview 1.
pub mod errno {
    pub const SUCCESS: i32 = 0;
    pub const BADF: i32 = 8;
    pub const FAULT: i32 = 21;
    pub const INVAL: i32 = 28;
    pub const NOENT: i32 = 44;
    pub const NOSYS: i32 = 52;
    pub const NOTDIR: i32 = 54;
    pub const ROFS: i32 = 69;
    pub const NOTCAPABLE: i32 = 76;
}

/// What a descriptor stands for.
#[derive(Debug)]
pub enum Open {
    /// Nothing to read.
    Input,
    /// The runner's own standard output.
    Output,
    /// The runner's own standard error.
    Error,
    /// A folder; `name` is what the program knows it by when it was opened for it.
    Folder {
        name: Option<String>,
        path: PathBuf,
    },
    /// A file, read whole when it was opened.
    File {
        bytes: Vec<u8>,
        at: u64,
    },
    Closed,
}

/// The table of descriptors.
#[derive(Debug)]
pub struct Files {
    open: Vec<Open>,
}

impl Files {
    /// The three standard streams, then the folders.
    pub fn new(folders: Vec<(String, PathBuf)>) -> Self {
        let mut open = vec![Open::Input, Open::Output, Open::Error];
        open.extend(folders.into_iter().map(|(name, path)| Open::Folder { name: Some(name), path }));
        Self { open }
    }

    /// # Errors
    /// `BADF` when nothing is open under this number.
    pub fn get(&mut self, descriptor: i32) -> Result<&mut Open, i32> {
        let slot = usize::try_from(descriptor).ok().and_then(|index| self.open.get_mut(index));
        match slot {
            None | Some(Open::Closed) => Err(errno::BADF),
            Some(open) => Ok(open),
        }
    }

    /// # Errors
    /// `BADF` when nothing is open under this number.
    pub fn close(&mut self, descriptor: i32) -> Result<(), i32> {
        *self.get(descriptor)? = Open::Closed;
        Ok(())
    }

    /// Where a path below an open folder lies.
    ///
    /// # Errors
    /// `NOTCAPABLE` when the path would lead out of the folder, `NOTDIR` when the descriptor is no folder.
    pub fn locate(&mut self, folder: i32, path: &str) -> Result<PathBuf, i32> {
        let Open::Folder { path: base, .. } = self.get(folder)? else { return Err(errno::NOTDIR) };
        let mut located = base.clone();
        let mut depth = 0_usize;
        for component in Path::new(path).components() {
            match component {
                Component::Normal(name) => {
                    located.push(name);
                    depth += 1;
                }
                Component::CurDir => {}
                Component::ParentDir => {
                    depth = depth.checked_sub(1).ok_or(errno::NOTCAPABLE)?;
                    located.pop();
                }
                Component::RootDir | Component::Prefix(_) => return Err(errno::NOTCAPABLE),
            }
        }
        Ok(located)
    }

    /// Opens what is there for reading and gives its number.
    ///
    /// # Errors
    /// `NOENT` when nothing is there, and what [`Files::locate`] says.
    pub fn open(&mut self, folder: i32, path: &str) -> Result<i32, i32> {
        let path = self.locate(folder, path)?;
        let open = if path.is_dir() {
            Open::Folder { name: None, path }
        } else {
            Open::File { bytes: std::fs::read(&path).map_err(|_| errno::NOENT)?, at: 0 }
        };
        self.open.push(open);
        i32::try_from(self.open.len() - 1).map_err(|_| errno::BADF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::new(vec![(".".into(), PathBuf::from(env!("CARGO_MANIFEST_DIR")))])
    }

    #[test]
    fn a_file_below_a_folder_can_be_read() {
        let mut files = files();
        let descriptor = files.open(3, "src/../Cargo.toml").unwrap();
        assert!(
            matches!(files.get(descriptor), Ok(Open::File { bytes, .. }) if bytes.starts_with(b"[package]"))
        );
    }

    #[test]
    fn no_path_leads_out_of_its_folder() {
        for path in ["../site/Cargo.toml", "src/../../site", "/etc/hostname"] {
            assert_eq!(files().open(3, path), Err(errno::NOTCAPABLE), "{path}");
        }
    }

    #[test]
    fn a_closed_descriptor_is_bad() {
        let mut files = files();
        let descriptor = files.open(3, "Cargo.toml").unwrap();
        files.close(descriptor).unwrap();
        assert_eq!(files.close(descriptor), Err(errno::BADF));
        assert_eq!(files.open(3, "absent"), Err(errno::NOENT));
        assert_eq!(files.open(1, "Cargo.toml"), Err(errno::NOTDIR));
    }
}
