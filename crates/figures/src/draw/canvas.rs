//! What figures are drawn on: text, lines, markers and bars, in fourths of a millimetre.
//!
//! The picture's elements, their SVG and their dots are `kuva`'s; what they mean is ours.
//! Invariant: nothing but what is drawn goes into the file, so equal figures have equal bytes.

use crate::style::{Look, Shape};
use kuva::backend::svg::SvgBackend;
use kuva::plot::fill_pattern::FillPattern;
use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};
use std::f64::consts::TAU;
use std::fmt::Write;

/// The width of a column of text: 85 mm.
pub(crate) const WIDTH: f64 = 340.0;

/// Units of a millimetre.
const UNITS: f64 = 4.0;

/// The size of letters: about 7 points.
pub(crate) const LETTERS: f64 = 10.0;

/// How far a marker reaches from its middle.
const RADIUS: f64 = 3.2;

const FONTS: &str = "Helvetica, Arial, 'DejaVu Sans', sans-serif";
/// What makes a file of XML a picture; within a page it is not needed.
const XMLNS: &str = " xmlns=\"http://www.w3.org/2000/svg\"";
const GREY: (u8, u8, u8) = (120, 120, 120);

/// A figure while it is drawn, and when it is done.
#[derive(Debug)]
pub(crate) struct Canvas {
    pub(super) scene: Scene,
    title: String,
}

/// Where a text stands relative to its place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Right,
    Middle,
    Left,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub(crate) look: Look,
    /// Whether its insides are left white, for it means less than others.
    pub(crate) hollow: bool,
}

impl Canvas {
    /// An empty one, so high, with a title for those who have it read aloud.
    pub(crate) fn new(height: f64, title: &str) -> Self {
        let mut scene = Scene::new(WIDTH, height);
        scene.font_family = Some(FONTS.into());
        let title = title.into();
        Self { scene, title }
    }

    /// What belongs to a strategy, and says so to scripts.
    pub(crate) fn series(&mut self, strategy: &str, draw: impl FnOnce(&mut Self)) {
        let attributes = format!("data-strategy=\"{}\"", escaped(strategy));
        self.group(None, attributes, draw);
    }

    /// What shows a value, and says which where one points at it.
    pub(crate) fn value(&mut self, title: String, draw: impl FnOnce(&mut Self)) {
        self.group(Some(title), "class=\"value\"".into(), draw);
    }

    /// What says in a legend which series this is.
    pub(super) fn entry(&mut self, name: &str, draw: impl FnOnce(&mut Self)) {
        self.group(None, format!("data-legend=\"{}\"", escaped(name)), draw);
    }

    /// A group of elements.
    pub(super) fn group(
        &mut self,
        title: Option<String>,
        attributes: String,
        draw: impl FnOnce(&mut Self),
    ) {
        // Not by `add`, which would bring a style sheet for titles.
        self.scene.elements.push(Primitive::GroupStart {
            transform: None,
            title,
            extra_attrs: Some(attributes),
        });
        draw(self);
        self.scene.elements.push(Primitive::GroupEnd);
    }

    /// A text of one line; the place is on its base line. `turned` upwards or not.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), side: Side, turned: bool, text: &str) {
        self.scene.add(Primitive::Text {
            x,
            y,
            // Two dollars would be a formula.
            content: text.replace('$', "\\$"),
            size: LETTERS as u32,
            anchor: match side {
                Side::Right => TextAnchor::Start,
                Side::Middle => TextAnchor::Middle,
                Side::Left => TextAnchor::End,
            },
            rotate: turned.then_some(-90.0),
            bold: false,
            color: None,
        });
    }

    /// A thin line that is no data, such as one that marks a time.
    pub(crate) fn rule(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.segment(from, to, rgb(GREY), 0.7, Some("2 2".into()));
    }

    /// The line of a series. Fewer than two points are none.
    pub(crate) fn line(&mut self, points: Vec<(f64, f64)>, look: Look) {
        if points.len() < 2 {
            return;
        }
        self.scene.add(Primitive::PolyLine {
            points,
            stroke: rgb(look.colour),
            stroke_width: 1.3,
            stroke_dasharray: (!look.dashes.is_empty()).then(|| look.dashes.into()),
        });
    }

    /// A marker of a series.
    pub(crate) fn marker(&mut self, (x, y): (f64, f64), pen: Pen) {
        let stroke = rgb(pen.look.colour);
        let fill = rgb(if pen.hollow {
            (255, 255, 255)
        } else {
            pen.look.colour
        });
        let corners: &[f64] = match pen.look.shape {
            Shape::Circle => &[],
            Shape::Square => &[0.125, 0.375, 0.625, 0.875],
            Shape::Triangle => &[0.75, 0.083, 0.417],
            Shape::Diamond => &[0.0, 0.25, 0.5, 0.75],
            Shape::TriangleDown => &[0.25, 0.583, 0.917],
            Shape::Pentagon => &[0.75, 0.95, 0.15, 0.35, 0.55],
        };
        if corners.is_empty() {
            return self.circle((x, y), RADIUS * 0.85, fill, stroke);
        }
        let mut d = String::new();
        for (place, corner) in corners.iter().enumerate() {
            let (sin, cos) = (corner * TAU).sin_cos();
            let letter = if place == 0 { 'M' } else { 'L' };
            let (x, y) = (x + RADIUS * 1.1 * cos, y + RADIUS * 1.1 * sin);
            let _ = write!(d, "{letter}{x:.2} {y:.2} ");
        }
        d.push('Z');
        self.scene.add(Primitive::Path(Box::new(PathData {
            d,
            fill: Some(fill),
            stroke,
            stroke_width: 1.0,
            opacity: None,
            stroke_dasharray: None,
        })));
    }

    /// A single value beside a mean.
    pub(crate) fn dot(&mut self, at: (f64, f64), look: Look) {
        self.circle(at, 1.1, rgb((255, 255, 255)), rgb(look.colour));
    }

    /// An interval: a line with caps, upright or lying.
    pub(crate) fn interval(&mut self, from: (f64, f64), to: (f64, f64), colour: (u8, u8, u8)) {
        let is_upright = (from.0 - to.0).abs() < (from.1 - to.1).abs();
        let (dx, dy) = if is_upright { (4.0, 0.0) } else { (0.0, 4.0) };
        self.segment(from, to, rgb(colour), 1.0, None);
        for (x, y) in [from, to] {
            self.segment((x - dx, y - dy), (x + dx, y + dy), rgb(colour), 1.0, None);
        }
    }

    /// A bar, from its left upper corner.
    pub(crate) fn bar(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        colour: (u8, u8, u8),
        hatch: FillPattern,
    ) {
        let mut rect = |fill, stroke| {
            self.scene.add(Primitive::Rect {
                x,
                y,
                width,
                height,
                fill,
                stroke,
                stroke_width: Some(0.7),
                opacity: None,
            });
        };
        rect(rgb(colour), Some(rgb((0, 0, 0))));
        if hatch.is_patterned() {
            rect(Color::Css(format!("url(#{})", hatch.id()).into()), None);
            let pattern = hatch.svg_def();
            if !self.scene.defs.iter().any(|def| def == pattern) {
                self.scene.defs.push(pattern.into());
            }
        }
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// The picture as an element of an HTML page, with ids of its own.
    pub(crate) fn element(&self, number: usize) -> String {
        let svg = self.svg().replacen(XMLNS, "", 1);
        let svg = svg.replace("<pattern id=\"", &format!("<pattern id=\"f{number}-"));
        svg.replace("url(#", &format!("url(#f{number}-"))
    }

    /// The picture as SVG, 85 mm wide, with text as text.
    pub(crate) fn svg(&self) -> String {
        let svg = SvgBackend::new().render_scene(&self.scene);
        let (width, height) = (self.scene.width / UNITS, self.scene.height / UNITS);
        let (head, rest) = svg.split_once('>').unwrap_or((&svg, ""));
        // The first two attributes are those of the size.
        let style = head.find(" font-family").map_or("", |place| &head[place..]);
        format!(
            "<svg{XMLNS} width=\"{width}mm\" height=\"{height}mm\" \
             viewBox=\"0 0 {} {}\"{style}>\n<title>{}</title>{rest}\n",
            self.scene.width,
            self.scene.height,
            escaped(&self.title)
        )
    }

    /// The picture in dots, 400 of them an inch.
    #[cfg(feature = "png")]
    pub(crate) fn png(&self) -> Result<Vec<u8>, String> {
        let scale = 400.0 / 25.4 / UNITS;
        let mut scene = Scene::new(self.scene.width, self.scene.height);
        scene.font_family.clone_from(&self.scene.font_family);
        scene.elements = self
            .scene
            .elements
            .iter()
            .flat_map(super::dashes::cut)
            .collect();
        kuva::PngBackend::new()
            .with_scale(scale as f32)
            .render_scene(&scene)
    }

    fn circle(&mut self, (cx, cy): (f64, f64), r: f64, fill: Color, stroke: Color) {
        self.scene.add(Primitive::Circle {
            cx,
            cy,
            r,
            fill,
            fill_opacity: None,
            stroke: Some(stroke),
            stroke_width: Some(1.0),
        });
    }

    fn segment(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        stroke: Color,
        stroke_width: f64,
        stroke_dasharray: Option<String>,
    ) {
        self.scene.add(Primitive::Line {
            x1,
            y1,
            x2,
            y2,
            stroke,
            stroke_width,
            stroke_dasharray,
        });
    }
}

/// About how wide a text is, a little too wide rather than too narrow: fonts differ.
pub(crate) fn width(text: &str) -> f64 {
    let letter = |letter: char| match letter {
        'i' | 'j' | 'l' | ' ' | '.' | ',' | ':' | ';' | '|' | '\'' => 0.34,
        't' | 'f' | 'r' | 'I' | '-' | '/' | '(' | ')' => 0.42,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | '_' => 0.58,
        'm' | 'w' | 'M' | 'W' | '%' | '=' | '…' => 1.0,
        'A'..='Z' => 0.72,
        _ => 0.65,
    };
    text.chars().map(letter).sum::<f64>() * LETTERS
}

/// The text, or as much of it as there is room for: of a path the file's name first.
pub(crate) fn cut(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.into();
    }
    if let Some((_, name)) = text.rsplit_once('/')
        && !text.contains(' ')
    {
        return cut(name, room);
    }
    let mut kept = String::new();
    for letter in text.chars() {
        kept.push(letter);
        if width(&kept) + width("…") > room {
            kept.pop();
            break;
        }
    }
    kept + "…"
}

/// A colour between this one and white, on which black hatches show.
pub(crate) fn light((r, g, b): (u8, u8, u8)) -> (u8, u8, u8) {
    let half = |part: u8| (u16::from(part) * 6 / 10 + 102) as u8;
    (half(r), half(g), half(b))
}

fn rgb((r, g, b): (u8, u8, u8)) -> Color {
    Color::Rgb(r, g, b)
}

pub(super) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_it_has_no_room() {
        assert_eq!(cut("short", 100.0), "short");
        let text = cut("a text that is much too long", 60.0);
        assert!(text.ends_with('…') && width(&text) <= 60.0, "{text}");
        assert_eq!(cut("", 0.0), "");
        assert_eq!(cut("experiments/wan/near.toml", 60.0), "near.toml");
    }

    #[test]
    fn what_users_name_cannot_leave_its_place() {
        let mut canvas = Canvas::new(40.0, "<b> & co");
        canvas.text((0.0, 0.0), Side::Right, false, "a<script>$x$");
        let svg = canvas.svg();
        assert!(svg.contains("<title>&lt;b&gt; &amp; co</title>"), "{svg}");
        assert!(svg.contains(">a&lt;script&gt;$x$<"), "{svg}");
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"85mm\""));
    }
}
