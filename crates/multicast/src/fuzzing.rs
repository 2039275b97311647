//! For fuzz targets: private state is decoded from bytes that nobody vouches for.

use crate::order::Order;
use crate::snapshots::parts;
use bytes::Bytes;
use ssmr_core::codec;

/// Takes a snapshot's state apart. Returns the order's part, decoded and encoded again, and the
/// partition's part as it is; `None` if the state is malformed.
#[must_use]
pub fn snapshot_parts(state: &Bytes) -> Option<(Bytes, Bytes)> {
    let (order, partition) = parts(state)?;
    let order: Order = codec::decode_own(&order).ok()?;
    Some((codec::encode(&order), partition))
}
