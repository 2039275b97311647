//! The service of workload `tpcc`: what transactions do with the rows that they name.

use super::ids::{CustomerId, DistrictId};
use super::rows::{Cents, Row};
use super::tables::{Tables, access_of_run};
use crate::workload::run_number::RunNumber;
use serde::{Deserialize, Serialize};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// A wholesale supplier.
#[derive(Debug)]
pub(crate) struct Supplier;

/// An operation on rows of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    /// Whose rows they are.
    pub(super) run: RunNumber,
    /// What is done with them. It names them as in run 0.
    pub(super) op: Op,
}

/// What can be done with rows that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Reads rows whole.
    Read(Vec<ObjectId>),
    /// Counts the stocks that have less than this.
    CountLow { stocks: Vec<ObjectId>, below: i32 },
    /// Enters an order, whose rows are created beside it.
    Enter(Entry),
    /// A customer pays, beside which a line of `HISTORY` is created.
    Pay(Payment),
    /// Delivers orders, whose rows of `NEW-ORDER` are deleted beside it.
    Deliver {
        orders: Vec<Delivery>,
        carrier: u8,
        date: u64,
    },
}

/// An order that is entered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(super) customer: CustomerId,
    pub(super) order: u64,
    pub(super) lines: Vec<Supply>,
}

/// What a line of an order takes from a stock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Supply {
    pub(super) stock: ObjectId,
    pub(super) quantity: u8,
    pub(super) amount: Cents,
}

/// A payment to a district.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(super) district: DistrictId,
    pub(super) customer: CustomerId,
    pub(super) amount: Cents,
}

/// An order that is delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(super) customer: CustomerId,
    pub(super) order: u64,
    pub(super) line_count: u8,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Nothing,
    /// The rows as they were asked for.
    Rows(Vec<Row>),
    Count(u64),
    /// What an order costs, with taxes and discount, and what is left in stock of each line.
    Entered {
        total: Cents,
        left: Vec<i32>,
    },
    /// What the customer has.
    Paid {
        balance: Cents,
    },
}

impl Application for Supplier {
    const NAME: &'static str = "tpcc";
    /// 2: with the number of the run.
    const VERSION: u32 = 2;
    type Object = Row;
    type Op = Call;
    type Reply = Reply;

    fn access(Call { run, op }: &Call) -> Access {
        access_of_run(*run, op.access())
    }

    fn execute(Call { run, op }: &Call, objects: &mut Objects<Row>) -> Reply {
        op.execute(&mut Tables::new(*run, objects))
    }
}

impl Op {
    fn access(&self) -> Access {
        match self {
            Self::Read(rows) | Self::CountLow { stocks: rows, .. } => Access {
                reads: rows.clone(),
                writes: Vec::new(),
            },
            Self::Enter(entry) => entry.access(),
            Self::Pay(Payment {
                district, customer, ..
            }) => {
                let rows = vec![district.warehouse.row(), district.row(), customer.row()];
                Access {
                    reads: rows.clone(),
                    writes: rows,
                }
            }
            Self::Deliver { orders, .. } => {
                let lines = orders.iter().flat_map(Delivery::lines);
                let lines: Vec<ObjectId> = lines.collect();
                let others = orders.iter().flat_map(Delivery::unread);
                Access {
                    writes: others.chain(lines.iter().copied()).collect(),
                    reads: lines,
                }
            }
        }
    }

    fn execute(&self, rows: &mut Tables<'_>) -> Reply {
        match self {
            Self::Read(objects) => {
                let found = objects.iter().filter_map(|row| rows.get(*row).cloned());
                Reply::Rows(found.collect())
            }
            Self::CountLow { stocks, below } => {
                let low = stocks.iter().filter(|stock| match rows.get(**stock) {
                    Some(Row::Stock(stock)) => stock.quantity < *below,
                    _ => false,
                });
                Reply::Count(low.count() as u64)
            }
            Self::Enter(entry) => entry.execute(rows),
            Self::Pay(payment) => payment.execute(rows),
            Self::Deliver {
                orders,
                carrier,
                date,
            } => {
                for order in orders {
                    order.execute(*carrier, *date, rows);
                }
                Reply::Nothing
            }
        }
    }
}

impl Entry {
    fn access(&self) -> Access {
        let (customer, district) = (self.customer.row(), self.customer.district);
        let stocks = self.lines.iter().map(|line| line.stock);
        let mut reads: Vec<ObjectId> = stocks.collect();
        let mut writes = reads.clone();
        reads.extend([district.warehouse.row(), district.row(), customer]);
        writes.extend([district.next_order(), customer]);
        Access { reads, writes }
    }

    fn execute(&self, rows: &mut Tables<'_>) -> Reply {
        let (customer, district) = (self.customer.row(), self.customer.district);
        for Supply {
            stock, quantity, ..
        } in &self.lines
        {
            let remote = stock.attribute != district.warehouse.0;
            rows.update(*stock, |row| {
                if let Row::Stock(stock) = row {
                    stock.take(*quantity, remote);
                }
            });
        }
        let order = self.order;
        rows.update(district.next_order(), |row| {
            *row = Row::NextOrder(order + 1);
        });
        rows.update(customer, |row| {
            if let Row::Customer(customer) = row {
                customer.last_order = order;
            }
        });
        let left = self.lines.iter().map(|line| match rows.get(line.stock) {
            Some(Row::Stock(stock)) => stock.quantity,
            _ => 0,
        });
        let left = left.collect();
        let total = self.total(rows);
        Reply::Entered { total, left }
    }

    fn total(&self, rows: &Tables<'_>) -> Cents {
        let (customer, district) = (self.customer.row(), self.customer.district);
        let (
            Some(Row::Warehouse(warehouse)),
            Some(Row::District(district)),
            Some(Row::Customer(customer)),
        ) = (
            rows.get(district.warehouse.row()),
            rows.get(district.row()),
            rows.get(customer),
        )
        else {
            return 0;
        };
        let amount: Cents = self.lines.iter().map(|line| line.amount).sum();
        let discounted = amount * (10_000 - Cents::from(customer.discount)) / 10_000;
        discounted * (10_000 + Cents::from(warehouse.tax) + Cents::from(district.tax)) / 10_000
    }
}

impl Payment {
    fn execute(&self, rows: &mut Tables<'_>) -> Reply {
        let Self {
            district,
            customer,
            amount,
        } = self;
        rows.update(district.warehouse.row(), |row| {
            if let Row::Warehouse(warehouse) = row {
                warehouse.ytd += amount;
            }
        });
        rows.update(district.row(), |row| {
            if let Row::District(district) = row {
                district.ytd += amount;
            }
        });
        rows.update(customer.row(), |row| {
            if let Row::Customer(row) = row {
                row.pay(*amount, &format!("{customer:?} {district:?} {amount} "));
            }
        });
        match rows.get(customer.row()) {
            Some(Row::Customer(customer)) => Reply::Paid {
                balance: customer.balance,
            },
            _ => Reply::Nothing,
        }
    }
}

impl Delivery {
    /// What is changed unseen.
    fn unread(&self) -> [ObjectId; 3] {
        let district = self.customer.district;
        [
            district.oldest(),
            district.order(self.order),
            self.customer.row(),
        ]
    }

    fn lines(&self) -> impl Iterator<Item = ObjectId> {
        self.customer.district.lines(self.order, self.line_count)
    }

    fn execute(&self, carrier: u8, date: u64, rows: &mut Tables<'_>) {
        let mut total = 0;
        for line in self.lines() {
            if let Some(Row::Line(line)) = rows.get(line) {
                total += line.amount;
            }
            rows.update(line, |row| {
                if let Row::Line(line) = row {
                    line.delivered = Some(date);
                }
            });
        }
        let [oldest, order, customer] = self.unread();
        rows.update(oldest, |row| *row = Row::Oldest(self.order + 1));
        rows.update(order, |row| {
            if let Row::Order(order) = row {
                order.carrier = Some(carrier);
            }
        });
        rows.update(customer, |row| {
            if let Row::Customer(customer) = row {
                customer.balance += total;
                customer.delivery_count += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Tpcc;
    use super::super::testing::{Rows, tpcc};
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let run = RunNumber::LAST;
        let tpcc = Tpcc { run, ..tpcc() };
        let Rows(rows) = Rows::loaded(&tpcc);
        let [home, other] = tpcc.warehouses[..] else {
            panic!("two")
        };
        let district = home.district(2);
        let customer = district.customer(3);
        let supply = |stock| Supply {
            stock,
            quantity: 3,
            amount: 500,
        };
        let operations = [
            Op::Read(vec![customer.row(), district.next_order()]),
            Op::CountLow {
                stocks: vec![home.stock(1), home.stock(2)],
                below: 50,
            },
            Op::Enter(Entry {
                customer,
                order: 31,
                lines: vec![supply(home.stock(1)), supply(other.stock(2))],
            }),
            Op::Pay(Payment {
                district,
                customer: other.district(1).customer(3),
                amount: 100,
            }),
            Op::Deliver {
                orders: vec![Delivery {
                    customer,
                    order: 30,
                    line_count: 5,
                }],
                carrier: 3,
                date: 7,
            },
        ];
        let calls = operations.map(|op| Call { run, op });
        let value = |object: ObjectId, number: u64| match rows[&object].clone() {
            Row::Customer(mut customer) => {
                customer.balance += number as Cents;
                Row::Customer(customer)
            }
            Row::Stock(mut stock) => {
                stock.quantity = 10 + (number % 90) as i32;
                Row::Stock(stock)
            }
            Row::Line(mut line) => {
                line.amount = number as Cents;
                Row::Line(line)
            }
            row => row,
        };
        let summary = check_application::<Supplier>(calls, value).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (3, 2));
    }
}
