//! One value of either AMF version.

/// An AMF value. Objects keep the order of the wire; a name may occur twice.
///
/// Typed objects lose their class name, AMF3 integers become numbers, `unsupported` becomes
/// [`Value::Undefined`]. Strings that are not UTF-8 carry replacement characters.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A double. NaN and infinities occur (AM-5).
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A string of any length.
    String(String),
    /// Named values, AMF0 marker 03 or 10, AMF3 marker 0A.
    Object(Vec<(String, Self)>),
    /// Named values with a hint of their count, AMF0 marker 08; AMF3 arrays that have named
    /// members.
    EcmaArray(Vec<(String, Self)>),
    /// Values by position.
    StrictArray(Vec<Self>),
    /// Nothing, on purpose.
    Null,
    /// Nothing, by absence.
    Undefined,
    /// Milliseconds since 1970 UTC. The time zone field is reserved and dropped.
    Date(f64),
    /// An XML document as text.
    Xml(String),
    /// Raw bytes (AMF3 only).
    ByteArray(Vec<u8>),
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An object from literal pairs.
    pub fn object<const N: usize>(pairs: [(&str, Self); N]) -> Self {
        Self::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The named members of an object or ECMA array; either is accepted for the other (AM-3).
    pub fn pairs(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(pairs) | Self::EcmaArray(pairs) => Some(pairs),
            Self::Number(_)
            | Self::Boolean(_)
            | Self::String(_)
            | Self::StrictArray(_)
            | Self::Null
            | Self::Undefined
            | Self::Date(_)
            | Self::Xml(_)
            | Self::ByteArray(_) => None,
        }
    }

    /// The member called `name`. Case does not matter, because encoders disagree about it (AM-8);
    /// an exact match wins.
    pub fn property(&self, name: &str) -> Option<&Self> {
        let pairs = self.pairs()?;
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .or_else(|| pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }

    /// The number, NaN and infinities included.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The number as a whole one, when it is finite and within `0..=u32::MAX`; a fraction is
    /// dropped.
    pub fn as_u32(&self) -> Option<u32> {
        let number = self.as_number()?.trunc();
        // The range check makes the cast exact; NaN fails it.
        (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
    }

    /// The truth value.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members of a strict array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::StrictArray(values) => Some(values),
            _ => None,
        }
    }

    /// Bytes this value holds, nested ones included: what naming it again would cost.
    pub(super) fn weight(&self) -> usize {
        let own = match self {
            Self::Number(_) | Self::Boolean(_) | Self::Null | Self::Undefined | Self::Date(_) => 0,
            Self::String(text) | Self::Xml(text) => text.len(),
            Self::ByteArray(bytes) => bytes.len(),
            Self::Object(pairs) | Self::EcmaArray(pairs) => {
                pairs.iter().map(|(name, value)| name.len() + value.weight()).sum()
            }
            Self::StrictArray(values) => values.iter().map(Self::weight).sum(),
        };
        own + size_of::<Self>()
    }

    /// Number of values in this value, itself included.
    pub(super) fn elements(&self) -> usize {
        1 + match self {
            Self::Object(pairs) | Self::EcmaArray(pairs) => {
                pairs.iter().map(|(_, value)| value.elements()).sum()
            }
            Self::StrictArray(values) => values.iter().map(Self::elements).sum(),
            Self::Number(_)
            | Self::Boolean(_)
            | Self::String(_)
            | Self::Null
            | Self::Undefined
            | Self::Date(_)
            | Self::Xml(_)
            | Self::ByteArray(_) => 0,
        }
    }
}
