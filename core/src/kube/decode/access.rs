//! Into lists, objects and enums, keeping track of the path.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Value, map};

use super::de::{Decoder, Source};
use super::state::{Failure, State};
use super::zero::is_left_out;
use super::{Dialect, ProblemKind, Segment};

/// The items of a list; of a zero value one, so that the type of its items gets asked for.
pub(super) struct Items<'a, 'de> {
    left: Option<std::slice::Iter<'de, Value>>,
    index: usize,
    state: &'a mut State,
}

impl<'a, 'de> Items<'a, 'de> {
    pub(super) fn new(source: Source<'de>, state: &'a mut State) -> Self {
        let left = match source {
            Source::Value(Value::Array(items)) => Some(items.iter()),
            _ => None,
        };
        Self { left, index: 0, state }
    }

    fn enter(&mut self) -> Option<Source<'de>> {
        let index = self.index;
        self.index += 1;
        let Some(left) = &mut self.left else { return (index == 0).then_some(Source::Zero) };
        let value = left.next()?;
        self.state.path.push(Segment::Index(index));
        Some(Source::Value(value))
    }

    fn leave(&mut self) {
        if self.left.is_some() {
            self.state.path.pop();
        }
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        if self.left.is_none() {
            return failure;
        }
        let failure = self.state.note(failure);
        self.state.path.pop();
        failure
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(source) = self.enter() else { return Ok(None) };
        match seed.deserialize(Decoder::of(source, self.state)) {
            Ok(value) => {
                self.leave();
                Ok(Some(value))
            }
            Err(failure) => Err(self.fail(failure)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.left.as_ref().map(ExactSizeIterator::len)
    }
}

/// The entries of an object. Of a zero value: none if it is a structure; one if it is a map, so that the type of its
/// values gets asked for.
pub(super) struct Entries<'a, 'de> {
    left: Option<map::Iter<'de>>,
    fields: Option<&'static [&'static str]>,
    next: Option<(&'de str, Source<'de>)>,
    asked: bool,
    state: &'a mut State,
}

impl<'a, 'de> Entries<'a, 'de> {
    pub(super) fn new(
        source: Source<'de>,
        fields: Option<&'static [&'static str]>,
        state: &'a mut State,
    ) -> Self {
        let left = match source {
            Source::Value(Value::Object(object)) => Some(object.iter()),
            _ => None,
        };
        Self { left, fields, next: None, asked: false, state }
    }

    fn segment(&self, key: &str) -> Segment {
        if self.fields.is_some() { Segment::Field(key.to_owned()) } else { Segment::Key(key.to_owned()) }
    }

    /// To the next entry that the type has; others are noted.
    fn advance(&mut self) -> Option<&'de str> {
        if self.left.is_none() {
            let ask = self.fields.is_none() && !std::mem::replace(&mut self.asked, true);
            self.next = ask.then_some(("", Source::Zero));
            return ask.then_some("");
        }
        while let Some((key, value)) = self.left.as_mut().and_then(Iterator::next) {
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
            self.next = Some((key, Source::Value(value)));
            return Some(key);
        }
        None
    }

    fn enter(&mut self) -> Result<Source<'de>, Failure> {
        let Some((key, source)) = self.next.take() else {
            return Err(Failure::new("a value was asked for without its key".to_owned()));
        };
        if self.left.is_some() {
            let segment = self.segment(key);
            self.state.path.push(segment);
        }
        Ok(source)
    }

    fn leave(&mut self) {
        if self.left.is_some() {
            self.state.path.pop();
        }
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        let failure = self.fail_key(failure);
        self.leave();
        failure
    }

    fn fail_key(&mut self, failure: Failure) -> Failure {
        if self.left.is_some() { self.state.note(failure) } else { failure }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(key) = self.advance() else { return Ok(None) };
        let key: StrDeserializer<'_, Failure> = key.into_deserializer();
        match seed.deserialize(key) {
            Ok(key) => Ok(Some(key)),
            Err(failure) => Err(self.fail_key(failure)),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let source = self.enter()?;
        match seed.deserialize(Decoder::of(source, self.state)) {
            Ok(value) => {
                self.leave();
                Ok(value)
            }
            Err(failure) => Err(self.fail(failure)),
        }
    }
}

/// One form of an enum.
pub(super) struct Variant<'a, 'de> {
    tag: &'de str,
    content: Option<Source<'de>>,
    state: &'a mut State,
}

impl<'a, 'de> Variant<'a, 'de> {
    /// # Errors
    ///
    /// The value names no form.
    pub(super) fn new(
        source: Source<'de>,
        name: &'static str,
        variants: &'static [&'static str],
        state: &'a mut State,
    ) -> Result<Self, Failure> {
        let (tag, content) = match source {
            Source::Value(Value::String(tag)) => (tag.as_str(), None),
            Source::Value(Value::Object(object)) => match object.iter().next() {
                Some((tag, content)) if object.len() == 1 => (tag.as_str(), Some(Source::Value(content))),
                _ => return Err(Self::no_form()),
            },
            Source::Value(_) => return Err(Self::no_form()),
            Source::Text(_) | Source::Zero => {
                state.name(name);
                (variants.first().copied().unwrap_or_default(), Some(Source::Zero))
            }
        };
        Ok(Self { tag, content, state })
    }

    fn no_form() -> Failure {
        Failure::new("expected the name of a form, or an object with that one key".to_owned())
    }
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = Failure;
    type Variant = Content<'a, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Failure> {
        let tag: StrDeserializer<'_, Failure> = self.tag.into_deserializer();
        let value = seed.deserialize(tag).map_err(|failure| self.state.note(failure))?;
        Ok((value, Content { tag: self.tag, source: self.content, state: self.state }))
    }
}

pub(super) struct Content<'a, 'de> {
    tag: &'de str,
    source: Option<Source<'de>>,
    state: &'a mut State,
}

const NOTHING: &Value = &Value::Null;

impl<'de> Content<'_, 'de> {
    fn enter(&mut self) -> Decoder<'_, 'de> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        Decoder::of(self.source.unwrap_or(Source::Value(NOTHING)), self.state)
    }

    fn leave<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }
}

impl<'de> VariantAccess<'de> for Content<'_, 'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.source {
            None | Some(Source::Value(Value::Null) | Source::Zero) => Ok(()),
            Some(_) => Err(Failure::new(format!("`{}` takes no value", self.tag))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Failure> {
        let result = seed.deserialize(self.enter());
        self.leave(result)
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        let result = self.enter().deserialize_seq(visitor);
        self.leave(result)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let result = self.enter().deserialize_struct("object", fields, visitor);
        self.leave(result)
    }
}
