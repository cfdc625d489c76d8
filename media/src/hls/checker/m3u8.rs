//! A strict reader of our media playlists, sharing nothing with the writer.

use std::collections::BTreeMap;

/// Durations are in units of 10 µs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::hls) struct Playlist {
    pub(in crate::hls) target_duration: i64,
    pub(in crate::hls) part_target: Option<i64>,
    pub(in crate::hls) control: BTreeMap<String, String>,
    pub(in crate::hls) media_sequence: u64,
    pub(in crate::hls) discontinuity_sequence: u64,
    pub(in crate::hls) independent_segments: bool,
    pub(in crate::hls) skipped: usize,
    pub(in crate::hls) segments: Vec<Segment>,
    pub(in crate::hls) hints: Vec<(String, String)>,
    pub(in crate::hls) reports: Vec<BTreeMap<String, String>>,
    pub(in crate::hls) ended: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::hls) struct Segment {
    pub(in crate::hls) msn: u64,
    pub(in crate::hls) discontinuity: bool,
    pub(in crate::hls) map: Option<String>,
    /// Milliseconds within the day.
    pub(in crate::hls) date_ms: Option<i64>,
    pub(in crate::hls) gap: bool,
    pub(in crate::hls) parts: Vec<Part>,
    /// `None` while the segment is open.
    pub(in crate::hls) duration: Option<i64>,
    pub(in crate::hls) uri: String,
}

impl Playlist {
    /// The segment of this number, if it is listed or open.
    pub(in crate::hls) fn segment(&self, msn: u64) -> Option<&Segment> {
        let first = self.segments.first()?.msn;
        self.segments.get(usize::try_from(msn.checked_sub(first)?).ok()?)
    }

    /// What stands before and behind the segments is the same, but for EXT-X-SKIP.
    pub(in crate::hls) fn frames_alike(&self, other: &Self) -> bool {
        let first = |list: &Self| {
            let sequences = (list.media_sequence, list.discontinuity_sequence);
            (list.target_duration, list.part_target, sequences, list.independent_segments)
        };
        first(self) == first(other)
            && (&self.control, &self.hints) == (&other.control, &other.hints)
            && (&self.reports, self.ended) == (&other.reports, other.ended)
    }
}

impl Segment {
    /// The same but for its parts, which leave with time.
    pub(in crate::hls) fn is_like(&self, other: &Self) -> bool {
        self.is_like_behind_another(other) && self.map == other.map
    }

    /// The same but for its parts and its map: a player keeps the map of the segment before when
    /// that one is removed.
    pub(in crate::hls) fn is_like_behind_another(&self, other: &Self) -> bool {
        (self.msn, self.discontinuity, self.date_ms, self.gap, self.duration)
            == (other.msn, other.discontinuity, other.date_ms, other.gap, other.duration)
            && self.uri == other.uri
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::hls) struct Part {
    pub(in crate::hls) duration: i64,
    pub(in crate::hls) uri: String,
    pub(in crate::hls) independent: bool,
}

pub(in crate::hls) fn parse(text: &str) -> Playlist {
    let mut playlist = Playlist::default();
    assert!(text.starts_with("#EXTM3U\n#EXT-X-VERSION:9\n"), "{text}");
    assert!(text.ends_with('\n') && !text.contains("\n\n") && !text.contains('\r'), "{text}");
    let mut segment = Segment::default();
    let mut msn = 0;
    for line in text.lines().skip(2) {
        assert!(!playlist.ended, "{line} after ENDLIST");
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        match tag {
            "#EXT-X-TARGETDURATION" => playlist.target_duration = value.parse().unwrap(),
            "#EXT-X-SERVER-CONTROL" => playlist.control = attributes(value).to_map(),
            "#EXT-X-PART-INF" => {
                playlist.part_target = Some(seconds(attributes(value).of("PART-TARGET")));
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                playlist.media_sequence = value.parse().unwrap();
                msn = playlist.media_sequence;
            }
            "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                playlist.discontinuity_sequence = value.parse().unwrap();
            }
            "#EXT-X-INDEPENDENT-SEGMENTS" => playlist.independent_segments = true,
            "#EXT-X-SKIP" => {
                playlist.skipped = attributes(value).of("SKIPPED-SEGMENTS").parse().unwrap();
                msn += playlist.skipped as u64;
            }
            "#EXT-X-DISCONTINUITY" => segment.discontinuity = true,
            "#EXT-X-MAP" => {
                segment.map = Some(attributes(value).of("URI").to_owned());
            }
            "#EXT-X-PROGRAM-DATE-TIME" => segment.date_ms = Some(time_of_day(value)),
            "#EXT-X-GAP" => segment.gap = true,
            "#EXT-X-PART" => {
                let attributes = attributes(value);
                segment.parts.push(Part {
                    duration: seconds(attributes.of("DURATION")),
                    uri: attributes.of("URI").to_owned(),
                    independent: attributes.get("INDEPENDENT") == Some("YES"),
                });
            }
            "#EXTINF" => segment.duration = Some(seconds(value.strip_suffix(',').unwrap())),
            "#EXT-X-PRELOAD-HINT" => {
                let attributes = attributes(value);
                let (kind, uri) = (attributes.of("TYPE"), attributes.of("URI"));
                playlist.hints.push((kind.to_owned(), uri.to_owned()));
            }
            "#EXT-X-RENDITION-REPORT" => playlist.reports.push(attributes(value).to_map()),
            "#EXT-X-ENDLIST" => playlist.ended = true,
            uri => {
                assert!(!uri.starts_with('#') && segment.duration.is_some(), "{line}");
                let done = Segment { msn, uri: uri.to_owned(), ..std::mem::take(&mut segment) };
                playlist.segments.push(done);
                msn += 1;
            }
        }
    }
    if segment != Segment::default() {
        assert!(segment.duration.is_none(), "EXTINF without a URI");
        playlist.segments.push(Segment { msn, ..segment });
    }
    playlist
}

/// The attributes of one line, in its order.
struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    fn of(&self, name: &str) -> &'a str {
        self.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn to_map(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}

fn attributes(list: &str) -> Attributes<'_> {
    let mut found = Attributes(Vec::new());
    let mut rest = list;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').unwrap();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').unwrap();
                (value, after.strip_prefix(',').unwrap_or(after))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        assert!(found.get(name).is_none(), "{name} twice");
        found.0.push((name, value));
        rest = after;
    }
    found
}

pub(in crate::hls) fn seconds(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap();
    assert!((1..=5).contains(&fraction.len()), "{text}");
    let digits = u32::try_from(fraction.len()).unwrap();
    let fraction: i64 = fraction.parse().unwrap();
    whole.parse::<i64>().unwrap() * 100_000 + fraction * 10_i64.pow(5 - digits)
}

fn time_of_day(date: &str) -> i64 {
    let time = date.split_once('T').unwrap().1.strip_suffix('Z').unwrap();
    let (clock, millis) = time.split_once('.').unwrap();
    let seconds = clock.split(':').fold(0, |sum, n| sum * 60 + n.parse::<i64>().unwrap());
    seconds * 1_000 + millis.parse::<i64>().unwrap()
}
