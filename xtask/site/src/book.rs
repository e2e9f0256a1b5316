//! The book, rendered by mdBook as a library.
//!
//! The source is English. Korean comes from `po/ko.po`, message by message, through the gettext preprocessor of
//! mdbook-i18n-helpers. The Korean book lies one folder deeper (`book/ko/`), so what a page takes from outside of the
//! book (the lab) is one step further away.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::{Book, BookItem};
use mdbook_driver::config::Config;
use mdbook_i18n_helpers::preprocessors::Gettext;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::messages;

/// A language of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The source.
    English,
    /// Translated by `po/ko.po`.
    Korean,
}

impl Language {
    fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

/// Renders the book under `root` into `out`.
///
/// # Errors
/// When the book's configuration, a chapter or the translation cannot be read, or the output not be written.
pub fn render(root: &Path, language: Language, out: &Path) -> Result<()> {
    let mut config = Config::from_disk(root.join("book.toml")).context("book.toml")?;
    config.book.language = Some(language.code().into());
    if language == Language::Korean {
        let translated = messages::Translation::read(&root.join("po").join("ko.po"))?;
        let translate = |text: Option<String>| text.map(|text| translated.of(&text));
        config.book.title = translate(config.book.title);
        config.book.description = translate(config.book.description);
    }
    config.build.build_dir = fs::canonicalize(parent_made(out)?)?.join(out.file_name().unwrap_or_default());
    let mut book = MDBook::load_with_config(root, config)?;
    if language == Language::Korean {
        book.with_preprocessor(Gettext);
        book.with_preprocessor(OneFolderDeeper);
    }
    book.build().with_context(|| format!("the book ({})", language.code()))
}

fn parent_made(out: &Path) -> Result<&Path> {
    let parent = out.parent().context("the book needs a folder")?;
    fs::create_dir_all(parent)?;
    Ok(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// Rewrites references to the lab, asks it to speak the page's language, and translates what is HTML in the source.
struct OneFolderDeeper;

impl Preprocessor for OneFolderDeeper {
    fn name(&self) -> &'static str {
        "one-folder-deeper"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> Result<Book> {
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item {
                chapter.content = deeper(&chapter.content);
            }
        });
        Ok(book)
    }
}

fn deeper(content: &str) -> String {
    content
        .replace("../index.html?", "../../index.html?lang=ko&")
        .replace("../slurm.html?", "../../slurm.html?lang=ko&")
        .replace("(../index.html)", "(../../index.html?lang=ko)")
        // HTML is no message to the translator.
        .replace("<summary>Answers</summary>", "<summary>정답 보기</summary>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_is_one_folder_further_away_from_the_korean_book_and_speaks_korean() {
        assert_eq!(
            deeper(r#"<iframe src="../index.html?exercise=x">"#),
            r#"<iframe src="../../index.html?lang=ko&exercise=x">"#
        );
        assert_eq!(deeper("[lab](../index.html)"), "[lab](../../index.html?lang=ko)");
        assert_eq!(deeper("<summary>Answers</summary>"), "<summary>정답 보기</summary>");
    }
}
