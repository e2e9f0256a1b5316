//! `kubectl explain`.
use super::command::{Next, Run};
use super::error::Result;
pub(super) fn run(_: &mut Run<'_, '_>) -> Result<Next> {
    Ok(Next::Done)
}
