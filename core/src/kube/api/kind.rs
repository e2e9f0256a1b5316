//! The kinds there are, as `kubectl api-resources` lists them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What `kubectl api-resources` says of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// `Pod`
    pub kind: &'static str,
    /// `pods`
    pub plural: &'static str,
    /// `pod`
    pub singular: &'static str,
    /// `po`
    pub short_names: &'static [&'static str],
    /// Whether objects of this kind live in a namespace.
    pub namespaced: bool,
}

impl KindInfo {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods` or `deployments.apps`, as messages of the API server name a resource.
    pub fn qualified_plural(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `pod` or `deployment.apps`, as `kubectl` names an object it changed.
    pub fn qualified_singular(&self) -> String {
        if self.group.is_empty() {
            self.singular.to_owned()
        } else {
            format!("{}.{}", self.singular, self.group)
        }
    }
}

/// One table for everything that depends on the set of kinds: the enum, its
/// facts, and the [`Object`](super::Object) that holds one of each.
///
/// A new kind is one line here.
macro_rules! for_each_kind {
    ($callback:ident) => {
        $callback! {
            ConfigMap(k8s_openapi::api::core::v1::ConfigMap): "" "v1" "configmaps" "configmap" ["cm"] namespaced,
            Event(k8s_openapi::api::core::v1::Event): "" "v1" "events" "event" ["ev"] namespaced,
            Namespace(k8s_openapi::api::core::v1::Namespace): "" "v1" "namespaces" "namespace" ["ns"] cluster,
            Node(k8s_openapi::api::core::v1::Node): "" "v1" "nodes" "node" ["no"] cluster,
            Pod(k8s_openapi::api::core::v1::Pod): "" "v1" "pods" "pod" ["po"] namespaced,
            ServiceAccount(k8s_openapi::api::core::v1::ServiceAccount): "" "v1" "serviceaccounts" "serviceaccount" ["sa"] namespaced,
            PriorityClass(k8s_openapi::api::scheduling::v1::PriorityClass): "scheduling.k8s.io" "v1" "priorityclasses" "priorityclass" ["pc"] cluster,
            PodGroup(k8s_openapi::api::scheduling::v1alpha2::PodGroup): "scheduling.k8s.io" "v1alpha2" "podgroups" "podgroup" [] namespaced,
            ClusterQueue(crate::kube::api::kueue::ClusterQueue): "kueue.x-k8s.io" "v1beta2" "clusterqueues" "clusterqueue" ["cq"] cluster,
            LocalQueue(crate::kube::api::kueue::LocalQueue): "kueue.x-k8s.io" "v1beta2" "localqueues" "localqueue" ["queue", "queues", "lq"] namespaced,
            ResourceFlavor(crate::kube::api::kueue::ResourceFlavor): "kueue.x-k8s.io" "v1beta2" "resourceflavors" "resourceflavor" ["flavor", "flavors", "rf"] cluster,
            Workload(crate::kube::api::kueue::Workload): "kueue.x-k8s.io" "v1beta2" "workloads" "workload" ["kwl", "kueueworkload", "kueueworkloads"] namespaced,
            WorkloadPriorityClass(crate::kube::api::kueue::WorkloadPriorityClass): "kueue.x-k8s.io" "v1beta2" "workloadpriorityclasses" "workloadpriorityclass" ["wpc"] cluster,
        }
    };
}
pub(super) use for_each_kind;

macro_rules! scope {
    (namespaced) => {
        true
    };
    (cluster) => {
        false
    };
}

macro_rules! define_kind {
    ($($kind:ident($ty:ty): $group:literal $version:literal $plural:literal $singular:literal [$($short:literal),*] $scope:ident,)*) => {
        /// A kind of object that the API server keeps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant is the Kubernetes kind of that name")]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// What `kubectl api-resources` says of this kind.
            pub const fn info(self) -> &'static KindInfo {
                match self {
                    $(Self::$kind => &KindInfo {
                        group: $group,
                        version: $version,
                        kind: stringify!($kind),
                        plural: $plural,
                        singular: $singular,
                        short_names: &[$($short),*],
                        namespaced: scope!($scope),
                    },)*
                }
            }
        }
    };
}
for_each_kind!(define_kind);

impl Kind {
    /// Whether it is a custom resource: its lists do not merge, and `kubectl describe` shows its plain fields.
    pub const fn is_custom(self) -> bool {
        matches!(
            self,
            Self::ClusterQueue
                | Self::LocalQueue
                | Self::ResourceFlavor
                | Self::Workload
                | Self::WorkloadPriorityClass
        )
    }

    /// The kind of that `apiVersion` and `kind`, as a manifest gives them.
    pub fn from_type_meta(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.info().kind == kind && k.info().api_version() == api_version)
    }

    /// The kind that a user means by `pods`, `pod`, `po`, `pods.v1.` or `priorityclasses.scheduling.k8s.io`.
    pub fn from_user_input(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let (resource, group) = word.split_once('.').map_or((word.as_str(), None), |(r, g)| (r, Some(g)));
        Self::ALL.iter().copied().find(|k| {
            let info = k.info();
            let named =
                info.plural == resource || info.singular == resource || info.short_names.contains(&resource);
            let grouped = group.is_none_or(|group| {
                group == info.group || group == format!("{}.{}", info.version, info.group)
            });
            named && grouped
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().kind)
    }
}
