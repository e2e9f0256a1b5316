//! The header: comments of the form `; Key: value`.

/// What the header says of the machine, and all that it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `MaxProcs`: processors of the machine.
    pub max_procs: Option<u32>,
    /// `MaxNodes`: nodes of the machine.
    pub max_nodes: Option<u32>,
    /// Every `Key: value` in the order of the file, one key perhaps several times (`Note`, `Queue`).
    pub entries: Vec<(String, String)>,
}

impl Header {
    /// Takes a comment, without its `;`. What is not of the form `Key: value` is free text and passed over.
    pub(super) fn comment(&mut self, comment: &[u8]) {
        let comment = String::from_utf8_lossy(comment);
        let Some((key, value)) = comment.split_once(':') else { return };
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.contains(char::is_whitespace) {
            return;
        }
        match key {
            "MaxProcs" if self.max_procs.is_none() => self.max_procs = count(value),
            "MaxNodes" if self.max_nodes.is_none() => self.max_nodes = count(value),
            _ => {}
        }
        self.entries.push((key.to_owned(), value.to_owned()));
    }

    /// The processors that a replay of the log has: `MaxProcs`, else `MaxNodes`.
    pub fn processors(&self) -> Option<u32> {
        self.max_procs.or(self.max_nodes)
    }
}

/// The number that a value begins with, if it is more than 0: `338 (batch partition; 512 total)` is 338.
fn count(value: &str) -> Option<u32> {
    let digits = value.find(|c: char| !c.is_ascii_digit()).map_or(value, |end| &value[..end]);
    digits.parse().ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_the_number_that_its_entry_begins_with() {
        let check = |comment: &str, expect: Option<u32>| {
            let mut header = Header::default();
            header.comment(comment.as_bytes());
            assert_eq!(header.processors(), expect, "{comment}");
        };
        check(" MaxProcs: 128", Some(128));
        check(" MaxNodes: 338 (batch partition; 512 total)", Some(338));
        check("MaxProcs:93312", Some(93312));
        check(" MaxProcs: -1", None);
        check(" MaxProcs: 99999999999", None);
        check(" Note: MaxProcs: 3", None);
        check("\tand MaxProcs: 3", None);
    }

    #[test]
    fn processors_count_before_nodes_wherever_they_stand() {
        let mut header = Header::default();
        header.comment(b" MaxNodes: 144");
        header.comment(b" MaxProcs: 1152");
        header.comment(b" Note: \xe9l\xe8ve");
        assert_eq!(header.processors(), Some(1152));
        assert_eq!(header.entries.len(), 3);
    }
}
