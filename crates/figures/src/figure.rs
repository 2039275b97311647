//! A figure that has been drawn, and what is told beside figures.

use crate::draw::canvas::Canvas;
use crate::kind::Kind;

/// One picture.
#[derive(Debug)]
pub struct Figure {
    kind: Kind,
    name: String,
    canvas: Canvas,
}

impl Figure {
    /// A picture whose name is made of its kind's and these parts; empty ones do not count.
    pub(crate) fn new<'a>(
        kind: Kind,
        parts: impl IntoIterator<Item = &'a str>,
        canvas: Canvas,
    ) -> Self {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=.".contains(letter);
        let plain = |letter: char| if is_plain(letter) { letter } else { '_' };
        let parts = [kind.name()].into_iter().chain(parts);
        let parts = parts.filter(|part| !part.is_empty());
        let parts: Vec<String> = parts
            .map(|part| part.chars().map(plain).collect())
            .collect();
        Self {
            kind,
            name: parts.join("-"),
            canvas,
        }
    }

    /// Which kind it is of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it shows, for those who have it read aloud.
    pub fn title(&self) -> &str {
        self.canvas.title()
    }

    /// What its file is called, without the ending; of letters, digits, `-`, `_`, `=` and `.`, and
    /// never the same as that of another figure of the same drawing.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The picture as SVG: 85 mm wide, its text as text. The same bytes for the same data.
    pub fn svg(&self) -> String {
        self.canvas.svg()
    }

    /// The same picture as an element of an HTML page, where it is the only one of this number: its
    /// ids are none of the other pictures'.
    pub fn element(&self, number: usize) -> String {
        self.canvas.element(number)
    }

    /// The picture as PNG, 400 dots an inch.
    ///
    /// # Errors
    /// What the rasteriser says.
    #[cfg(feature = "png")]
    pub fn png(&self) -> Result<Vec<u8>, String> {
        self.canvas.png()
    }
}

/// What came of drawing a folder.
#[derive(Debug, Default)]
pub struct Drawing {
    /// The figures.
    pub figures: Vec<Figure>,
    /// Which kinds there are none of, and why.
    pub skipped: Vec<(Kind, String)>,
    /// What a reader of the figures should know: what is hollow, left out, or without a label.
    pub notes: Vec<String>,
}

impl Drawing {
    /// Says something once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
