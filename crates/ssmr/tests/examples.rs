//! The examples under each strategy, by type and by name: money is neither made nor lost, no post
//! is.

#[allow(dead_code, reason = "an example has a main function too")]
#[path = "../examples/bank.rs"]
mod bank;
#[allow(dead_code, reason = "an example has a main function too")]
#[path = "../examples/social.rs"]
mod social;

use ssmr::{Broker, Cache, Global, Oracle, Static, strategy};

async fn bank_balances(oracle: impl Oracle) {
    let moves = oracle.movable();
    let report = bank::bank(oracle).await.unwrap();
    assert_eq!((report.opened, report.total), (80, 8000), "{report:?}");
    // Whether a transfer names an account that is not there yet is a matter of chance.
    assert!(report.transfers > 0, "{report:?}");
    assert_eq!(report.moved > 0, moves, "{report:?}");
}

async fn posts_arrive(oracle: impl Oracle) {
    let report = social::social(oracle).await.unwrap();
    assert_eq!(report.posts, 30, "{report:?}");
    assert!(report.delivered > 0, "{report:?}");
    assert_eq!(report.delivered, report.seen, "{report:?}");
    assert_eq!(report.read, report.seen, "{report:?}");
}

/// Both examples under one strategy.
macro_rules! strategy {
    ($name:ident, $oracle:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn bank() {
                bank_balances($oracle).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn social() {
                posts_arrive($oracle).await;
            }
        }
    };
}

strategy!(global, Global);
strategy!(broker, Broker);
strategy!(fixed, Static::new());
strategy!(fixed_with_directory, Static::with_directory());
strategy!(cache, Cache);

#[tokio::test]
async fn strategies_by_name() {
    for name in strategy::NAMES {
        bank_balances(strategy::by_name(name).unwrap()).await;
    }
}
