//! Numbers as people read them.

/// The text of a cell: a number as [`rounded`] writes it, others as they are.
pub(crate) fn shown(cell: &str) -> String {
    number(cell).map_or_else(|| cell.into(), rounded)
}

/// A number with three digits, with all that it has if it is whole, and with commas.
pub(crate) fn rounded(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1_000.0 || size.fract() == 0.0 => return grouped(value),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
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
            "", "ok", "832.245", "999", "1000", "14526.7", "-1234567", "inf",
        ];
        let expected = [
            "",
            "ok",
            "832",
            "999",
            "1,000",
            "14,527",
            "-1,234,567",
            "inf",
        ];
        assert_eq!(cells.map(shown), expected);
        let values = [0.0, 0.012_34, 1.5, 12.04, 99.96, 5_432.1];
        let expected = ["0", "0.012", "1.50", "12.0", "100.0", "5,432"];
        assert_eq!(values.map(rounded), expected);
    }
}
