//! How the lists of an object merge: the `patchStrategy` and `patchMergeKey` of the API's types.
//!
//! Only what merges is listed; every other list is replaced as a whole.

use crate::kube::api::Kind;

/// How a list merges with a patch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMerge {
    /// The patch's list takes its place.
    Replace,
    /// Items are objects, told apart by this field.
    ByKey(&'static str),
    /// Items are plain values, each at most once.
    Set,
}

/// What merging needs to know of a structure.
#[derive(Debug)]
pub struct Schema {
    fields: &'static [(&'static str, Field)],
}

#[derive(Debug)]
struct Field {
    list: ListMerge,
    inner: &'static Schema,
}

impl Schema {
    /// The structure of a kind.
    pub const fn of(kind: Kind) -> &'static Self {
        match kind {
            Kind::Pod => &POD,
            Kind::Node => &NODE,
            Kind::Namespace => &NAMESPACE,
            Kind::ServiceAccount => &SERVICE_ACCOUNT,
            Kind::ConfigMap | Kind::Event | Kind::PriorityClass => &PLAIN,
            Kind::PodGroup => &NAMESPACE,
            Kind::ClusterQueue
            | Kind::LocalQueue
            | Kind::ResourceFlavor
            | Kind::Workload
            | Kind::WorkloadPriorityClass => &PLAIN,
        }
    }

    /// How the list in this field merges.
    pub fn list(&self, field: &str) -> ListMerge {
        self.field(field).map_or(ListMerge::Replace, |field| field.list)
    }

    /// The structure of this field, or of the items of the list in it.
    pub fn inner(&self, field: &str) -> &'static Self {
        self.field(field).map_or(&EMPTY, |field| field.inner)
    }

    fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, field)| field)
    }
}

const fn object(inner: &'static Schema) -> Field {
    Field { list: ListMerge::Replace, inner }
}

const fn by(key: &'static str, inner: &'static Schema) -> Field {
    Field { list: ListMerge::ByKey(key), inner }
}

const SET: Field = Field { list: ListMerge::Set, inner: &EMPTY };

static EMPTY: Schema = Schema { fields: &[] };
static METADATA: Schema = Schema { fields: &[("finalizers", SET), ("ownerReferences", by("uid", &EMPTY))] };
static PLAIN: Schema = Schema { fields: &[("metadata", object(&METADATA))] };
static CONDITIONS: Schema = Schema { fields: &[("conditions", by("type", &EMPTY))] };
static NAMESPACE: Schema =
    Schema { fields: &[("metadata", object(&METADATA)), ("status", object(&CONDITIONS))] };
static SERVICE_ACCOUNT: Schema =
    Schema { fields: &[("metadata", object(&METADATA)), ("secrets", by("name", &EMPTY))] };
static NODE: Schema = Schema {
    fields: &[
        ("metadata", object(&METADATA)),
        ("spec", object(&NODE_SPEC)),
        ("status", object(&NODE_STATUS)),
    ],
};
static NODE_SPEC: Schema = Schema { fields: &[("podCIDRs", SET)] };
static NODE_STATUS: Schema =
    Schema { fields: &[("addresses", by("type", &EMPTY)), ("conditions", by("type", &EMPTY))] };
static POD: Schema = Schema {
    fields: &[("metadata", object(&METADATA)), ("spec", object(&POD_SPEC)), ("status", object(&POD_STATUS))],
};
static POD_SPEC: Schema = Schema {
    fields: &[
        ("containers", by("name", &CONTAINER)),
        ("ephemeralContainers", by("name", &CONTAINER)),
        ("hostAliases", by("ip", &EMPTY)),
        ("imagePullSecrets", by("name", &EMPTY)),
        ("initContainers", by("name", &CONTAINER)),
        ("resourceClaims", by("name", &EMPTY)),
        ("schedulingGates", by("name", &EMPTY)),
        ("topologySpreadConstraints", by("topologyKey", &EMPTY)),
        ("volumes", by("name", &EMPTY)),
    ],
};
static POD_STATUS: Schema = Schema {
    fields: &[
        ("conditions", by("type", &EMPTY)),
        ("hostIPs", by("ip", &EMPTY)),
        ("podIPs", by("ip", &EMPTY)),
        ("resourceClaimStatuses", by("name", &EMPTY)),
    ],
};
static CONTAINER: Schema = Schema {
    fields: &[
        ("env", by("name", &EMPTY)),
        ("ports", by("containerPort", &EMPTY)),
        ("volumeDevices", by("devicePath", &EMPTY)),
        ("volumeMounts", by("mountPath", &EMPTY)),
    ],
};
