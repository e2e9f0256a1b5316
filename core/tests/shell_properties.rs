//! What holds for any script, however it came about.

mod shell_machine;

use clusterlab::process::{Process, ProcessState, Stream};
use proptest::prelude::*;
use shell_machine::{Machine, bash};

/// Pieces of scripts: put together at random they are right now and then, and wrong in every way.
const PIECES: &[&str] = &[
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "for",
    "i",
    "in",
    "do",
    "done",
    "while",
    "until",
    "case",
    "esac",
    "{",
    "}",
    "(",
    ")",
    "[[",
    "]]",
    "((",
    "))",
    "$((",
    "$(",
    "`",
    "\"",
    "'",
    ";",
    ";;",
    "&",
    "&&",
    "||",
    "|",
    "<",
    ">",
    ">>",
    "2>&1",
    "<<E",
    "E",
    "\n",
    " ",
    "echo",
    "x=1",
    "$x",
    "${x",
    "${x:-",
    "${#",
    "${x%",
    "${x//",
    "@}",
    "true",
    "false",
    "read",
    "break",
    "continue 2",
    "return",
    "local y=2",
    "f()",
    "f",
    "set -e",
    "set -u",
    "trap 'echo t' EXIT",
    "sleep 1",
    "wait",
    "exit 3",
    "*",
    "[a-z]",
    "~",
    "{1..3}",
    "{a,b}",
    "!",
    "\\",
    "$'a",
    "$[",
    "a=(1 2",
    "${a[@]}",
    "<(",
    "seq 3",
    "xargs -n1 echo",
    "awk '{print $1}'",
    "timeout 2 sleep 9",
    "env A=1",
    "grep a",
    "sed s/a/b/",
    "sort",
    "head -n1",
    "é",
    "\u{0}",
    "99999999999",
    "function",
    "time",
];

fn script() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(PIECES), 0..25).prop_map(|pieces| pieces.join(" ")),
        prop::collection::vec(prop::sample::select(PIECES), 0..25).prop_map(|pieces| pieces.concat()),
        ".{0,60}",
        prop::collection::vec(any::<u8>(), 0..60)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

/// Goes on for at most so many instants; what was written, and the exit code if it ended.
fn go_on(
    process: &mut Process<()>,
    machine: &mut Machine,
    instants: usize,
) -> (Vec<(Stream, Vec<u8>)>, Option<u8>) {
    let mut output = Vec::new();
    for _ in 0..instants {
        let state = process.advance(machine);
        output.extend(process.take_output());
        match state {
            ProcessState::Running { wake: Some(wake), .. } => machine.now = wake.max(machine.now),
            ProcessState::Exited(code) => return (output, Some(code)),
            _ => break,
        }
    }
    (output, None)
}

proptest! {
    #[test]
    fn any_script_ends_or_gives_the_machine_back(text in script()) {
        let mut machine = Machine::new();
        let mut process = Process::exec(bash(&text), &mut machine).unwrap();
        process.close_stdin();
        // Each instant takes a bounded number of steps: that this returns at all is what is tested.
        go_on(&mut process, &mut machine, 20);
    }

    #[test]
    fn a_copy_goes_on_as_the_original_does(text in script(), after in 0usize..5) {
        let mut machine = Machine::new();
        let mut process = Process::exec(bash(&text), &mut machine).unwrap();
        process.close_stdin();
        go_on(&mut process, &mut machine, after);
        let (mut copy, mut its_machine) = (process.clone(), machine.clone());
        prop_assert_eq!(go_on(&mut process, &mut machine, 15), go_on(&mut copy, &mut its_machine, 15));
    }
}
