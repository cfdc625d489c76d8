//! Chunk rules, each with the bytes that need it, read whole and at every cut.

use super::{ChunkReader, ChunkStreamId};
use crate::limits;
use crate::rtmp::counters::Quirks;
use crate::rtmp::error::Error;
use crate::rtmp::message::{Message, Stage};

/// What a test looks at: type, time, message stream, payload.
type Seen = (u8, u32, u32, Vec<u8>);

fn seen(message: &Message) -> Seen {
    let Message { timestamp, kind, stream, payload } = message;
    (kind.id(), timestamp.0, stream.0, payload.to_vec())
}

/// Applies Set Chunk Size and Abort as the session does.
struct Harness {
    reader: ChunkReader,
    quirks: Quirks,
    seen: Vec<Seen>,
}

impl Harness {
    fn new() -> Self {
        let mut reader = ChunkReader::new();
        reader.set_stage(Stage::Publishing);
        Self { reader, quirks: Quirks::default(), seen: Vec::new() }
    }

    fn feed(&mut self, mut input: &[u8]) -> Result<(), Error> {
        while let Some(message) = self.reader.read(&mut input, &mut self.quirks)? {
            let word = message.payload.first_chunk().map_or(0, |word| u32::from_be_bytes(*word));
            match message.kind.id() {
                1 => self.reader.set_chunk_size(word as usize),
                2 => self.reader.abort(ChunkStreamId(word)),
                _ => self.seen.push(seen(&message)),
            }
        }
        assert!(input.is_empty());
        Ok(())
    }
}

/// Reads `bytes` whole, byte by byte and in two pieces cut at every position; all must agree.
fn read(bytes: &[u8]) -> (Vec<Seen>, Quirks) {
    let mut whole = Harness::new();
    whole.feed(bytes).unwrap();
    let mut single = Harness::new();
    for byte in bytes {
        single.feed(&[*byte]).unwrap();
    }
    assert_eq!(single.seen, whole.seen, "byte by byte");
    assert_eq!(single.quirks, whole.quirks, "byte by byte");
    for cut in 0..=bytes.len() {
        let mut pieces = Harness::new();
        pieces.feed(&bytes[..cut]).unwrap();
        pieces.feed(&bytes[cut..]).unwrap();
        assert_eq!(pieces.seen, whole.seen, "cut at {cut}");
        assert_eq!(pieces.quirks, whole.quirks, "cut at {cut}");
        assert_eq!(pieces.reader.buffered_bytes(), whole.reader.buffered_bytes());
    }
    (whole.seen, whole.quirks)
}

fn error(bytes: &[u8]) -> Error {
    let whole = Harness::new().feed(bytes).unwrap_err();
    let mut single = Harness::new();
    let stepwise = bytes.iter().find_map(|byte| single.feed(&[*byte]).err()).unwrap();
    assert_eq!(stepwise, whole);
    whole
}

fn be24(value: u32) -> [u8; 3] {
    let [_, bytes @ ..] = value.to_be_bytes();
    bytes
}

fn extended(value: u32) -> Vec<u8> {
    if value >= super::EXTENDED { value.to_be_bytes().to_vec() } else { Vec::new() }
}

fn format0(id: u8, time: u32, length: u32, kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    bytes.extend(be24(time.min(super::EXTENDED)));
    bytes.extend(be24(length));
    bytes.extend([kind, 1, 0, 0, 0]);
    bytes.extend(extended(time));
    bytes.extend_from_slice(payload);
    bytes
}

fn format1(id: u8, delta: u32, length: u32, kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x40 | id];
    bytes.extend(be24(delta.min(super::EXTENDED)));
    bytes.extend(be24(length));
    bytes.push(kind);
    bytes.extend(extended(delta));
    bytes.extend_from_slice(payload);
    bytes
}

fn format2(id: u8, delta: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | id];
    bytes.extend(be24(delta.min(super::EXTENDED)));
    bytes.extend(extended(delta));
    bytes.extend_from_slice(payload);
    bytes
}

fn format3(id: u8, extended: Option<u32>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xC0 | id];
    bytes.extend(extended.into_iter().flat_map(u32::to_be_bytes));
    bytes.extend_from_slice(payload);
    bytes
}

fn control(kind: u8, value: u32) -> Vec<u8> {
    format0(2, 0, 4, kind, &value.to_be_bytes())
}

fn times(seen: &[Seen]) -> Vec<u32> {
    seen.iter().map(|(_, time, ..)| *time).collect()
}

#[test]
fn ck_1_every_id_keeps_its_own_lane() {
    let mut bytes = Vec::new();
    let ids: [&[u8]; 6] = [&[2], &[63], &[0, 0], &[0, 255], &[1, 0, 1], &[1, 255, 255]];
    for (index, id) in ids.iter().enumerate() {
        let [_, header @ ..] = &format0(0, index as u32, 1, 9, &[index as u8])[..] else {
            unreachable!()
        };
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(header);
    }
    for id in ids {
        bytes.push(id[0] | 0xC0);
        bytes.extend_from_slice(&id[1..]);
        bytes.push(0xAA);
    }
    let (seen, _) = read(&bytes);
    assert_eq!(times(&seen), [0, 1, 2, 3, 4, 5, 0, 2, 4, 6, 8, 10]);
}

#[test]
fn ck_5_format_3_adds_the_last_delta_or_the_time_of_format_0() {
    let bytes = [
        format0(4, 23, 1, 8, &[1]),
        format3(4, None, &[2]),
        format1(4, 21, 1, 8, &[3]),
        format3(4, None, &[4]),
        format2(4, 10, &[5]),
        format3(4, None, &[6]),
    ];
    let (seen, quirks) = read(&bytes.concat());
    assert_eq!(times(&seen), [23, 46, 67, 88, 98, 108]);
    assert!(seen.iter().all(|(kind, _, stream, _)| (*kind, *stream) == (8, 1)));
    assert_eq!(quirks, Quirks::default());
}

#[test]
fn ck_8_deltas_wrap() {
    let bytes = [
        format0(4, 1_000, 1, 9, &[1]),
        format2(4, 0xFFFF_FFF0, &[2]),
        format3(4, Some(0xFFFF_FFF0), &[3]),
        format0(4, u32::MAX, 1, 9, &[4]),
        format2(4, 6, &[5]),
    ];
    assert_eq!(times(&read(&bytes.concat()).0), [1_000, 984, 968, u32::MAX, 5]);
}

#[test]
fn ck_6_format_3_with_extended_time_brings_a_new_delta() {
    let bytes = [
        format0(4, 0x50_0000, 1, 9, &[1]),
        format1(4, 0x0100_0000, 1, 9, &[2]),
        format3(4, Some(0x0100_0001), &[3]),
    ];
    let (seen, quirks) = read(&bytes.concat());
    assert_eq!(times(&seen), [0x50_0000, 0x0150_0000, 0x0250_0001]);
    assert_eq!(quirks, Quirks::default());
}

#[test]
fn ck_9_extended_times_that_are_absolute() {
    let base = 0x0100_0000;
    let bytes = [
        format0(4, base, 1, 9, &[1]),
        format1(4, base + 40, 1, 9, &[2]),
        format3(4, Some(base + 80), &[3]),
        format2(4, 40, &[4]),
    ];
    let (seen, quirks) = read(&bytes.concat());
    assert_eq!(times(&seen), [base, base + 40, base + 80, base + 120]);
    assert_eq!(quirks.absolute_extended_times, 2);
}

#[test]
fn ck_3_ck_4_ck_7_long_broadcasts_cross_the_24_bit_time() {
    // 16777210 ms and on, 300-byte messages in chunks of 128, with and without the repeated time.
    let payload: Vec<u8> = (0..300).map(|i| (i % 251) as u8).collect();
    for repeats in [true, false] {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for time in [16_777_210, 16_777_214, 16_777_215, 16_777_216, 16_777_240] {
            bytes.extend(format0(6, time, 300, 9, &payload[..128]));
            let again = (repeats && time >= super::EXTENDED).then_some(time);
            bytes.extend(format3(6, again, &payload[128..256]));
            bytes.extend(format3(6, again, &payload[256..]));
            expected.push((9, time, 1, payload.clone()));
        }
        let (seen, quirks) = read(&bytes);
        assert_eq!(seen, expected, "repeats: {repeats}");
        assert_eq!(quirks.omitted_extended_times, u32::from(!repeats));
    }
}

#[test]
fn ck_7_the_repeated_time_may_be_delta_or_sum_and_payload_may_look_like_its_beginning() {
    let time = 0x0102_0304;
    let delta = 0x0100_0000;
    let two_chunks = |repeat: Option<u32>, second: &[u8]| {
        let mut bytes = format0(6, time, 4, 9, &[0; 4]);
        bytes.extend(format1(6, delta, 128 + second.len() as u32, 9, &[9; 128]));
        bytes.extend(format3(6, repeat, second));
        bytes.extend(format0(5, 7, 1, 8, &[0xAF]));
        bytes
    };
    let cases: [(&str, Option<u32>, &[u8]); 6] = [
        ("delta", Some(delta), &[1, 2, 3, 4, 5]),
        ("sum", Some(time + delta), &[1, 2, 3, 4, 5]),
        ("left out", None, &[7, 7, 7, 7, 7]),
        ("left out, payload begins like the delta", None, &[1, 0, 0, 9, 9, 9]),
        ("left out, one payload byte like the delta's first", None, &[1]),
        ("left out, three payload bytes like the delta's", None, &[1, 0, 0]),
    ];
    for (name, repeat, second) in cases {
        let (seen, quirks) = read(&two_chunks(repeat, second));
        assert_eq!(seen[1].1, time + delta, "{name}");
        assert_eq!(seen[1].3[128..], *second, "{name}");
        assert_eq!(seen[2], (8, 7, 1, vec![0xAF]), "{name}");
        assert_eq!(quirks.omitted_extended_times, u32::from(repeat.is_none()), "{name}");
    }
}

#[test]
fn ck_10_chunks_of_different_lanes_interleave() {
    let bytes = [
        format0(6, 40, 200, 9, &[1; 128]),
        format0(4, 41, 130, 8, &[2; 128]),
        format3(6, None, &[1; 72]),
        format0(5, 42, 1, 8, &[3]),
        format3(4, None, &[2; 2]),
    ];
    let (seen, _) = read(&bytes.concat());
    assert_eq!(seen[0], (9, 40, 1, vec![1; 200]));
    assert_eq!(seen[1], (8, 42, 1, vec![3]));
    assert_eq!(seen[2], (8, 41, 1, vec![2; 130]));
}

#[test]
fn ck_11_chunk_size_changes_inside_half_read_messages() {
    let bytes = [
        format0(6, 0, 300, 9, &[1; 128]),
        control(1, 64),
        format3(6, None, &[1; 64]),
        control(1, 65_536),
        format3(6, None, &[1; 108]),
        control(1, 1),
        format0(6, 0, 2, 9, &[1]),
        format3(6, None, &[2]),
        // Set Chunk Size itself is cut in single bytes now.
        format0(2, 0, 4, 1, &[0]),
        format3(2, None, &[0]),
        format3(2, None, &[1]),
        format3(2, None, &[0]),
        format0(6, 0, 256, 9, &[3; 256]),
    ];
    let (seen, _) = read(&bytes.concat());
    let payloads: Vec<_> = seen.into_iter().map(|(.., payload)| payload).collect();
    assert_eq!(payloads, [vec![1; 300], vec![1, 2], vec![3; 256]]);
}

#[test]
fn ck_12_abort_drops_the_message_and_keeps_the_header() {
    for (name, next, expected) in [
        ("format 1", format1(6, 5, 2, 8, &[7, 7]), (8, 15, 1, vec![7, 7])),
        ("format 2", format2(6, 5, &[9; 128]), (9, 15, 1, vec![9; 128])),
        ("format 3", format3(6, None, &[9; 128]), (9, 20, 1, vec![9; 128])),
    ] {
        let mut bytes = format0(6, 10, 200, 9, &[1; 128]);
        bytes.extend(control(2, 6));
        bytes.extend(control(2, 77));
        bytes.extend(&next);
        if expected.0 == 9 {
            bytes.extend(format3(6, None, &[9; 72]));
        }
        let (seen, _) = read(&bytes);
        let expected = (
            expected.0,
            expected.1,
            expected.2,
            match expected.0 {
                9 => vec![9; 200],
                _ => expected.3,
            },
        );
        assert_eq!(seen, [expected], "{name}");
    }
}

#[test]
fn ck_14_first_chunks() {
    let (seen, quirks) = read(&format1(5, 40, 1, 8, &[1]));
    assert_eq!(seen, [(8, 40, 0, vec![1])]);
    assert_eq!(quirks.short_first_headers, 1);
    for (format, bytes) in [(2, format2(5, 0, &[])), (3, format3(5, None, &[]))] {
        assert_eq!(error(&bytes), Error::HeaderBeforeMessage { chunk_stream: 5, format });
    }
}

#[test]
fn ck_15_headers_inside_a_message() {
    let begun = format0(6, 10, 200, 9, &[1; 128]);
    let (seen, quirks) = read(&[begun.clone(), format0(6, 20, 1, 8, &[2])].concat());
    assert_eq!(seen, [(8, 20, 1, vec![2])]);
    assert_eq!(quirks.replaced_messages, 1);
    for continued in [format1(6, 5, 200, 9, &[1; 72]), format2(6, 5, &[1; 72])] {
        let (seen, quirks) = read(&[begun.clone(), continued].concat());
        assert_eq!(seen, [(9, 10, 1, vec![1; 200])]);
        assert_eq!(quirks.repeated_headers, 1);
    }
    assert_eq!(
        error(&[begun, format1(6, 5, 100, 9, &[])].concat()),
        Error::MessageInsideMessage { chunk_stream: 6, unfinished: 200, announced: 100 }
    );
}

#[test]
fn ck_16_empty_messages_are_messages() {
    let bytes = [format0(4, 5, 0, 8, &[]), format3(4, None, &[]), format0(6, 9, 1, 9, &[1])];
    let (seen, _) = read(&bytes.concat());
    assert_eq!(seen, [(8, 5, 1, vec![]), (8, 10, 1, vec![]), (9, 9, 1, vec![1])]);
}

#[test]
fn ck_18_unknown_types_take_no_memory() {
    let mut harness = Harness::new();
    harness.feed(&control(1, 65_536)).unwrap();
    harness.feed(&format0(6, 0, 60_000, 200, &[1; 50_000])).unwrap();
    assert_eq!(harness.reader.buffered_bytes(), 0);
    harness.feed(&[1; 10_000]).unwrap();
    assert_eq!(harness.seen, [(200, 0, 1, vec![])]);
}

#[test]
fn announced_lengths_are_capped_by_type_and_stage() {
    let before = Stage::BeforePublish;
    let after = Stage::Publishing;
    for (stage, kind, max) in [
        (before, 20, limits::MESSAGE_BEFORE_PUBLISH_BYTES_MAX),
        (before, 9, limits::MESSAGE_BEFORE_PUBLISH_BYTES_MAX),
        (after, 8, limits::AUDIO_MESSAGE_BYTES_MAX),
        (after, 18, limits::DATA_MESSAGE_BYTES_MAX),
        (after, 20, limits::COMMAND_MESSAGE_BYTES_MAX),
        (after, 4, limits::COMMAND_MESSAGE_BYTES_MAX),
    ] {
        for (announced, accepted) in [(max, true), (max + 1, false)] {
            let mut harness = Harness::new();
            harness.reader.set_stage(stage);
            let got = harness.feed(&format0(3, 0, announced as u32, kind, &[]));
            let refused = Err(Error::MessageTooLarge { kind, announced, max });
            assert_eq!(got, if accepted { Ok(()) } else { refused }, "type {kind}");
        }
    }
}

#[test]
fn an_8_mib_key_frame_passes_and_its_buffer_is_exact() {
    let mut harness = Harness::new();
    harness.feed(&control(1, 1 << 24)).unwrap();
    let mut bytes = format0(6, 0, 8 << 20, 9, &[]);
    bytes.resize(bytes.len() + (8 << 20), 0x17);
    let mut peak = 0;
    for piece in bytes.chunks(16 << 10) {
        harness.feed(piece).unwrap();
        peak = peak.max(harness.reader.buffered_bytes());
    }
    assert_eq!(harness.seen[0].3.len(), 8 << 20);
    assert!(peak <= 8 << 20, "{peak}");
    assert_eq!(harness.reader.buffered_bytes(), 0);
}

#[test]
fn announcing_much_and_sending_little_costs_little() {
    let mut harness = Harness::new();
    for id in 0..limits::CHUNK_STREAMS_MAX as u8 {
        let mut bytes = vec![0, id];
        bytes.extend_from_slice(&format0(0, 0, 0xFF_FFFF, 9, &[1; 128])[1..]);
        harness.feed(&bytes).unwrap();
    }
    assert!(harness.reader.buffered_bytes() <= 64 * 128);
    let one_more = harness.feed(&[&[0, 200], &format0(0, 0, 1, 9, &[1])[1..]].concat());
    assert_eq!(one_more, Err(Error::TooManyChunkStreams { chunk_stream: 264 }));
}

#[test]
fn room_for_one_message_goes_back_when_others_begin() {
    let mut harness = Harness::new();
    let streams = 0..limits::CHUNK_STREAMS_MAX as u8;
    let begun = streams.map(|id| [&[0, id], &format0(0, 0, 0xFFFF, 9, &[1; 128])[1..]].concat());
    let bytes = begun.collect::<Vec<_>>().concat();
    harness.feed(&bytes).unwrap();
    assert!(harness.reader.buffered_bytes() <= 2 * bytes.len());
}

#[test]
fn unfinished_messages_share_one_budget() {
    let mut harness = Harness::new();
    harness.reader.set_stage(Stage::BeforePublish);
    let max = Stage::BeforePublish.partial_bytes_max();
    harness.feed(&control(1, 1 << 16)).unwrap();
    harness.feed(&control(1, 60_000)).unwrap();
    let refused = (3..9).find_map(|id| {
        harness.feed(&format0(id, 0, 1 << 16, 20, &[1; 60_000])).err().map(|error| (id, error))
    });
    let (id, error) = refused.unwrap();
    assert_eq!(id, 5, "two fit");
    assert_eq!(error, Error::PartialMessagesTooLarge { needed: 180_000, max });
    assert!(harness.reader.buffered_bytes() <= max);
}

#[test]
fn written_messages_read_back_in_any_chunk_size() {
    use super::ChunkWriter;
    use crate::rtmp::message::{MessageStreamId, MessageType};
    for size in [1, 127, 128, 129, 4_096] {
        let mut writer = ChunkWriter::new();
        writer.set_chunk_size(size);
        let mut bytes = control(1, size);
        let payloads = [vec![], vec![5; 1], vec![6; 128], vec![7; 300]];
        for payload in &payloads {
            let stream = MessageStreamId(1);
            writer.write(ChunkStreamId(3), MessageType::Command0, stream, payload, &mut bytes);
        }
        let seen = read(&bytes).0;
        let got: Vec<_> = seen.into_iter().map(|(.., payload)| payload).collect();
        assert_eq!(got, payloads);
    }
}
