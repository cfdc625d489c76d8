//! What can be told from the text of one media playlist, line by line: characters, order of tags,
//! the form of numbers. It reads the text itself, so that it sees what a forgiving parser hides.

use super::Offences;
use crate::playlist::attributes;

/// Tags that belong to the segment behind them and must stand before its first part (LL-6).
const SEGMENT_TAGS: [&str; 5] = [
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-KEY",
    "#EXT-X-MAP",
    "#EXT-X-PROGRAM-DATE-TIME",
    "#EXT-X-BITRATE",
];

/// Offences of the text of a media playlist.
pub(crate) fn text(text: &str) -> Vec<String> {
    let mut bad = Offences::default();
    characters(text, &mut bad);
    header(text, &mut bad);
    order(text, &mut bad);
    numbers(text, &mut bad);
    live_edge(text, &mut bad);
    bad.0
}

fn characters(text: &str, bad: &mut Offences) {
    let control = |char: char| char.is_control() && char != '\n';
    bad.when(!text.starts_with("#EXTM3U\n"), "PL-1: EXTM3U is not the first line");
    bad.when(text.contains(control), "PL-1: a control character");
    bad.when(text.contains("\n\n"), "PL-1: an empty line");
    bad.when(!text.ends_with('\n'), "PL-1: the last line has no end");
}

/// A tag and its value.
fn tag(line: &str) -> (&str, &str) {
    line.split_once(':').unwrap_or((line, ""))
}

fn header(text: &str, bad: &mut Offences) {
    let once = [
        ("#EXT-X-VERSION", "PL-2"),
        ("#EXT-X-TARGETDURATION", "PL-3"),
        ("#EXT-X-MEDIA-SEQUENCE", "PL-6"),
        ("#EXT-X-DISCONTINUITY-SEQUENCE", "PL-7"),
        ("#EXT-X-SERVER-CONTROL", "LL-8"),
        ("#EXT-X-PART-INF", "LL-1"),
    ];
    for (name, rule) in once {
        let count = text.lines().filter(|line| tag(line).0 == name).count();
        bad.when(count != 1, &format!("{rule}: {name} stands {count} times"));
    }
    let version: u32 =
        text.lines().find_map(|l| l.strip_prefix("#EXT-X-VERSION:")?.parse().ok()).unwrap_or(0);
    let skips = text.contains("CAN-SKIP-UNTIL");
    bad.when(version < 6 || skips && version < 9, &format!("PL-2: VERSION {version}"));
    let first = text.lines().position(|line| !line.is_empty() && !line.starts_with('#'));
    for (name, rule) in
        [("#EXT-X-MEDIA-SEQUENCE", "PL-6"), ("#EXT-X-DISCONTINUITY-SEQUENCE", "PL-7")]
    {
        let at = text.lines().position(|line| tag(line).0 == name);
        let late = matches!((at, first), (Some(at), Some(first)) if at > first);
        bad.when(late, &format!("{rule}: {name} stands behind a segment"));
    }
}

/// Parts before their segment, segment tags before the parts, reports at the end.
fn order(text: &str, bad: &mut Offences) {
    let mut parts = 0;
    let mut extinf = false;
    let mut reported = false;
    for line in text.lines() {
        let (name, _) = tag(line);
        let opens = name == "#EXTINF" || name == "#EXT-X-PART" || SEGMENT_TAGS.contains(&name);
        bad.when(reported && opens, &format!("LL-12: {line} behind a rendition report"));
        match name {
            "#EXT-X-PART" => {
                bad.when(extinf, "LL-6: a part between EXTINF and URI");
                parts += 1;
            }
            "#EXTINF" => {
                bad.when(extinf, "LL-6: two EXTINF for one URI");
                extinf = true;
            }
            "#EXT-X-RENDITION-REPORT" => reported = true,
            name if SEGMENT_TAGS.contains(&name) => {
                bad.when(parts > 0, &format!("LL-6: {line} behind a part of its segment"));
            }
            "" => {}
            name if !name.starts_with('#') => {
                bad.when(!extinf, &format!("PL-5: {line} without EXTINF"));
                (parts, extinf) = (0, false);
            }
            _ => {}
        }
    }
}

/// Durations are plain decimals with at least three places (PL-5); the target is whole (PL-3).
fn numbers(text: &str, bad: &mut Offences) {
    let decimal = |value: &str| {
        let (whole, places) = value.split_once('.').unwrap_or((value, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        !whole.is_empty() && digits(whole) && digits(places) && places.len() >= 3
    };
    for line in text.lines() {
        match tag(line) {
            ("#EXTINF", value) => {
                let number = value.split(',').next().unwrap_or_default();
                bad.when(!decimal(number), &format!("PL-5: {line}"));
            }
            ("#EXT-X-TARGETDURATION", value) => {
                let whole = value.bytes().all(|byte| byte.is_ascii_digit());
                bad.when(!whole || value.is_empty(), &format!("PL-3: {line}"));
            }
            ("#EXT-X-PART", value) if value.contains("BYTERANGE") => {
                bad.when(true, "LL-5: a part by byte range");
            }
            ("#EXT-X-SKIP", value) => {
                let skipped =
                    attributes(value).get("SKIPPED-SEGMENTS").map(String::as_str) != Some("0");
                bad.when(!skipped, "LL-17: nothing is skipped");
            }
            _ => {}
        }
    }
}

/// One hint while live, none after the end (LL-10, PL-18); the hint stands behind the parts.
fn live_edge(text: &str, bad: &mut Offences) {
    let at = |name: &str| text.lines().rposition_of(name);
    let ended = text.lines().any(|line| line == "#EXT-X-ENDLIST");
    let hints = text.lines().filter(|line| tag(line).0 == "#EXT-X-PRELOAD-HINT").count();
    bad.when(ended && hints > 0, "PL-18: a hint behind the end");
    if let (Some(hint), Some(part)) = (at("#EXT-X-PRELOAD-HINT"), at("#EXT-X-PART")) {
        bad.when(hint < part, "LL-10: a part behind the hint");
    }
    let playlist_type = text.lines().any(|line| tag(line).0 == "#EXT-X-PLAYLIST-TYPE");
    bad.when(playlist_type, "PL-18: PLAYLIST-TYPE in a sliding window");
    let start = text.lines().any(|line| tag(line).0 == "#EXT-X-START");
    bad.when(start, "PL-20: EXT-X-START in a media playlist");
}

/// The last line that carries a tag.
trait Lines {
    fn rposition_of(self, name: &str) -> Option<usize>;
}

impl<'a, I: Iterator<Item = &'a str>> Lines for I {
    fn rposition_of(self, name: &str) -> Option<usize> {
        let found = self.enumerate().filter(|(_, line)| tag(line).0 == name);
        found.last().map(|(at, _)| at)
    }
}
