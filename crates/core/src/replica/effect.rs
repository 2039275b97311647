//! What an executed command does to the group's state: the application's operation, and creation, deletion, moves.

use super::Applied;
use super::engine::Engine;
use super::store::Record;
use super::verdict::{Finding, known_revision};
use crate::answer::Touch;
use crate::application::{Application, Operand, run};
use crate::command::{Command, Intent};
use crate::id::{Encoded, GroupId, ObjectId, PartitionId, Revision, Timestamp};
use crate::oracle::{Change, ObjectEvent, Oracle};

impl<A: Application> Engine<A> {
    /// Runs the application's operation where it changes something of this group's or the answer is due here.
    pub(super) fn execute(
        &mut self,
        command: &Command,
        findings: &[Finding],
        answers: bool,
    ) -> Encoded {
        let request = &command.request;
        let pairs = || request.intents().iter().zip(findings);
        let owns = |f: &Finding| f.holder.is_some_and(|(group, _)| group == self.group);
        let writes_here = pairs().any(|((_, intent), f)| intent.writes() && owns(f));
        let mut outcome = (Encoded::new(), Vec::new());
        if !request.op.is_empty() && (writes_here || answers) {
            let operands = pairs().filter_map(|((object, intent), finding)| {
                let (readable, writable) = (intent.reads(), intent.writes());
                let visible = readable || (writable && owns(finding));
                let value = finding.value.clone().filter(|_| visible)?;
                Some(Operand {
                    object: *object,
                    value,
                    readable,
                    writable,
                })
            });
            outcome = run::<A>(&request.op, operands);
        }
        let (reply, mut changed) = outcome;
        for ((object, intent), finding) in pairs() {
            if intent.writes() && owns(finding) {
                let change = changed.iter_mut().find(|(id, _)| id == object);
                self.state
                    .store
                    .write(*object, change.map(|(_, value)| std::mem::take(value)));
            }
        }
        reply
    }

    /// Applies the intents that change existence, place or revision; tells what was found and after.
    pub(super) fn apply<O: Oracle>(
        &mut self,
        oracle: &O,
        command: &Command,
        timestamp: Timestamp,
        findings: &[Finding],
        out: &mut Applied,
    ) -> Vec<Touch> {
        let pairs = command.request.intents().iter().zip(findings);
        pairs
            .map(|((object, intent), finding)| {
                let before = finding.holder.map(|(_, revision)| revision);
                let after = match intent {
                    Intent::Create { at, value } => Some(self.create(
                        oracle,
                        *object,
                        oracle.owner(*object, *at),
                        value,
                        timestamp,
                        out,
                    )),
                    Intent::Delete => {
                        self.delete(*object, known_revision(finding), out);
                        None
                    }
                    Intent::Move { to } => Some(self.relocate(
                        oracle,
                        *object,
                        GroupId::from(*to),
                        finding,
                        timestamp,
                        out,
                    )),
                    Intent::Write | Intent::Update => {
                        self.note_write(*object, out);
                        before.map(Revision::written)
                    }
                    Intent::Read => before,
                    Intent::Lookup => Some(known_revision(finding)),
                };
                let before = if matches!(intent, Intent::Lookup) {
                    after
                } else {
                    before
                };
                Touch {
                    object: *object,
                    before,
                    after,
                }
            })
            .collect()
    }

    pub(super) fn create<O: Oracle>(
        &mut self,
        oracle: &O,
        object: ObjectId,
        owner: PartitionId,
        value: &Encoded,
        epoch: Timestamp,
        out: &mut Applied,
    ) -> Revision {
        let revision = Revision { epoch, version: 0 };
        let here = GroupId::from(owner) == self.group;
        if here {
            self.state.store.install(object, revision, value.clone());
        } else {
            let record = self
                .answers_for(oracle, object)
                .then_some(Record { owner, epoch });
            self.state.store.hand_over(object, record);
        }
        let change = Change::Created(owner, here.then(|| value.clone()));
        out.events.push(ObjectEvent {
            object,
            revision,
            change,
            here,
        });
        revision
    }

    pub(super) fn delete(&mut self, object: ObjectId, revision: Revision, out: &mut Applied) {
        let here = self.state.store.object(object).is_some();
        self.state.store.delete(object);
        out.events.push(ObjectEvent {
            object,
            revision,
            change: Change::Deleted,
            here,
        });
    }

    pub(super) fn relocate<O: Oracle>(
        &mut self,
        oracle: &O,
        object: ObjectId,
        target: GroupId,
        finding: &Finding,
        epoch: Timestamp,
        out: &mut Applied,
    ) -> Revision {
        let old = known_revision(finding);
        let owner = target
            .partition()
            .unwrap_or_else(|| unreachable!("a move goes to a partition"));
        if finding.holder.is_some_and(|(holder, _)| holder == target) {
            return old;
        }
        let revision = Revision { epoch, ..old };
        let here = target == self.group;
        if here {
            let value = finding.value.clone();
            let value = value.unwrap_or_else(|| panic!("{object} moved here without its value"));
            self.state.store.install(object, revision, value);
        } else {
            let record = self
                .answers_for(oracle, object)
                .then_some(Record { owner, epoch });
            self.state.store.hand_over(object, record);
        }
        let change = Change::Moved(owner, finding.value.clone().filter(|_| here));
        out.events.push(ObjectEvent {
            object,
            revision,
            change,
            here,
        });
        revision
    }

    pub(super) fn note_write(&self, object: ObjectId, out: &mut Applied) {
        if let Some(held) = self.state.store.object(object) {
            let change = Change::Written(held.value.clone());
            out.events.push(ObjectEvent {
                object,
                revision: held.revision,
                change,
                here: true,
            });
        }
    }

    pub(super) fn answers_for<O: Oracle>(&self, oracle: &O, object: ObjectId) -> bool {
        oracle
            .authority(object)
            .union(oracle.directory(object))
            .contains(self.group)
    }
}
