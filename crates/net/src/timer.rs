//! Waiting for a moment with a timer of the system, where there is one: tokio's timers are rounded
//! up to a millisecond, which is ten times the latency of a local network.

use crate::clock::Clock;
use ssmr_core::LocalTime;

#[cfg(target_os = "linux")]
mod precise {
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::time::Duration;
    use tokio::net::unix::pipe::Receiver;

    /// A timer of the system, which takes one file. It is read as the end of a pipe is: there is
    /// something to read when it has gone off.
    #[derive(Debug)]
    pub(super) struct Alarm(Receiver);

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(Receiver::from_owned_fd_unchecked(timer)?))
        }

        /// Waits for so long, which must not be 0. Setting it anew forgets what was before, also
        /// that it went off.
        pub(super) async fn after(&self, time: Duration) -> io::Result<()> {
            let once = Itimerspec {
                it_interval: Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: Timespec {
                    tv_sec: time.as_secs() as i64,
                    tv_nsec: time.subsec_nanos().into(),
                },
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
            loop {
                self.0.readable().await?;
                match self.0.try_read(&mut [0; 8]) {
                    // That it was ready may be of an earlier time.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read.map(drop),
                }
            }
        }
    }
}

/// A way to wait that its owner keeps for many times.
#[derive(Debug)]
pub(crate) struct Timer {
    clock: Clock,
    /// None where the system has none, or no file for it.
    #[cfg(target_os = "linux")]
    alarm: Option<precise::Alarm>,
}

impl Timer {
    /// A timer by this clock. To be called within a tokio runtime.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            #[cfg(target_os = "linux")]
            alarm: precise::Alarm::new().ok(),
        }
    }

    /// The time of its clock.
    pub(crate) fn now(&self) -> LocalTime {
        self.clock.now()
    }

    /// Waits until this moment; for ever, if there is none. Cancel safe.
    pub(crate) async fn reaches(&self, moment: Option<LocalTime>) {
        #[cfg(target_os = "linux")]
        if let (Some(moment), Some(alarm)) = (moment, &self.alarm) {
            let left = moment.micros().saturating_sub(self.clock.now().micros());
            if left == 0 {
                return;
            }
            let left = std::time::Duration::from_micros(left);
            if alarm.after(left).await.is_ok() {
                return;
            }
        }
        self.clock.reaches(moment).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn it_never_goes_off_early() {
        let clock = Clock::start();
        let timer = Timer::new(clock);
        for micros in [0, 100, 3_000] {
            let moment = clock.now() + micros;
            timer.reaches(Some(moment)).await;
            assert!(clock.now() >= moment);
        }
        // One that was given up does not make the next one go off.
        let given_up = timeout(
            Duration::from_millis(1),
            timer.reaches(Some(clock.now() + 5_000)),
        );
        given_up.await.unwrap_err();
        let moment = clock.now() + 20_000;
        timer.reaches(Some(moment)).await;
        assert!(clock.now() >= moment);
    }
}
