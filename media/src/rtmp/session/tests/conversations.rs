//! Whole conversations as three encoder families hold them, whole and at every cut.

use crate::amf::Value;
use crate::rtmp::control::Control;
use crate::rtmp::event::{Event, PublishKind};
use crate::rtmp::testing::{AUDIO, Client, Header, Reply, VIDEO, play};
use crate::time::RtmpTimestamp;

const AVC_HEADER: &[u8] = &[0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1F];
const AAC_HEADER: &[u8] = &[0xAF, 0, 0x11, 0x90];

fn metadata() -> Value {
    Value::EcmaArray(vec![
        ("width".into(), Value::Number(1_280.0)),
        ("encoder".into(), Value::string("test")),
    ])
}

fn video(time: u32, payload: &[u8]) -> Event {
    Event::Video { timestamp: RtmpTimestamp(time), payload: payload.to_vec().into() }
}

fn audio(time: u32, payload: &[u8]) -> Event {
    Event::Audio { timestamp: RtmpTimestamp(time), payload: payload.to_vec().into() }
}

/// Checks the request at the front and gives the events after it.
fn after_request<'e>(events: &'e [Event], app: &str, key: &str, client: &str) -> &'e [Event] {
    let [Event::PublishRequested(request), rest @ ..] = events else {
        panic!("no request first: {events:?}")
    };
    assert_eq!((request.app.as_str(), request.client.as_str()), (app, client));
    assert!(request.stream_key.matches(key));
    assert_eq!(request.kind, PublishKind::Live);
    rest
}

fn result(transaction: f64, values: [Value; 2]) -> Reply {
    Reply::Command { stream: 0, name: "_result".into(), transaction, arguments: values.into() }
}

fn nothing(transaction: f64) -> Reply {
    result(transaction, [Value::Null, Value::Undefined])
}

fn connect_replies() -> Vec<Reply> {
    let properties = Value::object([
        ("fmsVer", Value::string("FMS/3,0,1,123")),
        ("capabilities", Value::Number(31.0)),
    ]);
    let status = Value::object([
        ("level", Value::string("status")),
        ("code", Value::string("NetConnection.Connect.Success")),
        ("description", Value::string("Connected.")),
        ("objectEncoding", Value::Number(0.0)),
    ]);
    vec![
        Reply::Control(Control::WindowAckSize(2_500_000)),
        Reply::Control(Control::SetPeerBandwidth { window: 2_500_000, limit: 2 }),
        Reply::Control(Control::SetChunkSize(65_536)),
        result(1.0, [properties, status]),
    ]
}

fn status(stream: u32, code: &str, description: &str) -> Reply {
    let status = Value::object([
        ("level", Value::string("status")),
        ("code", Value::string(code)),
        ("description", Value::string(description)),
    ]);
    let arguments = vec![Value::Null, status];
    Reply::Command { stream, name: "onStatus".into(), transaction: 0.0, arguments }
}

fn publish_replies(stream: u32) -> [Reply; 2] {
    [
        Reply::Control(Control::StreamBegin(stream)),
        status(stream, "NetStream.Publish.Start", "The broadcast is live."),
    ]
}

fn unpublish_reply(stream: u32) -> Reply {
    status(stream, "NetStream.Unpublish.Success", "The broadcast has ended.")
}

#[test]
fn obs() {
    let flash_version = "FMLE/3.0 (compatible; FMSc/1.0)";
    let key_frame = [0x17; 4_200];
    let mut client = Client::plain();
    client.set_chunk_size(4_096);
    let connect = Value::object([
        ("app", Value::string("live")),
        ("type", Value::string("nonprivate")),
        ("flashVer", Value::string(flash_version)),
        ("swfUrl", Value::string("rtmp://host/live")),
        ("tcUrl", Value::string("rtmp://host/live")),
    ]);
    client.command(3, 0, "connect", 1.0, &[connect]);
    let key = [Value::Null, Value::string("s3cr3t")];
    client.command(3, 0, "releaseStream", 2.0, &key);
    client.command(3, 0, "FCPublish", 3.0, &key);
    client.command(3, 0, "createStream", 4.0, &[Value::Null]);
    client.publish(1, "s3cr3t");
    client.data(4, 1, &[Value::string("@setDataFrame"), Value::string("onMetaData"), metadata()]);
    client.message(4, Header::Full(0), AUDIO, 1, AAC_HEADER);
    client.message(4, Header::Full(0), VIDEO, 1, AVC_HEADER);
    client.message(4, Header::Full(0), VIDEO, 1, &key_frame);
    client.message(4, Header::SameStream(21), AUDIO, 1, &[0xAF, 1, 9]);
    client.message(4, Header::SameLength(12), AUDIO, 1, &[0xAF, 1, 8]);
    client.message(4, Header::SameStream(0), VIDEO, 1, &[0x27, 1, 0, 0, 0]);
    client.command(3, 0, "FCUnpublish", 6.0, &key);
    client.command(3, 0, "deleteStream", 7.0, &[Value::Null, Value::Number(1.0)]);

    let driver = play(&client.bytes);
    let events = after_request(&driver.events, "live", "s3cr3t", flash_version);
    assert_eq!(
        events,
        [
            Event::Metadata(metadata()),
            audio(0, AAC_HEADER),
            video(0, AVC_HEADER),
            video(0, &key_frame),
            audio(21, &[0xAF, 1, 9]),
            audio(33, &[0xAF, 1, 8]),
            video(33, &[0x27, 1, 0, 0, 0]),
            Event::Unpublished,
        ]
    );
    let mut expected = connect_replies();
    expected.extend([nothing(2.0), nothing(3.0)]);
    expected.push(result(4.0, [Value::Null, Value::Number(1.0)]));
    expected.extend(publish_replies(1));
    expected.extend([unpublish_reply(1), nothing(6.0)]);
    assert_eq!(driver.replies(), expected);
}

#[test]
fn ffmpeg() {
    let flash_version = "FMLE/3.0 (compatible; Lavf62.3.100)";
    let mut c1 = [0x5A; 1_536];
    c1[4..8].copy_from_slice(&[9, 0, 124, 2]);
    crate::rtmp::handshake::testing::sign_c1(&mut c1);
    let mut client = Client::with_c1(&c1);
    let connect = Value::object([
        ("app", Value::string("")),
        ("type", Value::string("nonprivate")),
        ("flashVer", Value::string(flash_version)),
        ("tcUrl", Value::string("rtmp://host:1935/")),
    ]);
    client.command(3, 0, "connect", 1.0, &[connect]);
    // It repeats our chunk size and adopts it.
    client.set_chunk_size(65_536);
    let key = [Value::Null, Value::string("s3cr3t")];
    client.command(3, 0, "releaseStream", 2.0, &key);
    client.command(3, 0, "FCPublish", 3.0, &key);
    client.command(3, 0, "createStream", 4.0, &[Value::Null]);
    let publish = [Value::Null, Value::string("s3cr3t"), Value::string("live")];
    client.command(8, 1, "publish", 5.0, &publish);
    client.data(4, 1, &[Value::string("@setDataFrame"), Value::string("onMetaData"), metadata()]);
    client.message(6, Header::Full(0), VIDEO, 1, AVC_HEADER);
    client.message(4, Header::Full(0), AUDIO, 1, AAC_HEADER);
    client.message(6, Header::SameStream(0), VIDEO, 1, &[0x17; 700]);
    client.message(6, Header::SameStream(40), VIDEO, 1, &[0x27; 300]);
    client.message(6, Header::Same, VIDEO, 1, &[0x27; 300]);
    client.message(4, Header::SameStream(23), AUDIO, 1, &[0xAF; 30]);
    client.message(6, Header::Full(60), VIDEO, 1, &[0x27; 8]);
    client.command(3, 0, "FCUnpublish", 6.0, &key);
    client.command(3, 0, "deleteStream", 7.0, &[Value::Null, Value::Number(1.0)]);

    let driver = play(&client.bytes);
    let events = after_request(&driver.events, "", "s3cr3t", flash_version);
    assert_eq!(
        events,
        [
            Event::Metadata(metadata()),
            video(0, AVC_HEADER),
            audio(0, AAC_HEADER),
            video(0, &[0x17; 700]),
            video(40, &[0x27; 300]),
            video(80, &[0x27; 300]),
            audio(23, &[0xAF; 30]),
            video(60, &[0x27; 8]),
            Event::Unpublished,
        ]
    );
    let mut expected = connect_replies();
    expected.extend([nothing(2.0), nothing(3.0)]);
    expected.push(result(4.0, [Value::Null, Value::Number(1.0)]));
    expected.extend(publish_replies(1));
    expected.extend([unpublish_reply(1), nothing(6.0)]);
    assert_eq!(driver.replies(), expected);
}

#[test]
fn cmd_2_gstreamer() {
    let mut client = Client::plain();
    client.connect("live").set_chunk_size(512);
    client.control(Control::WindowAckSize(2_500_000));
    let key = [Value::Null, Value::string("k")];
    client.command(3, 0, "releaseStream", 0.0, &key);
    client.command(3, 0, "FCPublish", 0.0, &key);
    client.command(3, 0, "createStream", 2.0, &[Value::Null]);
    client.command(3, 1, "publish", 3.0, &[Value::Null, Value::string("k"), Value::string("live")]);
    client.data(4, 1, &[Value::string("onMetaData"), metadata()]);
    client.message(6, Header::Full(1_000), VIDEO, 1, AVC_HEADER);
    client.message(6, Header::SameStream(40), VIDEO, 1, &[0x17; 1_200]);
    // CK-8: 16 ms back, twice.
    client.message(6, Header::SameLength(0xFFFF_FFF0), VIDEO, 1, &[0x27; 1_200]);
    client.message(6, Header::SameStream(0xFFFF_FFF0), VIDEO, 1, &[0x27; 5]);
    client.command(3, 1, "closeStream", 0.0, &[Value::Null]);

    let driver = play(&client.bytes);
    let events = after_request(&driver.events, "live", "k", "");
    assert_eq!(
        events,
        [
            Event::Metadata(metadata()),
            video(1_000, AVC_HEADER),
            video(1_040, &[0x17; 1_200]),
            video(1_024, &[0x27; 1_200]),
            video(1_008, &[0x27; 5]),
            Event::Unpublished,
        ]
    );
    // Calls with transaction 0 get no answer.
    let mut expected = connect_replies();
    expected.push(result(2.0, [Value::Null, Value::Number(1.0)]));
    expected.extend(publish_replies(1));
    expected.push(unpublish_reply(1));
    assert_eq!(driver.replies(), expected);
}
