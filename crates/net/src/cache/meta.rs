//! The meta commands on one item: `mg`, `ms`, `md`, with the flags that clients use.
//!
//! | command | flags |
//! | --- | --- |
//! | `mg` | returns `v f c t s h k O`; `T` touch, `N` vivify, `R` refresh |
//! |      | `C` unless unchanged, `E` new CAS, `q`, `u` |
//! | `ms` | returns `c s k O`; `F` flags, `T` expiry, `M` mode, `C` compare |
//! |      | `E` new CAS, `I` invalidate, `N` vivify, `q` |
//! | `md` | returns `k O`; `C` compare, `E` new CAS, `I` invalidate |
//! |      | `T` expiry, `x` drop the value, `q` |

use super::store::{Item, Store};
use super::words::{expires, parse};
use super::{ITEM_OVERHEAD, MAX_ITEM};
use bytes::{BufMut, Bytes, BytesMut};
use ssmr_core::Micros;

const BAD_FLAG: &[u8] = b"CLIENT_ERROR invalid flag\r\n";
const BAD_TOKEN: &[u8] = b"CLIENT_ERROR bad token in command line format\r\n";
const TOO_LARGE: &[u8] = b"SERVER_ERROR object too large for cache\r\n";

/// The flags of one command: a letter each, some with a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags<'a>(pub(super) &'a [&'a [u8]]);

impl<'a> Flags<'a> {
    fn token(self, letter: u8) -> Option<&'a [u8]> {
        let flag = self.0.iter().find(|flag| flag[0] == letter)?;
        Some(&flag[1..])
    }

    fn has(self, letter: u8) -> bool {
        self.token(letter).is_some()
    }

    fn number(self, letter: u8) -> Option<u64> {
        parse(self.token(letter)?)
    }

    fn expires(self, letter: u8, now: Micros) -> Option<Option<Micros>> {
        Some(expires(parse(self.token(letter)?)?, now))
    }

    /// What is wrong with them: a letter outside `known`, or no number where one belongs, or a CAS
    /// number that leaves no room for greater ones.
    fn defect(self, known: &[u8]) -> Option<&'static [u8]> {
        let number = |flag: &[u8]| {
            let is_signed = parse::<i64>(&flag[1..]).is_some();
            is_signed || flag[0] != b'E' && parse::<u64>(&flag[1..]).is_some()
        };
        for flag in self.0 {
            if !known.contains(&flag[0]) {
                return Some(BAD_FLAG);
            }
            if b"FTCENR".contains(&flag[0]) && !number(flag) {
                return Some(BAD_TOKEN);
            }
        }
        None
    }

    /// The end of an answer's first line: what was asked for, in the order in which it was.
    fn echo(self, key: &[u8], item: Option<&Item>, now: Micros, out: &mut Vec<u8>) {
        for flag in self.0 {
            let number = |item: &Item| match flag[0] {
                b'f' => Some(i64::from(item.flags)),
                b'c' => Some(item.cas as i64),
                b't' => Some(item.expires.map_or(-1, |at| seconds_left(at, now))),
                b's' => Some(item.value.len() as i64),
                b'h' => Some(i64::from(item.read)),
                _ => None,
            };
            match flag[0] {
                b'O' => {
                    out.push(b' ');
                    out.extend_from_slice(flag);
                }
                b'k' => {
                    out.extend_from_slice(b" k");
                    out.extend_from_slice(key);
                }
                letter => {
                    if let Some(number) = item.and_then(number) {
                        out.extend_from_slice(
                            format!(" {}{number}", char::from(letter)).as_bytes(),
                        );
                    }
                }
            }
        }
    }

    /// An answer without a value, unless it is one of those that the flag `q` suppresses.
    fn answer(
        self,
        code: &[u8],
        quiet: bool,
        key: &[u8],
        item: Option<&Item>,
        now: Micros,
        out: &mut Vec<u8>,
    ) {
        if quiet && self.has(b'q') {
            return;
        }
        out.extend_from_slice(code);
        self.echo(key, item, now, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// `mg`: read, and perhaps win the right to fill or refresh.
pub(super) fn get(
    key: &Bytes,
    flags: Flags<'_>,
    store: &mut Store,
    now: Micros,
    out: &mut Vec<u8>,
) {
    if let Some(defect) = flags.defect(b"vfctshkOqTNRCEu") {
        return out.extend_from_slice(defect);
    }
    let found = store.get(key, now);
    let missed = found.is_none();
    let mut item = match (found, flags.expires(b'N', now)) {
        (Some(item), _) => item,
        (None, Some(expires)) => {
            let item = Item {
                expires,
                ..Item::default()
            };
            let cas = store.put(key.clone(), item.clone(), flags.number(b'E'));
            Item { cas, ..item }
        }
        (None, None) => return flags.answer(b"EN", true, key, None, now, out),
    };
    let left = item.expires.map_or(i64::MAX, |at| seconds_left(at, now));
    let refresh = flags.number(b'R').is_some_and(|limit| left < limit as i64);
    let wins = missed || (!item.promised && (item.stale || refresh));
    let promised_before = item.promised;
    item.promised |= wins;
    if let Some(expires) = flags.expires(b'T', now) {
        item.expires = expires;
    }
    store.amend(
        key.clone(),
        Item {
            read: true,
            ..item.clone()
        },
    );

    let unchanged = flags.number(b'C') == Some(item.cas);
    let with_value = flags.has(b'v') && !unchanged;
    if with_value {
        out.extend_from_slice(format!("VA {}", item.value.len()).as_bytes());
    } else {
        out.extend_from_slice(b"HD");
    }
    flags.echo(key, Some(&item), now, out);
    for (said, letters) in [(wins, b" W"), (item.stale, b" X"), (promised_before, b" Z")] {
        if said {
            out.extend_from_slice(letters);
        }
    }
    out.extend_from_slice(b"\r\n");
    if with_value {
        out.extend_from_slice(&item.value);
        out.extend_from_slice(b"\r\n");
    }
}

/// `ms`: store, by the mode and if the CAS number is the expected one.
pub(super) fn set(
    key: &Bytes,
    value: Bytes,
    flags: Flags<'_>,
    store: &mut Store,
    now: Micros,
    out: &mut Vec<u8>,
) {
    if let Some(defect) = flags.defect(b"cskOqFTMCEIN") {
        return out.extend_from_slice(defect);
    }
    let mode = flags
        .token(b'M')
        .map_or(b'S', |m| m.first().map_or(0, u8::to_ascii_uppercase));
    let held = store.get(key, now);
    let item = Item {
        value,
        flags: flags.number(b'F').unwrap_or(0) as u32,
        expires: flags.expires(b'T', now).flatten(),
        ..Item::default()
    };
    let fresh = |expires| Item {
        expires,
        ..item.clone()
    };
    let item = match (mode, &held) {
        (b'S', _) | (b'E', None) | (b'R', Some(_)) => Some(item),
        (b'A', Some(held)) => Some(joined(held, &held.value, &item.value)),
        (b'P', Some(held)) => Some(joined(held, &item.value, &held.value)),
        (b'A' | b'P', None) => flags.expires(b'N', now).map(fresh),
        (b'E', Some(_)) | (b'R', None) => None,
        _ => return out.extend_from_slice(BAD_TOKEN),
    };
    let Some(mut item) = item else {
        return flags.answer(b"NS", false, key, None, now, out);
    };
    if let Some(expected) = flags.number(b'C') {
        match &held {
            None => return flags.answer(b"NF", false, key, None, now, out),
            Some(held) if held.cas == expected => {}
            Some(held) if flags.has(b'I') && expected < held.cas => item.stale = true,
            Some(_) => return flags.answer(b"EX", false, key, None, now, out),
        }
    }
    if key.len() + item.value.len() + ITEM_OVERHEAD > MAX_ITEM {
        return out.extend_from_slice(TOO_LARGE);
    }
    item.cas = store.put(key.clone(), item.clone(), flags.number(b'E'));
    flags.answer(b"HD", true, key, Some(&item), now, out);
}

/// `md`: delete or invalidate, if the CAS number is the expected one.
pub(super) fn delete(
    key: &Bytes,
    flags: Flags<'_>,
    store: &mut Store,
    now: Micros,
    out: &mut Vec<u8>,
) {
    if let Some(defect) = flags.defect(b"kOqCEITx") {
        return out.extend_from_slice(defect);
    }
    let Some(mut item) = store.get(key, now) else {
        return flags.answer(b"NF", false, key, None, now, out);
    };
    if flags
        .number(b'C')
        .is_some_and(|expected| expected != item.cas)
    {
        return flags.answer(b"EX", false, key, None, now, out);
    }
    if flags.has(b'x') {
        (item.value, item.flags) = (Bytes::new(), 0);
    }
    if flags.has(b'I') {
        (item.stale, item.promised) = (true, false);
        item.expires = flags.expires(b'T', now).unwrap_or(item.expires);
    }
    if flags.has(b'I') || flags.has(b'x') {
        store.put(key.clone(), item, flags.number(b'E'));
    } else {
        store.remove(key);
    }
    flags.answer(b"HD", true, key, None, now, out);
}

/// An item with more bytes before or behind; the rest of it stays.
fn joined(held: &Item, front: &[u8], back: &[u8]) -> Item {
    let mut value = BytesMut::with_capacity(front.len() + back.len());
    value.put(front);
    value.put(back);
    Item {
        value: value.freeze(),
        ..held.clone()
    }
}

fn seconds_left(at: Micros, now: Micros) -> i64 {
    at.saturating_sub(now).div_ceil(1_000_000) as i64
}
