//! The learner's files, as the editor shows them.

use std::collections::BTreeMap;

use clusterlab::lab::{HOME, Lab};

/// Files above this size are not shown: an editor is the wrong tool for them.
const LARGEST: usize = 6 << 20;
/// How many files are shown.
const MOST: usize = 200;

/// Path from the home directory, and text.
pub type Texts = BTreeMap<String, String>;

/// The text files of the learner's home; hidden ones are left out, as `ls` does.
pub fn of(lab: &Lab) -> Texts {
    let mut texts = Texts::new();
    collect(lab, "", &mut texts);
    texts
}

fn collect(lab: &Lab, folder: &str, texts: &mut Texts) {
    let at = |path: &str| if path.is_empty() { HOME.to_owned() } else { format!("{HOME}/{path}") };
    for name in lab.files().list(&at(folder)).unwrap_or_default() {
        if name.starts_with('.') || texts.len() >= MOST {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if lab.files().is_dir(&at(&path)) {
            collect(lab, &path, texts);
        } else if let Ok(bytes) = lab.files().read(&at(&path))
            && bytes.len() <= LARGEST
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            texts.insert(path, text.to_owned());
        }
    }
}

/// What changed from `before` to `after`; `None` for what is gone.
pub fn changes(before: &Texts, after: &Texts) -> Vec<(String, Option<String>)> {
    let put = after.iter().filter(|(path, text)| before.get(*path) != Some(*text));
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    put.map(|(path, text)| (path.clone(), Some(text.clone())))
        .chain(gone.map(|path| (path.clone(), None)))
        .collect()
}
