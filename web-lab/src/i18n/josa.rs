//! Korean particles: the form after a word depends on the sound it ends in.
//!
//! 을 follows a final consonant, 를 a vowel: "노드를", "파드를", "볼륨을". A word may
//! be a name in Latin letters or end in a digit; then the Korean reading of that
//! letter or digit decides, which is what a reader says aloud.

/// Particles, both forms: (as written in a template, after a consonant, after a vowel).
const PAIRS: &[(&str, &str, &str)] = &[
    ("을(를)", "을", "를"),
    ("이(가)", "이", "가"),
    ("은(는)", "은", "는"),
    ("과(와)", "과", "와"),
    ("(으)로", "으로", "로"),
];

/// If `rest` begins with a particle in both forms, the one that `word` needs, and what follows.
pub fn after<'a>(word: &str, rest: &'a str) -> (&'static str, &'a str) {
    for (both, consonant, vowel) in PAIRS {
        if let Some(tail) = rest.strip_prefix(both) {
            let end = ending(word);
            // 로 also follows ㄹ: "서울로".
            let open = end == Ending::Vowel || (*both == "(으)로" && end == Ending::Rieul);
            return (if open { vowel } else { consonant }, tail);
        }
    }
    ("", rest)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Vowel,
    Rieul,
    Consonant,
}

fn ending(word: &str) -> Ending {
    let Some(last) = word.chars().rev().find(|c| c.is_alphanumeric()) else {
        return Ending::Vowel;
    };
    match last {
        // A syllable block is 0xAC00 + (initial * 21 + vowel) * 28 + final; final 8 is ㄹ.
        '가'..='힣' => match (u32::from(last) - 0xAC00) % 28 {
            0 => Ending::Vowel,
            8 => Ending::Rieul,
            _ => Ending::Consonant,
        },
        // 일 칠 팔, 영 삼 육
        '1' | '7' | '8' => Ending::Rieul,
        '0' | '3' | '6' => Ending::Consonant,
        // 엘 알, 엠 엔
        'l' | 'L' | 'r' | 'R' => Ending::Rieul,
        'm' | 'M' | 'n' | 'N' => Ending::Consonant,
        // Words that end in these letters are usually read with a closed syllable: pod 파드 is open, job 잡 is not.
        'b' | 'B' | 'p' | 'P' | 'k' | 'K' => Ending::Consonant,
        _ => Ending::Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_particle_follows_the_sound_of_the_word() {
        let check = |word: &str, both: &'static str, want: &str| {
            assert_eq!(after(word, both).0, want, "{word}{both}");
        };
        check("노드", "을(를)", "를");
        check("볼륨", "을(를)", "을");
        check("파일", "(으)로", "로");
        check("볼륨", "(으)로", "으로");
        check("서버", "(으)로", "로");
        check("cuda", "이(가)", "가");
        check("job", "은(는)", "은");
        check("gpu-3", "과(와)", "과");
        check("gpu-4", "과(와)", "와");
        check("pod.yaml", "을(를)", "을");
        check("", "을(를)", "를");
        assert_eq!(after("노드", "에"), ("", "에"));
    }
}
