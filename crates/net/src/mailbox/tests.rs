use super::*;
use crate::delay_line::Pipe;
use crate::network::{Network, Party};
use ssmr_core::ClientId;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn what_is_pushed_is_written_in_order_and_counted() {
    let traffic = Arc::new(Traffic::default());
    let mailbox = Arc::new(Mailbox::new(1 << 10, traffic.clone()));
    let (mut near, far) = tokio::io::duplex(16);
    let writer = mailbox.clone();
    let task = tokio::spawn(async move { writer.write_to(far).await });
    mailbox.push(&1u8);
    mailbox.push(&2u8);
    let mut bytes = [0; 10];
    near.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, [0, 0, 0, 1, 1, 0, 0, 0, 1, 2]);
    mailbox.push(&3u8);
    near.read_exact(&mut bytes[..5]).await.unwrap();
    assert_eq!(bytes[4], 3);
    assert_eq!(traffic.count().messages_sent, 3);
    assert_eq!(traffic.count().bytes_sent, 15);
    drop(near);
    mailbox.push(&4u8);
    assert!(task.await.unwrap().is_err());
}

#[tokio::test]
async fn a_farewell_is_the_last_that_is_written() {
    let mailbox = Mailbox::new(1 << 10, Arc::default());
    mailbox.push(&1u8);
    mailbox.end();
    mailbox.end();
    mailbox.push(&2u8);
    let mut written = Vec::new();
    mailbox.write_to(&mut written).await.unwrap();
    assert_eq!(written, [0, 0, 0, 1, 1, 0, 0, 0, 0]);
}

#[test]
fn a_full_or_shut_mailbox_drops() {
    let traffic = Arc::new(Traffic::default());
    let mailbox = Mailbox::new(6, traffic.clone());
    (0..3u8).for_each(|message| mailbox.push(&message));
    assert_eq!(traffic.count().messages_dropped, 1);
    mailbox.shut(true);
    mailbox.push(&4u8);
    assert_eq!(traffic.count().messages_dropped, 2);
    mailbox.shut(false);
    mailbox.push(&5u8);
    assert_eq!(traffic.count().messages_sent, 3);
    assert_eq!(&mailbox.queue().frames[..], [0, 0, 0, 1, 5]);
}

#[tokio::test]
async fn what_is_being_written_counts_until_it_is() {
    let together = Together::default();
    let mailbox = Arc::new(Mailbox::among(20, STALL, together.clone(), Arc::default()));
    let (mut near, far) = tokio::io::duplex(5);
    let writer = mailbox.clone();
    let task = tokio::spawn(async move { writer.write_to(far).await });
    // Four frames of five bytes: one is in the pipe, three are still to be written.
    (0..4u8).for_each(|message| mailbox.push(&message));
    while mailbox.unwritten() != 15 {
        tokio::task::yield_now().await;
    }
    assert_eq!(together.load(Relaxed), 15);
    let room = tokio::spawn({
        let mailbox = mailbox.clone();
        async move { mailbox.has_room().await }
    });
    tokio::task::yield_now().await;
    assert!(!room.is_finished());
    near.read_exact(&mut [0; 5]).await.unwrap();
    room.await.unwrap();
    mailbox.close("it owes too much");
    let closed = task.await.unwrap().unwrap_err();
    assert_eq!(closed.to_string(), "it owes too much");
    assert_eq!((mailbox.unwritten(), together.load(Relaxed)), (0, 0));
    mailbox.push(&4u8);
    assert_eq!(mailbox.unwritten(), 0);
}

fn delayed(network: &str, limit: usize) -> (Mailbox, Clock) {
    let network: Network = format!("sites = ['a']\n[within]\n{network}")
        .parse()
        .unwrap();
    let [from, to] = [1, 2].map(|client| Party::Client(ClientId(client)));
    let line = DelayLine::new(&network, from, to, 0, Pipe::default());
    let clock = Clock::start();
    let mailbox = Mailbox::new(limit, Arc::default());
    (mailbox.over(Some(line), clock), clock)
}

#[tokio::test]
async fn a_frame_waits_until_it_would_have_come_and_the_farewell_behind_it() {
    let (mailbox, clock) = delayed("latency = '30ms'", 1 << 10);
    mailbox.push(&1u8);
    mailbox.push(&2u8);
    mailbox.end();
    let begun = clock.now();
    let (mut near, far) = tokio::io::duplex(64);
    let writes = async {
        mailbox.write_to(far).await.unwrap();
        assert_eq!(mailbox.unwritten(), 0);
    };
    let reads = async {
        let mut bytes = Vec::new();
        near.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, [0, 0, 0, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0]);
    };
    tokio::join!(writes, reads);
    assert!(clock.now().since(begun) >= 30_000);
}

#[tokio::test]
async fn losses_lose_nothing_and_keep_the_order() {
    let network = "latency = '1ms'\nloss = '20%'\nretransmission_timeout = '5ms'";
    let (mailbox, _) = delayed(network, 1 << 20);
    let (near, far) = tokio::io::duplex(64);
    let writes = async {
        for number in 0..200u64 {
            mailbox.push(&number);
            tokio::task::yield_now().await;
        }
        mailbox.end();
    };
    let reads = async {
        let mut frames = wire::Frames::new(near, 100);
        for number in 0..200u64 {
            let next = frames.next::<u64>().await.unwrap();
            assert_eq!(next, wire::Incoming::Message(number, 12));
        }
        let last = frames.next::<u64>().await.unwrap();
        assert_eq!(last, wire::Incoming::Farewell);
    };
    let (written, ..) = tokio::join!(mailbox.write_to(far), writes, reads);
    written.unwrap();
    assert_eq!(mailbox.traffic.count().messages_dropped, 0);
}

#[tokio::test]
async fn what_is_delayed_counts_and_may_be_what_is_under_way_besides() {
    // 8 Mbit a second for 10 ms are 10,000 bytes.
    let (mailbox, _) = delayed("latency = '10ms'\nbandwidth = '8mbit'", 6);
    let message = vec![7u8; 984];
    (0..11).for_each(|_| mailbox.push(&message));
    let frame = mailbox.unwritten() / 11;
    assert!(frame >= 996 && mailbox.traffic.count().messages_dropped == 0);
    mailbox.push(&message);
    assert_eq!(mailbox.traffic.count().messages_dropped, 1);
    mailbox.close("enough");
    assert_eq!(mailbox.unwritten(), 0);
    let (_near, far) = tokio::io::duplex(64);
    assert!(mailbox.write_to(far).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_end_that_takes_nothing_is_given_up() {
    let together = Together::default();
    let mailbox = Mailbox::among(20, STALL, together.clone(), Arc::default());
    let (_held_open, far) = tokio::io::duplex(3);
    mailbox.push(&1u8);
    let stalled = mailbox.write_to(far).await.unwrap_err();
    assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
    drop(mailbox);
    assert_eq!(together.load(Relaxed), 0);
}
