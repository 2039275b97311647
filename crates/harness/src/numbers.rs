//! Numbers as people read them.

/// A number with its thousands set apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of a whole in percent. What is little is not told as nothing, nor what is nearly all as
/// all.
pub(crate) fn percentage(part: usize, whole: usize) -> String {
    let share = part as f64 * 100.0 / whole.max(1) as f64;
    match share {
        _ if part == 0 || part == whole => format!("{share:.0} %"),
        ..0.01 => "less than 0.01 %".into(),
        99.99.. => "more than 99.99 %".into(),
        _ => format!("{share:.2} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn only_nothing_is_0_percent_and_only_all_is_100_percent() {
        let texts = [(0, 7), (1, 20_000), (1, 8), (19_999, 20_000), (7, 7)];
        let texts = texts.map(|(part, whole)| percentage(part, whole));
        let told = [
            "0 %",
            "less than 0.01 %",
            "12.50 %",
            "more than 99.99 %",
            "100 %",
        ];
        assert_eq!(texts, told);
    }
}
