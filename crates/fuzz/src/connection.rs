//! What comes over connections, as a stream of bytes in any pieces.

use crate::messages::MEMORY;
use crate::samples;
use crate::state::owner;
use crate::{Seed, Target};
use ssmr_core::{Found, PartitionId, ReplicaId, codec};
use ssmr_net::fuzzing::{Speaker, accept, cache_client, cache_server, client_frames, dial};

/// What a client sends once it has been welcomed.
pub(crate) const CLIENT_FRAMES: Target = Target {
    name: "client_frames",
    run: |bytes| {
        let read = client_frames(bytes, bytes.len());
        assert_eq!(read, client_frames(bytes, 7));
        // Whatever was understood is a beginning of what was sent, but for sets and maps.
        let mut length = 0;
        for message in read.iter().flatten() {
            length += 4 + codec::encode(message).len();
        }
        length > 0 && length <= bytes.len()
    },
    seeds: || {
        let messages = samples::client_messages();
        let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes(), body].concat();
        let frames: Vec<_> = messages
            .iter()
            .map(|message| frame(&codec::encode(message)))
            .collect();
        let all = [frames.concat(), frame(&[])].concat();
        samples::numbered(frames.into_iter().step_by(3).chain([all]))
    },
    // The reader makes room for a frame when it has seen its length.
    memory: MEMORY,
};

/// Greetings, heard by a replica that was dialled and by each who dials.
pub(crate) const GREETING: Target = Target {
    name: "greeting",
    run: |bytes| {
        let (identity, here) = (owner().cluster, owner().replica);
        let (said, welcome) = accept(identity.clone(), here, bytes);
        // A stranger that does not speak the protocol is told nothing.
        assert!(!welcome || !said.is_empty());
        let there = replica(0);
        let content = speakers().map(|who| dial(identity.clone(), who, there, bytes).1);
        welcome || content.contains(&true)
    },
    seeds: || {
        let identity = owner().cluster;
        let mut seeds = Vec::new();
        for (who, name) in speakers()
            .into_iter()
            .zip(["replica", "client", "operator"])
        {
            let (greeting, _) = dial(identity.clone(), who, replica(0), &[]);
            let (answer, welcome) = accept(identity.clone(), replica(0), &greeting);
            assert!(welcome, "{who:?} is welcome");
            seeds.push(Seed::new(name, greeting));
            seeds.push(Seed::new(format!("answer-to-{name}"), answer));
        }
        seeds.dedup_by(|a, b| a.bytes == b.bytes);
        seeds
    },
    memory: MEMORY,
};

fn replica(index: u8) -> ReplicaId {
    let group = PartitionId(0).into();
    ReplicaId { group, index }
}

fn speakers() -> [Speaker; 3] {
    [
        Speaker::Replica(replica(2)),
        Speaker::Client,
        Speaker::Operator,
    ]
}

/// What a client of the embedded cache sends. How it is cut into pieces changes nothing.
pub(crate) const CACHE_SERVER: Target = Target {
    name: "cache_server",
    run: |bytes| {
        let at_once = cache_server(bytes, bytes.len());
        assert_eq!(at_once, cache_server(bytes, 1));
        assert_eq!(at_once, cache_server(bytes, 7));
        let bad = [&b"ERROR"[..], b"CLIENT_ERROR", b"SERVER_ERROR"];
        let mut lines = at_once.answered.split(|byte| *byte == b'\n');
        !at_once.answered.is_empty() && !lines.any(|line| bad.iter().any(|b| line.starts_with(b)))
    },
    seeds: || {
        let text = "set a 5 0 3\r\none\r\nget a b\r\nadd b 0 60 1\r\ny\r\ngets a b\r\n\
                    delete a\r\nset c 0 -1 2 noreply\r\nxy\r\nget c\r\nflush_all\r\n\
                    version\r\nquit\r\n";
        let meta = "mn\r\nms a 3 F7 T30 c k Oab\r\none\r\nmg a v f c t s k h O7\r\n\
                    ms a 1 MA\r\nx\r\nms a 1 MP C2\r\ny\r\nmg a v R60\r\nmd a I T9 q\r\n\
                    mg a v\r\nms a 1 I C1 E9\r\nz\r\nmd a x\r\nmd a C1\r\nmn\r\n";
        let lease = "mg a v N30 E5\r\nmg a v\r\nms a 2 C5 ME\r\nhi\r\nms b 2 MR\r\nhi\r\n\
                     ms b 1 MA N0\r\nx\r\nmg b v C1 u q\r\nmg d k q\r\nmd d q\r\nmn\r\n";
        let talks = [("text", text), ("meta", meta), ("lease", lease)];
        talks.map(|(name, text)| Seed::new(name, text)).to_vec()
    },
    // What it stores at most, and its answers.
    memory: 16 << 20,
};

/// What a cache server says to a client, which is the library `memcache`.
pub(crate) const CACHE_CLIENT: Target = Target {
    name: "cache_client",
    run: |bytes| {
        let (mut replies, _) = cache_client(Some(bytes));
        // A value that was not stored is answered, too.
        replies.retain(|reply| reply.key != "d");
        assert_eq!(replies.len(), 3, "each question is answered: {replies:?}");
        let mut found = replies.iter().map(|reply| &reply.found);
        found.all(|found| *found != Found::Down)
    },
    seeds: || vec![Seed::new("as-embedded", cache_client(None).1)],
    // The library makes room for a value of 1 GiB, if that is announced.
    memory: (1 << 30) + (4 << 20),
};
