//! One line of an edge list.
//!
//! What programs write in this field is read as it is: SNAP's and KONECT's comments, columns
//! separated by blanks, tabs or commas, a weight and a time behind the edge, the attributes of
//! networkx, and a header.

/// The most columns of a line: two vertices, a weight, a time.
const COLUMNS: usize = 4;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing, or a comment.
    Blank,
    /// Names of columns.
    Header,
    /// An edge.
    Edge(u64, u64),
    /// Something else.
    Malformed,
}

/// Reads a line, without its end.
pub(super) fn read(line: &str) -> Line {
    // Attributes may hold any text.
    let (columns, attributes) = match line.split_once('{') {
        Some((before, _)) if before.contains(['#', '%']) => (line, None),
        Some((before, attributes)) => (before, Some(attributes.trim_end())),
        None => (line, None),
    };
    let columns = columns.split(['#', '%']).next().unwrap_or_default().trim();
    if let Some(attributes) = attributes {
        let columns = fields(columns.strip_suffix(',').unwrap_or(columns));
        return match edge(&columns) {
            Some(edge) if attributes.ends_with('}') && columns.len() == 2 => edge,
            _ => Line::Malformed,
        };
    }
    if columns.is_empty() {
        return Line::Blank;
    }
    let columns = fields(columns);
    let names = (2..=COLUMNS).contains(&columns.len()) && columns.iter().all(|c| is_name(c));
    match edge(&columns) {
        Some(edge) => edge,
        None if names => Line::Header,
        None => Line::Malformed,
    }
}

/// The columns: between commas where there are commas, else between blanks.
fn fields(line: &str) -> Vec<&str> {
    match line.contains(',') {
        true => line.split(',').map(str::trim).collect(),
        false => line.split_whitespace().collect(),
    }
}

fn edge(columns: &[&str]) -> Option<Line> {
    let (a, b, rest) = match columns {
        [a, b, rest @ ..] if columns.len() <= COLUMNS => (a, b, rest),
        _ => return None,
    };
    let edge = Line::Edge(a.parse().ok()?, b.parse().ok()?);
    rest.iter().all(|column| is_number(column)).then_some(edge)
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_name(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_read_as_programs_write_them() {
        for line in [
            "1 2",
            " 1\t2 ",
            "1,2",
            "1, 2",
            "1\t2\t0.5",
            "1 2 -1 1082040961",
            "1,2,3e5",
            "1 2 # known",
            "1 2 % known",
            "1 2 {}",
            "1 2 {'weight': 3}",
            "1 2 {'label': '#1 {,}', 'weight': 3} ",
            "1,2,{}",
        ] {
            assert_eq!(read(line), Line::Edge(1, 2), "{line}");
        }
    }

    #[test]
    fn what_is_around_edges_is_known() {
        for line in ["", "  ", "# 1 2", "% sym unweighted", "% {", "#{}"] {
            assert_eq!(read(line), Line::Blank, "{line}");
        }
        for line in ["source,target", "FromNodeId\tToNodeId", "a b weight time"] {
            assert_eq!(read(line), Line::Header, "{line}");
        }
        for line in [
            "1",
            "1 a",
            "a 1",
            "name",
            "1 2 x",
            "1 2 3 4 5",
            "a b c d e",
            "1,,2",
            "1,2,",
            "1 2,3",
            "-1 2",
            "1.5 2",
            "1 2 inf",
            "1 2 {",
            "1 {}",
            "1 2 3 {}",
            "{}",
            "1 18446744073709551616",
        ] {
            assert_eq!(read(line), Line::Malformed, "{line}");
        }
    }
}
