//! Rules of commands, control messages and decisions, by id.

use crate::amf::Value;
use crate::limits;
use crate::rtmp::control::Control;
use crate::rtmp::error::Error;
use crate::rtmp::event::Event;
use crate::rtmp::name::NameError;
use crate::rtmp::refusal::Refusal;
use crate::rtmp::testing::{
    AUDIO, COMMAND, Client, DATA, Driver, HANDSHAKE_LEN, Header, Reply, VIDEO, chunk_stream, play,
    start,
};

fn driver(client: &Client) -> Driver {
    let mut driver = Driver::new(start());
    driver.feed(&client.bytes).unwrap();
    driver
}

fn error(client: &Client) -> (Driver, Error) {
    let mut driver = Driver::new(start());
    let error = driver.feed(&client.bytes).unwrap_err();
    assert!(driver.session.is_finished());
    assert_eq!(driver.session.deadline(), None);
    (driver, error)
}

/// Payloads of the media events.
fn media(driver: &Driver) -> Vec<u8> {
    let first_byte = |event: &Event| match event {
        Event::Video { payload, .. } | Event::Audio { payload, .. } => Some(payload[0]),
        Event::PublishRequested(_) | Event::Metadata(_) | Event::Unpublished => None,
    };
    driver.events.iter().filter_map(first_byte).collect()
}

fn command_names(driver: &Driver) -> Vec<String> {
    let name = |reply| match reply {
        Reply::Command { name, .. } => Some(name),
        Reply::Control(_) => None,
    };
    driver.replies().into_iter().filter_map(name).collect()
}

#[test]
fn hs_8_no_chunk_leaves_before_c2_arrived() {
    let mut client = Client::plain();
    client.connect("live");
    let mut driver = Driver::new(start());
    driver.feed(&client.bytes[..HANDSHAKE_LEN - 1]).unwrap();
    assert_eq!(driver.sent.len(), HANDSHAKE_LEN);
    driver.feed(&client.bytes[HANDSHAKE_LEN - 1..]).unwrap();
    assert_eq!(command_names(&driver), ["_result"]);
}

#[test]
fn ck_11_illegal_chunk_sizes_end_the_session() {
    for size in [0, 1 << 31, u32::MAX] {
        let mut client = Client::plain();
        client.control(Control::SetChunkSize(size));
        assert_eq!(error(&client).1, Error::ChunkSize(Some(size)));
    }
    let mut client = Client::plain();
    client.message(2, Header::Full(0), 1, 0, &[0, 0]);
    assert_eq!(error(&client).1, Error::ChunkSize(None));
}

#[test]
fn ck_13_control_messages_on_any_lane_and_message_stream() {
    let mut client = Client::plain();
    let size = 4_096_u32.to_be_bytes();
    client.message(6, Header::Full(0), 1, 1, &size);
    let long = Value::String("x".repeat(300));
    let mut rest = Client::plain();
    rest.set_chunk_size(4_096).command(3, 0, "connect", 1.0, &[Value::Null, long]);
    let header = HANDSHAKE_LEN + 16;
    client.bytes.extend_from_slice(&rest.bytes[header..]);
    assert_eq!(command_names(&driver(&client)), ["_result"]);
}

#[test]
fn ck_17_aggregates_give_their_media() {
    let sub = |kind: u8, time: u8, byte: u8| {
        [&[kind, 0, 0, 1, 0, 0, time, 0, 0, 0, 0, byte][..], &[0, 0, 0, 12]].concat()
    };
    let mut client = Client::publishing();
    let body = [sub(9, 5, 1), sub(8, 6, 2), sub(22, 7, 3), sub(20, 7, 4), sub(9, 8, 5)].concat();
    client.message(6, Header::Full(100), 22, 1, &body);
    client.message(6, Header::Full(100), 22, 1, &body[..20]);
    let driver = play(&client.bytes);
    assert_eq!(media(&driver), [1, 2, 5, 1]);
    let times: Vec<_> = driver
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Video { timestamp, .. } | Event::Audio { timestamp, .. } => Some(timestamp.0),
            Event::PublishRequested(_) | Event::Metadata(_) | Event::Unpublished => None,
        })
        .collect();
    assert_eq!(times, [100, 101, 103, 100]);
    assert_eq!(driver.session.counters().malformed_messages, 1);
}

#[test]
fn ck_18_unknown_messages_are_skipped_until_nothing_else_comes() {
    let max = limits::UNKNOWN_MESSAGES_IN_A_ROW_MAX as usize;
    let unknown = |client: &mut Client, kind, payload: &[u8]| {
        client.message(7, Header::Full(0), kind, 1, payload);
    };
    let mut client = Client::publishing();
    for _ in 0..3 {
        client.repeat(max - 1, |client| unknown(client, 99, &[1]));
        client.message(6, Header::Full(0), VIDEO, 1, &[9]);
    }
    // Shared objects are known and ignored.
    client.repeat(2 * max, |client| unknown(client, 19, &[1]));
    let driver = driver(&client);
    assert_eq!(media(&driver), [9, 9, 9]);
    assert_eq!(driver.session.counters().skipped_messages, (3 * (max - 1) + 2 * max) as u64);

    client.repeat(max, |client| unknown(client, 99, &[]));
    assert_eq!(error(&client).1, Error::UnknownMessages { last: 99 });
}

#[test]
fn ck_12_abort_reaches_the_chunk_layer() {
    let mut client = Client::publishing();
    client.message(6, Header::Full(0), VIDEO, 1, &[1; 128]);
    let begun = client.bytes.len();
    client.message(6, Header::Full(0), VIDEO, 1, &[2; 200]);
    client.bytes.truncate(begun + 12 + 128);
    client.control(Control::Abort(chunk_stream(6)));
    client.message(6, Header::SameStream(1), VIDEO, 1, &[3]);
    assert_eq!(media(&driver(&client)), [1, 3]);
}

#[test]
fn ak_1_bytes_are_acknowledged_by_the_peers_window_and_past_4_gib() {
    let totals = |driver: &Driver| -> Vec<u32> {
        let total = |reply| match reply {
            Reply::Control(Control::Acknowledgement(total)) => Some(total),
            Reply::Control(_) | Reply::Command { .. } => None,
        };
        driver.replies().into_iter().filter_map(total).collect()
    };
    let mut client = Client::publishing();
    client.set_chunk_size(4_096).control(Control::WindowAckSize(2_000));
    let mut driver = driver(&client);
    let media = |len| {
        let mut client = Client::plain();
        client.set_chunk_size(4_096).message(6, Header::Full(0), VIDEO, 1, &vec![1; len]);
        client.bytes[HANDSHAKE_LEN + 16..].to_vec()
    };
    let first = client.bytes.len() as u32;
    assert_eq!(totals(&driver), [first]);

    driver.session.preset_received((1 << 32) - 1_000);
    for expected in [None, Some(1_024), None, Some(3_048)] {
        let before = totals(&driver).len();
        driver.feed(&media(1_000)).unwrap();
        let after = totals(&driver);
        assert_eq!(after.get(before).copied(), expected);
    }
    assert_eq!(driver.session.counters().bytes_received, (1 << 32) + 3_048);
}

#[test]
fn ak_1_without_a_window_ours_is_used() {
    let mut driver = driver(&Client::publishing());
    let mut client = Client::plain();
    client.set_chunk_size(65_536);
    client.repeat(50, |client| _ = client.message(6, Header::Full(0), VIDEO, 1, &[1; 60_000]));
    driver.feed(&client.bytes[HANDSHAKE_LEN..]).unwrap();
    let total = driver.session.counters().bytes_received as u32;
    assert_eq!(driver.replies().last(), Some(&Reply::Control(Control::Acknowledgement(total))));
}

#[test]
fn ak_3_ak_4_control_messages_that_want_an_answer() {
    for (name, control, answer) in [
        ("ping", Control::PingRequest(77), Some(Control::PingResponse(77))),
        ("pong", Control::PingResponse(77), None),
        ("same window", Control::SetPeerBandwidth { window: 2_500_000, limit: 0 }, None),
        (
            "other window",
            Control::SetPeerBandwidth { window: 5_000, limit: 0 },
            Some(Control::WindowAckSize(5_000)),
        ),
        ("AK-2", Control::Acknowledgement(1), None),
    ] {
        let mut client = Client::publishing();
        let before = driver(&client).replies().len();
        client.control(control);
        let replies = driver(&client).replies();
        let answer: Vec<_> = answer.into_iter().map(Reply::Control).collect();
        assert_eq!(replies[before..], answer, "{name}");
    }
    let mut client = Client::publishing();
    for event in [3_u16, 26, 31, 32, 255] {
        let payload = [&event.to_be_bytes()[..], &[0; 8]].concat();
        client.message(2, Header::Full(0), 4, 0, &payload);
    }
    client.message(2, Header::Full(0), 4, 0, &[0]);
    assert_eq!(driver(&client).session.counters().malformed_messages, 1);
}

#[test]
fn am_8_connect_with_each_property_missing() {
    let all = [("app", "live"), ("tcUrl", "rtmp://h/live"), ("flashVer", "F"), ("type", "t")];
    for missing in 0..=all.len() {
        let mut pairs = all.map(|(name, text)| (name.to_owned(), Value::string(text))).to_vec();
        if missing < all.len() {
            pairs.remove(missing);
        }
        let mut client = Client::plain();
        client.command(3, 0, "connect", 1.0, &[Value::Object(pairs)]).create_stream();
        client.publish(1, "k");
        let driver = driver(&client);
        let [Event::PublishRequested(request)] = &driver.events[..] else { panic!("{missing}") };
        assert_eq!(request.app, "live", "{missing}");
    }
    for object in [Value::Null, Value::object([]), Value::object([("APP", Value::Null)])] {
        let mut client = Client::plain();
        client.command(3, 0, "connect", 1.0, &[object]).create_stream().publish(1, "k");
        assert_eq!(driver(&client).events.len(), 1);
    }
}

#[test]
fn au_1_queries_of_every_place_reach_the_request() {
    let mut client = Client::plain();
    let connect = Value::object([
        ("app", Value::string("live?a=app")),
        ("tcUrl", Value::string("rtmp://h/live?u=url")),
    ]);
    client.command(3, 0, "connect", 1.0, &[connect]).create_stream().publish(1, "k?q=key");
    let driver = driver(&client);
    let [Event::PublishRequested(request)] = &driver.events[..] else { panic!() };
    let seen = ["q", "a", "u"].map(|name| request.query.get(name));
    assert_eq!(seen, [Some("key"), Some("app"), Some("url")]);
    assert!(request.stream_key.matches("k"));
}

#[test]
fn au_2_names_that_cannot_be_used_are_told_before_the_end() {
    let mut client = Client::plain();
    client.connect("../x");
    let (driver, failure) = error(&client);
    assert_eq!(failure, Error::Name(NameError::ParentElement));
    let replies = driver.replies();
    let [Reply::Command { name, transaction, arguments, .. }] = &replies[..] else { panic!() };
    assert_eq!((name.as_str(), *transaction), ("_error", 1.0));
    let code = arguments[1].property("code").and_then(Value::as_str);
    assert_eq!(code, Some("NetConnection.Connect.InvalidApp"));

    let mut client = Client::plain();
    client.connect("").create_stream().publish(1, "");
    let (driver, failure) = error(&client);
    assert_eq!(failure, Error::Name(NameError::EmptyKey));
    assert_eq!(driver.statuses(), [(1, "NetStream.Publish.Denied".to_owned())]);
}

#[test]
fn cmd_1_transactions_come_back_as_they_were() {
    for transaction in [2.0, 0.5, -1.0, 1e300] {
        let mut client = Client::plain();
        client.connect("live").command(3, 0, "whatever", transaction, &[]);
        let replies = driver(&client).replies();
        let Some(Reply::Command { name, transaction: got, .. }) = replies.last() else { panic!() };
        assert_eq!((name.as_str(), *got), ("_result", transaction));
    }
    let mut client = Client::plain();
    client.connect("live");
    let before = driver(&client).replies().len();
    client.command(3, 0, "whatever", 0.0, &[]).command(3, 0, "onStatus", 3.0, &[]);
    assert_eq!(driver(&client).replies().len(), before);
}

#[test]
fn cmd_3_every_refusal_is_said_on_the_publishing_stream() {
    for (refusal, code) in [
        (Refusal::WrongKey, "NetStream.Publish.Denied"),
        (Refusal::AlreadyPublishing, "NetStream.Publish.BadName"),
        (Refusal::Overloaded, "NetStream.Failed"),
    ] {
        let mut client = Client::plain();
        client.connect("live").create_stream().create_stream().publish(2, "k");
        client.message(6, Header::Full(0), VIDEO, 2, &[1]);
        let mut driver = Driver::new(start());
        driver.accepts = false;
        driver.feed(&client.bytes).unwrap();
        // CMD-4: nothing about the publish before the decision.
        assert_eq!(driver.statuses(), []);
        driver.session.refuse_publish(driver.now, refusal);
        assert!(driver.session.is_finished());
        driver.drain();
        assert_eq!(driver.statuses(), [(2, code.to_owned())]);
        assert_eq!(media(&driver), []);
        driver.feed(&client.bytes).unwrap();
        assert_eq!(driver.events.len(), 1, "input after the end is ignored");
    }
}

#[test]
fn au_5_input_after_publish_is_held_and_then_read_in_order() {
    let mut client = Client::publishing();
    client.set_chunk_size(65_536);
    for time in 0..100 {
        client.message(6, Header::Full(time), VIDEO, 1, &[time as u8; 2_000]);
    }
    let mut driver = Driver::new(start());
    driver.accepts = false;
    client.bytes.chunks(1_000).for_each(|piece| driver.feed(piece).unwrap());
    assert_eq!(driver.events.len(), 1);
    assert!(!driver.session.wants_input(), "200 kB of 256 are held");
    assert!(driver.session.buffered_bytes() >= 200_000);
    driver.session.accept_publish(driver.now);
    driver.drain();
    assert_eq!(media(&driver), (0..100).collect::<Vec<u8>>());
    assert!(driver.session.wants_input());
    assert_eq!(driver.session.buffered_bytes(), 0);
}

#[test]
fn au_5_held_input_is_capped() {
    let mut driver = Driver::new(start());
    driver.accepts = false;
    driver.feed(&Client::publishing().bytes).unwrap();
    driver.feed(&[0; limits::HELD_INPUT_BYTES_MAX]).unwrap();
    let len = limits::HELD_INPUT_BYTES_MAX + 1;
    assert_eq!(driver.feed(&[0]), Err(Error::HeldInputTooLarge { len }));
}

#[test]
fn an_error_in_held_input_is_reported_by_the_next_call() {
    let mut client = Client::publishing();
    client.message(6, Header::Full(0), VIDEO, 1, &[1]);
    client.control(Control::SetChunkSize(0));
    for by_timeout in [true, false] {
        let mut driver = Driver::new(start());
        driver.accepts = false;
        driver.feed(&client.bytes).unwrap();
        driver.session.accept_publish(driver.now);
        driver.drain();
        assert_eq!(media(&driver), [1]);
        assert_eq!(driver.session.deadline(), Some(driver.now));
        let got = if by_timeout { driver.pass(0) } else { driver.feed(&[]) };
        assert_eq!(got, Err(Error::ChunkSize(Some(0))));
        assert_eq!(driver.session.deadline(), None);
    }
}

#[test]
fn cmd_5_commands_in_odd_orders() {
    let extra = [Value::Null, Value::string("k"), Value::Null, Value::Date(1.0)];
    let mut client = Client::plain();
    client.connect("live");
    client.command(7, 0, "_checkbw", 2.0, &[Value::Null]);
    client.command(8, 0, "FCPublish", 3.0, &extra).command(5, 0, "FCPublish", 4.0, &extra);
    client.command(40, 0, "publish", 5.0, &extra);
    let driver = play(&client.bytes);
    assert_eq!(command_names(&driver), ["_result", "_result", "_result", "_result", "onStatus"]);
    // No createStream came, so the client publishes on message stream 0 and hears of it there.
    assert_eq!(driver.statuses(), [(0, "NetStream.Publish.Start".to_owned())]);
}

#[test]
fn cmd_6_a_second_publish_is_refused_and_the_first_goes_on() {
    let mut client = Client::plain();
    client.connect("live").create_stream().create_stream();
    client.publish(2, "k").publish(1, "other").publish(2, "k");
    client.message(6, Header::Full(0), VIDEO, 2, &[1]);
    client.message(6, Header::Full(0), VIDEO, 1, &[2]);
    client.message(6, Header::Full(0), VIDEO, 0, &[3]);
    let driver = play(&client.bytes);
    let expected = [
        (2, "NetStream.Publish.Start".to_owned()),
        (1, "NetStream.Publish.BadName".to_owned()),
        (2, "NetStream.Publish.Start".to_owned()),
    ];
    assert_eq!(driver.statuses(), expected);
    assert_eq!(media(&driver), [1, 3]);
    assert_eq!(driver.session.counters().stray_media, 1);
    let ids: Vec<_> = driver
        .replies()
        .into_iter()
        .filter_map(|reply| match reply {
            Reply::Command { transaction: 4.0, arguments, .. } => arguments[1].as_u32(),
            Reply::Command { .. } | Reply::Control(_) => None,
        })
        .collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn cmd_7_connect_comes_first_and_once() {
    let mut client = Client::plain();
    client.control(Control::WindowAckSize(5_000)).create_stream();
    assert_eq!(error(&client).1, Error::CommandBeforeConnect("createStream".into()));
    let mut client = Client::plain();
    client.connect("live").connect("live");
    assert_eq!(error(&client).1, Error::SecondConnect);
}

#[test]
fn am_5_connect_has_its_own_cap() {
    let mut client = Client::plain();
    let long = Value::String("x".repeat(limits::CONNECT_BYTES_MAX));
    client.command(3, 0, "connect", 1.0, &[long]);
    assert!(matches!(error(&client).1, Error::ConnectTooLarge { len } if len > 16_384));
}

#[test]
fn cmd_9_metadata_is_advisory() {
    let mut client = Client::publishing();
    client.message(4, Header::Full(0), DATA, 1, &[]);
    client.message(4, Header::Full(0), DATA, 1, &[0xFF; 50]);
    client.data(4, 1, &[Value::string("onMetaData"), Value::Null]);
    client.data(4, 1, &[Value::string("onMetaData"), Value::object([])]);
    client.message(6, Header::Full(0), VIDEO, 1, &[1]);
    let driver = play(&client.bytes);
    assert_eq!(driver.events[1], Event::Metadata(Value::object([])));
    assert_eq!(media(&driver), [1]);
    assert_eq!(driver.session.counters().malformed_messages, 3);
}

#[test]
fn cmd_11_publish_again_after_each_kind_of_unpublish() {
    let delete = [Value::Null, Value::Number(1.0)];
    let other = [Value::Null, Value::Number(2.0)];
    for (name, arguments, ends) in [
        ("deleteStream", &delete[..], true),
        ("deleteStream", &[], true),
        ("deleteStream", &other, false),
        ("closeStream", &[], true),
        ("FCUnpublish", &[], true),
    ] {
        let mut client = Client::publishing();
        client.message(6, Header::Full(0), VIDEO, 1, &[1]);
        client.command(3, 1, name, 0.0, arguments).command(3, 1, name, 0.0, arguments);
        client.message(6, Header::Full(0), AUDIO, 1, &[2]);
        client.create_stream().publish(1, "k");
        client.message(6, Header::Full(0), VIDEO, 1, &[3]);
        let driver = play(&client.bytes);
        let unpublished = driver.events.iter().filter(|e| **e == Event::Unpublished).count();
        let requests =
            driver.events.iter().filter(|e| matches!(e, Event::PublishRequested(_))).count();
        assert_eq!((unpublished, requests), if ends { (1, 2) } else { (0, 1) }, "{name}");
        assert_eq!(media(&driver), if ends { vec![1, 3] } else { vec![1, 2, 3] }, "{name}");
    }
}

#[test]
fn media_before_publish_is_dropped() {
    let mut client = Client::plain();
    client.connect("live").create_stream().message(6, Header::Full(0), VIDEO, 1, &[1]);
    client.data(4, 1, &[Value::string("onMetaData"), Value::object([])]);
    let driver = driver(&client);
    assert!(driver.events.is_empty());
    assert_eq!(driver.session.counters().stray_media, 2);
}

#[test]
fn players_are_told_to_use_http() {
    let mut client = Client::plain();
    client.connect("live").create_stream();
    client.command(8, 1, "play", 0.0, &[Value::Null, Value::string("k")]);
    assert_eq!(driver(&client).statuses(), [(1, "NetStream.Play.StreamNotFound".to_owned())]);
}

#[test]
fn rc_2_nothing_follows_the_end_of_a_live_publisher() {
    let mut client = Client::publishing();
    client.message(6, Header::Full(0), VIDEO, 1, &[1]);
    let mut driver = Driver::new(start());
    driver.feed(&client.bytes).unwrap();
    driver.session.handle_input(driver.now, &client.bytes[client.bytes.len() - 13..]).unwrap();
    let sentence = "Set the video encoder to H.264.".to_owned();
    driver.session.end(driver.now, Refusal::UnsupportedCodec(sentence.clone()));
    driver.drain();
    assert_eq!(media(&driver), [1], "the second picture was not taken in time");
    assert!(driver.session.is_finished());
    let replies = driver.replies();
    let Some(Reply::Command { stream: 1, arguments, .. }) = replies.last() else { panic!() };
    let text = |name| arguments[1].property(name).and_then(Value::as_str);
    assert_eq!(text("code"), Some("NetStream.Publish.Rejected"));
    assert_eq!(text("description"), Some(sentence.as_str()));
    assert_eq!(text("level"), Some("error"));
}

#[test]
fn rc_6_er_5_a_capable_publisher_is_asked_to_reconnect_at_shutdown() {
    for (capabilities, stream, code) in
        [(1.0, 0, "NetConnection.Connect.ReconnectRequest"), (2.0, 1, "NetStream.Failed")]
    {
        let object = Value::object([
            ("app", Value::string("live")),
            ("capsEx", Value::Number(capabilities)),
        ]);
        let mut client = Client::plain();
        client.command(3, 0, "connect", 1.0, &[object]).create_stream().publish(1, "k");
        let mut driver = play(&client.bytes);
        let announced = driver.replies().into_iter().find_map(|reply| match reply {
            Reply::Command { name, arguments, .. } if name == "_result" => {
                arguments[0].property("capsEx").and_then(Value::as_u32)
            }
            _ => None,
        });
        assert_eq!(announced, Some(15));
        driver.session.end(driver.now, Refusal::ShuttingDown);
        driver.drain();
        let replies = driver.replies();
        let Some(Reply::Command { stream: told, arguments, .. }) = replies.last() else { panic!() };
        assert_eq!(*told, stream);
        assert_eq!(arguments[1].property("code").and_then(Value::as_str), Some(code));
    }
}

#[test]
fn rc_6_media_is_taken_until_a_publisher_that_was_asked_to_reconnect_leaves() {
    for (capabilities, capable) in [(1.0, true), (2.0, false)] {
        let object = Value::object([
            ("app", Value::string("live")),
            ("capsEx", Value::Number(capabilities)),
        ]);
        let mut client = Client::plain();
        client.command(3, 0, "connect", 1.0, &[object]).create_stream().publish(1, "k");
        let mut driver = play(&client.bytes);
        assert_eq!(driver.session.ask_to_reconnect(), capable);
        assert!(!driver.session.ask_to_reconnect(), "once");
        let from = client.bytes.len();
        client.message(6, Header::Full(0), VIDEO, 1, &[1]);
        driver.feed(&client.bytes[from..]).unwrap();
        assert_eq!(media(&driver), [1]);
        assert!(!driver.session.is_finished());
        driver.session.end(driver.now, Refusal::ShuttingDown);
        driver.drain();
        let codes: Vec<_> = driver
            .replies()
            .into_iter()
            .filter_map(|reply| match reply {
                Reply::Command { name, arguments, .. } if name == "onStatus" => {
                    arguments[1].property("code").and_then(Value::as_str).map(str::to_owned)
                }
                _ => None,
            })
            .collect();
        let last =
            if capable { "NetConnection.Connect.ReconnectRequest" } else { "NetStream.Failed" };
        assert_eq!(codes.iter().filter(|code| *code == last).count(), 1, "{codes:?}");
        assert_eq!(codes.last().map(String::as_str), Some(last));
    }
    let mut idle = Driver::new(start());
    assert!(!idle.session.ask_to_reconnect(), "nobody to ask");
}

#[test]
fn unreadable_commands_end_the_session() {
    for (payload, expected) in [
        (&[][..], Error::CommandName),
        (&[5], Error::CommandName),
        (&[0x42], Error::Command(crate::amf::Error::Marker0(0x42))),
    ] {
        let mut client = Client::plain();
        client.message(3, Header::Full(0), COMMAND, 0, payload);
        assert_eq!(error(&client).1, expected);
    }
}

#[test]
fn extended_payloads_pass_untouched() {
    let mut client = Client::publishing();
    let payloads: [&[u8]; 3] =
        [b"\x90hvc1\x01\x02", b"\x84av01\x02\x00\x09colorInfo", b"\xF7\x00\x01"];
    for payload in payloads {
        client.message(6, Header::Full(0), VIDEO, 1, payload);
    }
    client.message(6, Header::Full(0), AUDIO, 1, b"");
    let driver = play(&client.bytes);
    let seen: Vec<_> = driver
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Video { payload, .. } | Event::Audio { payload, .. } => Some(&payload[..]),
            Event::PublishRequested(_) | Event::Metadata(_) | Event::Unpublished => None,
        })
        .collect();
    assert_eq!(seen, [payloads[0], payloads[1], payloads[2], b""]);
}

#[test]
fn au_3_a_session_never_prints_its_buffers() {
    let mut client = Client::plain();
    client.connect("live").create_stream().publish(1, "s3cr3t");
    for cut in [client.bytes.len() - 1, client.bytes.len()] {
        let mut driver = Driver::new(start());
        driver.accepts = false;
        driver.feed(&client.bytes[..cut]).unwrap();
        let printed = format!("{:?} {:?}", driver.session, driver.events);
        let as_bytes = format!("{:?}", b"s3cr3t");
        assert!(
            !printed.contains("s3cr3t") && !printed.contains(as_bytes.trim_matches(['[', ']']))
        );
    }
}
