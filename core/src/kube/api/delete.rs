//! Delete: at once, after a grace period, or when the last finalizer lets go.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{ApiServer, DeleteOptions, Deletion, Kind, Object, Status};

/// So many seconds later. [`grace_period`] keeps within the calendar; `+` would panic outside of it, and with that panic
/// every message that `jiff` has would be downloaded by a visitor of the browser lab.
fn later(from: Timestamp, seconds: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

impl ApiServer {
    /// Deletes an object, or marks it for deletion.
    ///
    /// A pod on a node gets its grace period: the kubelet ends it and deletes it again with a
    /// period of 0. Other objects go at once, unless finalizers hold them.
    ///
    /// # Errors
    ///
    /// `NotFound`, `Conflict` (preconditions), `Forbidden` (namespaces that may not go).
    pub fn delete(
        &mut self,
        kind: Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deletion, Status> {
        let old = self.get(kind, namespace, name)?;
        super::admission::on_delete(&old)?;
        check_delete_preconditions(&old, options)?;
        if let Object::Namespace(_) = &old {
            return Ok(self.delete_namespace(old, options.dry_run));
        }
        let mut object = old.clone();
        let grace = match &old {
            Object::Pod(pod) => Some(grace_period(pod, options.grace_period_seconds)),
            _ => None,
        };
        let finalized = old.meta().finalizers.as_ref().is_none_or(Vec::is_empty);
        let mark = |server: &Self, object: &mut Object, seconds: i64| {
            let meta = object.meta_mut();
            meta.deletion_timestamp = Some(Time(later(server.timestamp().0, seconds)));
            meta.deletion_grace_period_seconds = Some(seconds);
            if let Some(generation) = &mut meta.generation {
                *generation += 1;
            }
        };
        match (old.meta().deletion_timestamp.as_ref(), old.meta().deletion_grace_period_seconds) {
            // Being deleted with grace: the period may only become shorter.
            (Some(deadline), Some(present)) if present != 0 => {
                let Some(wanted) =
                    grace.filter(|wanted| *wanted < present && options.grace_period_seconds.is_some())
                else {
                    return Ok(Deletion::Pending(old));
                };
                let meta = object.meta_mut();
                meta.deletion_timestamp = Some(Time(later(deadline.0, wanted - present)));
                meta.deletion_grace_period_seconds = Some(wanted);
            }
            (Some(_), _) if !finalized => return Ok(Deletion::Pending(old)),
            (Some(_), _) => {}
            (None, _) => match grace {
                Some(seconds) => mark(self, &mut object, seconds),
                None if !finalized => mark(self, &mut object, 0),
                None => {}
            },
        }
        let gone = finalized && grace.is_none_or(|_| object.meta().deletion_grace_period_seconds == Some(0));
        if options.dry_run {
            return Ok(if gone { Deletion::Gone(object) } else { Deletion::Pending(object) });
        }
        if object != old {
            object = self.put(object);
        }
        if gone {
            return Ok(Deletion::Gone(self.remove(&object.key()).unwrap_or(object)));
        }
        Ok(Deletion::Pending(object))
    }

    /// Deletes a pod for good, as the kubelet does once its containers have ended.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn finish_deletion(&mut self, namespace: &str, name: &str) -> Result<Deletion, Status> {
        let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        self.delete(Kind::Pod, namespace, name, &options)
    }
}

fn check_delete_preconditions(object: &Object, options: &DeleteOptions) -> Result<(), Status> {
    let kind = object.kind().info().kind;
    let refuse = |what: &str, wanted: &str, present: &str, hint: &str| {
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({present}). The object might have been {hint}"
        );
        Err(Status::conflict(kind, object.name(), &why))
    };
    let meta = object.meta();
    let (uid, version) =
        (meta.uid.as_deref().unwrap_or_default(), meta.resource_version.as_deref().unwrap_or_default());
    match (&options.uid, &options.resource_version) {
        (Some(wanted), _) if wanted != uid => refuse("UID", wanted, uid, "deleted and then recreated"),
        (_, Some(wanted)) if wanted != version => refuse("ResourceVersion", wanted, version, "modified"),
        _ => Ok(()),
    }
}

/// The seconds that a pod gets to end.
fn grace_period(pod: &Pod, wanted: Option<i64>) -> i64 {
    let spec = pod.spec.as_ref();
    let assigned = spec.and_then(|spec| spec.node_name.as_deref()).is_some_and(|node| !node.is_empty());
    let ended = matches!(
        pod.status.as_ref().and_then(|status| status.phase.as_deref()),
        Some("Succeeded" | "Failed")
    );
    if !assigned || ended {
        return 0;
    }
    let own = spec.and_then(|spec| spec.termination_grace_period_seconds).unwrap_or(0);
    match wanted.unwrap_or(own) {
        negative if negative < 0 => 1,
        // A span that the calendar cannot hold is cut to what it can.
        period => period.min(Duration::from_hours(24 * 365 * 100).as_secs() as i64),
    }
}
