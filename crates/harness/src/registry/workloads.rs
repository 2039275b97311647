//! The registered workloads, and how to work with one that is chosen by name.
//!
//! What is registered of a workload is the type of its flags ([`WorkloadFlags`]); a list of such
//! types is also the list of their values, once the command line has been read.

use super::list::{Empty, With};
use crate::error::UsageError;
use crate::workload::contract::{Workload, WorkloadFlags, WorkloadInfo};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use serde_json::{Map, Value};
use ssmr_core::Application;

/// Work to be done with a workload.
pub trait WorkloadVisitor {
    /// What comes of it.
    type Output;

    /// Does it, with the flags as the user gave them.
    fn visit<F: WorkloadFlags>(self, flags: &F) -> Self::Output;
}

/// Work to be done with the service of a workload, for which flags make no difference.
pub trait ServiceVisitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<A: Application>(self) -> Self::Output;
}

/// A list of workloads' flags.
pub trait Workloads: Sized {
    /// What can be said of each, in the order of registration.
    fn infos() -> Vec<WorkloadInfo>;

    /// Adds the flags of all of them to a command.
    fn augment(command: Command) -> Command;

    /// The flags as they were given.
    ///
    /// # Errors
    /// If they are no flags of this command, which cannot be after [`Workloads::augment`].
    fn parse(matches: &ArgMatches) -> Result<Self, clap::Error>;

    /// The flags by the workloads' names (of a family by the first one), for the description of a
    /// run.
    ///
    /// # Errors
    /// If some cannot be written as JSON.
    fn describe(&self) -> Result<Map<String, Value>, serde_json::Error>;

    /// Looks for flags of workloads that were not chosen: nothing that a user says is ignored.
    ///
    /// # Errors
    /// With the first one that was given.
    fn check_unused(matches: &ArgMatches, chosen: &str) -> Result<(), UsageError>;

    /// Does the visitor's work with the workload of this name.
    ///
    /// # Errors
    /// With the visitor, if there is no such workload.
    fn with<V: WorkloadVisitor>(&self, name: &str, visitor: V) -> Result<V::Output, V>;

    /// The names of their services, each once.
    fn services() -> Vec<&'static str>;

    /// Does the visitor's work with the service of this name.
    ///
    /// # Errors
    /// With the visitor, if no workload has such a service.
    fn with_service<V: ServiceVisitor>(name: &str, visitor: V) -> Result<V::Output, V>;
}

impl Workloads for Empty {
    fn infos() -> Vec<WorkloadInfo> {
        Vec::new()
    }

    fn augment(command: Command) -> Command {
        command
    }

    fn parse(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn describe(&self) -> Result<Map<String, Value>, serde_json::Error> {
        Ok(Map::new())
    }

    fn check_unused(_: &ArgMatches, _: &str) -> Result<(), UsageError> {
        Ok(())
    }

    fn with<V: WorkloadVisitor>(&self, _: &str, visitor: V) -> Result<V::Output, V> {
        Err(visitor)
    }

    fn services() -> Vec<&'static str> {
        Vec::new()
    }

    fn with_service<V: ServiceVisitor>(_: &str, visitor: V) -> Result<V::Output, V> {
        Err(visitor)
    }
}

impl<Rest: Workloads, F: WorkloadFlags> Workloads for With<Rest, F> {
    fn infos() -> Vec<WorkloadInfo> {
        let mut infos = Rest::infos();
        infos.extend_from_slice(F::WORKLOADS);
        infos
    }

    fn augment(command: Command) -> Command {
        let heading = format!("Workload {}", names::<F>());
        F::augment_args(Rest::augment(command).next_help_heading(heading))
    }

    fn parse(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            rest: Rest::parse(matches)?,
            last: F::from_arg_matches(matches)?,
        })
    }

    fn describe(&self) -> Result<Map<String, Value>, serde_json::Error> {
        let mut flags = self.rest.describe()?;
        let own = serde_json::to_value(&self.last)?;
        let first = F::WORKLOADS.first().map_or("", |info| info.name);
        flags.insert(first.into(), own);
        Ok(flags)
    }

    fn check_unused(matches: &ArgMatches, chosen: &str) -> Result<(), UsageError> {
        Rest::check_unused(matches, chosen)?;
        if makes::<F>(chosen) {
            return Ok(());
        }
        let own = F::augment_args(Command::new("run"));
        let is_given = |flag: &&clap::Arg| {
            matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        own.get_arguments().find(is_given).map_or(Ok(()), |flag| {
            let name = flag.get_long().unwrap_or(flag.get_id().as_str());
            let problem = format!("workload {chosen} has no such flag ({} has)", names::<F>());
            Err(UsageError::new(format!("--{name}"), problem))
        })
    }

    fn with<V: WorkloadVisitor>(&self, name: &str, visitor: V) -> Result<V::Output, V> {
        if makes::<F>(name) {
            Ok(visitor.visit(&self.last))
        } else {
            self.rest.with(name, visitor)
        }
    }

    fn services() -> Vec<&'static str> {
        let mut services = Rest::services();
        if !services.contains(&service::<F>()) {
            services.push(service::<F>());
        }
        services
    }

    fn with_service<V: ServiceVisitor>(name: &str, visitor: V) -> Result<V::Output, V> {
        if name == service::<F>() {
            Ok(visitor.visit::<<F::Workload as Workload>::App>())
        } else {
            Rest::with_service(name, visitor)
        }
    }
}

/// The names of the workloads that these flags make.
fn names<F: WorkloadFlags>() -> String {
    let names: Vec<&str> = F::WORKLOADS.iter().map(|info| info.name).collect();
    names.join(", ")
}

/// The service of the workloads that these flags make.
fn service<F: WorkloadFlags>() -> &'static str {
    <F::Workload as Workload>::App::NAME
}

/// Whether these are the flags of the workload of this name.
fn makes<F: WorkloadFlags>(name: &str) -> bool {
    F::WORKLOADS.iter().any(|info| info.name == name)
}
