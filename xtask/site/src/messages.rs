//! The book's messages: what a translator translates, and whether all of it is translated.
//!
//! A message is a paragraph, a heading, a list item or a table cell, as mdbook-i18n-helpers cuts them.
//! Titles in `SUMMARY.md` are messages too, and so are the title and the description in `book.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use mdbook_driver::config::Config;
use mdbook_i18n_helpers::extract_messages;
use polib::catalog::Catalog;
use polib::message::{Message, MessageMutView, MessageView};
use polib::metadata::CatalogMetadata;
use polib::po_file;

/// A message of the source, with where it stands: `src/page.md:12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The English text.
    pub text: String,
    /// The places, in reading order.
    pub places: Vec<String>,
}

/// All messages of the book under `root`, in reading order, each once.
///
/// # Errors
/// When a file of the book cannot be read.
pub fn extract(root: &Path) -> Result<Vec<Found>> {
    let mut all = Collected::default();
    let config = Config::from_disk(root.join("book.toml")).context("book.toml")?;
    for text in [config.book.title, config.book.description].into_iter().flatten() {
        all.add(text, "book.toml".into());
    }
    let source = root.join("src");
    let mut files = vec![PathBuf::from("SUMMARY.md")];
    files.extend(pages(&source)?);
    for file in files {
        let text =
            fs::read_to_string(source.join(&file)).with_context(|| format!("src/{}", file.display()))?;
        let messages = extract_messages(&without_code(&text))
            .map_err(|error| anyhow!("{}: {error:?}", file.display()))?;
        for (line, message) in messages {
            // A chapter's title in the summary is a link; what is translated is its text.
            let message = link_text(&message.message);
            if has_words(&message) {
                all.add(message, format!("src/{}:{line}", file.display()));
            }
        }
    }
    Ok(all.found)
}

/// Code blocks are the same in every language: commands, what they print, and manifests are not translated. Their lines
/// are emptied, so that the other lines keep their numbers.
fn without_code(page: &str) -> String {
    let mut inside = false;
    let mut text = String::with_capacity(page.len());
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        if !fence && !inside {
            text.push_str(line);
        }
        inside ^= fence;
        text.push('\n');
    }
    text
}

/// Whether anything is left to translate once code is taken out: a cell that is a name or a number says the same in
/// every language.
fn has_words(message: &str) -> bool {
    message.split('`').step_by(2).any(|text| text.chars().any(char::is_alphabetic))
}

#[derive(Default)]
struct Collected {
    found: Vec<Found>,
    seen: BTreeMap<String, usize>,
}

impl Collected {
    fn add(&mut self, text: String, place: String) {
        if let Some(&index) = self.seen.get(&text) {
            self.found[index].places.push(place);
        } else {
            self.seen.insert(text.clone(), self.found.len());
            self.found.push(Found { text, places: vec![place] });
        }
    }
}

/// `[Title](page.md)` → `Title`, and nothing else is touched.
fn link_text(message: &str) -> String {
    let inner = message.strip_prefix('[').and_then(|rest| rest.rsplit_once("]("));
    match inner {
        Some((title, target)) if target.ends_with(')') && !title.contains("](") => title.to_owned(),
        _ => message.to_owned(),
    }
}

/// The pages that `SUMMARY.md` links, in its order.
fn pages(source: &Path) -> Result<Vec<PathBuf>> {
    let summary = fs::read_to_string(source.join("SUMMARY.md")).context("src/SUMMARY.md")?;
    let targets =
        summary.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    Ok(targets.filter(|target| !target.is_empty()).map(PathBuf::from).collect())
}

/// What stands between the source and a complete translation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages of the source.
    pub messages: usize,
    /// Those without a translation.
    pub missing: Vec<Found>,
    /// Those whose translation was made for an older text.
    pub fuzzy: Vec<Found>,
    /// Translations of texts that the book no longer has.
    pub obsolete: Vec<String>,
}

impl Report {
    /// Every message is translated, and nothing else is.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.fuzzy.is_empty() && self.obsolete.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages, {} missing, {} fuzzy, {} obsolete",
            self.messages,
            self.missing.len(),
            self.fuzzy.len(),
            self.obsolete.len()
        )?;
        for (what, list) in [("missing", &self.missing), ("fuzzy", &self.fuzzy)] {
            for found in list {
                write!(f, "\n{what} ({}): {}", found.places.join(", "), found.text)?;
            }
        }
        for text in &self.obsolete {
            write!(f, "\nobsolete: {text}")?;
        }
        Ok(())
    }
}

/// Compares the source with `po/ko.po`.
///
/// # Errors
/// When either cannot be read.
pub fn compare(root: &Path) -> Result<Report> {
    let translation = Translation::read(&root.join("po").join("ko.po"))?;
    let mut report = Report::default();
    let mut used = BTreeSet::new();
    for found in extract(root)? {
        report.messages += 1;
        used.insert(found.text.clone());
        match translation.messages.get(&found.text) {
            Some(Translated { text, fuzzy: false }) if !text.is_empty() => {}
            Some(Translated { text, fuzzy: true }) if !text.is_empty() => report.fuzzy.push(found),
            _ => report.missing.push(found),
        }
    }
    report.obsolete = translation.messages.into_keys().filter(|text| !used.contains(text)).collect();
    Ok(report)
}

/// Writes `po/ko.po` anew: the messages of today in reading order, each with the translation that it had. A new message
/// stays empty; the translation of one that is gone is given, marked fuzzy, to the new message at the same place, if
/// there is one.
///
/// # Errors
/// When the source cannot be read or the file not be written.
pub fn update(root: &Path) -> Result<Report> {
    let path = root.join("po").join("ko.po");
    let old = if path.is_file() { Translation::read(&path)? } else { Translation::default() };
    let found = extract(root)?;
    let known: BTreeSet<&str> = found.iter().map(|message| message.text.as_str()).collect();
    let mut left_over: Vec<(&String, &Translated)> =
        old.messages.iter().filter(|(text, _)| !known.contains(text.as_str())).collect();
    let mut catalog = Catalog::new(header());
    for message in &found {
        let mut entry = Message::build_singular();
        entry.with_source(message.places.join("\n")).with_msgid(message.text.clone());
        if let Some(translated) = old.messages.get(&message.text) {
            entry.with_msgstr(translated.text.clone());
        } else if let Some(index) = left_over.iter().position(|(text, _)| alike(text, &message.text)) {
            let (_, translated) = left_over.remove(index);
            entry.with_msgstr(translated.text.clone()).with_flags(fuzzy_flag());
        }
        catalog.append_or_update(entry.done());
    }
    for mut message in catalog.messages_mut() {
        if old.messages.get(message.msgid()).is_some_and(|translated| translated.fuzzy) {
            message.flags_mut().add_flag("fuzzy");
        }
    }
    fs::create_dir_all(root.join("po"))?;
    po_file::write(&catalog, &path).with_context(|| format!("cannot write {}", path.display()))?;
    compare(root)
}

fn fuzzy_flag() -> polib::message::MessageFlags {
    let mut flags = polib::message::MessageFlags::new();
    flags.add_flag("fuzzy");
    flags
}

/// More than half of the words in common.
fn alike(old: &str, new: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (words(old), words(new));
    2 * old.intersection(&new).count() > old.len().max(new.len())
}

fn header() -> CatalogMetadata {
    let mut header = CatalogMetadata::new();
    header.project_id_version = "ClusterLab".into();
    header.language = "ko".into();
    header.mime_version = "1.0".into();
    header.content_type = "text/plain; charset=UTF-8".into();
    header.content_transfer_encoding = "8bit".into();
    header
}

#[derive(Debug, Clone, Default)]
struct Translated {
    text: String,
    fuzzy: bool,
}

/// A file of translations.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    messages: BTreeMap<String, Translated>,
}

impl Translation {
    /// Reads a `.po` file.
    ///
    /// # Errors
    /// When it is missing or is no such file.
    pub fn read(path: &Path) -> Result<Self> {
        let catalog = po_file::parse(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let mut messages = BTreeMap::new();
        for message in catalog.messages() {
            let text = message.msgstr().unwrap_or_default().to_owned();
            messages.insert(message.msgid().to_owned(), Translated { text, fuzzy: message.is_fuzzy() });
        }
        Ok(Self { messages })
    }

    /// The translation of a text; itself when there is none.
    pub fn of(&self, text: &str) -> String {
        match self.messages.get(text) {
            Some(translated) if !translated.text.is_empty() => translated.text.clone(),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_in_the_summary_is_translated_without_its_link() {
        assert_eq!(link_text("[Your first GPU pod](first.md)"), "Your first GPU pod");
        assert_eq!(link_text("See [the lab](../index.html) now"), "See [the lab](../index.html) now");
        assert_eq!(link_text("[a](b) and [c](d)"), "[a](b) and [c](d)");
    }

    #[test]
    fn code_is_no_message_and_the_lines_behind_it_keep_their_numbers() {
        assert_eq!(without_code("a\n```console\n$ b\n```\nc\n"), "a\n\n\n\nc\n");
    }

    #[test]
    fn names_in_code_and_numbers_need_no_translation() {
        assert!(!has_words("`get`, `describe`") && !has_words("81920") && !has_words("✓"));
        assert!(has_words("`get` shows") && has_words("Phase"));
    }

    #[test]
    fn an_edited_sentence_is_recognised_and_another_one_is_not() {
        assert!(alike("A pod is the smallest thing to run", "A pod is the smallest unit to run"));
        assert!(!alike("A pod is the smallest thing to run", "Nodes are machines"));
    }
}
