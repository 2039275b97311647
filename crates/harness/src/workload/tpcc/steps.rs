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
        self.count = self.count.checked_add(1)?;
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
