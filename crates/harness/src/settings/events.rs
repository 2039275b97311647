//! Which events go to the standard error stream, and in which form.

/// The settings of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventSettings {
    /// The levels by module, as `info,ssmr_net=debug`; `None` if nothing was given.
    pub(crate) levels: Option<String>,
    /// The form; `None` if nothing was given.
    pub(crate) format: Option<EventFormat>,
    /// Whether the command is to be a replica, or a process of a job, most of which are: its owner
    /// wants to know what happens.
    pub(crate) is_node: bool,
}

impl EventSettings {
    /// The flag for levels by module.
    pub(crate) const LEVEL: &'static str = "log-level";
    /// The flag for the form.
    pub(crate) const FORMAT: &'static str = "log-format";

    /// The flags that were given.
    pub(crate) fn flags(&self) -> Vec<String> {
        let levels = self.levels.clone().map(|it| (Self::LEVEL, it));
        let format = self.format.map(|it| (Self::FORMAT, it.name().to_owned()));
        let given = levels.into_iter().chain(format);
        given.map(|(flag, it)| format!("--{flag}={it}")).collect()
    }
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl EventFormat {
    /// All forms, by their names.
    pub(crate) const NAMES: [(&'static str, Self); 2] =
        [("text", Self::Text), ("json", Self::Json)];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// The form of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::NAMES.into_iter();
        all.find_map(|(own, format)| (own == name).then_some(format))
    }
}
