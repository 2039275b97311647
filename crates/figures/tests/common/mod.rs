//! Folders of data, and pictures taken apart. Each file of tests uses its part of it.

#![allow(dead_code)]

use ssmr_figures::{Choice, Drawing, Figure, Folder, Kind, Latency};
use std::path::PathBuf;

/// A committed folder.
pub(crate) fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// These kinds, of all operations together.
pub(crate) fn choice(kinds: &[Kind]) -> Choice {
    Choice {
        kinds: kinds.to_vec(),
        op: "all".into(),
        latency: Latency::P50,
    }
}

/// What comes of a committed folder.
pub(crate) fn draw(folder: &str, choice: &Choice) -> Drawing {
    Folder::open(&data(folder)).unwrap().draw(choice).unwrap()
}

/// A picture taken apart.
pub(crate) struct Picture {
    pub(crate) svg: String,
    /// All that is written in it.
    pub(crate) texts: Vec<String>,
}

impl Picture {
    /// One of these pictures.
    pub(crate) fn of(drawing: &Drawing, name: &str) -> Self {
        let figure = drawing.figures.iter().find(|figure| figure.name() == name);
        let names: Vec<&str> = drawing.figures.iter().map(Figure::name).collect();
        let figure = figure.unwrap_or_else(|| panic!("no {name} among {names:?}"));
        let svg = figure.svg();
        let text = |part: &str| {
            let (_, rest) = part.split_once('>')?;
            rest.split_once("</text>").map(|(text, _)| text.to_owned())
        };
        let texts = svg.split("<text ").skip(1).filter_map(text).collect();
        Self { svg, texts }
    }

    /// Asserts that all of this is written in it.
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            let found = self.texts.iter().any(|text| text == word);
            assert!(found, "{word:?} is not among {:?}", self.texts);
        }
    }

    /// How many elements of a kind have all of these in their attributes.
    pub(crate) fn elements(&self, kind: &str, attributes: &[&str]) -> usize {
        let elements = self
            .svg
            .split('<')
            .filter_map(|part| part.strip_prefix(kind));
        let has_all = |element: &&str| attributes.iter().all(|one| element.contains(one));
        elements.filter(has_all).count()
    }

    /// How many shapes are filled and bordered so.
    pub(crate) fn markers(&self, kind: &str, fill: &str, stroke: &str) -> usize {
        let (fill, stroke) = (format!("fill=\"{fill}\""), format!("stroke=\"{stroke}\""));
        self.elements(kind, &[&fill, &stroke])
    }
}
