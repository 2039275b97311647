//! Workload `tpcc`: TPC-C (Transaction Processing Performance Council, TPC Benchmark C, Standard
//! Specification, revision 5.11, 2010) in the shape that DynaStar was measured with (Le, Fynn,
//! Eslahi-Kelorazi, Soule, Pedone, ICDCS 2019): one warehouse a partition, closed loops, a mix of
//! 45/43/4/4/4.
//!
//! From the specification: tables, numbers of rows and about their sizes, the five transactions
//! with the distributions of their parameters, what is loaded, and the conditions that must hold
//! afterwards ([`conditions`]). An object is a row. Ours is what a database has besides rows:
//!
//! | object | why |
//! | --- | --- |
//! | `NextOrder` of a district | its `D_NEXT_O_ID`, which payments would spoil for new-orders |
//! | `Oldest` of a district | the least number among its undelivered orders, in place of an index |
//! | `Names` of a district | the customers of one last name by first name, in place of an index |
//! | `last_order` in a customer | in place of an index |
//!
//! `ITEM` never changes: everybody computes its rows, and `S_DIST_xx`, from their numbers. All rows
//! of a warehouse have it as their static attribute and are created at its home.
//!
//! Invariant: the parameters of each transaction are a pure function of settings and client. The
//! numbers of orders, and with them the names of the objects that are created, depend on the order
//! in which new-orders commit.

mod conditions;
pub(crate) mod flags;
mod ids;
mod nurand;
mod population;
mod rows;
mod service;
mod settings;
mod steps;
mod tables;
#[cfg(test)]
mod testing;
mod transactions;
mod workload;
