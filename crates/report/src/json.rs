//! Values of JSON files, told to people.

use serde_json::Value;

/// A value at a path of names; nothing if it is not there or null.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let found = path.iter().try_fold(value, |value, name| value.get(name));
    found.filter(|value| !value.is_null())
}

/// The text of a value at a path of names.
pub(crate) fn text(value: &Value, path: &[&str]) -> Option<String> {
    at(value, path).map(told)
}

/// The texts in a list at a path of names; none if there is no list.
pub(crate) fn texts(value: &Value, path: &[&str]) -> Vec<String> {
    let list = at(value, path).and_then(Value::as_array);
    list.map(|list| list.iter().map(told).collect())
        .unwrap_or_default()
}

/// A value as a text: texts without quotes, lists with commas.
pub(crate) fn told(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(told).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// All values within a value, each with the names that lead to it.
pub(crate) fn leaves(value: &Value) -> Vec<(String, String)> {
    let Value::Object(fields) = value else {
        return vec![(String::new(), told(value))];
    };
    let within = fields.iter().flat_map(|(name, value)| {
        let named = move |(rest, text): (String, String)| match rest.is_empty() {
            true => (name.clone(), text),
            false => (format!("{name}.{rest}"), text),
        };
        leaves(value).into_iter().map(named)
    });
    within.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_is_named_by_its_path() {
        let value: Value =
            serde_json::from_str(r#"{"a": {"b": 1, "c": null}, "d": ["x", 2], "e": "y"}"#).unwrap();
        let told: Vec<String> = leaves(&value)
            .into_iter()
            .map(|(name, text)| format!("{name}={text}"))
            .collect();
        assert_eq!(told, ["a.b=1", "a.c=", "d=x, 2", "e=y"]);
        assert_eq!(text(&value, &["a", "b"]).as_deref(), Some("1"));
        assert_eq!(text(&value, &["a", "c"]), None);
        assert_eq!(texts(&value, &["d"]), ["x", "2"]);
        assert!(texts(&value, &["nothing"]).is_empty());
    }
}
