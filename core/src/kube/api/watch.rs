//! Watches: what has changed since a version.

use super::options::{WatchEvent, WatchVerb};
use super::selector::Selectors;
use super::{ApiServer, Kind, ListOptions, Reason, Status};

impl ApiServer {
    /// All changes after version `since`, oldest first: what a controller reads with a cursor.
    ///
    /// Found by binary search, so that a caller that is up to date pays nothing.
    pub fn events_since(&self, since: u64) -> impl Iterator<Item = &WatchEvent> {
        let start = self.history.partition_point(|event| event.resource_version <= since);
        self.history.range(start..)
    }

    /// The oldest version that [`watch`](Self::watch) can start from.
    pub fn oldest_version(&self) -> u64 {
        self.history.front().map_or_else(|| self.resource_version(), |event| event.resource_version - 1)
    }

    /// The changes of a kind after version `since`, as a watch with these selectors sees them: an object that
    /// begins to match appears as added, one that ceases to match as deleted.
    ///
    /// # Errors
    ///
    /// `BadRequest` for a bad selector; `Expired` if the history does not reach back to `since`.
    pub fn watch(
        &self,
        kind: Kind,
        namespace: &str,
        options: &ListOptions,
        since: u64,
    ) -> Result<Vec<WatchEvent>, Status> {
        let selectors = Selectors::parse(kind, options)?;
        let oldest = self.oldest_version();
        if since < oldest {
            return Err(Status::new(
                Reason::Expired,
                format!("too old resource version: {since} ({})", oldest + 1),
            ));
        }
        let in_scope = |event: &&WatchEvent| {
            event.object.kind() == kind && (namespace.is_empty() || event.object.namespace() == namespace)
        };
        let seen = |event: &WatchEvent| {
            let gone = event.verb == WatchVerb::Deleted;
            let is = !gone && selectors.matches(&event.object);
            let was = event.previous.as_ref().is_some_and(|previous| selectors.matches(previous));
            let verb = match (was, is) {
                (false, false) => return None,
                (false, true) => WatchVerb::Added,
                (true, true) => WatchVerb::Modified,
                (true, false) => WatchVerb::Deleted,
            };
            let mut event = WatchEvent { verb, ..event.clone() };
            if !is && event.previous.as_ref().is_some_and(|_| !gone) {
                // Out of view, but still there: the watcher is told what it last saw.
                event.object = event.previous.clone().unwrap_or(event.object);
                event.object.meta_mut().resource_version = Some(event.resource_version.to_string());
            }
            Some(event)
        };
        Ok(self.events_since(since).filter(in_scope).filter_map(seen).collect())
    }
}
