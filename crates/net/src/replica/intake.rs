//! Where what clients ask waits for its turn, on a machine that is to seem slower than it is.
//!
//! Invariant: at most one item is taken in each service time, but for the little time that may be
//! saved; all in the order in which they came. It is outside the replica: what is taken has the
//! same effect as if it had only come now.

use super::input::Room;
use ssmr_core::keyed_hash::KeyedSet;
use ssmr_core::{ClientId, ClientMessage, Command, LocalTime, Micros, ObjectId};
use ssmr_multicast::Announced;
use std::collections::VecDeque;
use std::time::Duration;

/// How much time in which nothing came counts later: timers are late by a millisecond or so.
const SAVED: Micros = 2_000;

/// What waits for its turn.
#[derive(Debug)]
pub(super) struct Intake {
    service_time: Micros,
    /// When the next item may be taken.
    free_at: LocalTime,
    waiting: VecDeque<Held>,
    /// Who waits to be told the place of which object: asked again meanwhile it counts once.
    asked: KeyedSet<(ClientId, ObjectId)>,
}

#[derive(Debug)]
struct Held {
    from: ClientId,
    message: ClientMessage,
    /// What it takes up until it is taken.
    _room: Room,
}

impl Intake {
    /// Nothing waits yet.
    pub(super) fn new(service_time: Duration) -> Self {
        Self {
            service_time: service_time.as_micros() as Micros,
            free_at: LocalTime::ZERO,
            waiting: VecDeque::new(),
            asked: KeyedSet::default(),
        }
    }

    /// Takes a message to wait for its turn. Returns it if it costs nothing: it is to be handed in
    /// at once. A command is announced to the order, so that it is not fetched meanwhile.
    pub(super) fn hold_back(
        &mut self,
        from: ClientId,
        message: ClientMessage,
        room: Room,
        is_leader: bool,
        announce: impl FnOnce(&Command) -> Announced,
    ) -> Option<ClientMessage> {
        let message = match message {
            // It is refused at once: nobody asks in another one's name.
            ClientMessage::Submit(command) if command.id.session.client != from => {
                return Some(ClientMessage::Submit(command));
            }
            ClientMessage::Submit(command) => {
                let command = command.with_digest();
                let announced = announce(&command);
                let message = ClientMessage::Submit(command);
                match announced {
                    Announced::New => message,
                    Announced::Before => return None,
                    Announced::Needless => return Some(message),
                }
            }
            ClientMessage::Query(_) if !is_leader => return Some(message),
            ClientMessage::Query(_) => message,
            ClientMessage::Consult(objects) => self.not_asked_yet(from, objects)?,
            // What comes beside a read, which pays for it.
            ClientMessage::Hello | ClientMessage::Publish(_) => return Some(message),
        };
        self.push(from, message, room);
        None
    }

    /// The question for those of these places that the client does not wait to be told; `None` if
    /// there is none.
    fn not_asked_yet(&mut self, from: ClientId, objects: Vec<ObjectId>) -> Option<ClientMessage> {
        let mut objects = objects;
        objects.retain(|object| self.asked.insert((from, *object)));
        (!objects.is_empty()).then_some(ClientMessage::Consult(objects))
    }

    fn push(&mut self, from: ClientId, message: ClientMessage, room: Room) {
        self.waiting.push_back(Held {
            from,
            message,
            _room: room,
        });
    }

    /// The next message whose turn has come; whatever waits, if the replica leads no more.
    pub(super) fn take(
        &mut self,
        now: LocalTime,
        is_leader: bool,
    ) -> Option<(ClientId, ClientMessage)> {
        let saved = LocalTime::from_micros(now.micros().saturating_sub(SAVED));
        let free_at = self.free_at.max(saved);
        if is_leader && free_at > now {
            return None;
        }
        let held = self.waiting.pop_front()?;
        let items = match &held.message {
            ClientMessage::Consult(objects) => {
                for object in objects {
                    self.asked.remove(&(held.from, *object));
                }
                objects.len() as u64
            }
            _ => 1,
        };
        if is_leader {
            self.free_at = free_at + self.service_time * items;
        }
        Some((held.from, held.message))
    }

    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// When the next turn comes, if anything waits for one.
    pub(super) fn next_turn(&self) -> Option<LocalTime> {
        self.waiting.front().map(|_| self.free_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(count: u64) -> Intake {
        let mut intake = Intake::new(Duration::from_millis(1));
        for client in 0..count {
            intake.push(ClientId(client), ClientMessage::Hello, Room::for_tests());
        }
        intake
    }

    /// Who is taken at each of these times.
    fn taken(intake: &mut Intake, times: &[u64], is_leader: bool) -> Vec<Vec<u64>> {
        let at = |time: &u64| {
            let now = LocalTime::from_micros(*time);
            let taken = std::iter::from_fn(|| intake.take(now, is_leader));
            taken.map(|(client, _)| client.0).collect()
        };
        times.iter().map(at).collect()
    }

    #[test]
    fn one_is_taken_in_each_service_time_and_little_time_is_saved() {
        let mut intake = intake(9);
        let times = [10_000, 10_999, 11_000, 13_500, 20_000];
        // Two milliseconds are saved at the start; at 13.5 ms those of 12 and 13 are due; then the
        // last two milliseconds before 20 and the moment itself.
        let found = taken(&mut intake, &times, true);
        assert_eq!(
            found,
            [vec![0, 1, 2], vec![], vec![3], vec![4, 5], vec![6, 7, 8]]
        );
        assert_eq!(intake.next_turn(), None);
    }

    #[test]
    fn many_objects_cost_as_much_as_many_questions() {
        let mut intake = intake(0);
        let objects = (0..5).map(|key| ObjectId::new(key, key)).collect();
        let asked = ClientMessage::Consult(objects);
        intake.push(ClientId(0), asked, Room::for_tests());
        intake.push(ClientId(1), ClientMessage::Hello, Room::for_tests());
        assert_eq!(taken(&mut intake, &[10_000], true), [[0]]);
        assert_eq!(intake.next_turn(), Some(LocalTime::from_micros(13_000)));
        assert_eq!(
            taken(&mut intake, &[12_999, 13_000], true),
            [vec![], vec![1]]
        );
    }

    #[test]
    fn who_asks_again_waits_once() {
        let mut intake = intake(0);
        let [x, y] = [1, 2].map(|key| ObjectId::new(key, key));
        let asked = |intake: &mut Intake, client, objects: &[ObjectId]| {
            if let Some(message) = intake.not_asked_yet(ClientId(client), objects.to_vec()) {
                intake.push(ClientId(client), message, Room::for_tests());
            }
            intake.waiting.len()
        };
        assert_eq!(asked(&mut intake, 0, &[x]), 1);
        assert_eq!(asked(&mut intake, 0, &[x]), 1);
        assert_eq!(asked(&mut intake, 1, &[x]), 2);
        assert_eq!(asked(&mut intake, 0, &[x, y]), 3);
        // Once it was answered it counts anew.
        assert_eq!(taken(&mut intake, &[10_000], true), [[0, 1, 0]]);
        assert_eq!(asked(&mut intake, 0, &[x]), 1);
    }

    #[test]
    fn who_leads_no_more_keeps_nobody_waiting() {
        let mut intake = intake(3);
        assert_eq!(taken(&mut intake, &[0], false), [[0, 1, 2]]);
    }
}
