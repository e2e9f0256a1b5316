//! The parts of the site builder: the lab's bundle, the book in two languages, and the book's messages for translators.

pub mod book;
pub mod bundle;
pub mod messages;
pub mod split;
