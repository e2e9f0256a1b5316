//! From a JSON tree to a type, with every problem found at once and named by its path.
//!
//! `serde` alone stops at the first wrong type, says nothing of unknown fields and words
//! its errors for Rust programmers. The decoder here goes on with a zero value after each
//! wrong type, notes each unknown field, and remembers enough of the types that were asked for to
//! say what Go's decoder in the real API server says:
//!
//! ```
//! use clusterlab::kube::decode::{Dialect, decode};
//! use k8s_openapi::api::core::v1::Pod;
//! use serde_json::json;
//!
//! let body = json!({"spec": {"containers": "nginx", "nodeNam": "gpu-1"}});
//! let decoded = decode::<Pod>(&body, Dialect::Kubernetes);
//! assert_eq!(decoded.problems[0].path.to_string(), "spec.containers");
//! assert_eq!(
//!     decoded.go_error().unwrap(),
//!     "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
//! );
//! assert_eq!(decoded.problems[1].path.to_string(), "spec.nodeNam");
//! ```

mod access;
mod de;
mod path;
mod problem;
mod state;
mod zero;

pub use path::{Path, Segment};
pub(crate) use problem::nearest;
pub use problem::{Problem, ProblemKind};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Whose rules a tree is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Kubernetes' objects, as Go reads and writes them: `null`, and for most fields the zero value, mean "not given".
    Kubernetes,
    /// Our own files: a value is what it says.
    Plain,
}

/// What came of decoding.
#[derive(Clone, Debug)]
pub struct Decoded<T> {
    /// The value, with zero values where something was wrong; `None` if no value could be made at all.
    pub value: Option<T>,
    /// All problems, in the order of the tree.
    pub problems: Vec<Problem>,
}

impl<T> Decoded<T> {
    /// The first wrong type or unreadable value, in the words of Go's decoder.
    pub fn go_error(&self) -> Option<&str> {
        self.problems.iter().find_map(|problem| match &problem.kind {
            ProblemKind::WrongType { go, .. } => Some(go.as_str()),
            ProblemKind::Invalid { message } => Some(message),
            ProblemKind::Unknown { .. } => None,
        })
    }

    /// The fields that the type does not have.
    pub fn unknown(&self) -> impl Iterator<Item = &Path> {
        self.problems
            .iter()
            .filter(|problem| matches!(problem.kind, ProblemKind::Unknown { .. }))
            .map(|problem| &problem.path)
    }
}

/// Decodes a tree.
pub fn decode<T: DeserializeOwned>(value: &Value, dialect: Dialect) -> Decoded<T> {
    let mut state = state::State::new(dialect);
    let value = match T::deserialize(de::Decoder::new(value, &mut state)) {
        Ok(value) => Some(value),
        Err(error) => {
            state.note(error);
            None
        }
    };
    Decoded { value, problems: state.problems }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{ConfigMap, Pod};
    use serde::Deserialize;
    use serde_json::json;

    fn check<T: DeserializeOwned>(value: &Value, expected: &[&str]) {
        let decoded = decode::<T>(value, Dialect::Kubernetes);
        let texts: Vec<_> = decoded
            .problems
            .iter()
            .map(|problem| match &problem.kind {
                ProblemKind::WrongType { go, .. } => format!("{}: {go}", problem.path),
                ProblemKind::Invalid { message } => format!("{}: {message}", problem.path),
                ProblemKind::Unknown { .. } => format!("unknown field \"{}\"", problem.path),
            })
            .collect();
        assert_eq!(texts, expected);
        assert!(decoded.value.is_some());
    }

    #[test]
    fn wrong_types_are_told_as_go_tells_them() {
        check::<ConfigMap>(
            &json!({"data": {"a": true}}),
            &["data[a]: json: cannot unmarshal bool into Go struct field ConfigMap.data of type string"],
        );
        check::<Pod>(
            &json!({"metadata": {"labels": {"a": false}}}),
            &[
                "metadata.labels[a]: json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
            ],
        );
        check::<Pod>(
            &json!({"metadata": [1], "spec": "x"}),
            &[
                "metadata: json: cannot unmarshal array into Go struct field Pod.metadata of type v1.ObjectMeta",
                "spec: json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec",
            ],
        );
        check::<Pod>(
            &json!({"spec": {"containers": [{"name": 5, "image": {"a": 1}}, "x"], "hostNetwork": "yes"}}),
            &[
                "spec.containers[0].image: json: cannot unmarshal object into Go struct field Container.spec.containers.image of type string",
                "spec.containers[0].name: json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
                "spec.containers[1]: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container",
                "spec.hostNetwork: json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
            ],
        );
        check::<Pod>(
            &json!({"spec": {"nodeSelector": "x", "terminationGracePeriodSeconds": 1.5, "tolerations": {}}}),
            &[
                "spec.nodeSelector: json: cannot unmarshal string into Go struct field PodSpec.spec.nodeSelector of type map[string]string",
                "spec.terminationGracePeriodSeconds: json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
                "spec.tolerations: json: cannot unmarshal object into Go struct field PodSpec.spec.tolerations of type []v1.Toleration",
            ],
        );
    }

    #[test]
    fn unknown_fields_are_named_by_their_path() {
        check::<Pod>(
            &json!({"foo": 1, "spec": {"containers": [{"name": "a", "imag": "b"}]}}),
            &["unknown field \"foo\"", "unknown field \"spec.containers[0].imag\""],
        );
    }

    #[test]
    fn quantities_are_read_and_checked() {
        let limits =
            |amount: Value| json!({"spec": {"containers": [{"resources": {"limits": {"cpu": amount}}}]}});
        check::<Pod>(&limits(json!(2)), &[]);
        check::<Pod>(
            &limits(json!("lots")),
            &[
                "spec.containers[0].resources.limits[cpu]: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ],
        );
    }

    #[test]
    fn what_go_leaves_out_counts_as_not_given() {
        let body = json!({"metadata": {"name": "a", "labels": {}, "namespace": ""},
            "spec": {"hostNetwork": false, "tolerations": [], "nodeName": null, "securityContext": {},
                     "automountServiceAccountToken": false, "containers": []}});
        let pod = decode::<Pod>(&body, Dialect::Kubernetes).value.unwrap();
        let json = serde_json::to_value(&pod).unwrap();
        assert_eq!(
            json,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
                "spec": {"automountServiceAccountToken": false, "securityContext": {}, "containers": []}})
        );
    }

    #[test]
    fn our_own_types_are_read_too() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(rename_all = "camelCase")]
        enum Check {
            Cel(String),
            Both { left: u32, right: Option<f64> },
            None,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Spec {
            name: String,
            checks: Vec<Check>,
        }
        let body = json!({"name": "a", "checks": [{"cel": "x"}, {"both": {"left": 1, "rigt": 2}}, "none"]});
        let decoded = decode::<Spec>(&body, Dialect::Plain);
        let expected = Spec {
            name: "a".to_owned(),
            checks: vec![Check::Cel("x".to_owned()), Check::Both { left: 1, right: None }, Check::None],
        };
        assert_eq!(decoded.value, Some(expected));
        assert_eq!(decoded.unknown().map(ToString::to_string).collect::<Vec<_>>(), ["checks[1].both.rigt"]);
        let missing = decode::<Spec>(&json!({"checks": []}), Dialect::Plain);
        assert_eq!(missing.value, None);
        assert_eq!(missing.go_error(), Some("missing field `name`"));
    }
}
