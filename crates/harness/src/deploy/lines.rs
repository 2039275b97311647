//! What a process with a replica and the process that drives it say to each other: one JSON value a
//! line, on the child's standard input and output.

use super::deployment::{Status, Tally};
use serde::{Deserialize, Serialize};
use ssmr_net::Cut;

/// To a replica's process. It ends when its input does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Say how you are. The number comes back, so that a late answer is not taken for that to a
    /// later question.
    Status(u64),
    /// The same with the digest of your state.
    Inspect(u64),
    /// Drop what is said to others or by them, or do so no more.
    Cut(Cut, bool),
}

/// From a replica's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodeReport {
    /// It listens, and answers from now on.
    Listening,
    /// It leads its group from now on, or no more.
    Leads(bool),
    /// How it is, with the number of the question.
    Status(u64, Status, Tally),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_they_look_like() {
        let lines = [
            serde_json::to_string(&Order::Status(3)).unwrap(),
            serde_json::to_string(&Order::Cut(Cut::FromPeers, true)).unwrap(),
            serde_json::to_string(&NodeReport::Listening).unwrap(),
            serde_json::to_string(&NodeReport::Leads(false)).unwrap(),
        ];
        let expected = [
            r#"{"status":3}"#,
            r#"{"cut":["from_peers",true]}"#,
            r#""listening""#,
            r#"{"leads":false}"#,
        ];
        assert_eq!(lines, expected);
        let report = NodeReport::Status(4, Status::default(), Tally::default());
        let line = serde_json::to_string(&report).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<NodeReport>(&line).unwrap(), report);
    }
}
