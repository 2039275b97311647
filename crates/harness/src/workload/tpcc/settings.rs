//! What workload `tpcc` is a function of.

use super::ids::{DistrictId, NUMBERS, WarehouseId};
use super::nurand::NuRand;
use crate::workload::home::home;
use crate::workload::run_number::RunNumber;
use serde::Serialize;
use ssmr_core::PartitionId;
use ssmr_core::topology::mix;

/// The transactions with their shares in percent, as DynaStar was measured with: the least shares
/// that the specification asks for (clause 5.2.3), and the rest for new-orders.
pub(super) const TRANSACTIONS: [(&str, u32); 5] = [
    ("new-order", 45),
    ("payment", 43),
    ("order-status", 4),
    ("delivery", 4),
    ("stock-level", 4),
];

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scale {
    /// A hundredth of the specification's: 30 customers in a district, 1,000 items
    Mini,
    /// The specification's: 3,000 customers in a district, 100,000 items
    Full,
}

impl Scale {
    /// How many customers a district has, and how many orders were loaded for it.
    pub(super) fn customers(self) -> u32 {
        match self {
            Self::Mini => 30,
            Self::Full => 3_000,
        }
    }

    pub(super) fn items(self) -> u32 {
        match self {
            Self::Mini => 1_000,
            Self::Full => 100_000,
        }
    }

    /// How many last names customers have.
    pub(super) fn names(self) -> u16 {
        match self {
            Self::Mini => 10,
            Self::Full => 1_000,
        }
    }

    /// The constants A for last names, customers and items.
    fn spreads(self) -> [u32; 3] {
        match self {
            Self::Mini => [3, 15, 127],
            Self::Full => [255, 1_023, 8_191],
        }
    }
}

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tpcc {
    /// For everything random.
    pub(super) seed: u64,
    /// How many clients there are.
    pub(super) clients: u64,
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(super) run: RunNumber,
    /// How many partitions the warehouses are spread over.
    pub(super) partitions: u8,
    /// How many rows there are.
    pub(super) scale: Scale,
    /// The warehouses.
    pub(super) warehouses: Vec<WarehouseId>,
    /// Of a hundred order lines, how many another warehouse supplies.
    pub(super) remote_lines: u32,
    /// Of a hundred payments, how many are by a customer of another warehouse.
    pub(super) remote_payments: u32,
}

impl Tpcc {
    /// The home warehouse of a client.
    pub(super) fn home(&self, client: u64) -> WarehouseId {
        self.warehouses[(client % self.warehouses.len() as u64) as usize]
    }

    /// The district of a client that watches the stock of one.
    pub(super) fn home_district(&self, client: u64) -> DistrictId {
        let turn = client / self.warehouses.len() as u64;
        let number = (turn % u64::from(super::ids::DISTRICTS)) as u8;
        self.home(client).district(number)
    }

    /// Where the rows of a warehouse are created.
    pub(super) fn partition(&self, warehouse: WarehouseId) -> PartitionId {
        home(self.partitions, warehouse.row())
    }

    /// How many transactions each client has: those of all have numbers behind what is loaded.
    pub(super) fn transactions(&self) -> u32 {
        let left = NUMBERS - self.loaded();
        u32::try_from(left / self.clients).unwrap_or(u32::MAX)
    }

    /// The number of a client's transaction among those of all.
    pub(super) fn number(&self, client: u32, transaction: u32) -> u64 {
        self.loaded() + u64::from(transaction) * self.clients + u64::from(client)
    }

    /// The numbers below are those of customers.
    fn loaded(&self) -> u64 {
        u64::from(self.scale.customers()) + 1
    }

    /// Last names as they are loaded.
    pub(super) fn loaded_names(&self) -> NuRand {
        self.names(mix(self.seed) % 100)
    }

    /// Last names as clients ask for them: by a constant C that differs from the loaded ones' by
    /// what clause 2.1.6.1 asks for.
    pub(super) fn asked_names(&self) -> NuRand {
        let delta = 66 + mix(mix(self.seed)) % 30;
        self.names(mix(self.seed) % 100 + delta)
    }

    /// The numbers of customers.
    pub(super) fn customers(&self) -> NuRand {
        let [_, a, _] = self.scale.spreads();
        self.numbers(a, self.scale.customers())
    }

    /// The numbers of items.
    pub(super) fn items(&self) -> NuRand {
        let [.., a] = self.scale.spreads();
        self.numbers(a, self.scale.items())
    }

    fn names(&self, c: u64) -> NuRand {
        let [a, ..] = self.scale.spreads();
        NuRand {
            a,
            c: c as u32,
            first: 0,
            last: u32::from(self.scale.names()) - 1,
        }
    }

    fn numbers(&self, a: u32, last: u32) -> NuRand {
        let c = mix(self.seed ^ u64::from(a)) % (u64::from(a) + 1);
        NuRand {
            a,
            c: c as u32,
            first: 1,
            last,
        }
    }
}

/// So many warehouses, of each partition in turn: the least attributes that are at home there.
pub(super) fn warehouses(count: u16, partitions: u8) -> Vec<WarehouseId> {
    let mut left = 0..;
    let mut of_partition = vec![std::collections::VecDeque::new(); partitions.into()];
    let mut next = |partition: usize| loop {
        if let Some(warehouse) = of_partition[partition].pop_front() {
            return warehouse;
        }
        let warehouse = WarehouseId(left.next().unwrap_or_default());
        let at: usize = home(partitions, warehouse.row()).0.into();
        of_partition[at].push_back(warehouse);
    };
    let partition = |number: u16| usize::from(number) % usize::from(partitions);
    (0..count).map(|number| next(partition(number))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::tpcc;
    use super::*;

    #[test]
    fn warehouses_are_spread_evenly() {
        for (count, partitions) in [(1, 4), (4, 4), (9, 4), (200, 7)] {
            let warehouses = warehouses(count, partitions);
            for (number, warehouse) in warehouses.iter().enumerate() {
                let at = home(partitions, warehouse.row()).0;
                assert_eq!(usize::from(at), number % usize::from(partitions));
            }
            let different: std::collections::BTreeSet<_> = warehouses.iter().collect();
            assert_eq!(different.len(), usize::from(count));
        }
    }

    #[test]
    fn clients_are_spread_over_warehouses_and_then_over_districts() {
        let tpcc = tpcc();
        let homes = (0..4).map(|client| tpcc.home(client));
        let [a, b] = tpcc.warehouses[..] else {
            panic!("two")
        };
        assert!(homes.eq([a, b, a, b]));
        let districts = [0, 1, 2, 19, 20].map(|client| tpcc.home_district(client).number);
        assert_eq!(districts, [0, 0, 1, 9, 0]);
    }

    #[test]
    fn each_transaction_has_a_number_of_its_own_to_the_last() {
        for clients in [1, 7, 10_000] {
            let tpcc = Tpcc { clients, ..tpcc() };
            let (last, count) = (clients as u32 - 1, tpcc.transactions());
            assert_eq!(tpcc.number(0, 0), 31);
            assert_eq!(tpcc.number(last, 0) + 1, tpcc.number(0, 1));
            assert!(count >= 100_000_000 && tpcc.number(last, count - 1) < NUMBERS);
        }
    }

    #[test]
    fn last_names_are_asked_for_as_differently_as_they_must_be() {
        for seed in 0..1_000 {
            let tpcc = Tpcc {
                seed,
                scale: Scale::Full,
                ..tpcc()
            };
            let delta = tpcc.asked_names().c - tpcc.loaded_names().c;
            assert!((65..=119).contains(&delta) && delta != 96 && delta != 112);
            assert!(tpcc.asked_names().c <= 255);
        }
    }
}
