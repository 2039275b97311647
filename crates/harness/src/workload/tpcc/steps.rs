//! The transactions of one client, and their parameters.

use super::ids::{DistrictId, MOST_LINES, WarehouseId};
use super::rows::Cents;
use super::settings::{TRANSACTIONS, Tpcc};
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Of a hundred customers, how many are asked for by their last names.
const BY_NAME: u32 = 60;

/// Of a hundred new-orders, how many end with an item that does not exist.
const ROLLED_BACK: u32 = 1;

/// How a customer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Who {
    Number(u32),
    /// The one in the middle of those of a last name.
    Name(u16),
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    pub(super) item: u32,
    pub(super) from: WarehouseId,
    pub(super) quantity: u8,
}

/// What a transaction is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Deed {
    NewOrder {
        district: DistrictId,
        customer: u32,
        lines: Vec<Wanted>,
    },
    Payment {
        district: DistrictId,
        /// Of whose warehouse the customer is.
        of: DistrictId,
        customer: Who,
        amount: Cents,
    },
    OrderStatus {
        district: DistrictId,
        customer: Who,
    },
    Delivery {
        warehouse: WarehouseId,
        carrier: u8,
    },
    StockLevel {
        district: DistrictId,
        below: i32,
    },
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    pub(super) client: u32,
    /// Which of this client's it is: also its date.
    pub(super) number: u32,
    pub(super) deed: Deed,
}

/// The transactions of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: Tpcc,
    client: u64,
    rng: ChaCha8Rng,
    count: u32,
}

impl Steps {
    /// The transactions of this client.
    pub(super) fn new(settings: &Tpcc, client: u64) -> Self {
        Self {
            rng: stream(settings.seed, client),
            settings: settings.clone(),
            client,
            count: 0,
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let number = self.count;
        if number >= self.settings.transactions() {
            return None;
        }
        self.count += 1;
        let deed = match draw(&mut self.rng, &TRANSACTIONS.map(|(_, share)| share)) {
            0 => self.new_order(),
            1 => self.payment(),
            2 => Deed::OrderStatus {
                district: self.district(self.settings.home(self.client)),
                customer: self.who(),
            },
            3 => Deed::Delivery {
                warehouse: self.settings.home(self.client),
                carrier: self.rng.random_range(1..=10),
            },
            _ => Deed::StockLevel {
                district: self.settings.home_district(self.client),
                below: self.rng.random_range(10..=20),
            },
        };
        Some(Step {
            client: self.client as u32,
            number,
            deed,
        })
    }
}

impl Steps {
    fn new_order(&mut self) -> Deed {
        let district = self.district(self.settings.home(self.client));
        let customer = self.settings.customers().draw(&mut self.rng);
        let count = self.rng.random_range(5..=MOST_LINES);
        let mut lines: Vec<Wanted> = (0..count).map(|_| self.wanted()).collect();
        if self.percent(ROLLED_BACK)
            && let Some(last) = lines.last_mut()
        {
            last.item = self.settings.scale.items() + 1;
        }
        Deed::NewOrder {
            district,
            customer,
            lines,
        }
    }

    fn wanted(&mut self) -> Wanted {
        Wanted {
            item: self.settings.items().draw(&mut self.rng),
            from: match self.percent(self.settings.remote_lines) {
                true => self.other_warehouse(),
                false => self.settings.home(self.client),
            },
            quantity: self.rng.random_range(1..=10),
        }
    }

    fn payment(&mut self) -> Deed {
        let district = self.district(self.settings.home(self.client));
        let of = match self.percent(self.settings.remote_payments) {
            true if self.settings.warehouses.len() > 1 => {
                let other = self.other_warehouse();
                self.district(other)
            }
            _ => district,
        };
        Deed::Payment {
            district,
            of,
            customer: self.who(),
            amount: self.rng.random_range(100..=500_000),
        }
    }

    fn who(&mut self) -> Who {
        match self.percent(BY_NAME) {
            true => Who::Name(self.settings.asked_names().draw(&mut self.rng) as u16),
            false => Who::Number(self.settings.customers().draw(&mut self.rng)),
        }
    }

    fn district(&mut self, of: WarehouseId) -> DistrictId {
        of.district(self.rng.random_range(0..super::ids::DISTRICTS))
    }

    /// Any but the home warehouse; that one, if there is no other.
    fn other_warehouse(&mut self) -> WarehouseId {
        let count = self.settings.warehouses.len() as u64;
        let offset = self.rng.random_range(1..count.max(2));
        self.settings.home(self.client % count + offset)
    }

    fn percent(&mut self, share: u32) -> bool {
        self.rng.random_ratio(share, 100)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::tpcc;
    use super::*;
    use crate::workload::contract::Workload;

    #[test]
    fn transactions_are_a_pure_function_of_settings_seed_and_client() {
        let first = |seed, client| {
            let tpcc = Tpcc { seed, ..tpcc() };
            tpcc.steps(client).take(1_000).collect::<Vec<_>>()
        };
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn shares_are_those_of_the_specification() {
        let tpcc = tpcc();
        let home = tpcc.home(1);
        let mut kinds = [0_u32; 5];
        let (mut lines, mut remote_lines, mut rolled_back) = (0_u32, 0, 0);
        let (mut remote_payments, mut by_name) = (0, 0);
        for step in tpcc.steps(1).take(100_000) {
            kinds[Tpcc::kind(&step)] += 1;
            match step.deed {
                Deed::NewOrder {
                    district,
                    lines: wanted,
                    ..
                } => {
                    assert!(district.warehouse == home && (5..=15).contains(&wanted.len()));
                    lines += wanted.len() as u32;
                    let remote = wanted.iter().filter(|line| line.from != home);
                    remote_lines += remote.count() as u32;
                    let unknown = wanted.iter().filter(|line| line.item > 1_000).count();
                    rolled_back += unknown as u32;
                }
                Deed::Payment {
                    district,
                    of,
                    customer,
                    ..
                } => {
                    assert_eq!(district.warehouse, home);
                    assert!(of == district || of.warehouse != home);
                    remote_payments += u32::from(of != district);
                    by_name += u32::from(matches!(customer, Who::Name(_)));
                }
                Deed::StockLevel { district, .. } => {
                    assert_eq!(district, tpcc.home_district(1), "it is the client's own");
                }
                Deed::OrderStatus { .. } | Deed::Delivery { .. } => {}
            }
        }
        for (count, (name, share)) in kinds.iter().zip(TRANSACTIONS) {
            assert!(count.abs_diff(share * 1_000) < 500, "{name}: {count}");
        }
        let [orders, payments, ..] = kinds;
        assert!((lines / orders).abs_diff(10) <= 1);
        assert!(
            (remote_lines * 1_000 / lines).abs_diff(10) <= 1,
            "{remote_lines}"
        );
        assert!(
            (rolled_back * 1_000 / orders).abs_diff(10) <= 2,
            "{rolled_back}"
        );
        assert!((remote_payments * 100 / payments).abs_diff(15) <= 1);
        assert!((by_name * 100 / payments).abs_diff(60) <= 1);
    }

    #[test]
    fn a_single_warehouse_has_nothing_remote() {
        let mut tpcc = tpcc();
        tpcc.warehouses.truncate(1);
        tpcc.remote_lines = 100;
        tpcc.remote_payments = 100;
        for step in tpcc.steps(3).take(1_000) {
            match step.deed {
                Deed::NewOrder { lines, .. } => {
                    assert!(lines.iter().all(|line| line.from == tpcc.warehouses[0]));
                }
                Deed::Payment { district, of, .. } => assert_eq!(district, of),
                _ => {}
            }
        }
    }
}
