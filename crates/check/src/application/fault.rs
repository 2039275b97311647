//! How a service can break the rules of [`Application`](ssmr_core::Application).

use ssmr_core::ObjectId;
use ssmr_core::application::UndeclaredAccess;
use std::fmt;

/// How a service breaks the rules of [`Application`](ssmr_core::Application). Each names the
/// operation, as `Debug` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplicationFault {
    /// The operation uses an object that
    /// [`Application::access`](ssmr_core::Application::access) does not declare.
    Undeclared {
        /// The operation.
        operation: String,
        /// Which object, and how it was used.
        access: UndeclaredAccess,
    },
    /// The reply, or the change of another object, depends on the value of an object that the
    /// operation writes but does not read.
    DependsOnUnread {
        /// The operation.
        operation: String,
        /// The object that is not read.
        object: ObjectId,
        /// What depends on it.
        effect: Effect,
    },
    /// Two runs on equal input differ.
    Nondeterministic {
        /// The operation.
        operation: String,
        /// In what they differ.
        effect: Effect,
    },
    /// The service panics.
    Panicked {
        /// The operation.
        operation: String,
        /// The object that is only written and in whose update it does, if it is in one.
        object: Option<ObjectId>,
    },
    /// An operation, value or reply does not come back from its encoding as it was.
    Encoding {
        /// The operation.
        operation: String,
        /// What is not encoded as it should be.
        encoded: EncodedPart,
    },
}

/// One of the things that an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Which objects it declares.
    Access,
    /// What it replies.
    Reply,
    /// How it changes this object.
    Change(ObjectId),
}

/// One of the things that a service has encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodedPart {
    /// The operation.
    Operation,
    /// The reply.
    Reply,
    /// The value of this object.
    Object(ObjectId),
}

impl ApplicationFault {
    /// The operation that shows the fault, as `Debug` shows it.
    #[must_use]
    pub fn operation(&self) -> &str {
        match self {
            Self::Undeclared { operation, .. }
            | Self::DependsOnUnread { operation, .. }
            | Self::Nondeterministic { operation, .. }
            | Self::Panicked { operation, .. }
            | Self::Encoding { operation, .. } => operation,
        }
    }
}

impl fmt::Display for ApplicationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation())?;
        match self {
            Self::Undeclared { access, .. } => match access {
                UndeclaredAccess::Read(object) => {
                    write!(f, "it reads {object}, which it does not declare to read")
                }
                UndeclaredAccess::Write(object) => {
                    write!(f, "it updates {object}, which it does not declare to write")
                }
            },
            Self::DependsOnUnread { object, effect, .. } => write!(
                f,
                "{effect} depends on {object}, which it writes but does not declare to read"
            ),
            Self::Nondeterministic { effect, .. } => {
                write!(f, "{effect} differs between two runs on equal input")
            }
            Self::Panicked { object: None, .. } => write!(f, "it panics"),
            Self::Panicked {
                object: Some(object),
                ..
            } => {
                write!(
                    f,
                    "it panics in the update of {object}, which it does not read"
                )
            }
            Self::Encoding { encoded, .. } => {
                write!(
                    f,
                    "{encoded} does not come back from its encoding as it was"
                )
            }
        }
    }
}

impl std::error::Error for ApplicationFault {}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access => write!(f, "the declaration of objects"),
            Self::Reply => write!(f, "the reply"),
            Self::Change(object) => write!(f, "the change of {object}"),
        }
    }
}

impl fmt::Display for EncodedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation => write!(f, "the operation"),
            Self::Reply => write!(f, "the reply"),
            Self::Object(object) => write!(f, "the value of {object}"),
        }
    }
}
