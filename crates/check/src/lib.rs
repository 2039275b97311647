//! The judge: histories of what clients saw, two independent checks that they are linearizable, and
//! a check of services by themselves. It knows nothing of protocols, networks or strategies.
//!
//! - [`History`] records requests, how they ended and when. [`History::check`] is the *witnessed*
//!   check: it believes the revisions and timestamps that answers carry, verifies that they fit
//!   together, and handles millions of operations. [`History::check_blackbox`] believes nothing but
//!   requests, outcomes and times, and searches: it is for small histories.
//! - [`History::push_stale`] keeps reads apart that a cache answered with what is past;
//!   [`History::judge_stale`] says whether it really was so, and how stale they were.
//! - [`History::write_jsonl`] and [`History::write_edn`] hand a history to judges that know nothing
//!   of this project, in the [`Terms`] of its service.
//! - [`check_application`] runs a service without any cluster and tells how it breaks the rules of
//!   [`Application`](ssmr_core::Application).
//!
//! # How to judge a test of your own service
//!
//! Take down each request with its outcome and the times at which it began and ended, all of them
//! read from one clock. Where you have the [`Completion`](ssmr_core::Completion) of the client
//! engine, [`History::push`] takes revisions and timestamp from it and both checks apply. Where you
//! only know how a call ended, [`History::observe`] is enough for the black-box check.
//!
//! ```
//! use ssmr_check::{History, ViolationKind};
//! use ssmr_core::{Access, Application, ClientId, ObjectId, Objects, Outcome, Request, codec};
//!
//! /// Counters: an operation adds to one and replies its value.
//! struct Counters;
//!
//! impl Application for Counters {
//!     const NAME: &'static str = "counters";
//!     type Object = u64;
//!     type Op = (ObjectId, u64);
//!     type Reply = u64;
//!
//!     fn access(&(counter, _): &Self::Op) -> Access {
//!         Access { reads: vec![counter], writes: vec![counter] }
//!     }
//!
//!     fn execute(&(counter, amount): &Self::Op, objects: &mut Objects<u64>) -> u64 {
//!         objects.update(counter, |value| *value += amount);
//!         objects.get(counter).copied().unwrap_or_default()
//!     }
//! }
//!
//! let counter = ObjectId::from("visits");
//! let create = Request::create::<Counters>(counter, &0, None);
//! let add = |amount| Request::access::<Counters>(&(counter, amount));
//! let done = |value: u64| Outcome::Done(codec::encode(&value));
//!
//! // Two clients add at the same time: either may be the first.
//! let mut history = History::<Counters>::new();
//! history.observe(ClientId(1), &create, &Outcome::Done(Default::default()), 0..=10);
//! history.observe(ClientId(1), &add(5), &done(12), 20..=50);
//! history.observe(ClientId(2), &add(7), &done(7), 30..=40);
//! let summary = history.check_blackbox()?;
//! assert_eq!((summary.operations, summary.undecided), (3, 0));
//!
//! // Later, somebody is told a value that misses one of them.
//! history.observe(ClientId(2), &add(1), &done(8), 60..=70);
//! let violation = history.check_blackbox().unwrap_err();
//! assert_eq!(violation.kind, ViolationKind::NotLinearizable);
//! assert_eq!(violation.objects, [counter]);
//! println!("{violation}");
//! # Ok::<(), ssmr_check::Violation>(())
//! ```
//!
//! With completions, which say at which timestamp a command took effect and which revision of each
//! object it found and left, the witnessed check finds the same and tells more exactly what is
//! wrong:
//!
//! ```
//! use ssmr_check::{History, ViolationKind};
//! # use ssmr_core::{Access, Application, ObjectId, Objects};
//! # struct Counters;
//! # impl Application for Counters {
//! #     const NAME: &'static str = "counters";
//! #     type Object = u64;
//! #     type Op = (ObjectId, u64);
//! #     type Reply = u64;
//! #     fn access(&(counter, _): &Self::Op) -> Access {
//! #         Access { reads: vec![counter], writes: vec![counter] }
//! #     }
//! #     fn execute(&(counter, amount): &Self::Op, objects: &mut Objects<u64>) -> u64 {
//! #         objects.update(counter, |value| *value += amount);
//! #         objects.get(counter).copied().unwrap_or_default()
//! #     }
//! # }
//! use ssmr_core::{ClientId, Completion, Cost, Outcome, PartitionId, Request};
//! use ssmr_core::{LocalTime, LogicalClock, Revision, Timestamp, Touch, codec};
//!
//! let counter = ObjectId::from("visits");
//! let epoch = Timestamp::new(LogicalClock(1), PartitionId(0).into());
//! let version = |version| Some(Revision { epoch, version });
//!
//! // What a client engine returns; made by hand here, to stay without a cluster.
//! let completion = |at: u64, reply, before, after| Completion {
//!     ticket: at,
//!     outcome: Outcome::Done(reply),
//!     timestamp: Some(Timestamp::new(LogicalClock(at), PartitionId(0).into())),
//!     touched: vec![Touch { object: counter, before, after }],
//!     last_attempt: None,
//!     invoked: LocalTime::from_micros(at * 100),
//!     completed: LocalTime::from_micros(at * 100 + 50),
//!     cost: Cost::default(),
//! };
//! let create = Request::create::<Counters>(counter, &0, None);
//! let add = Request::access::<Counters>(&(counter, 5));
//! let created = completion(1, Default::default(), None, version(0));
//! let added = completion(2, codec::encode(&5u64), version(0), version(1));
//!
//! let mut history = History::<Counters>::new();
//! history.push(ClientId(1), &create, &created);
//! history.push(ClientId(1), &add, &added);
//! assert_eq!(history.check_both()?.replayed, 2);
//!
//! // A second client changed the same version: one of the two updates is lost.
//! let lost = completion(3, codec::encode(&5u64), version(0), version(1));
//! history.push(ClientId(2), &add, &lost);
//! let violation = history.check().unwrap_err();
//! assert_eq!(violation.kind, ViolationKind::Fork);
//! # Ok::<(), ssmr_check::Rejection>(())
//! ```

mod application;
mod blackbox;
mod check;
mod export;
mod history;
mod interner;
mod operation;
mod spec;
mod stale;
mod summary;
mod terms;
mod violation;
mod witness;

pub use application::{
    ApplicationFault, ApplicationSummary, Effect, EncodedPart, check_application,
};
pub use history::History;
pub use ssmr_core::application::UndeclaredAccess;
pub use stale::{NeverHeld, StaleSummary, Staleness};
pub use summary::Summary;
pub use terms::{Act, Shown, Terms};
pub use violation::{Misfit, Rejection, Violation, ViolationKind};
