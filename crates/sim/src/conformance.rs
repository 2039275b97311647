//! The conformance suite: what every strategy must pass.
//!
//! Named scenarios, each a function over the strategy that drives a `Scenario` step by step and
//! asserts exact outcomes, and whose trace is compared with a golden file ([`golden`] says how to
//! read and renew them); and a sweep of seeds of the simulator, which asserts invariants, progress,
//! and that something happened at all. [`conformance!`](crate::conformance!) makes one test of each
//! for a strategy, so that a failure names the scenario.

mod caching;
mod conflicts;
mod costs;
mod creation;
mod early_answers;
mod failures;
pub mod golden;
mod hints;
mod late;
mod moving;
#[cfg(feature = "mutants")]
mod mutants;
mod plain;
mod queries;
mod queues;
mod restarts;
mod scenario;
mod shapes;
mod sweep;
mod transactions;

pub use caching::*;
pub use conflicts::*;
pub use costs::*;
pub use creation::*;
pub use early_answers::*;
pub use failures::*;
pub use golden::compare;
pub use hints::*;
pub use late::*;
pub use moving::*;
#[cfg(feature = "mutants")]
pub use mutants::{Caught, catch, catch_creator_only, catch_reads, catch_storage, hunt};
pub use plain::*;
pub use queries::*;
pub use queues::*;
pub use restarts::*;
pub use shapes::*;
pub use sweep::{passes, sweep};
pub use transactions::*;

/// Makes the tests of the conformance suite for a strategy, given as an expression; the traces are
/// in folder `golden` of the tests, or in the one that is named.
#[macro_export]
macro_rules! conformance {
    ($oracle:expr) => { $crate::conformance!($oracle, "golden"); };
    ($oracle:expr, $folder:literal) => {
        #[test] fn the_law_of_authority() {
            $crate::conformance::the_law_of_authority(&$crate::Oracle::into_shared($oracle));
        }
        $crate::conformance! { @scenarios $oracle, $folder;
            two_runs_share_a_cache,
            false_hints_cost_time_only,
            create_access_move,
            read_before_create,
            lookup_overlaps_create,
            location_known_before_the_create_ends,
            announced_but_lost,
            two_creates_have_one_winner,
            delete_with_cached_locations,
            a_stale_location_costs_one_retry,
            moves_race_everything,
            a_move_races_each_access_in_every_order,
            ping_pong,
            an_old_owner_update_is_ignored,
            the_owners_leader_dies_before_answering,
            the_oracles_leader_dies,
            a_client_dies_half_way,
            a_timestamp_is_lost_after_the_delivery,
            a_clock_jumps_a_day_ahead,
            a_group_with_a_far_lower_clock,
            an_expired_session_at_the_second_group,
            a_late_command_after_forgetting,
            a_late_relay,
            a_full_queue_at_the_second_group,
            a_restart_while_a_neighbour_waits,
            a_deposed_leader_answers_no_reads,
            a_read_waits_for_what_is_queued,
            the_cache_fails_in_every_way,
            odd_shapes_of_commands,
            values_up_to_the_limit,
            expectations_that_have_passed,
            a_service_that_panics,
            absence_is_expected,
            one_name_for_two_commands,
            a_group_that_slept,
            a_client_of_a_restarted_cluster,
            what_commands_cost,
            an_early_answer_outlives_its_leader,
            an_early_answer_is_repeated,
            an_early_retry_tells_the_way,
            what_commands_sync,
            a_group_without_a_majority_holds_up_what_is_tied_to_it,
            a_command_does_not_wait_for_strangers,
        }
        $crate::conformance! { @sweep $oracle;
            calm Calm, reorder Reorder, lossy Lossy, slow Slow, far Far, cut Cut,
            depose Depose, stop Stop, crash Crash, wipe Wipe, clock Clock, drift Drift, pause Pause,
            unreachable Unreachable, late Late, busy Busy, dead Dead, deaths Deaths, cache Cache,
            hostile Hostile, disk Disk, expiry Expiry, twins Twins, limits Limits,
            handover HandOver, storm Storm,
        }
    };
    (@scenarios $oracle:expr, $folder:literal; $($scenario:ident,)*) => {
        $(#[test] fn $scenario() {
            let trace = $crate::conformance::$scenario(&$crate::Oracle::into_shared($oracle));
            $crate::conformance! { @compare $folder, stringify!($scenario), trace }
        })*
    };
    (@compare $folder:literal, $scenario:expr, $trace:expr) => {
        let folder = ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join($folder);
        $crate::conformance::compare(&folder, $scenario, &$trace);
    };
    (@sweep $oracle:expr; $($name:ident $profile:ident,)*) => {
        mod sweep {
            use super::*;
            $(#[test] fn $name() {
                let oracle = $crate::Oracle::into_shared($oracle);
                $crate::conformance::sweep(&oracle, $crate::Profile::$profile);
            })*
        }
    };
}
