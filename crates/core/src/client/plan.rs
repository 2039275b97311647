//! Plans: which groups a request goes to, given what the client believes. Pure questions, no state
//! of their own.

use super::beliefs::Beliefs;
use crate::hints::HintTable;
use crate::id::{GroupId, Groups, ObjectId, PartitionId};
use crate::oracle::{Guess, Placement};
use crate::request::{Intent, Request};
use std::collections::{BTreeMap, BTreeSet};

/// Whether the plan needs to know who owns an object with this intent.
fn needs_owner(intent: &Intent) -> bool {
    !matches!(intent, Intent::Create { .. } | Intent::Lookup)
}

/// Which owners that the plan needs are known or can be told without asking, and of which objects
/// they are missing.
pub(super) fn locate(
    placement: &Placement,
    hints: &HintTable,
    request: &Request,
) -> (Vec<(ObjectId, PartitionId)>, BTreeSet<ObjectId>) {
    let (mut known, mut missing) = (Vec::new(), BTreeSet::new());
    for (object, intent) in request.intents() {
        if !needs_owner(intent) {
            continue;
        }
        let hinted = hints.peek(*object).map(|hint| hint.owner);
        let guessed = || match placement.guess(*object) {
            Guess::At(partition) => Some(partition),
            Guess::Ask(_) | Guess::Shared { .. } => None,
        };
        if let Some(owner) = hinted.or_else(guessed) {
            known.push((*object, owner));
        } else {
            missing.insert(*object);
        }
    }
    (known, missing)
}

/// The groups that are asked for a hint on an object that the shared cache does not tell.
pub(super) fn consulted(placement: &Placement, object: ObjectId) -> Groups {
    match placement.guess(object) {
        Guess::Ask(groups)
        | Guess::Shared {
            otherwise: groups, ..
        } => groups,
        Guess::At(partition) => partition.into(),
    }
}

/// The group that is asked for a hint: the one that spreads the load of all objects, and the next
/// one with each turn.
pub(super) fn adviser(placement: &Placement, object: ObjectId, turn: u32) -> Option<GroupId> {
    let groups = consulted(placement, object);
    let first = spread(placement, object, groups)?;
    let place = groups.iter().position(|group| group == first)?;
    let place = (place + turn as usize) % groups.len();
    groups.iter().nth(place)
}

/// The one of some groups that spreads the load of all objects over them; `None` if there is none.
pub(super) fn spread(placement: &Placement, object: ObjectId, groups: Groups) -> Option<GroupId> {
    let spread = GroupId::from(placement.topology().spread(object));
    Some(spread)
        .filter(|&group| groups.contains(group))
        .or(groups.first())
}

/// The destinations of an attempt.
pub(super) fn destinations(placement: &Placement, request: &Request, beliefs: &Beliefs) -> Groups {
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

/// One authority of an object: one that is a destination anyway, else one that spreads the load
/// over them.
fn authority(placement: &Placement, object: ObjectId, already: Groups) -> GroupId {
    let authorities = placement.authority(object);
    let near = authorities.iter().find(|&group| already.contains(group));
    near.or_else(|| spread(placement, object, authorities))
        .unwrap_or_else(|| panic!("the strategy names no authority for {object}"))
}

/// Where `gather` runs a request: the partition that holds most of the objects that it accesses,
/// then the least one. `None` if they are together already, if the request is not a plain access,
/// or if it expects objects at some revision, which moving them would change.
pub(super) fn gathering_place(request: &Request, beliefs: &Beliefs) -> Option<PartitionId> {
    if !request.expected().is_empty() {
        return None;
    }
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

#[cfg(test)]
mod tests {
    use super::super::testing::{P0, P1, P2, X, Y, Z, hint, placement, revision};
    use super::*;

    fn access(intents: &[(ObjectId, Intent)]) -> Request {
        let add =
            |request: Request, (object, intent): &(_, Intent)| request.and(*object, intent.clone());
        intents.iter().fold(Request::default(), add)
    }

    fn believing(owners: &[(ObjectId, PartitionId)]) -> Beliefs {
        Beliefs {
            owners: owners.iter().copied().collect(),
            doubted: BTreeSet::new(),
        }
    }

    #[test]
    fn owners_come_from_hints_and_nobody_asks_for_those_that_are_not_needed() {
        let mut hints = HintTable::default();
        hints.learn(hint(X, P1, 1));
        let request = access(&[(X, Intent::Read), (Y, Intent::Write), (Z, Intent::Lookup)]);
        let (known, missing) = locate(&placement(), &hints, &request);
        assert_eq!(known, [(X, P1)]);
        assert_eq!(missing, [Y].into());
    }

    #[test]
    fn r1_an_authority_comes_along_where_the_owner_is_unknown_or_doubted() {
        let request = access(&[(X, Intent::Read)]);
        let placement = placement();
        let to = |beliefs: &Beliefs| destinations(&placement, &request, beliefs);
        let mut beliefs = believing(&[(X, P1)]);
        assert_eq!(to(&beliefs), P1.into());
        beliefs.doubted.insert(X);
        assert_eq!(to(&beliefs), Groups::from(P1).union(P0.into()));
        assert_eq!(to(&Beliefs::default()), P0.into());
    }

    #[test]
    fn r1_a_lookup_asks_an_authority_and_a_delete_all_of_them() {
        let asks = access(&[(X, Intent::Lookup)]);
        let none = Beliefs::default();
        assert_eq!(destinations(&placement(), &asks, &none), P0.into());
        let (deletes, owned) = (Request::delete(X), believing(&[(X, P2)]));
        let both = Groups::from(P0).union(P2.into());
        assert_eq!(destinations(&placement(), &deletes, &owned), both);
    }

    #[test]
    fn objects_are_gathered_where_most_of_them_are_then_at_the_least_partition() {
        let request = access(&[(X, Intent::Read), (Y, Intent::Update), (Z, Intent::Write)]);
        let place = |owners: &[_]| gathering_place(&request, &believing(owners));
        assert_eq!(place(&[(X, P2), (Y, P1), (Z, P2)]), Some(P2));
        assert_eq!(place(&[(X, P2), (Y, P1), (Z, P0)]), Some(P0));
        assert_eq!(place(&[(X, P1), (Y, P1), (Z, P1)]), None);
        assert_eq!(place(&[(X, P1), (Y, P2)]), None);
    }

    #[test]
    fn only_plain_accesses_are_gathered() {
        let request = access(&[(X, Intent::Read), (Y, Intent::Delete)]);
        let beliefs = believing(&[(X, P0), (Y, P1)]);
        assert_eq!(gathering_place(&request, &beliefs), None);
    }

    #[test]
    fn a_request_does_not_spoil_its_own_expectations_by_moving_the_objects() {
        let request = access(&[(X, Intent::Read), (Y, Intent::Update)]);
        let beliefs = believing(&[(X, P0), (Y, P1)]);
        assert_eq!(gathering_place(&request, &beliefs), Some(P0));
        let expecting = request.expecting(Y, revision(1));
        assert_eq!(gathering_place(&expecting, &beliefs), None);
    }
}
