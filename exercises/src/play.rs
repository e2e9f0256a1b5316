//! Scripts, played command by command through a lab's terminal.

use std::ops::ControlFlow;

use clusterlab::lab::{Lab, Output, Prompt, RUN_LIMIT};

/// Plays the lines of `script` as if they were typed one after the other.
///
/// A line that begins something (an open quote, a here-document) makes one command
/// with those after it. Each command runs to its end; one that waits for what will
/// never happen, or runs for longer than [`RUN_LIMIT`], is interrupted.
///
/// `moved` is called at every instant at which the lab has moved, `ended` with each
/// command, as it was typed, and what it printed; it may end the play.
///
/// ```
/// use std::ops::ControlFlow;
/// use clusterlab::lab::{Lab, LabSpec};
///
/// let mut lab = Lab::new(LabSpec::from_yaml("nodes: [{name: a, system: server}]")?)?;
/// let mut printed = String::new();
/// let script = "cat <<END > x.txt\nhello\nEND\ncat x.txt\n";
/// clusterlab_exercises::play(&mut lab, script, |_| {}, |_lab, _command, output| {
///     printed += &output.stdout;
///     ControlFlow::Continue(())
/// });
/// assert_eq!(printed, "hello\n");
/// # Ok::<(), clusterlab::lab::SpecError>(())
/// ```
pub fn play(
    lab: &mut Lab,
    script: &str,
    mut moved: impl FnMut(&Lab),
    mut ended: impl FnMut(&Lab, &str, &Output) -> ControlFlow<()>,
) {
    let mut lines = script.lines().peekable();
    while lines.peek().is_some() {
        let mut command = String::new();
        lab.take_output();
        for line in lines.by_ref() {
            command.push_str(line);
            command.push('\n');
            lab.type_line(line);
            if !matches!(lab.prompt(), Prompt::Continuation(_)) {
                break;
            }
        }
        if matches!(lab.prompt(), Prompt::Continuation(_)) {
            lab.interrupt();
        }
        moved(lab);
        let limit = lab.now() + RUN_LIMIT;
        while lab.prompt() == Prompt::Busy {
            match lab.next_event().filter(|next| *next <= limit) {
                Some(next) => lab.advance_to(next),
                None => lab.interrupt(),
            }
            moved(lab);
        }
        let output = Output::new(lab.last_exit_code(), lab.take_output());
        if ended(lab, command.trim_end_matches('\n'), &output).is_break() {
            return;
        }
    }
}
