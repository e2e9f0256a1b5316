//! What Tab does with the words that the lab offers.

/// The line after completion, the cursor in it (bytes), and the words still to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The line as it should stand now.
    pub line: String,
    /// Where the cursor goes, in bytes.
    pub cursor: usize,
    /// What could still be meant; empty when the word is whole.
    pub choices: Vec<String>,
}

/// Puts in what all `candidates` have in common, as bash does: a single one whole, with a
/// blank behind it unless it is a folder. `start..cursor` is the word in `line`.
pub fn complete(line: &str, start: usize, cursor: usize, candidates: &[String]) -> Option<Completed> {
    let (head, typed, tail) = (line.get(..start)?, line.get(start..cursor)?, line.get(cursor..)?);
    let (first, others) = candidates.split_first()?;
    let common = others.iter().fold(first.as_str(), |common, other| {
        let end = common.char_indices().zip(other.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        &common[..end.unwrap_or(common.len().min(other.len()))]
    });
    let mut word = if common.len() >= typed.len() { common.to_owned() } else { typed.to_owned() };
    if others.is_empty() && !word.ends_with(['/', '=', ' ']) && !tail.starts_with(' ') {
        word.push(' ');
    }
    Some(Completed {
        cursor: head.len() + word.len(),
        line: format!("{head}{word}{tail}"),
        choices: if others.is_empty() { Vec::new() } else { candidates.to_vec() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, start: usize, candidates: &[&str], want: &str, choices: usize) {
        let candidates: Vec<String> = candidates.iter().map(|c| (*c).to_owned()).collect();
        let done = complete(line, start, line.len(), &candidates).unwrap();
        assert_eq!((done.line.as_str(), done.choices.len()), (want, choices), "{line}");
    }

    #[test]
    fn what_is_common_is_put_in_and_a_single_word_is_ended() {
        check("kub", 0, &["kubectl"], "kubectl ", 0);
        check("kubectl get po", 12, &["poddisruptionbudgets", "pods"], "kubectl get pod", 2);
        check("cat man", 4, &["manifests/"], "cat manifests/", 0);
        check("ls ", 3, &["가나", "가다"], "ls 가", 2);
        check("ls x", 3, &["a", "b"], "ls x", 2);
        assert_eq!(complete("ls", 0, 2, &[]), None);
        assert_eq!(complete("가", 1, 3, &["x".to_owned()]), None);
    }

    #[test]
    fn what_stands_behind_the_cursor_stays() {
        let done = complete("kub get", 0, 3, &["kubectl".to_owned()]).unwrap();
        assert_eq!((done.line.as_str(), done.cursor), ("kubectl get", 7));
    }
}
