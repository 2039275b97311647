//! The lines on which the spans of one process are drawn: as many as there are at once, so that
//! none overlaps another one.

/// A line.
#[derive(Clone, Copy, Debug)]
enum Lane {
    /// Its span is still open.
    Taken,
    /// Free from then on.
    Free(u64),
}

/// The lines of one process, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Lanes(Vec<Lane>);

impl Lanes {
    /// Takes the first line that is free at a time.
    pub(super) fn take(&mut self, at: u64) -> u64 {
        let is_free = |lane: &Lane| matches!(lane, Lane::Free(from) if *from <= at);
        let place = self.0.iter().position(is_free);
        let place = place.unwrap_or_else(|| {
            self.0.push(Lane::Taken);
            self.0.len() - 1
        });
        self.0[place] = Lane::Taken;
        place as u64 + 1
    }

    /// The span on this line ends.
    pub(super) fn give_back(&mut self, lane: u64, at: u64) {
        self.0[lane as usize - 1] = Lane::Free(at);
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn a_line_is_free_from_the_end_of_its_span() {
        let mut lanes = Lanes::default();
        assert_eq!((lanes.take(0), lanes.take(0)), (1, 2));
        lanes.give_back(1, 7);
        assert_eq!(lanes.take(6), 3);
        assert_eq!(lanes.take(7), 1);
        assert_eq!(lanes.count(), 3);
    }
}
