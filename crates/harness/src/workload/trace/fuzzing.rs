//! For a fuzz target: commands of a trace on their way to requests.

use super::reading::{Reading, Shape};
use super::workload::Trace;
use crate::trace::line::Located;
use crate::workload::contract::Workload;
use crate::workload::run_number::RunNumber;
use ssmr_core::{Request, Topology};

/// How many partitions there are.
const PARTITIONS: u8 = 3;

/// The most bytes that requests of one input may have.
const MOST: u64 = 1 << 20;

/// Takes commands into memory and makes requests of them.
///
/// # Panics
/// If the protocol would refuse one of the requests.
pub(crate) fn is_replayable(commands: &[Located]) {
    let mut reading = Reading::new(Shape {
        clients: 2,
        partitions: PARTITIONS,
        value_size: 1,
    });
    let sizes = commands.iter().flat_map(|located| &located.command.objects);
    if sizes.filter_map(|part| part.size).sum::<u64>() > MOST {
        return;
    }
    if commands.iter().any(|located| reading.add(located).is_err()) {
        return;
    }
    let Ok(topology) = Topology::new(PARTITIONS, 1) else {
        unreachable!("there are such clusters")
    };
    let trace = Trace::new(reading.end(), RunNumber::LAST, topology, None);
    let sound = |request: Request| assert_eq!(request.defect(&topology), None, "{request:?}");
    (0..trace.preload_count()).for_each(|number| sound(trace.preload(number)));
    for client in 0..trace.client_count() {
        trace
            .steps(client)
            .for_each(|step| sound(trace.request(step)));
        trace
            .steps(client)
            .for_each(|step| sound(trace.request_without_moves(step)));
    }
}
