//! What `git diff-tree --raw -z` prints: for each commit its hash, and its changes.

use anyhow::{Context, Result, bail};
use std::io::BufRead;

/// A file that differs from the parent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Where it was, if it was anywhere.
    pub(super) from: Option<Vec<u8>>,
    /// Where it is, with its content, if it is anywhere.
    pub(super) to: Option<(Vec<u8>, Blob)>,
    /// Whether the content is another one.
    pub(super) modified: bool,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) id: String,
    /// It is another repository's commit, which is not here.
    pub(super) is_link: bool,
}

/// The changes of commits, one commit after the other.
pub(super) struct Changes<R> {
    input: R,
}

impl<R: BufRead> Changes<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input }
    }

    /// The changes of the next commit, which is this one.
    ///
    /// # Errors
    /// If git says something else.
    pub(super) fn of(&mut self, commit: &str) -> Result<Vec<Change>> {
        let header = self.word()?;
        if header != commit.as_bytes() {
            let header = String::from_utf8_lossy(&header);
            bail!("git tells of {header:?} where it was asked for {commit}");
        }
        let mut changes = Vec::new();
        while self.input.fill_buf()?.first() == Some(&b':') {
            changes.push(
                self.change()
                    .with_context(|| format!("changes of {commit}"))?,
            );
        }
        Ok(changes)
    }

    fn change(&mut self) -> Result<Change> {
        let about = String::from_utf8(self.word()?)?;
        let words: Vec<&str> = about.split(' ').collect();
        let [_, mode, before, after, status] = words[..] else {
            bail!("git says {about:?}");
        };
        let path = self.word()?;
        let blob = Blob {
            id: after.to_owned(),
            is_link: mode == "160000",
        };
        let modified = before != after;
        Ok(match status.as_bytes().first() {
            Some(b'A') => Change {
                from: None,
                to: Some((path, blob)),
                modified: true,
            },
            Some(b'D') => Change {
                from: Some(path),
                to: None,
                modified: true,
            },
            // A change of the mode alone is a change, too.
            Some(b'M' | b'T') => Change {
                from: Some(path.clone()),
                to: Some((path, blob)),
                modified: true,
            },
            Some(b'R') => Change {
                from: Some(path),
                to: Some((self.word()?, blob)),
                modified,
            },
            Some(b'C') => Change {
                from: None,
                to: Some((self.word()?, blob)),
                modified: true,
            },
            _ => bail!("git says {about:?} of {}", String::from_utf8_lossy(&path)),
        })
    }

    /// All up to the next zero byte.
    fn word(&mut self) -> Result<Vec<u8>> {
        let mut word = Vec::new();
        self.input.read_until(0, &mut word)?;
        if word.pop() != Some(0) {
            bail!("git ended in the middle of a word");
        }
        Ok(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_with_paths_of_any_bytes() {
        let text = b"c1\0:000000 100644 00 a1 A\0a\nb\0:100644 100644 a1 a1 R100\0:x\0y\xff\0\
                     :100644 000000 a1 00 D\0gone\0c2\0c3\0:160000 160000 a1 a2 M\0sub\0";
        let mut changes = Changes::new(&text[..]);
        let blob = |id: &str, is_link| Blob {
            id: id.into(),
            is_link,
        };
        let expected = [
            Change {
                from: None,
                to: Some((b"a\nb".into(), blob("a1", false))),
                modified: true,
            },
            Change {
                from: Some(b":x".into()),
                to: Some((b"y\xff".into(), blob("a1", false))),
                modified: false,
            },
            Change {
                from: Some(b"gone".into()),
                to: None,
                modified: true,
            },
        ];
        assert_eq!(changes.of("c1").unwrap(), expected);
        assert_eq!(changes.of("c2").unwrap(), []);
        let link = changes.of("c3").unwrap().remove(0);
        assert_eq!(link.to, Some((b"sub".into(), blob("a2", true))));
        assert!(changes.of("c4").is_err());
    }

    #[test]
    fn what_git_does_not_say_is_an_error() {
        for bad in [
            "",
            "c2\0",
            "c1\0:1 2 3\0a\0",
            "c1\0:1 2 3 4 X\0a\0",
            "c1\0:1 2 3 4 A\0a",
        ] {
            assert!(Changes::new(bad.as_bytes()).of("c1").is_err(), "{bad:?}");
        }
    }
}
