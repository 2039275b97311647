//! Message diagrams of the strategies of this workspace: who sends what to whom for a create, an
//! access of objects at two partitions and a move, with time going down.
//!
//! They are drawn from the golden traces that the conformance suite compares with what the
//! strategies do, so what a diagram shows is what the code does. Each group is one line, whichever
//! of its replicas speaks.

mod canvas;
mod layout;
mod script;

use script::Scene;

/// The traces: of each strategy, and of static placement with a directory.
const TRACES: [(&str, bool, &str); 5] = [
    (
        "global",
        false,
        include_str!("../../../strategy-global/tests/golden/create_access_move.txt"),
    ),
    (
        "broker",
        false,
        include_str!("../../../strategy-broker/tests/golden/create_access_move.txt"),
    ),
    (
        "static",
        false,
        include_str!("../../../strategy-static/tests/golden/create_access_move.txt"),
    ),
    (
        "static",
        true,
        include_str!("../../../strategy-static/tests/golden-directory/create_access_move.txt"),
    ),
    (
        "cache",
        false,
        include_str!("../../../strategy-cache/tests/golden/create_access_move.txt"),
    ),
];

/// What the three scenes of a trace are called.
const SCENES: [&str; 3] = ["create", "access", "move"];

/// A message diagram of one strategy and one command.
#[derive(Clone, Debug)]
pub struct Diagram {
    name: String,
    scene: &'static str,
    title: String,
    svg: String,
}

impl Diagram {
    /// The diagrams of a strategy: of a create, an access and a move, in this order; none if it is
    /// not one of this workspace. A strategy that has no directory has none with one.
    #[must_use]
    pub fn of(strategy: &str, has_directory: bool) -> Vec<Self> {
        let found = TRACES
            .iter()
            .find(|(name, with, _)| *name == strategy && *with == has_directory);
        let Some((name, with, trace)) = found else {
            return Vec::new();
        };
        let (file, with) = match with {
            true => (format!("{name}-directory"), " with a directory"),
            false => ((*name).to_owned(), ""),
        };
        let lanes = script::lanes(trace);
        let scenes = script::scenes(trace);
        let draw = |(scene, drawn): (&'static str, Scene)| {
            let title = format!("{name}{with}: {}", drawn.request);
            Self {
                name: format!("{file}-{scene}"),
                scene,
                svg: layout::draw(&title, &lanes, &drawn),
                title,
            }
        };
        SCENES.into_iter().zip(scenes).map(draw).collect()
    }

    /// All diagrams that there are.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let strategies = TRACES.iter();
        strategies
            .flat_map(|(name, with, _)| Self::of(name, *with))
            .collect()
    }

    /// What its file is called, without the ending, such as `broker-create`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which command it shows: `create`, `access` or `move`.
    #[must_use]
    pub fn command(&self) -> &'static str {
        self.scene
    }

    /// What it shows, for those who have it read aloud.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The picture as SVG: 85 mm wide, black on white. The same bytes for the same trace.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The same picture as an element of an HTML page. It has no ids, so any number of them can be
    /// in one page.
    #[must_use]
    pub fn element(&self) -> String {
        self.svg.replacen(canvas::XMLNS, "", 1)
    }
}
