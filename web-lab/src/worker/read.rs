//! Reading the journal aloud: the terminal's text and the marks of the time line.

use clusterlab::kube::api::Kind;
use clusterlab::lab::{Change, Event, Input, Lab, Prompt};
use k8s_openapi::api::core::v1;

use crate::protocol::{Chunk, Mark, MarkKind};

/// How much of the terminal's past is sent when all of it is asked for.
const MOST_CHUNKS: usize = 2000;
/// How many marks of the past are sent when all are asked for.
const MOST_MARKS: usize = 3000;

/// What the terminal waited for when the journal had been read up to some place.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// Entries read.
    read: usize,
    /// The prompt that is shown between commands.
    ready: String,
    /// A command was typed and has not ended.
    open: bool,
    /// Something was printed since.
    printed: bool,
}

impl Reader {
    /// Entries that were read.
    pub const fn read(&self) -> usize {
        self.read
    }

    /// Reads on to the end of the journal of `lab`.
    pub fn read_on(&mut self, lab: &Lab) -> (Vec<Chunk>, Vec<Mark>) {
        let entries = lab.journal().entries();
        let (mut chunks, mut marks) = (Vec::new(), Vec::new());
        if self.ready.is_empty()
            && let Prompt::Ready(prompt) = lab.prompt()
        {
            self.ready = prompt;
        }
        for entry in &entries[self.read.min(entries.len())..] {
            match &entry.event {
                Event::Input(Input::Line(line)) => {
                    chunks.push(match (self.open, self.printed) {
                        (false, _) => Chunk::Input(format!("{}{line}", self.ready)),
                        // Nothing was printed yet: the command goes on over several lines, or reads its input.
                        (true, false) => Chunk::Input(format!("> {line}")),
                        (true, true) => Chunk::Reply(line.clone()),
                    });
                    if !self.open && !line.trim().is_empty() {
                        marks.push(Mark { at: entry.at, kind: MarkKind::Command, text: line.clone() });
                    }
                    (self.open, self.printed) = (true, false);
                }
                // A program that has printed may go on: a shell on a node prompts anew.
                Event::Input(Input::Interrupt) => self.open &= self.printed,
                Event::Input(Input::EndOfFile | Input::WriteFile { .. }) => {}
                Event::CommandEnded { .. } => self.open = false,
                Event::Printed { text } => {
                    self.printed = true;
                    match chunks.last_mut() {
                        Some(Chunk::Output(last)) => last.push_str(text),
                        _ => chunks.push(Chunk::Output(text.clone())),
                    }
                }
                Event::Object { change: Change::Added, key, .. } if key.kind == Kind::Event => {
                    if let Some(event) = lab.api().read::<v1::Event>(&key.namespace, &key.name) {
                        marks.extend(mark(entry.at, event));
                    }
                }
                Event::Object { .. } => {}
                #[cfg(feature = "slurm")]
                Event::Job { job, name, state, nodes, .. } if state != "PENDING" && state != "COMPLETING" => {
                    let good = matches!(state.as_str(), "RUNNING" | "COMPLETED" | "CONFIGURING");
                    let place = if nodes.is_empty() { String::new() } else { format!(" ({nodes})") };
                    marks.push(Mark {
                        at: entry.at,
                        kind: if good { MarkKind::Normal } else { MarkKind::Warning },
                        text: format!("{state} job {job} {name}{place}"),
                    });
                }
                Event::Job { .. } => {}
            }
        }
        self.read = entries.len();
        // What was read may end inside a command; the prompt itself knows best.
        match lab.prompt() {
            Prompt::Ready(prompt) => {
                self.ready = prompt;
                self.open = false;
            }
            Prompt::Continuation(_) => (self.open, self.printed) = (true, false),
            Prompt::Busy => (self.open, self.printed) = (true, true),
        }
        if chunks.len() > MOST_CHUNKS {
            chunks.drain(..chunks.len() - MOST_CHUNKS);
            chunks.insert(0, Chunk::Omitted);
        }
        if marks.len() > MOST_MARKS {
            marks.drain(..marks.len() - MOST_MARKS);
        }
        (chunks, marks)
    }
}

/// Events about pods have a mark; that a thousand nodes joined is no news.
fn mark(at: clusterlab::sim::SimTime, event: &v1::Event) -> Option<Mark> {
    let object = &event.involved_object;
    if object.kind.as_deref() != Some("Pod") {
        return None;
    }
    let warning = event.type_.as_deref() == Some("Warning");
    Some(Mark {
        at,
        kind: if warning { MarkKind::Warning } else { MarkKind::Normal },
        text: format!(
            "{} pod/{}",
            event.reason.as_deref().unwrap_or_default(),
            object.name.as_deref().unwrap_or_default()
        ),
    })
}
