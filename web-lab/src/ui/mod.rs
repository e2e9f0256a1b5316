//! The components: thin, each drawing one part of the [`Model`](crate::model::Model).
//!
//! A component gets what it draws and a callback for what the learner does
//! ([`Action`]); it decides nothing about the cluster.

mod app;
mod bar;
mod cluster;
mod dialogs;
mod editor;
mod events;
mod header;
mod node;
mod objects;
#[cfg(feature = "slurm")]
mod slurm;
mod task;
mod terminal;
mod why;

pub use app::{App, AppMsg, AppProps};

use std::cell::RefCell;
use std::rc::Rc;

use crate::i18n::Lang;
use crate::model::Selection;
use crate::protocol::Request;

/// What the learner does on the page.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Something for the worker.
    Ask(Request),
    /// A line was entered at the terminal.
    Type(String),
    /// Several lines were pasted into it.
    Paste(Vec<String>),
    /// Ctrl-L.
    ClearTerminal,
    /// The text of a file changed.
    Edit {
        /// Which file.
        path: String,
        /// Its text now.
        text: String,
    },
    /// Open a file in the editor.
    OpenFile(String),
    /// Make a file.
    NewFile(String),
    /// Delete a file.
    DeleteFile(String),
    /// Look closely at something.
    Select(Option<Selection>),
    /// Show a part of the page, where only one has room.
    Panel(Panel),
    /// Show one of the lists beside the picture.
    Tab(Tab),
    /// Let time pass or stand still.
    PlayPause,
    /// How fast time passes.
    Speed(u32),
    /// Speak another language.
    Lang(Lang),
    /// Dark or light.
    Dark(bool),
    /// Open or close a dialog.
    Dialog(Option<Dialog>),
    /// Hand out the work as a file.
    Export,
    /// Take the work from a file's text; `None` if it could not be read.
    Import(Option<String>),
    /// Copy a link that reproduces this moment.
    Share,
    /// Begin the exercise again.
    Reset,
    /// Go to another exercise.
    Exercise(String),
    /// Show the next part of a hint.
    ReadHint {
        /// Which hint.
        hint: String,
        /// How many of its parts, 1 to 3.
        level: u8,
    },
    /// Answer a question before time goes on.
    Predict {
        /// Which question.
        question: String,
        /// The choice.
        choice: String,
    },
    /// Close a message.
    Dismiss(u64),
}

/// A part of the page; on a phone, one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Panel {
    /// The exercise.
    #[default]
    Task,
    /// The editor.
    Files,
    /// The terminal.
    Terminal,
    /// The picture of the cluster.
    Cluster,
    /// Pods, nodes, events.
    Objects,
}

impl Panel {
    /// In the order in which they stand on the page.
    pub const ALL: [Self; 5] = [Self::Task, Self::Files, Self::Terminal, Self::Cluster, Self::Objects];

    /// Its CSS class and the end of its id, `panel-…`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Files => "files",
            Self::Terminal => "terminal",
            Self::Cluster => "cluster",
            Self::Objects => "objects",
        }
    }

    /// The id of what the focus goes to.
    pub const fn focus_id(self) -> &'static str {
        match self {
            Self::Task => "panel-task",
            Self::Files => "editor",
            Self::Terminal => "terminal-input",
            Self::Cluster => "panel-cluster",
            Self::Objects => "panel-objects",
        }
    }
}

/// The lists beside the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Pods.
    #[default]
    Pods,
    /// Nodes.
    Nodes,
    /// Events.
    Events,
    /// Slurm's queue.
    #[cfg(feature = "slurm")]
    Queue,
    /// Slurm's nodes.
    #[cfg(feature = "slurm")]
    SlurmNodes,
    /// Slurm's accounts and their shares.
    #[cfg(feature = "slurm")]
    Shares,
}

/// A dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Keys and what they do.
    Help,
    /// Begin again?
    Reset,
    /// A name for a new file.
    NewFile,
}

/// A value shared between the page and one component; equal to itself only.
#[derive(Debug)]
pub struct Shared<T>(pub Rc<RefCell<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

/// Joins class names, leaving out the empty ones.
pub(crate) fn class(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}
