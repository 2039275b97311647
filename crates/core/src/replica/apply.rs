//! What an executed command does to the group's state: written values, creation, deletion, moves.

use super::engine::Engine;
use super::execute::Computed;
use super::partition::Applied;
use super::store::OwnerRecord;
use super::verdict::Finding;
use crate::application::{Application, Effect};
use crate::command::Command;
use crate::hooks::{Change, ObjectEvent};
use crate::id::{Encoded, GroupId, ObjectId, PartitionId, Revision, Timestamp};
use crate::request::Intent;

impl<A: Application> Engine<A> {
    /// Stores what the operation computed and applies the intents that change existence or place.
    pub(super) fn apply(
        &mut self,
        command: &Command,
        epoch: Timestamp,
        findings: &[Finding],
        computed: &mut Computed,
        out: &mut Applied,
    ) {
        for ((object, intent), finding) in command.request.intents().iter().zip(findings) {
            let object = *object;
            match intent {
                Intent::Create { at, value } => {
                    let owner = self.placement.owner(object, *at);
                    self.create(object, owner, value, epoch, out);
                }
                Intent::Delete => self.delete(object, finding.revision(), out),
                Intent::Move { to } => self.relocate(object, *to, finding, epoch, out),
                Intent::Write | Intent::Update => {
                    if let Computed::Done(effect) = computed
                        && finding.is_owned_by(self.group)
                    {
                        self.write(object, take(effect, object), out);
                    }
                }
                Intent::Read | Intent::Lookup => {}
            }
        }
    }

    fn create(
        &mut self,
        object: ObjectId,
        owner: PartitionId,
        value: &Encoded,
        epoch: Timestamp,
        out: &mut Applied,
    ) {
        let revision = Revision { epoch, version: 0 };
        let here = GroupId::from(owner) == self.group;
        if here {
            self.state.store.install(object, revision, value.clone());
        } else {
            self.hand_over(object, owner, epoch);
        }
        out.events.push(ObjectEvent {
            object,
            revision,
            change: Change::Created(owner, here.then(|| value.clone())),
            here,
            left: false,
        });
    }

    fn delete(&mut self, object: ObjectId, revision: Revision, out: &mut Applied) {
        let here = self.state.store.object(object).is_some();
        self.state.store.delete(object);
        out.events.push(ObjectEvent {
            object,
            revision,
            change: Change::Deleted,
            here,
            left: false,
        });
    }

    fn relocate(
        &mut self,
        object: ObjectId,
        owner: PartitionId,
        finding: &Finding,
        epoch: Timestamp,
        out: &mut Applied,
    ) {
        let (old, target) = (finding.revision(), GroupId::from(owner));
        if finding.is_owned_by(target) {
            return;
        }
        let revision = Revision { epoch, ..old };
        let here = target == self.group;
        if here {
            let value = finding.value.clone();
            let value = value.unwrap_or_else(|| panic!("{object} moved here without its value"));
            self.state.store.install(object, revision, value);
        } else {
            self.hand_over(object, owner, epoch);
        }
        out.events.push(ObjectEvent {
            object,
            revision,
            change: Change::Moved(owner, finding.value.clone().filter(|_| here)),
            here,
            left: finding.is_owned_by(self.group),
        });
    }

    /// Another partition owns the object from now on; recorded if this group answers for it.
    fn hand_over(&mut self, object: ObjectId, owner: PartitionId, epoch: Timestamp) {
        let placement = &self.placement;
        let answering = placement
            .authority(object)
            .union(placement.directory(object));
        let record = answering.contains(self.group);
        let record = record.then_some(OwnerRecord { owner, epoch });
        self.state.store.hand_over(object, record);
    }

    /// A declared write of an object that this group owns: its revision grows whether or not the
    /// operation changed it.
    fn write(&mut self, object: ObjectId, value: Option<Encoded>, out: &mut Applied) {
        self.state.store.write(object, value);
        if let Some(held) = self.state.store.object(object) {
            out.events.push(ObjectEvent {
                object,
                revision: held.revision,
                change: Change::Written(held.value.clone()),
                here: true,
                left: false,
            });
        }
    }
}

/// Takes out the new value of an object, if the operation changed it.
fn take(effect: &mut Effect, object: ObjectId) -> Option<Encoded> {
    let mut changed = effect.changed.iter_mut();
    let (_, value) = changed.find(|(changed, _)| *changed == object)?;
    Some(std::mem::take(value))
}
