//! Frames: `length, check of the payload, check of these two, payload`. One append is one frame.
//!
//! Every check depends on the segment's number, on a random number in its header and on the place
//! of the frame. So a frame is one nowhere else; and nobody who chooses values, which are in the
//! payload, can make a part of one look like a frame. The header has a check of its own because the
//! length says how a broken frame is to be judged: a file that ends within it was cut short.

use twox_hash::XxHash3_64;

/// How many bytes stand before the payload.
pub(crate) const HEADER: usize = 24;

/// What the checks of a segment's frames depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) number: u64,
    pub(crate) nonce: u64,
}

impl Key {
    fn at(self, offset: u64) -> u64 {
        let mut place = [0; 16];
        place[..8].copy_from_slice(&self.number.to_le_bytes());
        place[8..].copy_from_slice(&offset.to_le_bytes());
        XxHash3_64::oneshot_with_seed(self.nonce, &place)
    }
}

/// The frame of a payload that begins at `offset`.
pub(crate) fn frame(key: Key, offset: u64, payload: &[u8]) -> Vec<u8> {
    let seed = key.at(offset);
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    frame.extend_from_slice(&XxHash3_64::oneshot_with_seed(seed, payload).to_le_bytes());
    frame.extend_from_slice(&XxHash3_64::oneshot_with_seed(seed, &frame).to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// What is found where a frame should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// The payload of a whole frame.
    Whole(&'a [u8]),
    /// The file ends before the frame does.
    CutShort,
    /// Something else.
    Broken,
}

/// Looks at `offset`, which is within the file or at its end.
pub(crate) fn look(key: Key, file: &[u8], offset: usize) -> Found<'_> {
    let rest = &file[offset..];
    let Some((header, behind)) = rest.split_first_chunk::<HEADER>() else {
        return Found::CutShort;
    };
    let field = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&header[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let seed = key.at(offset as u64);
    if XxHash3_64::oneshot_with_seed(seed, &header[..16]) != field(16) {
        return Found::Broken;
    }
    let payload = usize::try_from(field(0))
        .ok()
        .and_then(|length| behind.get(..length));
    match payload {
        None => Found::CutShort,
        Some(payload) if XxHash3_64::oneshot_with_seed(seed, payload) == field(8) => {
            Found::Whole(payload)
        }
        Some(_) => Found::Broken,
    }
}

/// Where the next whole frame behind `offset` begins. Takes time in proportion to the file:
/// payloads are looked at only behind a header that is whole.
pub(crate) fn next_whole(key: Key, file: &[u8], offset: usize) -> Option<usize> {
    let mut places = offset + 1..file.len().saturating_sub(HEADER);
    places.find(|place| matches!(look(key, file, *place), Found::Whole(_)))
}
