//! Memcached's protocols, the server's side: bytes in, bytes out, one store. No IO.
//!
//! Text: `get gets set add delete version flush_all quit`. Meta: `mn mg ms md`, see
//! [`meta`](super::meta). Deliberately missing are arithmetic, base64 keys and expiry by date (such
//! items stay until they are evicted).
//!
//! Invariant: whatever comes in, the answers stay in the order of the commands, and a connection
//! whose place in the stream is lost is over.

use super::meta::{self, Flags};
use super::store::{Item, Store};
use super::words::{expires, parse};
use super::{ITEM_OVERHEAD, MAX_ITEM, is_key};
use bytes::{Buf, Bytes, BytesMut};
use ssmr_core::Micros;

/// The longest command line, in bytes, without the data block.
const MAX_LINE: usize = 8192;

const ERROR: &[u8] = b"ERROR\r\n";
const BAD_LINE: &[u8] = b"CLIENT_ERROR bad command line format\r\n";
const BAD_DATA: &[u8] = b"CLIENT_ERROR bad data chunk\r\n";
const TOO_LARGE: &[u8] = b"SERVER_ERROR object too large for cache\r\n";
const VERSION: &[u8] = concat!("VERSION ", env!("CARGO_PKG_VERSION"), "\r\n").as_bytes();

/// One connection's place in its stream.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Bytes of a refused data block that are still to come.
    skip: usize,
    over: bool,
}

impl Session {
    /// Whether the connection is to be closed.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Executes the command at the front of `input`. Returns `false` when it takes more input to go
    /// on, or is over.
    pub(super) fn step(
        &mut self,
        input: &mut BytesMut,
        store: &mut Store,
        now: Micros,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.over {
            return false;
        }
        if self.skip > 0 {
            let count = self.skip.min(input.len());
            input.advance(count);
            self.skip -= count;
            return self.skip == 0;
        }
        let Some(end) = input.iter().take(MAX_LINE).position(|byte| *byte == b'\n') else {
            if input.len() >= MAX_LINE {
                self.close(ERROR, out);
            }
            return false;
        };
        let line =
            Bytes::copy_from_slice(input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]));
        let words: Vec<&[u8]> = line
            .split(|byte| *byte == b' ')
            .filter(|w| !w.is_empty())
            .collect();
        let value = match data_length(&words).map(parse::<usize>) {
            None => {
                input.advance(end + 1);
                Bytes::new()
            }
            Some(None) => {
                self.close(BAD_LINE, out);
                return false;
            }
            Some(Some(length)) if length > MAX_ITEM - ITEM_OVERHEAD - words[1].len() => {
                out.extend_from_slice(TOO_LARGE);
                store.remove(words[1]);
                input.advance(end + 1);
                self.skip = length.saturating_add(2);
                return true;
            }
            Some(Some(length)) => {
                let whole = end + 1 + length + 2;
                if input.len() < whole {
                    input.reserve(whole - input.len());
                    return false;
                }
                if input[whole - 2..whole] != *b"\r\n" {
                    self.close(BAD_DATA, out);
                    return false;
                }
                let mut block = input.split_to(whole);
                block.advance(end + 1);
                block.truncate(length);
                // A copy of its own: the block is part of a larger buffer that it would keep alive.
                Bytes::copy_from_slice(&block)
            }
        };
        self.execute(&line, &words, value, store, now, out);
        !self.over
    }

    fn close(&mut self, answer: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(answer);
        self.over = true;
    }

    fn execute(
        &mut self,
        line: &Bytes,
        words: &[&[u8]],
        value: Bytes,
        store: &mut Store,
        now: Micros,
        out: &mut Vec<u8>,
    ) {
        match words {
            [b"mn"] => out.extend_from_slice(b"MN\r\n"),
            [b"version"] => out.extend_from_slice(VERSION),
            [b"quit"] => self.over = true,
            [b"flush_all", rest @ ..] => {
                store.clear();
                answer(b"OK\r\n", rest, out);
            }
            [verb @ (b"get" | b"gets"), keys @ ..]
                if !keys.is_empty() && keys.iter().all(|key| is_key(key)) =>
            {
                keys.iter()
                    .for_each(|key| get(key, *verb == b"gets", store, now, out));
                out.extend_from_slice(b"END\r\n");
            }
            [verb @ (b"set" | b"add"), key, flags, expiry, _, rest @ ..] if is_key(key) => {
                let (Some(flags), Some(expiry)) = (parse(flags), parse(expiry)) else {
                    return out.extend_from_slice(BAD_LINE);
                };
                if *verb == b"add" && store.get(key, now).is_some() {
                    return answer(b"NOT_STORED\r\n", rest, out);
                }
                let expires = expires(expiry, now);
                let item = Item {
                    value,
                    flags,
                    expires,
                    ..Item::default()
                };
                store.put(line.slice_ref(key), item, None);
                answer(b"STORED\r\n", rest, out);
            }
            [b"delete", key, rest @ ..] if is_key(key) => {
                let found = store.get(key, now).is_some();
                store.remove(key);
                let said: &[u8] = if found {
                    b"DELETED\r\n"
                } else {
                    b"NOT_FOUND\r\n"
                };
                answer(said, rest, out);
            }
            [b"mg", key, flags @ ..] if is_key(key) => {
                meta::get(&line.slice_ref(key), Flags(flags), store, now, out);
            }
            [b"ms", key, _, flags @ ..] if is_key(key) => {
                meta::set(&line.slice_ref(key), value, Flags(flags), store, now, out);
            }
            [b"md", key, flags @ ..] if is_key(key) => {
                meta::delete(&line.slice_ref(key), Flags(flags), store, now, out);
            }
            [_, keys @ ..] if keys.first().is_some_and(|key| !is_key(key)) => {
                out.extend_from_slice(BAD_LINE);
            }
            _ => out.extend_from_slice(ERROR),
        }
    }
}

/// The word that tells how long the data block is, if the command has one.
fn data_length<'a>(words: &[&'a [u8]]) -> Option<&'a [u8]> {
    match words {
        [b"set" | b"add", _, _, _, length, ..] | [b"ms", _, length, ..] => Some(length),
        _ => None,
    }
}

/// Says it, unless the last word asks for silence.
fn answer(said: &[u8], rest: &[&[u8]], out: &mut Vec<u8>) {
    if rest.last() != Some(&&b"noreply"[..]) {
        out.extend_from_slice(said);
    }
}

fn get(key: &[u8], with_cas: bool, store: &mut Store, now: Micros, out: &mut Vec<u8>) {
    let Some(item) = store.get(key, now) else {
        return;
    };
    out.extend_from_slice(b"VALUE ");
    out.extend_from_slice(key);
    out.extend_from_slice(format!(" {} {}", item.flags, item.value.len()).as_bytes());
    if with_cas {
        out.extend_from_slice(format!(" {}", item.cas).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&item.value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server answers to `sent`, however it is cut into pieces, and whether it closes.
    fn talk(sent: &[u8]) -> (String, bool) {
        let at_once = talk_in_pieces(sent, sent.len().max(1));
        assert_eq!(at_once, talk_in_pieces(sent, 1));
        assert_eq!(at_once, talk_in_pieces(sent, 7));
        at_once
    }

    fn talk_in_pieces(sent: &[u8], size: usize) -> (String, bool) {
        let (mut session, mut store) = (Session::default(), Store::new(4 << 20));
        let (mut input, mut out) = (BytesMut::new(), Vec::new());
        for piece in sent.chunks(size) {
            input.extend_from_slice(piece);
            while session.step(&mut input, &mut store, 0, &mut out) {}
        }
        (String::from_utf8(out).unwrap(), session.is_over())
    }

    fn assert_talk(sent: &str, answered: &str) {
        assert_eq!(talk(sent.as_bytes()), (answered.to_owned(), false));
    }

    #[test]
    fn text_commands() {
        assert_talk(
            "set a 5 0 3\r\none\r\nget a b\r\nadd a 0 0 1\r\nx\r\nadd b 0 0 1\r\ny\r\nget a b\r\n",
            "STORED\r\nVALUE a 5 3\r\none\r\nEND\r\nNOT_STORED\r\nSTORED\r\n\
             VALUE a 5 3\r\none\r\nVALUE b 0 1\r\ny\r\nEND\r\n",
        );
        assert_talk(
            "set a 0 0 1 noreply\r\nx\r\ngets a\r\ndelete a\r\ndelete a\r\n\
             delete a noreply\r\nget a\r\n",
            "VALUE a 0 1 1\r\nx\r\nEND\r\nDELETED\r\nNOT_FOUND\r\nEND\r\n",
        );
        assert_talk(
            "set a 0 0 2\r\n\r\n\r\nflush_all\r\nget a\r\nset a 0 -1 1\r\nx\r\nget a\r\n",
            "STORED\r\nOK\r\nEND\r\nSTORED\r\nEND\r\n",
        );
        assert!(talk(b"version\r\n").0.starts_with("VERSION 0."));
        assert_eq!(talk(b"quit\r\nget a\r\n"), (String::new(), true));
    }

    #[test]
    fn garbage_is_told_so() {
        assert_talk("nonsense\r\n\r\nget a\r\n", "ERROR\r\nERROR\r\nEND\r\n");
        let long_key = "k".repeat(251);
        assert_talk(
            &format!("get {long_key}\r\nmn\r\n"),
            "CLIENT_ERROR bad command line format\r\nMN\r\n",
        );
        assert_talk("mg\r\nget\r\nset a\r\n", &"ERROR\r\n".repeat(3));
        let no_length = "CLIENT_ERROR bad command line format\r\n";
        assert_eq!(
            talk(b"set a 0 0 many\r\nx\r\n"),
            (no_length.to_owned(), true)
        );
        let no_end = "CLIENT_ERROR bad data chunk\r\n";
        assert_eq!(
            talk(b"set a 0 0 1\r\nxyz\r\nget a\r\n"),
            (no_end.to_owned(), true)
        );
        assert_eq!(talk(&[b'x'; 3 * MAX_LINE]), ("ERROR\r\n".to_owned(), true));
        assert_eq!(talk(&[0xff; 100]), (String::new(), false));
    }

    #[test]
    fn what_is_too_large_is_refused_and_skipped() {
        let mut sent = format!("ms a 1\r\nx\r\nms a {MAX_ITEM}\r\n").into_bytes();
        sent.extend(vec![b'x'; MAX_ITEM]);
        sent.extend(b"\r\nmg a v\r\n");
        let answered = "HD\r\nSERVER_ERROR object too large for cache\r\nEN\r\n";
        assert_eq!(talk_in_pieces(&sent, 5000), (answered.to_owned(), false));
        let endless = format!("set a 0 0 {}\r\n", usize::MAX);
        assert!(talk(endless.as_bytes()).0.starts_with("SERVER_ERROR"));
    }

    #[test]
    fn meta_reads_and_writes() {
        assert_talk(
            "mn\r\nmg a v\r\nms a 3 F7 c\r\none\r\nmg a v f c t s k Oabc\r\nmg a\r\n\
             mg a k q\r\nmg b v q k O1\r\nmn\r\n",
            "MN\r\nEN\r\nHD c1\r\nVA 3 f7 c1 t-1 s3 ka Oabc\r\none\r\nHD\r\nHD ka\r\nMN\r\n",
        );
        assert_talk(
            "mg a v O7 k\r\nms a 1 q O8\r\nx\r\nms a 1 T60 k O9\r\nx\r\nmg a t\r\n\
             mg a T0\r\nmg a t\r\n",
            "EN O7 ka\r\nHD ka O9\r\nHD t60\r\nHD\r\nHD t-1\r\n",
        );
        assert_talk(
            "mg a v C1\r\nms a 1\r\nx\r\nmg a v C1 c\r\nmg a v C9\r\n",
            "EN\r\nHD\r\nHD c1\r\nVA 1\r\nx\r\n",
        );
        assert_talk(
            "mg a h\r\nms a 0\r\n\r\nmg a h\r\nmg a h v\r\n",
            "EN\r\nHD\r\nHD h0\r\nVA 0 h1\r\n\r\n",
        );
        assert_talk(
            "mg a j\r\nmd a v\r\n",
            &"CLIENT_ERROR invalid flag\r\n".repeat(2),
        );
        assert_talk(
            "ms a 1 Cx\r\nx\r\n",
            "CLIENT_ERROR bad token in command line format\r\n",
        );
    }

    #[test]
    fn meta_modes() {
        assert_talk(
            "ms a 1 MR\r\nx\r\nms a 1 MA\r\nx\r\nms a 1 ME\r\nx\r\nms a 1 ME\r\ny\r\n\
             ms a 1 Ma\r\ny\r\n\
             ms a 1 MP\r\nw\r\nmg a v\r\nms a 1 MR\r\nz\r\nmg a v\r\nms a 1 MX\r\nq\r\n\
              ms b 1 MA N0\r\nb\r\nmg b v\r\n",
            "NS\r\nNS\r\nHD\r\nNS\r\nHD\r\nHD\r\nVA 3\r\nwxy\r\nHD\r\nVA 1\r\nz\r\n\
             CLIENT_ERROR bad token in command line format\r\nHD\r\nVA 1\r\nb\r\n",
        );
    }

    #[test]
    fn meta_compare_and_swap() {
        assert_talk(
            "ms a 1 C1\r\nx\r\nms a 1 c\r\nx\r\nms a 1 C9\r\ny\r\nms a 1 C1 c\r\ny\r\n\
             ms a 1 E70 c\r\nz\r\n\
             ms a 1 c\r\nz\r\nmd a C1\r\nmd a C71\r\nmd a\r\nmd a q\r\n",
            "NF\r\nHD c1\r\nEX\r\nHD c2\r\nHD c70\r\nHD c71\r\nEX\r\nHD\r\nNF\r\nNF\r\n",
        );
    }

    /// Forced to the last number there is, the next item's had no room: the server's thread ended.
    #[test]
    fn a_forced_cas_number_leaves_room_for_greater_ones() {
        let refused = "CLIENT_ERROR bad token in command line format\r\n";
        for verb in ["mg a N0", "ms a 1", "md a I"] {
            let block = if verb == "ms a 1" { "x\r\n" } else { "" };
            let last = format!("{verb} E{}\r\n{block}ms b 1 c\r\nx\r\n", u64::MAX);
            assert_talk(&last, &format!("{refused}HD c1\r\n"));
        }
        let most = i64::MAX;
        let sent = format!("ms a 1 c E{most}\r\nx\r\nms a 1\r\nx\r\nms a 1 C{most}\r\nx\r\n");
        assert_talk(&sent, &format!("HD c{most}\r\nHD\r\nEX\r\n"));
    }

    #[test]
    fn meta_leases() {
        // Who vivifies a missing item wins the right to fill it; others see that somebody did.
        assert_talk(
            "mg a v N30\r\nmg a v N30\r\nms a 1 C1\r\nx\r\nmg a v\r\n",
            "VA 0 W\r\n\r\nVA 0 Z\r\n\r\nHD\r\nVA 1\r\nx\r\n",
        );
        // An invalidated item stays readable, stale, and one reader is told to replace it.
        assert_talk(
            "ms a 1\r\nx\r\nmd a I T30\r\nmg a v t\r\nmg a v\r\nms a 1 I C1\r\nw\r\n\
             mg a v\r\nms a 1\r\ny\r\nmg a v\r\n",
            "HD\r\nHD\r\nVA 1 t30 W X\r\nx\r\nVA 1 X Z\r\nx\r\nHD\r\nVA 1 W X\r\nw\r\nHD\r\n\
             VA 1\r\ny\r\n",
        );
        // An item that expires soon is refreshed by one reader.
        assert_talk(
            "ms a 1 T20\r\nx\r\nmg a v R10\r\nmg a v R30\r\nmg a v R30\r\n",
            "HD\r\nVA 1\r\nx\r\nVA 1 W\r\nx\r\nVA 1 Z\r\nx\r\n",
        );
    }
}
