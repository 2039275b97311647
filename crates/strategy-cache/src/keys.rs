//! What is under which key of the shared cache.

use bytes::Bytes;
use ssmr_core::ObjectId;

/// The key of the location hint of an object.
pub(crate) fn location_key(object: ObjectId) -> Bytes {
    format!("l:{object}").into()
}
