//! Repositories that tests make, with the program git.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository in a folder of its own. Its commits are an hour apart.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
    hours: u32,
}

impl Repository {
    /// One without commits.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Self { folder, hours: 0 };
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Has git do something. Returns what it printed.
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let date = format!(
            "2026-01-{:02}T{:02}:00:00Z",
            1 + self.hours / 24,
            self.hours % 24
        );
        let mut command = Command::new("git");
        command.current_dir(self.path()).args(words);
        for setting in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"] {
            command.env(setting, "/dev/null");
        }
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "somebody");
            command.env(format!("GIT_{who}_EMAIL"), "somebody@example.com");
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words:?}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Writes a file of a few hundred different bytes that belong to this name, with a last line.
    pub(crate) fn write(&self, path: &str, name: &str, last: &str) {
        let lines = (0..30).map(|line| format!("{name} {line}\n"));
        let path = self.file(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, lines.collect::<String>() + last).unwrap();
    }

    /// Renames a file.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let to = self.file(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.file(from), to).unwrap();
    }

    /// Deletes a file.
    pub(crate) fn delete(&self, path: &str) {
        fs::remove_file(self.file(path)).unwrap();
    }

    /// Commits all that is there.
    pub(crate) fn commit(&mut self) {
        self.hours += 1;
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "something"]);
    }

    /// Merges a branch, and commits what is there by then.
    pub(crate) fn merge(&mut self, branches: &[&str], resolve: impl FnOnce(&Self)) {
        let merge = ["merge", "--no-ff", "--no-commit", "--quiet"];
        // It fails where branches contradict each other.
        let _ = Command::new("git")
            .current_dir(self.path())
            .args(merge)
            .args(branches)
            .envs([
                ("GIT_COMMITTER_NAME", "somebody"),
                ("GIT_COMMITTER_EMAIL", "x@example.com"),
            ])
            .output()
            .unwrap();
        resolve(self);
        self.commit();
    }

    /// How many files the last commit has.
    pub(crate) fn file_count(&self) -> usize {
        let listed = self.git(&["ls-tree", "-r", "-z", "--name-only", "HEAD"]);
        listed.split('\0').count() - 1
    }

    fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }
}
