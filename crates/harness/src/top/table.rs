//! A look as tables for a terminal.

use super::look::{Facts, Hot, Look, Row};
use crate::numbers::grouped;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

const REPLICAS: [&str; 11] = [
    "replica",
    "role",
    "term",
    "applied",
    "commands/s",
    "queue",
    "objects",
    "bytes",
    "log",
    "snapshot",
    "cache hits",
];

/// The tables, with a line for each replica and for each hot object.
pub(super) fn tables(look: &Look) -> String {
    let mut text = format!("{}\n", replicas(look));
    let problems = look.replicas.iter().filter_map(|row| row.problem.as_ref());
    for problem in problems {
        text += &format!("{problem}\n");
    }
    if !look.hottest.is_empty() {
        text += &format!("\n{}\n", hottest(&look.hottest));
    }
    text
}

fn replicas(look: &Look) -> Table {
    let mut table = table(&REPLICAS, 2);
    for row in &look.replicas {
        table.add_row(cells(row));
    }
    table
}

fn cells(row: &Row) -> Vec<String> {
    let Some(facts) = &row.told else {
        let mut cells = vec![row.replica.clone(), "silent".into()];
        cells.resize(REPLICAS.len(), String::new());
        return cells;
    };
    let percent = |ratio: f64| format!("{:.1} %", ratio * 100.0);
    vec![
        row.replica.clone(),
        role(facts).into(),
        facts.term.to_string(),
        grouped(facts.applied),
        facts
            .commands_per_s
            .map_or(String::new(), |rate| grouped(rate.round() as u64)),
        grouped(facts.queue),
        grouped(facts.objects),
        bytes(facts.object_bytes),
        bytes(facts.log_bytes),
        bytes(facts.snapshot_bytes),
        facts.cache_hit_ratio.map_or(String::new(), percent),
    ]
}

fn role(facts: &Facts) -> &'static str {
    match facts {
        Facts { votes: false, .. } => "filled",
        Facts {
            hears_leader: false,
            ..
        } => "cut off",
        Facts { leads: true, .. } => "leader",
        _ => "follower",
    }
}

fn hottest(hottest: &[Hot]) -> Table {
    let mut table = table(&["hottest objects", "group", "at least", "at most"], 2);
    for Hot {
        object,
        group,
        share,
    } in hottest
    {
        let [least, most] = share.map(|share| format!("{:.2} %", share * 100.0));
        table.add_row([object.clone(), group.clone(), least, most]);
    }
    table
}

/// An empty table, the first columns of which are words.
fn table(header: &[&str], words: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Bytes in the unit that is read best.
fn bytes(count: u64) -> String {
    let mut size = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            let digits = usize::from(unit != "B");
            return format!("{size:.digits$} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_has_a_line_for_each_replica_and_says_who_is_silent() {
        let facts = Facts {
            leads: true,
            votes: true,
            hears_leader: true,
            term: 3,
            committed: 1_235,
            applied: 1_234,
            commands_per_s: Some(5_678.4),
            queue: 9,
            objects: 10,
            object_bytes: 2_048,
            log_bytes: 11,
            snapshot_bytes: 3 << 20,
            cache_hit_ratio: Some(0.5),
        };
        let row = |replica: &str, told: Option<Facts>, problem: Option<&str>| Row {
            replica: replica.into(),
            problem: problem.map(str::to_owned),
            told,
        };
        let filled = Facts {
            votes: false,
            commands_per_s: None,
            ..facts
        };
        let look = Look {
            replicas: vec![
                row("p0r0", Some(facts), None),
                row("p0r1", Some(filled), None),
                row("p0r2", None, Some("p0r2 is dead")),
            ],
            hottest: vec![Hot {
                object: "7:7".into(),
                group: "p0".into(),
                share: [0.25, 0.3],
            }],
        };
        let text = tables(&look);
        let line = |name: &str| {
            text.lines()
                .find(|line| line.contains(name))
                .unwrap()
                .to_owned()
        };
        for word in [
            "leader", "1,234", "5,678", "2.0 KiB", "11 B", "3.0 MiB", "50.0 %",
        ] {
            assert!(line("p0r0").contains(word), "{word}: {text}");
        }
        assert!(line("p0r1").contains("filled") && line("p0r2").contains("silent"));
        assert!(
            text.contains("p0r2 is dead") && line("7:7").contains("25.00 %"),
            "{text}"
        );
        assert!(!look.is_whole());
    }
}
