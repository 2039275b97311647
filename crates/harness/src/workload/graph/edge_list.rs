//! Edge lists in files.
//!
//! Invariant: a file is read whole or refused, with the line that is no edge. What is in it is
//! known by a digest of its bytes, the one that `b3sum` prints.

use super::line::{self, Line};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::str;

/// How files begin that gzip, bzip2, zip, xz and zstd have made. None is the beginning of a number.
const COMPRESSED: [&[u8]; 5] = [
    b"\x1f\x8b",
    b"BZh",
    b"PK\x03\x04",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
];

/// How much of a line that is no edge is shown.
const SHOWN: usize = 40;

/// The edges of a file, as they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EdgeList {
    /// From whom to whom, by the names in the file, in its order.
    pub(super) edges: Vec<(u64, u64)>,
    /// The BLAKE3 digest of the file, in hexadecimal.
    pub(super) blake3: String,
}

/// Why an edge list cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GraphError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    /// A line is not an edge.
    #[error("line {line}: expected two integers, and at most a weight and a time, found {found:?}")]
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// KONECT says so in the first line. A name means another vertex on the left than on the right.
    #[error("line 1: it is a bipartite graph, in which nobody could follow anybody back")]
    Bipartite,
    /// As such files are offered for download.
    #[error("it is compressed: unpack it first, as by gunzip, bunzip2 or unzip")]
    Compressed,
    /// There is nothing in it.
    #[error("it contains no edge")]
    Empty,
}

impl EdgeList {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read or is no edge list. That it has no edge between two vertices is found
    /// later.
    pub(crate) fn read(path: &Path) -> Result<Self, GraphError> {
        Self::parse(File::open(path)?)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`EdgeList::read`].
    pub(crate) fn parse(text: impl Read) -> Result<Self, GraphError> {
        let mut text = BufReader::new(Hashed {
            bytes: text,
            hasher: blake3::Hasher::new(),
        });
        let (mut edges, mut bytes) = (Vec::new(), Vec::new());
        let mut headed = false;
        for number in 1.. {
            bytes.clear();
            if text.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            let malformed = |found: &str| GraphError::Malformed {
                line: number,
                found: found.trim().chars().take(SHOWN).collect(),
            };
            if number == 1 && COMPRESSED.iter().any(|head| bytes.starts_with(head)) {
                return Err(GraphError::Compressed);
            }
            let line = str::from_utf8(&bytes).ok();
            let mut line = line.ok_or_else(|| malformed("bytes that are not text"))?;
            if number == 1 {
                line = line.strip_prefix('\u{feff}').unwrap_or(line);
                if line.starts_with('%') && line.split_whitespace().any(|word| word == "bip") {
                    return Err(GraphError::Bipartite);
                }
            }
            match line::read(line) {
                Line::Blank => {}
                Line::Edge(a, b) => edges.push((a, b)),
                Line::Header if edges.is_empty() && !headed => headed = true,
                Line::Header | Line::Malformed => return Err(malformed(line)),
            }
        }
        let blake3 = text.into_inner().hasher.finalize().to_hex().to_string();
        Ok(Self { edges, blake3 })
    }
}

/// Bytes that are hashed while they are read.
struct Hashed<R> {
    bytes: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.hasher.update(&into[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(text: &str) -> Vec<(u64, u64)> {
        EdgeList::parse(text.as_bytes()).unwrap().edges
    }

    #[test]
    fn files_of_the_usual_sources_are_read() {
        let expected = [(10, 30), (30, 20)];
        for text in [
            "# SNAP\n# FromNodeId\tToNodeId\n10\t30\n\n30 20 # a comment\r\n",
            "% sym weighted\n% 2 3 3\n10 30 1 1082040961\n30 20 -1 1082040962\n",
            "\u{feff}source,target\r\n10,30\r\n30,20\r\n",
            "FromNodeId ToNodeId\n10 30\n30 20",
            "10 30 {}\n30 20 {'weight': 3}\n",
        ] {
            assert_eq!(edges(text), expected, "{text}");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let digest = |text: &str| EdgeList::parse(text.as_bytes()).unwrap().blake3;
        let expected = blake3::hash(b"1 2\n% the end").to_hex().to_string();
        assert_eq!(digest("1 2\n% the end"), expected);
        assert_ne!(digest("1 2\n"), expected);
    }

    #[test]
    fn what_is_no_edge_list_is_refused_with_its_line() {
        for (bad, found) in [
            ("1 2\n3\n", "\"3\""),
            ("1 2\na b\n", "\"a b\""),
            ("a b\nc d\n", "\"c d\""),
            ("1 2\n1 2 x\r\n", "\"1 2 x\""),
            ("1 2\n-1 2\n", "\"-1 2\""),
            ("1 2\n\u{fffd}", "\"\u{fffd}\""),
        ] {
            let error = EdgeList::parse(bad.as_bytes()).unwrap_err().to_string();
            let told = error.starts_with("line 2: expected two integers") && error.contains(found);
            assert!(told, "{error}");
        }
        let error = EdgeList::parse(&b"1 2\n\xff\xfe\n"[..]).unwrap_err();
        assert!(error.to_string().starts_with("line 2"), "{error}");
        for packed in [&b"\x1f\x8b\x08\x08\n"[..], b"BZh91AY", b"PK\x03\x04\x14"] {
            let packed = EdgeList::parse(packed);
            assert!(matches!(packed, Err(GraphError::Compressed)));
        }
        let bipartite = EdgeList::parse(&b"% bip unweighted\n1 1\n"[..]);
        assert!(matches!(bipartite, Err(GraphError::Bipartite)));
        let nowhere = EdgeList::read(Path::new("/nowhere"));
        assert!(matches!(nowhere, Err(GraphError::Read(_))));
    }
}
