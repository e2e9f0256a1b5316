//! One object of any kind.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;
use super::kind::for_each_kind;

/// Kind, namespace and name: what tells one object from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for kinds that have none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// The key of an object; pass an empty namespace for cluster-scoped kinds.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let singular = self.kind.info().qualified_singular();
        if self.namespace.is_empty() {
            write!(f, "{singular}/{}", self.name)
        } else {
            write!(f, "{}/{singular}/{}", self.namespace, self.name)
        }
    }
}

/// A type that is one of the [`Kind`]s.
pub trait Resource: Clone + Default + Serialize + serde::de::DeserializeOwned + 'static {
    /// Its kind.
    const KIND: Kind;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to change.
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// Wraps it as an object of any kind.
    fn into_object(self: Arc<Self>) -> Object;
    /// The object inside, if it is of this kind.
    fn from_object(object: &Object) -> Option<&Arc<Self>>;
}

macro_rules! define_object {
    ($($kind:ident($ty:ty): $group:literal $version:literal $plural:literal $singular:literal [$($short:literal),*] $scope:ident,)*) => {
        /// An object of any kind. Cheap to clone: objects are shared, and a change makes a new one.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is the Kubernetes kind of that name")]
        pub enum Object { $($kind(Arc<$ty>),)* }

        impl Object {
            /// Its kind.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// Its metadata.
            pub fn meta(&self) -> &ObjectMeta {
                match self { $(Self::$kind(object) => &object.metadata,)* }
            }

            /// Its metadata, to change (copies the object if it is shared).
            pub fn meta_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Self::$kind(object) => &mut Arc::make_mut(object).metadata,)* }
            }

            /// Its JSON form, with `apiVersion` and `kind`.
            pub fn to_json(&self) -> Value {
                let result = match self { $(Self::$kind(object) => serde_json::to_value(&**object),)* };
                // k8s-openapi's types have string keys only, so that their JSON form always exists.
                let mut json = result.unwrap_or(Value::Null);
                super::go_form::complete(self.kind(), &mut json);
                json
            }

            /// Reads an object of `kind` from JSON; unknown fields are ignored here and are
            /// the business of field validation.
            ///
            /// # Errors
            ///
            /// The deserialiser's own error: a field of the wrong type.
            pub fn from_json(kind: Kind, json: Value) -> Result<Self, serde_json::Error> {
                match kind { $(Kind::$kind => Ok(Self::$kind(Arc::new(serde_json::from_value::<$ty>(json)?))),)* }
            }
        }

        $(impl Resource for $ty {
            const KIND: Kind = Kind::$kind;

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }

            fn into_object(self: Arc<Self>) -> Object {
                Object::$kind(self)
            }

            fn from_object(object: &Object) -> Option<&Arc<Self>> {
                match object {
                    Object::$kind(object) => Some(object),
                    _ => None,
                }
            }
        })*
    };
}
for_each_kind!(define_object);

impl Object {
    /// Its name; empty before the API server has given one.
    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Its namespace; empty for kinds that have none.
    pub fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// What tells it from all others.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.kind(), self.namespace(), self.name())
    }
}
