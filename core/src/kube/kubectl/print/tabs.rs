//! Columns: Go's `text/tabwriter`, as kubectl uses it.
//!
//! A cell ends with a tab; the text after a line's last tab belongs to no column
//! and is never padded. A column is a run of lines that have a cell there, so
//! that a line without tabs ends every column. With *remembered widths*, as in
//! `kubectl get -w`, a column that was once wide stays wide.

/// Aligns tab-separated cells.
#[derive(Clone, Debug)]
pub struct TabWriter {
    min_width: usize,
    padding: usize,
    remember: bool,
    remembered: Vec<usize>,
    text: String,
}

impl TabWriter {
    /// As `kubectl get` aligns tables.
    pub const fn table() -> Self {
        Self { min_width: 6, padding: 3, remember: true, remembered: Vec::new(), text: String::new() }
    }

    /// As `kubectl describe` aligns its lines.
    pub const fn describe() -> Self {
        Self { min_width: 0, padding: 2, remember: false, remembered: Vec::new(), text: String::new() }
    }

    /// Adds text; lines end with a newline.
    pub fn write(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Whether nothing is waiting to be written.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Forgets the widths of earlier tables.
    pub fn forget_widths(&mut self) {
        self.remembered.clear();
    }

    /// Everything written since the last flush, aligned.
    pub fn flush(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let mut lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
        // What follows the last newline is a line only if there is something.
        let ends_with_newline = lines.last().is_some_and(|cells| cells.len() == 1 && cells[0].is_empty());
        if ends_with_newline {
            lines.pop();
        }
        let mut out = String::with_capacity(text.len() * 2);
        let mut widths = Vec::new();
        self.block(&lines, &mut widths, &mut out);
        if !ends_with_newline {
            out.pop();
        }
        out
    }

    /// Writes a run of lines whose first `widths.len()` columns are settled.
    fn block(&mut self, lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
        let column = widths.len();
        let has_cell = |line: &Vec<&str>| column + 1 < line.len();
        let mut rest = lines;
        while let Some(first) = rest.iter().position(has_cell) {
            let (before, from) = rest.split_at(first);
            put_lines(before, widths, out);
            let length = from.iter().position(|line| !has_cell(line)).unwrap_or(from.len());
            let (run, after) = from.split_at(length);
            let mut width = run
                .iter()
                .map(|line| line[column].chars().count() + self.padding)
                .fold(self.min_width, usize::max);
            if self.remember {
                match self.remembered.get_mut(column) {
                    Some(known) => {
                        width = width.max(*known);
                        *known = width;
                    }
                    None => self.remembered.push(width),
                }
            }
            widths.push(width);
            self.block(run, widths, out);
            widths.pop();
            rest = after;
        }
        put_lines(rest, widths, out);
    }
}

fn put_lines(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for cells in lines {
        for (index, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(index) {
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut writer: TabWriter, input: &str, expect: &str) {
        writer.write(input);
        assert_eq!(writer.flush(), expect);
    }

    #[test]
    fn cells_line_up_and_the_last_one_is_not_padded() {
        check(
            TabWriter::table(),
            "NAME\tAGE\na\t3s\nlonger\t4s\n",
            "NAME     AGE\na        3s\nlonger   4s\n",
        );
    }

    #[test]
    fn a_table_column_is_at_least_six_wide() {
        check(TabWriter::table(), "0\t5s\n", "0     5s\n");
    }

    #[test]
    fn a_line_without_tabs_ends_a_column() {
        check(
            TabWriter::describe(),
            "a:\tx\nlonger:\ty\nend\nb:\tz\n",
            "a:       x\nlonger:  y\nend\nb:  z\n",
        );
    }

    #[test]
    fn remembered_widths_only_grow() {
        let mut writer = TabWriter::table();
        writer.write("a-long-name\tx\n");
        writer.flush();
        writer.write("b\ty\n");
        assert_eq!(writer.flush(), "b             y\n");
    }
}
