//! For fuzz targets: files with right checks around any content, so that a search gets past the
//! checks; and a folder's header.

use crate::checkpoint;
use crate::frames;
use crate::owner::Owner;
use crate::segments;

/// A checkpoint with this number and content.
#[must_use]
pub fn checkpoint(number: u64, content: &[u8]) -> Vec<u8> {
    [&checkpoint::header(number, content), content].concat()
}

/// A segment with this number and these payloads of frames; the one before it was `previous` bytes
/// long.
#[must_use]
pub fn segment<P: AsRef<[u8]>>(number: u64, previous: u64, payloads: &[P]) -> Vec<u8> {
    let header = segments::Header::new(number, 0, previous);
    let mut file = header.encode();
    for payload in payloads {
        let frame = frames::frame(header.key(), file.len() as u64, payload.as_ref());
        file.extend_from_slice(&frame);
    }
    file
}

/// Reads a folder's header; `None` if it is none.
#[must_use]
pub fn read_owner(text: &[u8]) -> Option<Owner> {
    Owner::read(text).ok()
}

/// What a folder's header says; `None` if it cannot be written.
#[must_use]
pub fn write_owner(owner: &Owner) -> Option<String> {
    owner.text().ok()
}
