//! What a group does when nobody asks anything of it.

use ssmr_core::{
    ClientId, Command, CommandId, GroupId, LocalTime, LogTime, Multicast, ObjectId, Outbox,
    PartitionId, ReplicaId, Request, SessionId, Topology,
};
use ssmr_multicast::{GroupMulticast, MulticastSettings};
use std::sync::Arc;

/// The only replica of the only group, at some time.
struct Alone {
    multicast: GroupMulticast,
    now: LocalTime,
}

impl Alone {
    fn new() -> Self {
        let (group, index) = (GroupId::from(PartitionId(0)), 0);
        let topology = Topology::new(1, 1).unwrap();
        let id = ReplicaId { group, index };
        Self {
            multicast: GroupMulticast::new(id, topology, MulticastSettings::default()),
            now: LocalTime::ZERO,
        }
    }

    fn pass_seconds(&mut self, seconds: u64) {
        for _ in 0..100 * seconds {
            self.now += 10_000;
            let mut out = Outbox::default();
            self.multicast.on_timer(self.now, &mut out);
            while self.multicast.flush(self.now, &mut (), &mut out) {
                while self.multicast.poll_deliver().is_some() {}
            }
        }
    }
}

fn command() -> Arc<Command> {
    let session = SessionId {
        client: ClientId(1),
        opened: LogTime::ZERO,
    };
    let id = CommandId {
        session,
        number: 1,
        attempt: 1,
    };
    let request = Request::lookup(ObjectId::new(0, 1));
    Arc::new(Command::new(id, PartitionId(0).into(), request))
}

/// So that a founding that was interrupted between two groups can be completed at any time.
#[test]
fn a_group_that_nobody_has_used_logs_nothing() {
    let mut alone = Alone::new();
    alone.pass_seconds(1);
    let founded = alone.multicast.status();
    assert!(founded.is_current);
    alone.pass_seconds(60);
    assert_eq!(alone.multicast.status(), founded);
    alone.multicast.submit(alone.now, command()).unwrap();
    alone.pass_seconds(10);
    let used = alone.multicast.status();
    assert!(used.log_time >= LogTime::from_micros(9_000_000), "{used:?}");
}
