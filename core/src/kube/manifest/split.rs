//! Splitting a text into its documents, as `kubectl` does it before any YAML is read.

/// One document's text and the number of lines before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    pub(super) text: &'a str,
    pub(super) lines_before: usize,
}

/// Splits at lines of `---`. Such a line belongs to neither side, except at the very
/// beginning of a document, where it is kept.
pub(super) fn chunks(text: &str) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let separates = line.strip_prefix("---").is_some_and(|rest| rest.trim().is_empty());
        if separates && at > start {
            chunks.push(Chunk { text: &text[start..at], lines_before: start_line });
            start = at + line.len();
            start_line = number + 1;
        }
        at += line.len();
    }
    if at > start {
        chunks.push(Chunk { text: &text[start..at], lines_before: start_line });
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_dashes_ends_a_document_and_a_first_one_belongs_to_it() {
        let texts = |text| chunks(text).into_iter().map(|c| (c.text, c.lines_before)).collect::<Vec<_>>();
        assert_eq!(texts("a\n---\nb\n"), [("a\n", 0), ("b\n", 2)]);
        assert_eq!(texts("---\na\n--- \r\nb"), [("---\na\n", 0), ("b", 3)]);
        assert_eq!(texts("a: |\n  ---\n"), [("a: |\n  ---\n", 0)]);
        assert_eq!(texts(""), []);
    }
}
