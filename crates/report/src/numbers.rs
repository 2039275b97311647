//! Numbers as people read them.

/// The text of a cell: numbers of a thousand or more are whole, with commas; others stay as they
/// are.
pub(crate) fn shown(cell: &str) -> String {
    match number(cell) {
        Some(value) if value.abs() >= 1_000.0 => grouped(value),
        _ => cell.into(),
    }
}

/// A number that was computed: with three digits, or whole if it has more.
pub(crate) fn rounded(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1_000.0 => return grouped(value),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

/// The number that a cell holds.
pub(crate) fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|value: &f64| value.is_finite())
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_one_can_read() {
        let cells = [
            "", "ok", "12.345", "999", "1000", "14526.7", "-1234567", "inf",
        ];
        let expected = [
            "",
            "ok",
            "12.345",
            "999",
            "1,000",
            "14,527",
            "-1,234,567",
            "inf",
        ];
        assert_eq!(cells.map(shown), expected);
        let values = [0.0, 0.012_34, 1.5, 12.34, 100.4, 5_432.1];
        let expected = ["0", "0.012", "1.5", "12.3", "100", "5,432"];
        assert_eq!(values.map(rounded), expected);
    }
}
