//! The Markdown of exercises, as safe HTML.
//!
//! Only what a lesson needs: paragraphs, headings, lists of one level, quotes,
//! fenced code, and inside a line `code`, **strong**, *emphasis* and links.
//! Everything else is text, HTML included: `<b>` shows as `<b>`, so that the text
//! of an exercise from anywhere can be put into a page as it is.
//!
//! A full CommonMark library costs the page 74 kB more to download (measured with
//! `pulldown-cmark`); it is the judge in the tests instead.

use std::fmt::Write as _;

/// One `## Title {#id}` part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What stands in `{#…}`.
    pub id: String,
    /// The heading without its id.
    pub title: String,
    /// The Markdown under the heading.
    pub body: String,
    /// The line of the heading, counted from 1.
    pub line: usize,
}

/// A text cut at its second-level headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// What stands before the first heading.
    pub intro: String,
    /// The parts, in order.
    pub parts: Vec<Section>,
}

/// Cuts `text` at its `## Title {#id}` headings. Answers the line of a heading
/// that has no id.
///
/// # Errors
///
/// The number of the line, from 1, whose heading has no `{#id}`.
pub fn sections(text: &str) -> Result<Sections, usize> {
    let mut found = Sections::default();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        fenced ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix("## ").filter(|_| !fenced) {
            let (title, id) = heading
                .trim_end()
                .strip_suffix('}')
                .and_then(|heading| heading.rsplit_once("{#"))
                .filter(|(_, id)| !id.is_empty())
                .ok_or(index + 1)?;
            found.parts.push(Section {
                id: id.to_owned(),
                title: title.trim().to_owned(),
                body: String::new(),
                line: index + 1,
            });
        } else {
            let body = found.parts.last_mut().map_or(&mut found.intro, |part| &mut part.body);
            body.push_str(line);
            body.push('\n');
        }
    }
    Ok(found)
}

/// `text` as HTML: blocks.
///
/// ```
/// use clusterlab_exercises::markdown::render;
///
/// assert_eq!(render("Run `nvidia-smi`:\n\n- **one** GPU\n"),
///     "<p>Run <code>nvidia-smi</code>:</p>\n<ul>\n<li><strong>one</strong> GPU</li>\n</ul>\n");
/// assert_eq!(render("<script>"), "<p>&lt;script&gt;</p>\n");
/// ```
pub fn render(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 2);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut rest = lines.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        rest = match block(first) {
            Block::Blank => after,
            Block::Fence(info) => {
                let end = after.iter().position(|line| *line == "```").unwrap_or(after.len());
                code_block(&mut html, info, &after[..end]);
                after.get(end + 1..).unwrap_or_default()
            }
            Block::Heading(level, title) => {
                let _ = writeln!(html, "<h{level}>{}</h{level}>", inline(title));
                after
            }
            Block::Quote(_) => {
                let mut inner = String::new();
                let mut taken = 0;
                for line in rest {
                    let Block::Quote(line) = block(line) else { break };
                    inner.push_str(line);
                    inner.push('\n');
                    taken += 1;
                }
                let _ = writeln!(html, "<blockquote>\n{}</blockquote>", render(&inner));
                &rest[taken..]
            }
            Block::Item(ordered, _) => list(&mut html, ordered, rest),
            Block::Text => {
                let end = rest.iter().position(|line| !matches!(block(line), Block::Text));
                let (paragraph, after) = rest.split_at(end.unwrap_or(rest.len()));
                let _ = writeln!(html, "<p>{}</p>", inline(&joined(paragraph)));
                after
            }
        };
    }
    html
}

/// What a line begins.
enum Block<'a> {
    Blank,
    Fence(&'a str),
    Heading(usize, &'a str),
    Quote(&'a str),
    /// Ordered or not, and the text after the marker.
    Item(bool, &'a str),
    Text,
}

fn block(line: &str) -> Block<'_> {
    if line.is_empty() {
        return Block::Blank;
    }
    if let Some(info) = line.strip_prefix("```") {
        return Block::Fence(info.trim());
    }
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    if let (1..=6, Some(title)) = (level, line[level..].strip_prefix(' ')) {
        return Block::Heading(level, title.trim());
    }
    if let Some(text) = line.strip_prefix('>') {
        return Block::Quote(text.strip_prefix(' ').unwrap_or(text));
    }
    if let Some(text) = line.strip_prefix("- ") {
        return Block::Item(false, text);
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if let (1..=9, Some(text)) = (digits, line[digits..].strip_prefix(". ")) {
        return Block::Item(true, text);
    }
    Block::Text
}

/// A list; its items may go on over lines that are indented. Answers what follows.
fn list<'a>(html: &mut String, ordered: bool, lines: &'a [&'a str]) -> &'a [&'a str] {
    let tag = if ordered { "ol" } else { "ul" };
    let _ = writeln!(html, "<{tag}>");
    let mut rest = lines;
    while let Some((first, after)) = rest.split_first() {
        let Block::Item(kind, text) = block(first) else { break };
        if kind != ordered {
            break;
        }
        let more = after.iter().take_while(|line| line.starts_with("  ")).count();
        let item = std::iter::once(text).chain(after[..more].iter().copied()).collect::<Vec<_>>();
        let _ = writeln!(html, "<li>{}</li>", inline(&joined(&item)));
        rest = &after[more..];
    }
    let _ = writeln!(html, "</{tag}>");
    rest
}

fn code_block(html: &mut String, info: &str, lines: &[&str]) {
    html.push_str("<pre><code");
    if !info.is_empty() {
        let _ = write!(html, " class=\"language-{}\"", attribute(info));
    }
    html.push('>');
    for line in lines {
        html.push_str(&escape(line));
        html.push('\n');
    }
    html.push_str("</code></pre>\n");
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
}

/// `text` as HTML: what stands inside one line, for the labels of buttons and choices.
///
/// ```
/// # use clusterlab_exercises::markdown::inline;
/// assert_eq!(inline("see [the book](../book/) & `a<b`"),
///     "see <a href=\"../book/\">the book</a> &amp; <code>a&lt;b</code>");
/// ```
pub fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[']) {
        html.push_str(&escape(&rest[..at]));
        rest = &rest[at..];
        let (written, used) = span(rest);
        html.push_str(&written);
        rest = &rest[used..];
    }
    html.push_str(&escape(rest));
    html
}

/// The span that `text` (which begins with one of the markers) begins with, and
/// how many bytes of `text` it took; the marker itself if it opens nothing.
fn span(text: &str) -> (String, usize) {
    let wrapped = |tag: &str, inner: &str, used| (format!("<{tag}>{inner}</{tag}>"), used);
    if let Some(end) = text.strip_prefix('`').and_then(|code| code.find('`')) {
        return wrapped("code", &escape(&text[1..=end]), end + 2);
    }
    if let Some(end) = text.strip_prefix("**").and_then(|strong| strong.find("**")).filter(|end| *end > 0) {
        return wrapped("strong", &inline(&text[2..2 + end]), end + 4);
    }
    if let Some(end) = text.strip_prefix('*').and_then(|em| em.find('*')).filter(|end| *end > 0) {
        let inner = &text[1..=end];
        // `3 * 4 * 5` is arithmetic.
        if !inner.starts_with(' ') && !inner.ends_with(' ') {
            return wrapped("em", &inline(inner), end + 2);
        }
    }
    if let Some((label, target, used)) = link(text) {
        return (format!("<a href=\"{}\">{}</a>", attribute(target), inline(label)), used);
    }
    (escape(&text[..1]), 1)
}

/// `[label](target)` with a target that a page may follow: a web address, a place
/// on this page or a relative path. No other scheme, so no `javascript:`.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let (label, after) = text.strip_prefix('[')?.split_once("](")?;
    let (target, _) = after.split_once(')')?;
    let scheme = target.split(['/', '#', '?']).next().is_some_and(|head| head.contains(':'));
    let safe = !scheme || target.starts_with("https://") || target.starts_with("http://");
    let plain =
        !label.contains(['[', ']', '\n']) && !target.is_empty() && !target.contains(char::is_whitespace);
    (safe && plain).then(|| (label, target, label.len() + target.len() + 4))
}

/// `text` with the characters that begin a tag or an entity written out.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `text` for between the quotes of an attribute.
fn attribute(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The judge: CommonMark as `pulldown-cmark` renders it.
    fn common_mark(text: &str) -> String {
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text));
        html
    }

    #[test]
    fn what_it_knows_looks_as_common_mark_has_it() {
        for text in [
            "one\ntwo\n\nthree",
            "### A heading\ntext",
            "- a\n- b\n  goes on\n\nend",
            "1. a\n2. b `c`",
            "> quoted\n> twice\n\nend",
            "```yaml\na: <b>\n\nc: \"d\"\n```\nend",
            "```\nplain\n```",
            "a **strong *both* words** and *em*, 3 * 4 * 5, `**code**`",
            "[label](https://example.org/a?b=c&d=e) and [x](#y)",
            "a * b, a ** b, `open, [open, [a](b",
            "파드는 **한 노드** 위에서 *만* 돕니다.",
        ] {
            assert_eq!(render(text), common_mark(text), "{text}");
        }
    }

    #[test]
    fn html_and_unsafe_links_are_text() {
        assert_eq!(render("<img src=x onerror=y>"), "<p>&lt;img src=x onerror=y&gt;</p>\n");
        assert_eq!(inline("[a](javascript:b)"), "[a](javascript:b)");
        assert_eq!(inline("[a](data:text/html,x)"), "[a](data:text/html,x)");
        assert_eq!(inline("[a](x\" onclick=\"y)"), "[a](x\" onclick=\"y)");
        assert_eq!(inline("[a](x\"y)"), "<a href=\"x&quot;y\">a</a>");
    }

    #[test]
    fn a_text_is_cut_at_headings_that_have_an_id() {
        let text = "intro\n\n## First one {#one}\na\n```\n## not a heading\n```\n## Second {#two}\nb\n";
        let sections = sections(text).unwrap();
        assert_eq!(sections.intro, "intro\n\n");
        let parts: Vec<_> =
            sections.parts.iter().map(|p| (p.id.as_str(), p.title.as_str(), p.line)).collect();
        assert_eq!(parts, [("one", "First one", 3), ("two", "Second", 8)]);
        assert_eq!(sections.parts[1].body, "b\n");
        assert_eq!(super::sections("a\n## No id\n"), Err(2));
    }

    proptest! {
        #[test]
        fn any_text_becomes_html_without_a_tag_of_its_own(text in "[<>&\"'`*\\[\\]()# a가\n:>-]{0,60}") {
            let html = render(&text);
            let known = ["p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a",
                "h1", "h2", "h3", "h4", "h5", "h6"];
            for tag in html.split('<').skip(1) {
                let name: String =
                    tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(known.contains(&name.as_str()), "{html}");
            }
        }

        #[test]
        fn any_text_is_rendered_without_a_panic(text in any::<String>()) {
            let _ = (render(&text), sections(&text));
        }
    }
}
