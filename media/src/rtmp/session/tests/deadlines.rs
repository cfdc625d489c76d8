//! Deadlines, rates and pings on virtual time (1.10, AK-5, RC-5).

use std::time::Duration;

use crate::rtmp::control::Control;
use crate::rtmp::error::{Awaited, Error, Fault};
use crate::rtmp::testing::{AUDIO, Client, Driver, HANDSHAKE_LEN, Header, Reply, VIDEO, start};

fn timed_out(awaited: Awaited, seconds: u64) -> Error {
    Error::TimedOut { awaited, waited: Duration::from_secs(seconds) }
}

fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut client = Client::plain();
    client.message(6, Header::Full(0), kind, 1, payload);
    client.bytes[HANDSHAKE_LEN..].to_vec()
}

/// A live publisher that has sent its first picture.
fn live() -> Driver {
    let mut driver = Driver::new(start());
    driver.feed(&Client::publishing().bytes).unwrap();
    driver.feed(&message(VIDEO, &[1])).unwrap();
    driver
}

#[test]
fn each_state_has_its_deadline() {
    let mut connected = Client::plain();
    connected.connect("live");
    for (sent, accepts, awaited, seconds) in [
        (&[][..], true, Awaited::Handshake, 5),
        (&Client::plain().bytes[..2_000], true, Awaited::Handshake, 5),
        (&Client::plain().bytes, true, Awaited::Publish, 10),
        (&connected.bytes, true, Awaited::Publish, 10),
        (&Client::publishing().bytes, false, Awaited::Decision, 5),
        (&Client::publishing().bytes, true, Awaited::FirstMedia, 20),
    ] {
        let mut driver = Driver::new(start());
        driver.accepts = accepts;
        driver.feed(sent).unwrap();
        assert_eq!(driver.pass(seconds * 1_000 - 1), Ok(()), "{awaited:?}");
        assert_eq!(driver.pass(1), Err(timed_out(awaited, seconds)), "{awaited:?}");
        assert!(driver.session.is_finished());
    }
}

#[test]
fn hs_14_trickling_does_not_extend_the_handshake() {
    let mut driver = Driver::new(start());
    let bytes = Client::plain().bytes;
    for byte in bytes.chunks(1).take(49) {
        driver.feed(byte).unwrap();
        driver.pass(100).unwrap();
    }
    driver.feed(&bytes[49..50]).unwrap();
    assert_eq!(driver.pass(100), Err(timed_out(Awaited::Handshake, 5)));
}

#[test]
fn an_undecided_publish_is_our_fault_and_the_encoder_is_told() {
    let mut driver = Driver::new(start());
    driver.accepts = false;
    driver.feed(&Client::publishing().bytes).unwrap();
    let error = driver.pass(5_000).unwrap_err();
    assert_eq!(error.fault(), Fault::Ours);
    assert_eq!(driver.statuses(), [(1, "NetStream.Failed".to_owned())]);
}

#[test]
fn rc_5_only_media_keeps_a_publisher_alive() {
    let ping = {
        let (kind, payload) = Control::PingRequest(1).write();
        message(kind.id(), &payload)
    };
    for (name, bytes, alive) in [
        ("video", message(VIDEO, &[1]), true),
        ("audio", message(AUDIO, &[1]), true),
        ("empty audio", message(AUDIO, &[]), false),
        ("pings", ping, false),
    ] {
        let mut driver = live();
        let mut result = Ok(());
        for _ in 0..4 {
            result = result.and_then(|()| driver.pass(4_000)).and_then(|()| driver.feed(&bytes));
        }
        let expected = if alive { Ok(()) } else { Err(timed_out(Awaited::Media, 10)) };
        assert_eq!(result, expected, "{name}");
    }
}

#[test]
fn ak_5_quiet_publishers_are_pinged() {
    let mut driver = Driver::new(start());
    driver.feed(&Client::publishing().bytes).unwrap();
    let before = driver.replies().len();
    driver.pass(9_999).unwrap();
    assert_eq!(driver.replies().len(), before);
    driver.pass(1).unwrap();
    let ping = Reply::Control(Control::PingRequest(10_000));
    assert_eq!(driver.replies()[before..], [ping]);
    // The answer is a byte received, so the next ping waits its full interval.
    let (kind, payload) = Control::PingResponse(10_000).write();
    driver.feed(&message(kind.id(), &payload)).unwrap();
    driver.pass(9_000).unwrap();
    assert_eq!(driver.replies().len(), before + 1);
}

#[test]
fn slow_loris_inside_one_message() {
    // A chunk of 60 kB, sent at so many bytes a second.
    for (bytes_per_second, fate) in [(900, Err(())), (1_100, Ok(()))] {
        let mut client = Client::publishing();
        client.set_chunk_size(65_536).message(6, Header::Full(0), VIDEO, 1, &[1]);
        let start_of_big = client.bytes.len();
        client.message(6, Header::Full(0), VIDEO, 1, &[2; 60_000]);
        let mut driver = Driver::new(start());
        driver.feed(&client.bytes[..start_of_big + 1]).unwrap();
        let mut result = Ok(());
        for piece in client.bytes[start_of_big + 1..].chunks(bytes_per_second / 10).take(95) {
            result = result.and_then(|()| driver.pass(100)).and_then(|()| driver.feed(piece));
        }
        match fate {
            Ok(()) => assert_eq!(result, Ok(())),
            Err(()) => assert!(
                matches!(result, Err(Error::TooSlow { bytes: 4_410, min: 5_000, .. })),
                "{result:?}"
            ),
        }
    }
}

#[test]
fn low_rates_with_finished_messages_are_fine() {
    let mut driver = live();
    let bytes = message(AUDIO, &[1; 20]);
    // Every input ends inside a message, and every input finishes one.
    for _ in 0..100 {
        driver.feed(&bytes[..5]).unwrap();
        driver.pass(500).unwrap();
        driver.feed(&bytes[5..]).unwrap();
    }
}

#[test]
fn republishing_gets_the_publish_deadline_again() {
    let mut driver = live();
    driver.pass(9_000).unwrap();
    let mut client = Client::plain();
    client.command(3, 0, "FCUnpublish", 6.0, &[]);
    driver.feed(&client.bytes[HANDSHAKE_LEN..]).unwrap();
    assert_eq!(driver.pass(9_999), Ok(()));
    assert_eq!(driver.pass(1), Err(timed_out(Awaited::Publish, 10)));
}
