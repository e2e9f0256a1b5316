//! The files of an exercise: compiled into this crate, or read from a disk.

use clusterlab::order::Collected;
use std::collections::BTreeMap;

/// The text files of one exercise, by path relative to its folder, with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The folder's name, which is the exercise's id.
    pub name: String,
    /// Path → text.
    pub files: BTreeMap<String, String>,
}

/// What is known of an exercise of the course without its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id, which is its folder's name.
    pub id: &'static str,
    /// Its title, in English and in Korean.
    pub title: [&'static str; 2],
    /// Its lab has a Slurm cluster: without the feature `slurm` it cannot be done.
    pub slurm: bool,
}

// `EMBEDDED: &[(&str, &[(&str, &str)])]`: folder → path → text; folders in the order of the course, paths sorted.
// `COURSE: &[Listed]`: all of the course in its order, also those whose files are not here.
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

impl Folder {
    /// The exercises of the course, in its order (`data/course.txt`): also those that this build leaves out.
    pub const COURSE: &'static [Listed] = COURSE;

    /// The exercises that are compiled into this crate, in the order of the course. None for a browser: a site has a file
    /// for each, so that nobody downloads what is not opened.
    pub fn embedded() -> impl Iterator<Item = Self> {
        EMBEDDED.iter().map(|(name, files)| Self {
            name: (*name).to_owned(),
            files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).into_map(),
        })
    }

    /// Reads a folder from the disk, so that an exercise can be written without
    /// building this crate.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is not UTF-8 or larger than 1 MiB; more than 1,000 files.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read(folder: &std::path::Path) -> Result<Self, crate::Problem> {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut read = Self { name, files: BTreeMap::new() };
        read.read_into(folder, "")?;
        Ok(read)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn read_into(&mut self, folder: &std::path::Path, prefix: &str) -> Result<(), crate::Problem> {
        use crate::Problem;

        const LARGEST: u64 = 1 << 20;
        const MOST: usize = 1000;
        let here = || folder.display().to_string();
        let entries = std::fs::read_dir(folder).map_err(|error| Problem::new(here(), error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| Problem::new(here(), error.to_string()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Editors' and version control's own files.
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let path = format!("{prefix}{name}");
            let problem = |message: String| Problem::new(path.clone(), message);
            // Of the entry itself: a link is left out, so that no loop of links is followed.
            let meta = entry.metadata().map_err(|error| problem(error.to_string()))?;
            if meta.is_dir() {
                self.read_into(&entry.path(), &format!("{path}/"))?;
            } else if meta.is_file() {
                if meta.len() > LARGEST {
                    return Err(problem(format!("larger than {LARGEST} bytes")));
                }
                if self.files.len() == MOST {
                    return Err(Problem::new(here(), format!("more than {MOST} files")));
                }
                let bytes = std::fs::read(entry.path()).map_err(|error| problem(error.to_string()))?;
                let text = String::from_utf8(bytes).map_err(|_| problem("not UTF-8 text".to_owned()))?;
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}
