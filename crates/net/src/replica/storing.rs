//! How a replica stores: records in its event loop, before anything else leaves or while it does;
//! snapshots beside it.

use super::event_loop::EventLoop;
use super::input::{Kept, LoopInput};
use ssmr_core::LocalTime;
use ssmr_log::Record;
use ssmr_multicast::{Capture, Captured};
use ssmr_storage::{LogStore, SnapshotWriter};
use std::io;
use std::time::Duration;

impl EventLoop {
    /// Has a copy of the state encoded, and stored if anything is, beside the loop.
    fn keep(&mut self, now: LocalTime, mut capture: Capture) -> io::Result<()> {
        let (last, wanted) = (capture.last, capture.wanted);
        if self.log.is_none() && !wanted {
            // Nothing is stored: the log can be forgotten as long as the state can be captured
            // again.
            let snapshot = None;
            let captured = Captured { last, snapshot };
            self.recorder.snapshot_taken(last.index, None);
            self.replica.on_captured(now, captured, &mut self.out);
            return Ok(());
        }
        let tail = std::mem::take(&mut capture.tail);
        let log = self.log.as_mut();
        let writer = log.map(|log| log.begin_snapshot(tail)).transpose()?;
        let (own, clock) = (self.own.clone(), self.clock);
        tokio::task::spawn_blocking(move || {
            let begun = clock.now();
            let snapshot = capture.encode();
            let number = writer.as_ref().map(SnapshotWriter::number);
            let written = writer.map_or(Ok(()), |writer| writer.write(snapshot.clone()));
            let bytes = snapshot.state.len() as u64;
            let encoded = (bytes, clock.now().since(begun));
            let snapshot = wanted.then_some(snapshot);
            let captured = Captured { last, snapshot };
            let kept = written.map(|()| Kept {
                captured,
                number,
                encoded,
            });
            // Nobody waits for it if the replica has stopped.
            let _ = own.blocking_send(LoopInput::Captured(kept));
        });
        Ok(())
    }

    pub(super) fn on_captured(&mut self, now: LocalTime, kept: Kept) -> io::Result<()> {
        let Kept {
            captured,
            number,
            encoded,
        } = kept;
        let (id, last_entry, (bytes, duration_us)) = (self.id, captured.last.index, encoded);
        self.recorder.snapshot_taken(last_entry, Some(encoded));
        tracing::info!(%id, last_entry, bytes, duration_us, "a snapshot was taken");
        if let (Some(log), Some(number)) = (&self.log, number) {
            log.forget_below(number)?;
        }
        self.replica.on_captured(now, captured, &mut self.out);
        Ok(())
    }

    /// Whether what this round led to may leave before it is stored, and somebody gains by that.
    pub(super) fn sends_first(&self) -> bool {
        let syncs = self.log.as_ref().is_some_and(LogStore::is_synced);
        syncs && !self.out.records.is_empty() && !self.out.store_first
    }

    /// Stores what this round led to.
    pub(super) fn store(&mut self, now: LocalTime) -> io::Result<()> {
        let records = std::mem::take(&mut self.out.records);
        self.note_installed(&records);
        if let Some(log) = self.log.as_mut().filter(|_| !records.is_empty()) {
            let begun = self.clock.now();
            log.append(records)?;
            let took = self.clock.now().since(begun);
            self.recorder.stores.add(Duration::from_micros(took));
        }
        if let Some(capture) = self.out.capture.take() {
            self.keep(now, capture)?;
        }
        self.broken.take().map_or(Ok(()), Err)
    }

    /// Says of snapshots of other replicas among the records that they take this one's place.
    fn note_installed(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Install { snapshot, .. } = record {
                let (id, last_entry) = (self.id, snapshot.last.index);
                let bytes = snapshot.state.len();
                self.recorder.snapshots.installed += 1;
                tracing::info!(%id, last_entry, bytes, "the replica is filled with a snapshot");
            }
        }
    }
}
