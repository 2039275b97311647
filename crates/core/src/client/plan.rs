//! Plans: which groups a request goes to, given what the client believes. Pure questions, no state of their own.

use crate::command::{Intent, Request};
use crate::id::{GroupId, Groups, ObjectId, PartitionId};
use crate::oracle::{Oracle, Placement};
use std::collections::{BTreeMap, BTreeSet};

/// What the client believes of the places of a request's objects.
#[derive(Debug, Default)]
pub(super) struct Beliefs {
    /// The believed owners.
    pub(super) owners: BTreeMap<ObjectId, PartitionId>,
    /// Objects whose owner is unknown or was refuted: an authority must come along (rule R1).
    pub(super) doubted: BTreeSet<ObjectId>,
}

/// Whether the plan needs to know who owns an object with this intent.
pub(super) fn needs_owner(intent: &Intent) -> bool {
    !matches!(intent, Intent::Create { .. } | Intent::Lookup)
}

/// The destinations of an attempt.
pub(super) fn destinations<O: Oracle>(
    placement: &Placement<O>,
    request: &Request,
    beliefs: &Beliefs,
) -> Groups {
    let mut groups = request.required(placement);
    for (object, intent) in request.intents() {
        let owner = beliefs.owners.get(object).filter(|_| needs_owner(intent));
        if let Some(owner) = owner {
            groups.insert((*owner).into());
        }
        let asks = matches!(intent, Intent::Lookup);
        if asks || (needs_owner(intent) && (owner.is_none() || beliefs.doubted.contains(object))) {
            groups.insert(authority(placement, *object, groups));
        }
    }
    groups
}

/// One authority of an object: one that is a destination anyway, else one that spreads the load over them.
fn authority<O: Oracle>(placement: &Placement<O>, object: ObjectId, already: Groups) -> GroupId {
    let authorities = placement.authority(object);
    let spread = GroupId::from(placement.topology().spread(object));
    let near = authorities.iter().find(|&group| already.contains(group));
    near.or(Some(spread).filter(|&group| authorities.contains(group)))
        .or(authorities.first())
        .unwrap_or_else(|| panic!("the law of authority: {object} has none"))
}

/// Where `gather` runs a request: the partition that holds most of the objects that it accesses, then the least one.
/// `None` if they are together already, or the request is not a plain access.
pub(super) fn gathering_place(request: &Request, beliefs: &Beliefs) -> Option<PartitionId> {
    let mut held: BTreeMap<PartitionId, usize> = BTreeMap::new();
    for (object, intent) in request.intents() {
        if !intent.reads() && !intent.writes() {
            return None;
        }
        *held.entry(*beliefs.owners.get(object)?).or_default() += 1;
    }
    let most = held.values().max()?;
    let place = held
        .iter()
        .find(|(_, count)| *count == most)
        .map(|(&partition, _)| partition);
    place.filter(|_| held.len() > 1)
}
