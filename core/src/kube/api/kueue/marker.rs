//! `apiVersion` and `kind`, which every object writes and which are the same for all objects of a type.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            /// Who reads an object has found its type by this field already.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|_| Self)
            }
        }
    )*};
}

markers! {
    /// The version that is served and stored.
    GroupVersion = "kueue.x-k8s.io/v1beta2";
    /// `ClusterQueue`
    ClusterQueueKind = "ClusterQueue";
    /// `LocalQueue`
    LocalQueueKind = "LocalQueue";
    /// `ResourceFlavor`
    ResourceFlavorKind = "ResourceFlavor";
    /// `Workload`
    WorkloadKind = "Workload";
    /// `WorkloadPriorityClass`
    WorkloadPriorityClassKind = "WorkloadPriorityClass";
}
