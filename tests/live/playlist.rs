//! A playlist reader of our own for the tests: line by line, it keeps what stands there and
//! forgives nothing it does not know. It shares no code with the server's writer.

use std::collections::BTreeMap;

/// One `EXT-X-PART`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) uri: String,
    pub(crate) duration: f64,
    pub(crate) independent: bool,
    pub(crate) gap: bool,
}

/// One media segment; the last may still lack its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Segment {
    pub(crate) msn: u64,
    /// `None` while only parts of it exist.
    pub(crate) uri: Option<String>,
    pub(crate) duration: f64,
    pub(crate) parts: Vec<Part>,
    /// Milliseconds since 1970.
    pub(crate) date: Option<i64>,
    pub(crate) discontinuity: bool,
    /// `EXT-X-GAP`: there is nothing to fetch.
    pub(crate) gap: bool,
    /// The initialization section in force.
    pub(crate) map: Option<String>,
    pub(crate) map_stated: bool,
}

/// A media playlist.
#[derive(Debug, Clone, Default)]
pub(crate) struct Media {
    pub(crate) version: u32,
    pub(crate) target_duration: f64,
    pub(crate) media_sequence: u64,
    pub(crate) discontinuity_sequence: Option<u64>,
    pub(crate) part_target: Option<f64>,
    pub(crate) server_control: BTreeMap<String, String>,
    pub(crate) independent_segments: bool,
    pub(crate) ended: bool,
    pub(crate) skipped: u64,
    pub(crate) segments: Vec<Segment>,
    /// URIs of `TYPE=PART` hints.
    pub(crate) hints: Vec<String>,
    /// URI, LAST-MSN, LAST-PART.
    pub(crate) reports: Vec<(String, u64, Option<u64>)>,
}

/// One `EXT-X-STREAM-INF` and its URI.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) uri: String,
}

/// A multivariant playlist.
#[derive(Debug, Clone, Default)]
pub(crate) struct Multivariant {
    pub(crate) version: u32,
    pub(crate) independent_segments: bool,
    pub(crate) renditions: Vec<BTreeMap<String, String>>,
    pub(crate) variants: Vec<Variant>,
}

/// `A=1,B="x,y"` as a map, quotes removed.
pub(crate) fn attributes(list: &str) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    let mut rest = list;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, left) = if let Some(quoted) = after.strip_prefix('"') {
            let (value, left) = quoted.split_once('"').expect("a closing quote");
            (value, left.strip_prefix(',').unwrap_or(left))
        } else {
            after.split_once(',').unwrap_or((after, ""))
        };
        let doubled = map.insert(name.trim().to_owned(), value.to_owned());
        assert!(doubled.is_none(), "{name} stands twice in {list}");
        rest = left;
    }
    map
}

impl Media {
    /// Reads a media playlist; panics with the line that it cannot read.
    pub(crate) fn parse(text: &str) -> Self {
        let mut playlist = Self::default();
        let mut next = Segment::default();
        let mut map: Option<String> = None;
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "PL-1: {text}");
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXT-X-VERSION" => playlist.version = number(line, value),
                "#EXT-X-TARGETDURATION" => {
                    playlist.target_duration = f64::from(number::<u32>(line, value));
                }
                "#EXT-X-MEDIA-SEQUENCE" => playlist.media_sequence = number(line, value),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                    playlist.discontinuity_sequence = Some(number(line, value));
                }
                "#EXT-X-INDEPENDENT-SEGMENTS" => playlist.independent_segments = true,
                "#EXT-X-ENDLIST" => playlist.ended = true,
                "#EXT-X-SERVER-CONTROL" => playlist.server_control = attributes(value),
                "#EXT-X-PART-INF" => {
                    playlist.part_target = Some(number(line, &attributes(value)["PART-TARGET"]));
                }
                "#EXT-X-SKIP" => {
                    playlist.skipped = number(line, &attributes(value)["SKIPPED-SEGMENTS"]);
                }
                "#EXT-X-MAP" => {
                    let uri = attributes(value)["URI"].clone();
                    map = Some(uri);
                    next.map_stated = true;
                }
                "#EXT-X-PROGRAM-DATE-TIME" => next.date = Some(milliseconds(value)),
                "#EXT-X-DISCONTINUITY" => next.discontinuity = true,
                "#EXTINF" => {
                    next.duration = number(line, value.split(',').next().unwrap_or_default());
                }
                "#EXT-X-PART" => next.parts.push(part(line, value)),
                "#EXT-X-PRELOAD-HINT" => {
                    let hint = attributes(value);
                    if hint["TYPE"] == "PART" {
                        playlist.hints.push(hint["URI"].clone());
                    }
                }
                "#EXT-X-RENDITION-REPORT" => {
                    let report = attributes(value);
                    playlist.reports.push((
                        report["URI"].clone(),
                        number(line, &report["LAST-MSN"]),
                        report.get("LAST-PART").map(|last| number(line, last)),
                    ));
                }
                "#EXT-X-GAP" => next.gap = true,
                "#EXT-X-BITRATE" | "" => {}
                _ if !line.starts_with('#') => {
                    next.uri = Some(line.to_owned());
                    next.map.clone_from(&map);
                    playlist.segments.push(std::mem::take(&mut next));
                }
                _ => panic!("unknown tag {line} in\n{text}"),
            }
        }
        if !next.parts.is_empty() {
            next.map.clone_from(&map);
            playlist.segments.push(next);
        }
        let first = playlist.media_sequence + playlist.skipped;
        for (msn, segment) in (first..).zip(&mut playlist.segments) {
            segment.msn = msn;
        }
        playlist
    }

    /// The newest complete segment.
    pub(crate) fn last_complete(&self) -> Option<&Segment> {
        self.segments.iter().rev().find(|segment| segment.uri.is_some())
    }

    /// Sequence number of the newest complete segment (of the one before the first when there is
    /// none yet), and how many parts of the next one exist.
    pub(crate) fn edge(&self) -> (u64, usize) {
        let before_first = self.media_sequence.saturating_sub(1);
        let complete = self.last_complete().map_or(before_first, |segment| segment.msn);
        let open = self.segments.last().filter(|segment| segment.uri.is_none());
        (complete, open.map_or(0, |segment| segment.parts.len()))
    }

    /// Whether a part of a segment is in it, counted in the segment or in a later one.
    pub(crate) fn reaches(&self, msn: u64, part: usize) -> bool {
        self.segments.iter().any(|segment| {
            segment.msn > msn
                || segment.msn == msn && (segment.uri.is_some() || segment.parts.len() > part)
        })
    }

    /// All part URIs, oldest first.
    pub(crate) fn part_uris(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|segment| &segment.parts).map(|part| part.uri.as_str())
    }
}

impl Multivariant {
    /// Reads a multivariant playlist; panics with the line that it cannot read.
    pub(crate) fn parse(text: &str) -> Self {
        let mut playlist = Self::default();
        let mut pending: Option<BTreeMap<String, String>> = None;
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "PL-1: {text}");
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXT-X-VERSION" => playlist.version = number(line, value),
                "#EXT-X-INDEPENDENT-SEGMENTS" => playlist.independent_segments = true,
                "#EXT-X-MEDIA" => playlist.renditions.push(attributes(value)),
                "#EXT-X-STREAM-INF" => pending = Some(attributes(value)),
                "" => {}
                _ if !line.starts_with('#') => {
                    let attributes = pending.take().expect("EXT-X-STREAM-INF before each URI");
                    playlist.variants.push(Variant { attributes, uri: line.to_owned() });
                }
                _ => panic!("unknown tag {line} in\n{text}"),
            }
        }
        playlist
    }
}

/// A relative URI of the playlist at `base` as a path on the server.
pub(crate) fn resolve(base: &str, uri: &str) -> String {
    assert!(!uri.contains("://"), "MV-12: {uri} is not relative");
    if uri.starts_with('/') {
        return uri.to_owned();
    }
    let folder = base.split('?').next().unwrap_or(base);
    let mut parts: Vec<&str> = folder.split('/').collect();
    parts.pop();
    for piece in uri.split('/') {
        match piece {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(piece),
        }
    }
    parts.join("/")
}

fn number<T: std::str::FromStr>(line: &str, value: &str) -> T {
    value.parse().unwrap_or_else(|_| panic!("no number: {line}"))
}

fn part(line: &str, value: &str) -> Part {
    let list = attributes(value);
    let yes = |name: &str| list.get(name).is_some_and(|value| value == "YES");
    Part {
        uri: list["URI"].clone(),
        duration: number(line, &list["DURATION"]),
        independent: yes("INDEPENDENT"),
        gap: yes("GAP"),
    }
}

/// `2026-09-20T10:00:12.000Z` as milliseconds since 1970 (PL-16 asks for milliseconds and Z).
fn milliseconds(date: &str) -> i64 {
    let well_formed = date.len() == 24 && date.is_ascii() && date.ends_with('Z');
    assert!(well_formed, "PL-16: {date} has no milliseconds or no Z");
    let field = |from: usize, to: usize| number::<i64>(date, &date[from..to]);
    let (year, month, day) = (field(0, 4), field(5, 7), field(8, 10));
    // Days from 1970 by the proleptic Gregorian calendar, years counted from March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let seconds = ((days * 24 + field(11, 13)) * 60 + field(14, 16)) * 60 + field(17, 19);
    seconds * 1000 + field(20, 23)
}

#[test]
fn dates_and_attribute_lists_are_read_right() {
    assert_eq!(milliseconds("1970-01-01T00:00:00.001Z"), 1);
    assert_eq!(milliseconds("2024-02-29T12:00:00.000Z"), 1_709_208_000_000);
    let list = attributes("A=1,B=\"x,y=z\",C=0.5");
    assert_eq!((&*list["A"], &*list["B"], &*list["C"]), ("1", "x,y=z", "0.5"));
    assert_eq!(resolve("/hls/0/stream.m3u8?_HLS_msn=1", "../audio/a.m4s"), "/hls/audio/a.m4s");
}
