//! What the tests of this crate share: commands of which only the session matters.

use ssmr_core::{ClientId, Command, CommandId, GroupId, LogTime, Request, SessionId};

/// A client's session that was opened at this log time, in microseconds.
pub(crate) fn session(client: u64, opened: u64) -> SessionId {
    SessionId {
        client: ClientId(client),
        opened: LogTime::from_micros(opened),
    }
}

/// The first command of a session, to one group.
pub(crate) fn command(session: SessionId) -> Command {
    let id = CommandId {
        session,
        number: 1,
        attempt: 1,
    };
    Command::new(id, GroupId::ORACLE.into(), Request::default())
}
