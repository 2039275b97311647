//! One command of a trace, and what it does with each of its objects.
//!
//! An object is named by its attribute and its id together; without an attribute the id is both.
//! Integers count as they are and text by its hash, so any names will do.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssmr_core::ObjectId;
use ssmr_core::limits::{MAX_OBJECTS, MAX_REQUEST, MAX_VALUE};
use std::borrow::Cow;
use std::fmt;

/// The largest value that a trace may write: its length takes 8 bytes, too.
pub(crate) const LARGEST: u64 = MAX_VALUE as u64 - 8;

/// The most bytes that a command may write: naming the objects takes a little, too.
pub(crate) const MOST_BYTES: u64 = (MAX_REQUEST - 64 * MAX_OBJECTS) as u64;

/// What a command does with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Op {
    /// Create it: it must not exist.
    Create,
    /// Read its value.
    Read,
    /// Overwrite its value unseen.
    Write,
    /// Read its value and replace it.
    Update,
    /// Delete it.
    Delete,
    /// Move it to another partition.
    Move,
    /// Ask whether it exists.
    Lookup,
}

impl Op {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Create,
        Self::Read,
        Self::Write,
        Self::Update,
        Self::Delete,
        Self::Move,
        Self::Lookup,
    ];

    /// How it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Write => "write",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Move => "move",
            Self::Lookup => "lookup",
        }
    }

    /// Whether a new value comes along.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Write | Self::Update)
    }
}

/// An id or an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// It counts as it is.
    Number(u64),
    /// It counts by its hash. Never the decimal digits of a [`Name::Number`].
    Text(Box<str>),
}

impl Name {
    /// The name that a text stands for: decimal digits without leading zeros are a number.
    pub(crate) fn of(text: &str) -> Self {
        let number = text.parse::<u64>().ok();
        match number.filter(|number| number.to_string() == text) {
            Some(number) => Self::Number(number),
            None => Self::Text(text.into()),
        }
    }

    /// It as it is written in CSV.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    /// What it counts as where it is an attribute.
    pub(crate) fn attribute(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => ObjectId::from(&**text).attribute,
        }
    }

    /// What it counts as where it is an id.
    fn key(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => ObjectId::from(&**text).key,
        }
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => to.serialize_u64(*number),
            Self::Text(text) => to.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer from 0 on, or text that is not empty")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Name, E> {
                Ok(Name::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
                match text.is_empty() {
                    true => Err(E::invalid_value(Unexpected::Str(text), &self)),
                    false => Ok(Name::of(text)),
                }
            }
        }
        from.deserialize_any(Either)
    }
}

/// What a command does with one of its objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// What it does.
    pub(crate) op: Op,
    /// Which object, among those of its attribute.
    pub(crate) id: Name,
    /// What the object was created under, if it is not the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attribute: Option<Name>,
    /// The bytes of the value that is written, or found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// The partition that it is created at or moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<u8>,
    /// The attribute to whose home it is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to_attribute: Option<Name>,
}

impl Part {
    /// An operation on an object, without anything else said.
    pub(crate) fn new(op: Op, id: Name, attribute: Option<Name>) -> Self {
        Self {
            op,
            id,
            attribute,
            size: None,
            to: None,
            to_attribute: None,
        }
    }

    /// The object, as the protocol names it.
    pub(crate) fn object(&self) -> ObjectId {
        let attribute = self.attribute.as_ref().unwrap_or(&self.id);
        ObjectId::new(attribute.attribute(), self.id.key())
    }

    /// How many objects of a request it takes at most: what cannot move is deleted and created
    /// anew.
    pub(crate) fn weight(&self) -> usize {
        1 + usize::from(self.to_attribute.is_some())
    }

    fn defect(&self) -> Option<String> {
        let op = self.op.name();
        match (self.op, self.to, &self.to_attribute) {
            (Op::Move, None, None) => {
                return Some("a move needs `to` or `to_attribute`".into());
            }
            (Op::Move, Some(_), Some(_)) => {
                return Some("a move has either `to` or `to_attribute`".into());
            }
            (Op::Move, ..) | (Op::Create, _, None) | (_, None, None) => {}
            (_, Some(_), _) => return Some(format!("`to` is for create and move, not for {op}")),
            (_, _, Some(_)) => return Some(format!("`to_attribute` is for move, not for {op}")),
        }
        if self.to == Some(u8::MAX) {
            return Some("the last partition that there can be is 254".into());
        }
        let size = self.size.filter(|size| *size > LARGEST);
        size.map(|size| format!("a value of {size} bytes is larger than {LARGEST}"))
    }
}

/// One command: all of it takes effect at once, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceCommand {
    /// When it was issued, in microseconds from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_us: Option<u64>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<u64>,
    /// What it does with each of its objects.
    pub(crate) objects: Vec<Part>,
}

impl TraceCommand {
    /// Why it must be refused, if it must.
    pub(crate) fn defect(&self) -> Option<String> {
        if self.objects.is_empty() {
            return Some("a command without objects".into());
        }
        let count: usize = self.objects.iter().map(Part::weight).sum();
        if count > MAX_OBJECTS {
            return Some(format!(
                "a command of {count} objects (a move to an attribute counts twice); the protocol \
                 allows {MAX_OBJECTS}"
            ));
        }
        if let Some(defect) = self.objects.iter().find_map(Part::defect) {
            return Some(defect);
        }
        let bytes = self
            .objects
            .iter()
            .filter_map(|part| part.size)
            .sum::<u64>();
        if bytes > MOST_BYTES {
            return Some(format!(
                "the values of the command are {bytes} bytes, more than {MOST_BYTES}"
            ));
        }
        if self.objects.len() == 1 {
            return None;
        }
        let mut objects: Vec<_> = self.objects.iter().map(Part::object).collect();
        objects.sort_unstable();
        let twice = objects.windows(2).find(|pair| pair[0] == pair[1])?;
        let part = self.objects.iter().find(|part| part.object() == twice[0])?;
        Some(format!("the command names {} twice", part.id.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_numbers_however_they_are_written() {
        for (text, name) in [
            ("7", Name::Number(7)),
            ("18446744073709551615", Name::Number(u64::MAX)),
            (
                "18446744073709551616",
                Name::Text("18446744073709551616".into()),
            ),
            ("007", Name::Text("007".into())),
            ("-1", Name::Text("-1".into())),
            ("+1", Name::Text("+1".into())),
            ("a", Name::Text("a".into())),
        ] {
            assert_eq!(Name::of(text), name);
            assert_eq!(name.text(), text);
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(serde_json::from_str::<Name>(&json).unwrap(), name);
        }
        assert_eq!(
            serde_json::from_str::<Name>("\"7\"").unwrap(),
            Name::Number(7)
        );
    }

    #[test]
    fn an_object_is_its_attribute_and_its_id() {
        let object = |id, attribute: Option<&str>| {
            Part::new(Op::Read, Name::of(id), attribute.map(Name::of)).object()
        };
        assert_eq!(object("7", None), ObjectId::new(7, 7));
        assert_eq!(object("7", Some("3")), ObjectId::new(3, 7));
        assert_eq!(object("a", None), ObjectId::from("a"));
        let of_b = ObjectId::from("b").attribute;
        assert_eq!(
            object("a", Some("b")),
            ObjectId::new(of_b, ObjectId::from("a").key)
        );
    }
}
