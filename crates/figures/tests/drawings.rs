//! Figures of small folders, whose numbers are made up: `data/NAME`.

mod common;

use common::{Picture, choice, data, draw};
use ssmr_figures::{Choice, Figure, Folder, Kind, Latency};

const STRATEGIES: [&str; 4] = ["global", "broker", "static", "cache"];

#[test]
fn throughput_against_latency_has_a_marker_for_each_point() {
    let drawing = draw("load", &choice(&[Kind::ThroughputLatency]));
    let picture = Picture::of(&drawing, "throughput-latency");
    picture.says(&STRATEGIES);
    picture.says(&["throughput (kops/s)", "median latency (µs)"]);
    // Seven points and one in the legend; the last of broker's is hollow.
    for (colour, shape, filled) in [
        ("#0072b2", "circle", 8),
        ("#d55e00", "path", 7),
        ("#009e73", "path", 8),
        ("#cc79a7", "path", 8),
    ] {
        assert_eq!(picture.markers(shape, colour, colour), filled, "{colour}");
    }
    assert_eq!(picture.markers("path", "#ffffff", "#d55e00"), 1);
    let told = "hollow, for the history is unchecked: broker clients 64";
    assert_eq!(drawing.notes, [told]);
}

#[test]
fn a_search_has_the_curve_of_the_closed_loop_and_three_markers_of_the_open_one() {
    let drawing = draw("peak", &choice(&[Kind::Peak]));
    let picture = Picture::of(&drawing, "peak");
    picture.says(&["global", "broker", "static", "throughput (kops/s)"]);
    picture.says(&[
        "lines: closed loop; markers: open loop",
        "median latency (ms)",
    ]);
    let said = |text: &str| picture.texts.iter().filter(|said| *said == text).count();
    assert_eq!(["50 %", "75 %", "peak"].map(said), [3, 3, 3]);
    // Three of each and one in the legend; half of broker's peak is hollow. A rate that was not
    // reached is none.
    assert_eq!(picture.markers("circle", "#0072b2", "#0072b2"), 4);
    assert_eq!(picture.markers("path", "#d55e00", "#d55e00"), 3);
    assert_eq!(picture.markers("path", "#ffffff", "#d55e00"), 1);
    assert_eq!(picture.markers("path", "#009e73", "#009e73"), 4);
    // Six windows, told by those who point at them.
    assert_eq!(picture.markers("circle", "#ffffff", "#0072b2"), 6);
    assert!(
        picture
            .svg
            .contains("global, window 8: 22.0 kops/s, 2.91 ms")
    );
    assert!(picture.svg.contains("static, peak: 40.8 kops/s, 0.80 ms"));
    let told = [
        "hollow, for the history is unchecked: broker, 50 % of the peak",
        "the rate was not reached: static, 75 % of the peak",
    ];
    assert_eq!(drawing.notes, told);
}

#[test]
fn the_steps_of_a_search_are_no_repeats_of_a_run() {
    let drawing = draw("peak", &choice(&[]));
    let names: Vec<&str> = drawing.figures.iter().map(Figure::name).collect();
    assert_eq!(names, ["peak"]);
    let alone = drawing
        .skipped
        .iter()
        .filter(|(_, why)| why.contains("cells/"));
    assert_eq!(alone.count(), 6);
}

#[test]
fn pictures_of_one_page_have_ids_of_their_own() {
    let drawing = draw("run", &choice(&[Kind::Bars]));
    let svg = drawing.figures[0].svg();
    let ids = |text: &str| text.matches("<pattern id=").count();
    for number in [3, 4] {
        let element = drawing.figures[0].element(number);
        assert!(element.starts_with("<svg width=\"85mm\"") && !element.contains("://"));
        let own = element
            .matches(&format!("<pattern id=\"f{number}-"))
            .count();
        assert_eq!((own, own > 0), (ids(&svg), true));
        let used = element.matches(&format!("url(#f{number}-")).count();
        assert_eq!(used, svg.matches("url(#").count());
    }
}

#[test]
fn scaling_has_an_interval_from_five_repeats_on() {
    let drawing = draw("partitions", &choice(&[Kind::Scaling]));
    let picture = Picture::of(&drawing, "scaling-partitions");
    picture.says(&STRATEGIES);
    picture.says(&["partitions", "throughput (kops/s)", "1", "2", "4", "8"]);
    for colour in ["#0072b2", "#d55e00", "#009e73", "#cc79a7"] {
        // An upright and two caps at each of four points.
        assert_eq!(picture.elements("line", &[colour]), 12, "{colour}");
    }
}

#[test]
fn fewer_repeats_are_dots_and_each_other_value_has_a_figure_of_its_own() {
    let drawing = draw("moves", &choice(&[Kind::Scaling]));
    assert_eq!(drawing.figures.len(), 2);
    let picture = Picture::of(&drawing, "scaling-move-reads=lease");
    picture.says(&["global", "cache", "reads lease", "move (% of commands)"]);
    assert!(!picture.texts.iter().any(|text| text == "broker"));
    // Three repeats of five points.
    assert_eq!(picture.markers("circle", "#ffffff", "#cc79a7"), 15);
    assert_eq!(picture.elements("line", &["#cc79a7"]), 0);
    Picture::of(&drawing, "scaling-move-reads=ordered").says(&["reads ordered"]);
}

#[test]
fn bars_of_a_sweep_stand_in_groups_and_those_of_a_run_alone() {
    let of_sweep = draw("moves", &choice(&[Kind::Bars]));
    let picture = Picture::of(&of_sweep, "bars-reads-move=5");
    picture.says(&["ordered", "lease", "reads", "move 5", "global", "cache"]);
    picture.says(&["throughput (kops/s)", "median latency (µs)"]);
    // Two values in two frames, and the legend: filled, and hatched.
    assert_eq!(picture.elements("rect", &["url(#kuva-fp-diag-back)"]), 5);
    let of_run = draw("run", &choice(&[Kind::Bars]));
    let picture = Picture::of(&of_run, "bars");
    picture.says(&["global", "broker"]);
    assert_eq!(picture.elements("rect", &["url(#kuva-fp-diag-fwd)"]), 2);
}

#[test]
fn operation_and_latency_are_told_by_figures_and_names() {
    let chosen = Choice {
        op: "create".into(),
        latency: Latency::P99,
        ..choice(&[Kind::Bars])
    };
    let picture = Picture::of(&draw("run", &chosen), "bars-create-p99");
    picture.says(&["create only", "p99 latency (µs)", "throughput (ops/s)"]);
}

#[test]
fn a_distribution_has_a_curve_for_each_strategy() {
    let drawing = draw("run", &choice(&[Kind::Cdf]));
    let picture = Picture::of(&drawing, "cdf");
    picture.says(&["global", "broker", "latency (µs)", "share of commands"]);
    // The curve, and the sample in the legend.
    assert_eq!(
        picture.elements("path", &["#0072b2", "stroke-width=\"1.3\""]),
        2
    );
    assert_eq!(
        picture.elements("path", &["#d55e00", "stroke-width=\"1.3\""]),
        2
    );
}

#[test]
fn a_time_line_marks_the_faults_of_its_strategy_and_breaks_where_nothing_was_answered() {
    let drawing = draw("run", &choice(&[Kind::Timeline]));
    let picture = Picture::of(&drawing, "timeline-broker");
    picture.says(&["broker", "kill p2r0", "restart p2r0; cut p0r1"]);
    picture.says(&["throughput (kops/s)", "p99 latency (µs)", "time (s)"]);
    assert!(!picture.texts.iter().any(|text| text == "kill p0r1"));
    // Throughput, latency before and after the gap, and the sample in the legend.
    assert_eq!(
        picture.elements("path", &["#d55e00", "stroke-width=\"1.3\""]),
        4
    );
    Picture::of(&drawing, "timeline-global").says(&["kill p0r1"]);
}

#[test]
fn each_group_has_a_frame_over_time_and_moves_have_one_where_there_are_some() {
    let drawing = draw("run", &choice(&[Kind::Partitions]));
    let broker = Picture::of(&drawing, "partitions-broker");
    broker.says(&["p0", "p1", "oracle", "moves (1/s)", "time (s)"]);
    // Two lines for each group, one for moves, and two samples in the legend.
    let lines = ["#d55e00", "stroke-width=\"1.3\""];
    assert_eq!(broker.elements("path", &lines), 9);
    let global = Picture::of(&drawing, "partitions-global");
    assert!(!global.texts.iter().any(|text| text.contains("moves")));
    let of_creates = Choice {
        op: "create".into(),
        ..choice(&[Kind::Partitions])
    };
    assert!(draw("run", &of_creates).figures.is_empty());
}

#[test]
fn a_breakdown_stacks_four_parts() {
    let drawing = draw("run", &choice(&[Kind::Breakdown]));
    let picture = Picture::of(&drawing, "breakdown");
    picture.says(&["order", "wait", "execute", "answer", "global", "broker"]);
    picture.says(&["mean time of a command (µs)"]);
    // Two stacks, and the legend.
    assert_eq!(picture.elements("rect", &["url(#kuva-fp-diag-fwd)"]), 3);
    assert_eq!(picture.elements("rect", &["#5a5a5a"]), 3);
}

/// Text as text, a column wide, and nothing in it that changes.
#[test]
fn the_bytes_of_a_picture_are_those_that_were_committed() {
    for (folder, name) in [
        ("load", "throughput-latency"),
        ("peak", "peak"),
        ("partitions", "scaling-partitions"),
        ("moves", "bars-reads-move=5"),
        ("run", "bars"),
        ("run", "cdf"),
        ("run", "timeline-broker"),
        ("run", "partitions-broker"),
        ("run", "breakdown"),
    ] {
        let drawn = || Picture::of(&draw(folder, &choice(&[])), name).svg;
        let svg = drawn();
        assert_eq!(svg, drawn(), "{name}");
        let size = "width=\"85mm\" height=\"";
        assert!(svg.starts_with("<svg ") && svg.contains(size), "{name}");
        let path = format!(
            "{}/tests/golden/{folder}-{name}.svg",
            env!("CARGO_MANIFEST_DIR")
        );
        if std::env::var_os("SSMR_BLESS").is_some() {
            std::fs::write(&path, &svg).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            svg == golden,
            "{path} is stale: see what changed, then set SSMR_BLESS=1"
        );
    }
}

#[test]
fn only_what_there_is_data_for_is_drawn_and_the_rest_is_told() {
    let names = |folder: &str| -> (Vec<String>, Vec<&str>) {
        let drawing = draw(folder, &choice(&[]));
        let figures = drawing.figures.iter().map(|figure| figure.name().into());
        let skipped = drawing.skipped.iter().map(|(kind, _)| kind.name());
        (figures.collect(), skipped.collect())
    };
    let (figures, skipped) = names("run");
    let drawn = [
        "bars",
        "cdf",
        "timeline-global",
        "timeline-broker",
        "partitions-global",
        "partitions-broker",
        "breakdown",
    ];
    assert_eq!(figures, drawn);
    assert_eq!(
        skipped,
        ["throughput-latency", "peak", "scaling", "consults", "hits"]
    );
    let (figures, skipped) = names("load");
    assert_eq!(figures, ["throughput-latency", "scaling-clients"]);
    assert_eq!(
        skipped,
        [
            "peak",
            "bars",
            "cdf",
            "timeline",
            "partitions",
            "breakdown",
            "consults",
            "hits"
        ]
    );
}

#[cfg(feature = "png")]
#[test]
fn dots_are_four_hundred_an_inch() {
    let drawing = draw("load", &choice(&[Kind::ThroughputLatency]));
    let png = drawing.figures[0].png().unwrap();
    assert_eq!(&png[1..4], b"PNG");
    let width = u32::from_be_bytes(png[16..20].try_into().unwrap());
    // 85 mm.
    assert!((1_338..=1_340).contains(&width), "{width}");
}

#[test]
fn what_is_unknown_is_refused() {
    let folder = Folder::open(&data("run")).unwrap();
    let error = folder.draw(&Choice {
        op: "dance".into(),
        ..choice(&[])
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("summary.csv") && error.contains("\"dance\", but of all, create"));
}
