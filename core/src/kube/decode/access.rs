//! Into lists, objects and enums, keeping track of the path.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Value, map};

use super::de::Decoder;
use super::state::{Failure, State};
use super::zero::is_left_out;
use super::{Dialect, ProblemKind, Segment};

pub(super) struct Items<'a, 'de> {
    pub(super) left: std::slice::Iter<'de, Value>,
    pub(super) index: usize,
    pub(super) state: &'a mut State,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(value) = self.left.next() else { return Ok(None) };
        self.state.path.push(Segment::Index(self.index));
        self.index += 1;
        let result = seed.deserialize(Decoder::new(value, self.state));
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

pub(super) struct Entries<'a, 'de> {
    left: map::Iter<'de>,
    fields: Option<&'static [&'static str]>,
    next: Option<(&'de str, &'de Value)>,
    state: &'a mut State,
}

impl<'a, 'de> Entries<'a, 'de> {
    pub(super) fn new(
        object: &'de serde_json::Map<String, Value>,
        fields: Option<&'static [&'static str]>,
        state: &'a mut State,
    ) -> Self {
        Self { left: object.iter(), fields, next: None, state }
    }

    fn segment(&self, key: &str) -> Segment {
        if self.fields.is_some() { Segment::Field(key.to_owned()) } else { Segment::Key(key.to_owned()) }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        while let Some((key, value)) = self.left.next() {
            if let Some(known) = self.fields {
                if !known.contains(&key.as_str()) {
                    let segment = self.segment(key);
                    self.state.path.push(segment);
                    self.state.add(ProblemKind::Unknown { known });
                    self.state.path.pop();
                    continue;
                }
                if self.state.dialect == Dialect::Kubernetes && is_left_out(key, value) {
                    continue;
                }
            }
            self.next = Some((key, value));
            let key: StrDeserializer<'_, Failure> = key.as_str().into_deserializer();
            let result = seed.deserialize(key);
            return result.map(Some).map_err(|failure| self.state.note(failure));
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some((key, value)) = self.next.take() else {
            return Err(Failure::new("a value was asked for without its key".to_owned()));
        };
        let segment = self.segment(key);
        self.state.path.push(segment);
        let result = seed.deserialize(Decoder::new(value, self.state));
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }
}

pub(super) struct Variant<'a, 'de> {
    pub(super) tag: &'de str,
    pub(super) content: Option<&'de Value>,
    pub(super) state: &'a mut State,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = Failure;
    type Variant = Content<'a, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Failure> {
        let tag: StrDeserializer<'_, Failure> = self.tag.into_deserializer();
        let value = seed.deserialize(tag).map_err(|failure| self.state.note(failure))?;
        Ok((value, Content { tag: self.tag, value: self.content, state: self.state }))
    }
}

pub(super) struct Content<'a, 'de> {
    tag: &'de str,
    value: Option<&'de Value>,
    state: &'a mut State,
}

const NOTHING: &Value = &Value::Null;

impl<'de> VariantAccess<'de> for Content<'_, 'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Failure::new(format!("`{}` takes no value", self.tag))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Failure> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        let result = seed.deserialize(Decoder::new(self.value.unwrap_or(NOTHING), self.state));
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        let result = Decoder::new(self.value.unwrap_or(NOTHING), self.state).deserialize_seq(visitor);
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        let decoder = Decoder::new(self.value.unwrap_or(NOTHING), self.state);
        let result = decoder.deserialize_struct("object", fields, visitor);
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }
}
