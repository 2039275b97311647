//! The objects of a history: files, followed through renames.
//!
//! Commits of several branches change them one after the other, so here is the one state that a
//! replay goes through. Invariant: what is created does not exist, and what is changed, deleted or
//! moved does; each object is touched once by a commit.

use super::tree::ObjectNumber;
use crate::trace::command::Name;
use ssmr_core::keyed_hash::KeyedMap;

/// What a commit does to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) object: ObjectNumber,
    pub(super) kind: ActKind,
}

/// The same without the object. Sizes are those of new contents, in bytes, where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ActKind {
    Create { size: Option<u64> },
    Update { size: Option<u64> },
    Delete,
    Move { to: String },
    MoveAndUpdate { to: String, size: Option<u64> },
}

/// One object.
#[derive(Debug)]
struct State {
    id: String,
    exists: bool,
    /// The folder to whose home it was moved last.
    folder: String,
    /// The size of its content, if it is known.
    size: Option<u64>,
}

/// All objects that there have been.
#[derive(Debug)]
pub(super) struct Objects {
    /// How many folders of a path say where an object is.
    depth: usize,
    states: Vec<State>,
    numbers: KeyedMap<String, ObjectNumber>,
    alive: usize,
}

impl Objects {
    /// None yet; so many folders of a path say where an object is.
    pub(super) fn new(depth: usize) -> Self {
        Self {
            depth,
            states: Vec::new(),
            numbers: KeyedMap::default(),
            alive: 0,
        }
    }

    /// The folder that says where the object of a path is: its first ones, `.` of a file that is
    /// in none.
    pub(super) fn folder<'a>(&self, path: &'a str) -> &'a str {
        let ends = path.match_indices('/').map(|(end, _)| end);
        let end = ends.take(self.depth).last();
        end.map_or(".", |end| &path[..end])
    }

    /// How many exist.
    pub(super) fn alive(&self) -> usize {
        self.alive
    }

    /// Whether an object exists.
    pub(super) fn exists(&self, object: ObjectNumber) -> bool {
        self.states[object as usize].exists
    }

    /// The size of its content, if it is known.
    pub(super) fn size(&self, object: ObjectNumber) -> Option<u64> {
        self.states[object as usize].size
    }

    /// The folder whose home it is at.
    pub(super) fn folder_of(&self, object: ObjectNumber) -> &str {
        &self.states[object as usize].folder
    }

    /// All that exist.
    pub(super) fn existing(&self) -> impl Iterator<Item = ObjectNumber> {
        let states = (0..).zip(&self.states);
        states
            .filter(|(_, state)| state.exists)
            .map(|(number, _)| number)
    }

    /// The names that it has in a trace: its id and its attribute.
    pub(super) fn names(&self, object: ObjectNumber) -> (Name, Name) {
        let id = &self.states[object as usize].id;
        (Name::of(id), Name::of(self.folder(id)))
    }

    /// The object for a file that appears at a path: the one that was there before, if it was
    /// deleted and can be taken, else a new one.
    pub(super) fn appearing(
        &mut self,
        path: &str,
        can_be_taken: impl Fn(ObjectNumber) -> bool,
    ) -> ObjectNumber {
        let mut id = path.to_owned();
        let mut count = 1;
        while let Some(&number) = self.numbers.get(&id) {
            if !self.exists(number) && can_be_taken(number) {
                return number;
            }
            // Its first file has been renamed, or lives on another branch.
            count += 1;
            id = format!("{path}~{count}");
        }
        let number = self.states.len() as ObjectNumber;
        self.numbers.insert(id.clone(), number);
        self.states.push(State {
            folder: self.folder(&id).to_owned(),
            id,
            exists: false,
            size: None,
        });
        number
    }

    /// Carries out what a commit does.
    pub(super) fn carry_out(&mut self, acts: &[Act]) {
        for Act { object, kind } in acts {
            let first = self.folder(&self.states[*object as usize].id).to_owned();
            let state = &mut self.states[*object as usize];
            let creates = matches!(kind, ActKind::Create { .. });
            assert!(state.exists != creates, "{kind:?} of {}", state.id);
            match kind {
                ActKind::Create { size } => {
                    self.alive += 1;
                    state.exists = true;
                    state.size = *size;
                    state.folder = first;
                }
                ActKind::Delete => {
                    self.alive -= 1;
                    state.exists = false;
                }
                ActKind::Update { size } => state.size = *size,
                ActKind::Move { to } => state.folder.clone_from(to),
                ActKind::MoveAndUpdate { to, size } => {
                    state.folder.clone_from(to);
                    state.size = *size;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(object: ObjectNumber, kind: ActKind) -> Act {
        Act { object, kind }
    }

    #[test]
    fn a_file_that_comes_back_is_the_same_object_unless_that_is_in_use() {
        let mut objects = Objects::new(1);
        let create = ActKind::Create { size: Some(1) };
        let first = objects.appearing("a/x", |_| true);
        objects.carry_out(&[act(first, create.clone())]);
        let second = objects.appearing("a/x", |_| true);
        assert_eq!(objects.names(second), (Name::of("a/x~2"), Name::of("a")));
        objects.carry_out(&[act(first, ActKind::Delete)]);
        assert_eq!(objects.appearing("a/x", |_| true), first);
        assert_eq!(objects.appearing("a/x", |object| object != first), second);
        objects.carry_out(&[act(first, create)]);
        assert_eq!(objects.alive(), 1);
    }

    #[test]
    fn what_is_created_anew_is_at_its_first_folder() {
        let mut objects = Objects::new(1);
        let object = objects.appearing("a/x", |_| true);
        let create = act(object, ActKind::Create { size: None });
        objects.carry_out(std::slice::from_ref(&create));
        objects.carry_out(&[act(object, ActKind::Move { to: "b".into() })]);
        assert_eq!(objects.folder_of(object), "b");
        objects.carry_out(&[act(object, ActKind::Delete)]);
        objects.carry_out(&[create]);
        assert_eq!(objects.folder_of(object), "a");
    }

    #[test]
    fn the_first_folders_of_a_path_say_where_it_is() {
        for (path, of_one, of_two) in [
            ("README", ".", "."),
            ("docs/a", "docs", "docs"),
            ("crates/core/src/lib.rs", "crates", "crates/core"),
        ] {
            assert_eq!(Objects::new(1).folder(path), of_one);
            assert_eq!(Objects::new(2).folder(path), of_two);
        }
    }
}
