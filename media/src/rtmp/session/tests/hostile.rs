//! Peers that break things: garbage, mutated conversations, floods. Nothing panics, and memory
//! stays inside the budget.

use crate::amf::Value;
use crate::limits;
use crate::rtmp::control::Control;
use crate::rtmp::error::{Error, Fault, OtherProtocol};
use crate::rtmp::testing::{AUDIO, Client, Driver, HANDSHAKE_LEN, Header, VIDEO, start};

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Plays until an error and gives the most memory held on the way.
fn peak(driver: &mut Driver, bytes: &[u8], piece: usize) -> usize {
    let mut peak = 0;
    for piece in bytes.chunks(piece) {
        let result = driver.session.handle_input(driver.now, piece);
        peak = peak.max(driver.session.buffered_bytes());
        driver.drain();
        if result.is_err() || driver.session.is_finished() {
            break;
        }
    }
    peak
}

fn conversation() -> Vec<u8> {
    let mut client = Client::publishing();
    let object = Value::object([("width", Value::Number(1.0)), ("d", Value::Date(1.0))]);
    client.data(4, 1, &[Value::string("@setDataFrame"), Value::string("onMetaData"), object]);
    client.message(6, Header::Full(0xFF_FFFF), VIDEO, 1, &[0x17; 400]);
    client.message(4, Header::SameStream(23), AUDIO, 1, &[0xAF; 40]);
    client.message(6, Header::SameStream(0x0100_0000), VIDEO, 1, &[0x27; 300]);
    client.control(Control::PingRequest(1)).message(5, Header::Full(1), 22, 1, &[9; 60]);
    client.command(3, 0, "FCUnpublish", 6.0, &[]);
    client.bytes
}

#[test]
fn garbage_never_panics_and_stays_small() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let allowed = 128 * 1_024 + limits::REPLY_BACKLOG_BYTES_MAX;
    for round in 0..300 {
        let mut driver = Driver::new(start());
        let mut bytes = Client::plain().bytes;
        if round % 3 == 0 {
            bytes.clear();
        } else if round % 3 == 1 {
            bytes = Client::publishing().bytes;
        }
        let len = random.below(20_000);
        bytes.extend(random.bytes(len));
        let piece = 1 + random.below(3_000);
        let peak = peak(&mut driver, &bytes, piece);
        assert!(peak <= allowed, "round {round}: {peak} bytes");
    }
}

#[test]
fn mutated_conversations_never_panic_and_stay_small() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let original = conversation();
    for round in 0..1_000 {
        let mut bytes = original.clone();
        for _ in 0..1 + random.below(4) {
            let at = HANDSHAKE_LEN + random.below(bytes.len() - HANDSHAKE_LEN);
            match random.below(3) {
                0 => bytes[at] = random.next() as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random.next() as u8),
            }
        }
        let mut driver = Driver::new(start());
        let piece = 1 + random.below(500);
        let peak = peak(&mut driver, &bytes, piece);
        assert!(peak <= 2 * bytes.len() + 8_192, "round {round}: {peak} bytes");
    }
}

#[test]
fn ping_floods_without_reading_end() {
    let mut driver = Driver::new(start());
    driver.feed(&Client::publishing().bytes).unwrap();
    let mut flood = Client::plain();
    flood.repeat(2_000, |flood| _ = flood.control(Control::PingRequest(1)));
    let flood = &flood.bytes[HANDSHAKE_LEN..];
    let result = (0..100).find_map(|_| driver.session.handle_input(driver.now, flood).err());
    assert!(matches!(result, Some(Error::ReplyBacklog { .. })), "{result:?}");
    assert!(driver.session.buffered_bytes() <= limits::REPLY_BACKLOG_BYTES_MAX + 2 * flood.len());
}

#[test]
fn announcing_16_mib_on_every_lane_costs_what_was_sent() {
    let mut driver = Driver::new(start());
    driver.feed(&Client::publishing().bytes).unwrap();
    let before = driver.session.buffered_bytes();
    let mut sent = 0;
    for id in 10..60 {
        let header = [&[id, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0][..], &[7; 128]].concat();
        sent += header.len();
        driver.feed(&header).unwrap();
    }
    assert!(driver.session.buffered_bytes() - before <= 2 * sent);
}

#[test]
fn hs_2_wrong_protocols_get_a_hint_and_a_fault() {
    for (bytes, protocol) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], OtherProtocol::Http),
        (b"POST /open/1 HTTP/1.1", OtherProtocol::Http),
        (&[0x16, 3, 1, 2, 0], OtherProtocol::Tls),
        (b"SSH-2.0", OtherProtocol::Unknown),
    ] {
        let mut driver = Driver::new(start());
        let error = driver.feed(bytes).unwrap_err();
        assert_eq!(error, Error::NotRtmp { first: bytes[0], protocol });
        assert_eq!(error.fault(), Fault::Peer);
        assert!(error.to_string().contains(protocol.hint()));
        assert!(driver.sent.is_empty());
    }
}
