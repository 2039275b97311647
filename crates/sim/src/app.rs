//! The service that the simulator replicates: registers whose value tells which writes they have
//! seen, and in what order.

use serde::{Deserialize, Serialize};
use ssmr_check::{Act, Shown, Terms};
use ssmr_core::topology::mix;
use ssmr_core::{Access, Application, ObjectId, Objects};

/// Registers that writes are folded into: a lost, doubled or reordered write changes the value for
/// good.
#[derive(Debug)]
pub struct Registers;

/// The value of a register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// How many writes it has seen.
    pub writes: u64,
    /// A hash over their marks in the order in which they came.
    pub chain: u64,
}

impl Register {
    /// The value after one more write.
    #[must_use]
    pub fn write(self, mark: u64) -> Self {
        Self {
            writes: self.writes + 1,
            chain: mix(self.chain ^ mark),
        }
    }
}

/// What one can do with registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Read some.
    Read(Vec<ObjectId>),
    /// Read some and write the mark to all of them.
    Update(Vec<ObjectId>, u64),
    /// Write the mark to some, unseen.
    Write(Vec<ObjectId>, u64),
    /// Like `Update`, but the service panics if the first one has seen an odd number of writes.
    FragileUpdate(Vec<ObjectId>, u64),
    /// Like `Write`, but the service panics on each that has seen an odd number of writes.
    FragileWrite(Vec<ObjectId>, u64),
}

/// Panics without the message that a panic hook would print: simulations panic by the thousand.
fn break_down() -> ! {
    std::panic::resume_unwind(Box::new("the service breaks down"))
}

impl Application for Registers {
    const NAME: &'static str = "registers";
    type Object = Register;
    type Op = Op;
    /// The values that were read, before the operation.
    type Reply = Vec<Register>;

    fn access(op: &Op) -> Access {
        match op {
            Op::Read(objects) => Access {
                reads: objects.clone(),
                writes: Vec::new(),
            },
            Op::Update(objects, _) | Op::FragileUpdate(objects, _) => Access {
                reads: objects.clone(),
                writes: objects.clone(),
            },
            Op::Write(objects, _) | Op::FragileWrite(objects, _) => Access {
                reads: Vec::new(),
                writes: objects.clone(),
            },
        }
    }

    fn execute(op: &Op, registers: &mut Objects<Register>) -> Vec<Register> {
        let read = |registers: &Objects<Register>, objects: &[ObjectId]| {
            let values = objects.iter().filter_map(|&object| registers.get(object));
            values.copied().collect()
        };
        let write = |registers: &mut Objects<Register>, objects: &[ObjectId], mark| {
            for &object in objects {
                registers.update(object, |register| *register = register.write(mark));
            }
        };
        match op {
            Op::Read(objects) => read(registers, objects),
            Op::Update(objects, mark) => {
                let reply = read(registers, objects);
                write(registers, objects, *mark);
                reply
            }
            Op::Write(objects, mark) => {
                write(registers, objects, *mark);
                Vec::new()
            }
            Op::FragileUpdate(objects, mark) => {
                let reply = read(registers, objects);
                write(registers, objects, *mark);
                if reply.first().is_some_and(|first| first.writes % 2 == 1) {
                    break_down();
                }
                reply
            }
            Op::FragileWrite(objects, mark) => {
                for &object in objects {
                    registers.update(object, |register| {
                        *register = register.write(*mark);
                        if register.writes % 2 == 0 {
                            break_down();
                        }
                    });
                }
                Vec::new()
            }
        }
    }
}

fn shown(register: &Register) -> Shown {
    Shown::List(vec![register.writes, register.chain])
}

/// How the service is told to judges from outside. A value is the list of its two numbers; `mark`
/// writes a mark; `mark-even` does so, too, but an operation that comes to one on a register that
/// has seen an odd number of writes leaves that register as it found it.
#[must_use]
pub fn terms() -> Terms<Registers> {
    Terms {
        value: shown,
        acts: |op, reply| {
            let read = |objects: &[ObjectId]| {
                let reads = objects.iter().enumerate().map(|(place, object)| {
                    let value = reply.and_then(|values| values.get(place));
                    Act::read(*object, value.map_or(Shown::Nothing, shown))
                });
                reads.collect::<Vec<_>>()
            };
            let mark = |verb, objects: &[ObjectId], mark| {
                let marks = objects.iter().map(|&object| Act {
                    verb,
                    object,
                    value: Shown::Number(mark),
                });
                marks.collect::<Vec<_>>()
            };
            match op {
                Op::Read(objects) => read(objects),
                // Where the service panics the outcome says so.
                Op::Update(objects, new) | Op::FragileUpdate(objects, new) => {
                    [read(objects), mark("mark", objects, *new)].concat()
                }
                Op::Write(objects, new) => mark("mark", objects, *new),
                Op::FragileWrite(objects, new) => mark("mark-even", objects, *new),
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn registers_keep_the_rules_of_an_application() {
        let objects: Vec<ObjectId> = (0..3).map(|key| ObjectId::new(0, key)).collect();
        let operations = [
            Op::Read(objects.clone()),
            Op::Update(objects.clone(), 5),
            Op::Write(objects, 6),
        ];
        let value = |_, number| Register::default().write(number);
        let summary = check_application::<Registers>(operations, value).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (2, 1));
    }
}
