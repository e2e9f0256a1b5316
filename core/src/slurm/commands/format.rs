//! Columns of text: `%.18i %N` formats, `-O name:width` formats, and the tables of the accounting commands.

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// As wide as the text.
    Natural,
    /// So many characters; what is longer is cut.
    Fixed(usize),
    /// As wide as the widest text, at least so many characters (`%#P` of `sinfo`).
    Widest(usize),
}

/// A column of a display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// What it shows: a letter of `-o`, or a name of `-O` in lower case.
    pub(super) key: String,
    pub(super) width: Width,
    pub(super) right: bool,
    /// Text behind it.
    pub(super) suffix: String,
    /// What is longer is not cut.
    pub(super) whole: bool,
}

/// A display: a text before the first column, then columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) prefix: String,
    pub(super) columns: Vec<Column>,
}

impl Format {
    /// `%[.][#][width]letter` with other text between. A `%` without a letter is dropped (recorded: `squeue -o %Z%`).
    pub(super) fn letters(text: &str) -> Self {
        let mut format = Self::default();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                match format.columns.last_mut() {
                    Some(column) => column.suffix.push(c),
                    None => format.prefix.push(c),
                }
                continue;
            }
            let right = chars.next_if_eq(&'.').is_some();
            let widest = chars.next_if_eq(&'#').is_some();
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            let Some(letter) = chars.next() else { break };
            let width = match (widest, digits.parse::<usize>()) {
                (true, _) => Width::Widest(9),
                (false, Ok(width)) if width > 0 => Width::Fixed(width.min(10_000)),
                _ => Width::Natural,
            };
            format.columns.push(Column {
                key: letter.to_string(),
                width,
                right,
                suffix: String::new(),
                whole: false,
            });
        }
        format
    }

    /// `name[:[.]width[suffix]],…`; 20 characters where no width is said.
    pub(super) fn names(text: &str) -> Self {
        let columns = text.split(',').filter(|part| !part.is_empty()).map(|part| {
            let (name, size) = part.split_once(':').unwrap_or((part, ""));
            let right = size.starts_with('.');
            let size = size.trim_start_matches('.');
            let digits = size.find(|c: char| !c.is_ascii_digit()).unwrap_or(size.len());
            let width =
                size[..digits].parse::<usize>().ok().filter(|width| *width > 0).unwrap_or(20).min(10_000);
            Column {
                key: name.trim().to_ascii_lowercase(),
                width: Width::Fixed(width),
                right,
                suffix: size[digits..].to_owned(),
                whole: false,
            }
        });
        Self { prefix: String::new(), columns: columns.collect() }
    }

    /// Lays rows out, each with a newline.
    pub(super) fn lines(&self, rows: &[Vec<String>]) -> String {
        let widths: Vec<Option<usize>> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| match column.width {
                Width::Natural => None,
                Width::Fixed(width) => Some(width),
                Width::Widest(least) => Some(
                    rows.iter()
                        .filter_map(|row| row.get(at))
                        .map(|text| text.chars().count())
                        .fold(least, usize::max),
                ),
            })
            .collect();
        let mut out = String::new();
        for row in rows {
            out.push_str(&self.prefix);
            for ((column, width), text) in self.columns.iter().zip(&widths).zip(row) {
                let width =
                    width.map(|width| if column.whole { width.max(text.chars().count()) } else { width });
                out.push_str(&cell(text, width, column.right));
                out.push_str(&column.suffix);
            }
            out.push('\n');
        }
        out
    }
}

/// A text in a column: filled up or cut.
fn cell(text: &str, width: Option<usize>, right: bool) -> String {
    let Some(width) = width else { return text.to_owned() };
    let cut: String = text.chars().take(width).collect();
    if right { format!("{cut:>width$}") } else { format!("{cut:<width$}") }
}

/// A column of a table of `sacct`, `sshare`, `sacctmgr`, `sreport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) width: usize,
    pub(super) left: bool,
}

/// Short for a row of a table of fields.
pub(super) const fn field(name: &'static str, width: usize) -> Field {
    Field { name, width, left: false }
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TableStyle {
    /// Texts in full with a sign between: `-p` (a sign after the last too) or `-P`.
    pub(super) parsable: Option<Parsable>,
    /// `-n`.
    pub(super) no_header: bool,
}

/// See [`TableStyle::parsable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parsable {
    pub(super) ending: bool,
    pub(super) delimiter: char,
}

/// A table: names, dashes, rows. Texts that are too long end in `+`.
pub(super) fn table(fields: &[Field], rows: &[Vec<String>], style: TableStyle) -> String {
    let mut out = String::new();
    if let Some(parsable) = style.parsable {
        let mut line = |texts: &mut dyn Iterator<Item = &str>| {
            let texts: Vec<&str> = texts.collect();
            out.push_str(&texts.join(&parsable.delimiter.to_string()));
            if parsable.ending {
                out.push(parsable.delimiter);
            }
            out.push('\n');
        };
        if !style.no_header {
            line(&mut fields.iter().map(|field| field.name));
        }
        for row in rows {
            line(&mut row.iter().map(String::as_str));
        }
        return out;
    }
    if !style.no_header {
        for field in fields {
            out.push_str(&cell(field.name, Some(field.width), !field.left));
            out.push(' ');
        }
        out.push('\n');
        for field in fields {
            out.push_str(&"-".repeat(field.width));
            out.push(' ');
        }
        out.push('\n');
    }
    for row in rows {
        for (field, text) in fields.iter().zip(row) {
            let text = if text.chars().count() > field.width {
                let kept: String = text.chars().take(field.width.saturating_sub(1)).collect();
                format!("{kept}+")
            } else {
                text.clone()
            };
            out.push_str(&cell(&text, Some(field.width), !field.left));
            out.push(' ');
        }
        out.push('\n');
    }
    out
}

/// Fields by the names that a user typed: any case, unique beginnings, `name%width` (negative: left-justified).
/// The error is the name that is not known.
pub(super) fn choose(known: &[Field], text: &str) -> Result<Vec<Field>, String> {
    let mut chosen = Vec::new();
    for word in text.split(',').filter(|word| !word.is_empty()) {
        let (name, size) = word.split_once('%').map_or((word, None), |(name, size)| (name, Some(size)));
        let exact = known.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        let begins = |field: &&Field| {
            field.name.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        let mut field = *exact.or_else(|| known.iter().find(begins)).ok_or_else(|| name.to_owned())?;
        if let Some(width) = size.and_then(|size| size.parse::<i32>().ok()).filter(|width| *width != 0) {
            field.width = width.unsigned_abs().min(10_000) as usize;
            field.left = width < 0;
        } else if size.is_some() {
            return Err(name.to_owned());
        }
        chosen.push(field);
    }
    Ok(chosen)
}

/// `Mon Nov 23 14:32:45 2026`: the date line of `squeue -l` and `sinfo -l`.
pub(super) fn date_line(time: crate::slurm::Time) -> String {
    jiff::Timestamp::from_second(time)
        .map_or_else(|_| "Unknown".into(), |at| at.strftime("%a %b %d %H:%M:%S %Y").to_string())
}

/// An amount of MiB with its unit: a larger unit only where half of it divides the amount (`30000M`, `62.50G`, `8G`;
/// recorded in `AllocTRES`).
pub(super) fn mebibytes(amount: u64) -> String {
    let mut shown = amount;
    let mut rest = String::new();
    for (at, unit) in ["M", "G", "T", "P"].into_iter().enumerate() {
        if at == 3 || shown < 1024 || !shown.is_multiple_of(512) || !rest.is_empty() {
            return format!("{shown}{rest}{unit}");
        }
        if !shown.is_multiple_of(1024) {
            rest = ".50".into();
        }
        shown /= 1024;
    }
    format!("{amount}M")
}

/// Words of a list, without empty ones.
pub(super) fn words(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A name in parts, so that n9 comes before n10.
pub(super) fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits =
            rest[letters..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| letters + at);
        parts.push((rest[..letters].to_owned(), rest[letters..digits].parse().unwrap_or(0)));
        rest = &rest[digits..];
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_squeue_reads_them() {
        let format = Format::letters("a%.5i|%P %");
        let shown: Vec<_> =
            format.columns.iter().map(|c| (c.key.as_str(), c.width, c.right, c.suffix.as_str())).collect();
        assert_eq!(format.prefix, "a");
        assert_eq!(shown, [("i", Width::Fixed(5), true, "|"), ("P", Width::Natural, false, " ")]);
        assert_eq!(format.lines(&[vec!["123456".into(), "x".into()]]), "a12345|x \n");
        assert_eq!(
            Format::names("JobID,Name:5").lines(&[vec!["7".into(), "longname".into()]]),
            "7                   longn\n"
        );
    }

    #[test]
    fn long_values_of_tables_end_in_a_plus() {
        // Recorded: `sacctmgr show user`, outputs.
        let fields = [field("User", 10), field("Admin", 9)];
        let rows = [vec!["root".to_owned(), "Administrator".to_owned()]];
        assert_eq!(
            table(&fields, &rows, TableStyle::default()),
            "      User     Admin \n---------- --------- \n      root Administ+ \n"
        );
        let style =
            TableStyle { parsable: Some(Parsable { ending: false, delimiter: '|' }), no_header: false };
        assert_eq!(table(&fields, &rows, style), "User|Admin\nroot|Administrator\n");
    }

    #[test]
    fn memory_has_the_largest_unit_that_half_divides() {
        for (amount, expect) in
            [(1000, "1000M"), (30_000, "30000M"), (64_000, "62.50G"), (8192, "8G"), (0, "0M")]
        {
            assert_eq!(mebibytes(amount), expect);
        }
    }

    #[test]
    fn names_with_numbers_sort_by_number() {
        assert!(natural("n9") < natural("n10"));
        assert!(natural("bignode12") < natural("n1"));
    }
}
