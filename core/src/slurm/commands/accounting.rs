//! `sacctmgr list`: tables of the accounting database.

use super::CommandOutput;
use crate::slurm::accounting::AccountingDb;

/// Prints what `sacctmgr list WHAT` prints.
pub(crate) fn show_accounting(
    _db: &AccountingDb,
    what: &str,
    _words: &[&str],
    _parsable: bool,
) -> CommandOutput {
    CommandOutput::error(format!("sacctmgr: not modelled: list {what}\n"))
}
