//! From changes of files to what happens to objects, commit by commit.
//!
//! Each commit has the [`Tree`] of its parent, changed by what it says; so a file is the same
//! object on all branches that have it. A replay has one state, though, which the branches change
//! in turn: what a branch changes after another one has deleted it is left out. A merge tells
//! nothing again that its branches have told: it makes the state what it says itself. It creates
//! anew what it keeps and a branch has deleted, deletes what no branch has and it has not either,
//! and updates what differs from all parents.

use super::git::Commit;
use super::objects::{Act, ActKind, Objects};
use super::raw::{Blob, Change};
use super::tree::{ObjectNumber, PathNumber, Paths, Tree};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A history that is being followed.
#[derive(Debug)]
pub(super) struct History {
    paths: Paths,
    objects: Objects,
    /// Trees of commits that others are still made from, and by how many.
    trees: BTreeMap<Arc<str>, (Tree, usize)>,
    /// Changes of files that another branch had deleted.
    left_out: u64,
}

/// What a path is in a merge, and in which of its parents that differs.
#[derive(Debug, Default)]
struct Merged {
    blob: Option<Blob>,
    differs_from: BTreeSet<usize>,
}

/// How to find out the size of a content.
pub(super) type SizeOf<'a> = &'a dyn Fn(&Blob) -> Option<u64>;

impl History {
    /// Nothing has happened yet; so many folders of a path say where an object is.
    pub(super) fn new(depth: usize) -> Self {
        Self {
            paths: Paths::default(),
            objects: Objects::new(depth),
            trees: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// The objects by now.
    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// How many changes were left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Carries out what a commit does.
    pub(super) fn carry_out(&mut self, acts: &[Act]) {
        self.objects.carry_out(acts);
    }

    /// Follows a commit, with its changes against each of its parents (against nothing, if it has
    /// none) and how many commits are made from it. Returns what it does, each object once, to be
    /// [carried out](Self::carry_out) before the next one.
    pub(super) fn follow(
        &mut self,
        commit: &Commit,
        changes: Vec<Vec<Change>>,
        children: usize,
        size_of: SizeOf<'_>,
    ) -> Result<Vec<Act>> {
        let parents = commit.parents.iter().map(|parent| self.parent(parent));
        let parents: Vec<Tree> = parents.collect::<Result<_>>()?;
        let is_merge = parents.len() > 1;
        let (tree, mut acts) = match is_merge {
            true => self.merge(&parents, changes, size_of),
            false => {
                let tree = parents.into_iter().next().unwrap_or_default();
                self.change(tree, changes.into_iter().flatten().collect(), size_of)?
            }
        };
        // What it makes is looked at before it takes effect.
        let before = self.objects.alive() + acts.iter().filter(|act| act.creates()).count();
        let after = before
            - acts
                .iter()
                .filter(|act| act.kind == ActKind::Delete)
                .count();
        if is_merge && self.trees.is_empty() && after != tree.len() {
            acts.extend(self.forgotten(&tree, &acts));
        }
        if children > 0 {
            self.trees
                .insert(commit.id.as_str().into(), (tree, children));
        }
        Ok(acts)
    }

    /// The tree of a parent. It is kept for as long as others need it.
    fn parent(&mut self, id: &str) -> Result<Tree> {
        let Some((tree, children)) = self.trees.get_mut(id) else {
            bail!("git tells of a commit before its parent {id}");
        };
        *children -= 1;
        if *children > 0 {
            return Ok(tree.clone());
        }
        let taken = self.trees.remove(id).map(|(tree, _)| tree);
        taken.with_context(|| format!("git tells of a commit before its parent {id}"))
    }

    /// Changes the tree of the only parent.
    fn change(
        &mut self,
        mut tree: Tree,
        changes: Vec<Change>,
        size_of: SizeOf<'_>,
    ) -> Result<(Tree, Vec<Act>)> {
        let mut acts = Vec::new();
        let mut kept = Vec::new();
        for change in changes {
            let object = match &change.from {
                Some(from) => {
                    let number = self.paths.number(from);
                    let object = tree.remove(number);
                    let told = || format!("{} is changed, and not there", self.paths.text(number));
                    Some(object.with_context(told)?)
                }
                None => None,
            };
            match change.to {
                Some(to) => kept.push((object, to, change.modified)),
                None => self.act(&mut acts, object, |_| Some(ActKind::Delete)),
            }
        }
        // Paths are free now for what comes to them. What stays goes first, so that nothing new is
        // taken for it.
        kept.sort_by_key(|(object, ..)| object.is_none());
        for (object, (path, blob), modified) in kept {
            let path = self.paths.number(&path);
            let text = self.paths.text(path);
            let size = size_of(&blob);
            match object {
                Some(object) => {
                    tree.insert(path, object);
                    let folder = self.objects.folder(&text);
                    let kind = |at: &str| changed(at, folder, modified, size);
                    self.act(&mut acts, Some(object), kind);
                }
                None => {
                    let object = self.appearing(&text, &tree);
                    tree.insert(path, object);
                    let kind = ActKind::Create { size };
                    acts.push(Act { object, kind });
                }
            }
        }
        Ok((tree, acts))
    }

    /// The tree of a merge, and what it does besides what its branches did.
    fn merge(
        &mut self,
        parents: &[Tree],
        changes: Vec<Vec<Change>>,
        size_of: SizeOf<'_>,
    ) -> (Tree, Vec<Act>) {
        let merged = self.merged(changes);
        let mut tree = parents[0].clone();
        for path in merged.keys() {
            tree.remove(*path);
        }
        let mut acts = Vec::new();
        for (path, Merged { blob, differs_from }) in &merged {
            let Some(blob) = blob else { continue };
            let (text, size) = (self.paths.text(*path), size_of(blob));
            let at_path = parents.iter().filter_map(|parent| parent.at(*path));
            let mut free: Vec<ObjectNumber> = at_path.filter(|o| !tree.holds(*o)).collect();
            free.sort_by_key(|object| !self.objects.exists(*object));
            let object = match free.first() {
                Some(object) => *object,
                None => self.appearing(&text, &tree),
            };
            tree.insert(*path, object);
            if self.objects.exists(object) {
                let modified = differs_from.len() == parents.len();
                let folder = self.objects.folder(&text);
                let kind = changed(self.objects.folder_of(object), folder, modified, size);
                acts.extend(kind.map(|kind| Act { object, kind }));
            } else {
                let kind = ActKind::Create { size };
                acts.push(Act { object, kind });
            }
        }
        let before = merged
            .keys()
            .flat_map(|path| parents.iter().map(|p| p.at(*path)));
        let gone: BTreeSet<ObjectNumber> = before.flatten().collect();
        let gone = gone.into_iter().filter(|object| !tree.holds(*object));
        let gone = gone.filter(|object| self.objects.exists(*object));
        acts.extend(gone.map(|object| Act {
            object,
            kind: ActKind::Delete,
        }));
        (tree, acts)
    }

    /// The paths where a merge differs from any parent.
    fn merged(&mut self, changes: Vec<Vec<Change>>) -> BTreeMap<PathNumber, Merged> {
        let mut merged: BTreeMap<PathNumber, Merged> = BTreeMap::new();
        for (parent, changes) in changes.into_iter().enumerate() {
            for Change { from, to, .. } in changes {
                if let Some(from) = from {
                    let path = merged.entry(self.paths.number(&from)).or_default();
                    path.differs_from.insert(parent);
                }
                if let Some((to, blob)) = to {
                    let path = merged.entry(self.paths.number(&to)).or_default();
                    path.differs_from.insert(parent);
                    path.blob = Some(blob);
                }
            }
        }
        merged
    }

    /// Deletes what exists and is in no commit any more, where no other branch is under way: two
    /// branches had added the same file, say, and one of the two is left.
    fn forgotten(&self, tree: &Tree, acts: &[Act]) -> Vec<Act> {
        let touched: BTreeSet<ObjectNumber> = acts.iter().map(|act| act.object).collect();
        let existing = self
            .objects
            .existing()
            .filter(|object| !tree.holds(*object));
        let forgotten = existing.filter(|object| !touched.contains(object));
        let kind = || ActKind::Delete;
        forgotten
            .map(|object| Act {
                object,
                kind: kind(),
            })
            .collect()
    }

    /// Adds what is done to an object, unless another branch has deleted it.
    fn act(
        &mut self,
        acts: &mut Vec<Act>,
        object: Option<ObjectNumber>,
        kind: impl FnOnce(&str) -> Option<ActKind>,
    ) {
        let Some(object) = object else { return };
        if !self.objects.exists(object) {
            self.left_out += 1;
            return;
        }
        let kind = kind(self.objects.folder_of(object));
        acts.extend(kind.map(|kind| Act { object, kind }));
    }

    /// The object for a file that appears.
    fn appearing(&mut self, path: &str, tree: &Tree) -> ObjectNumber {
        self.objects.appearing(path, |object| !tree.holds(object))
    }
}

impl Act {
    fn creates(&self) -> bool {
        matches!(self.kind, ActKind::Create { .. })
    }
}

/// What becomes of an object whose file is in this folder now.
fn changed(before: &str, now: &str, modified: bool, size: Option<u64>) -> Option<ActKind> {
    match (before != now, modified) {
        (false, false) => None,
        (false, true) => Some(ActKind::Update { size }),
        (true, false) => Some(ActKind::Move { to: now.into() }),
        (true, true) => Some(ActKind::MoveAndUpdate {
            to: now.into(),
            size,
        }),
    }
}
