//! What a low-latency player takes from a media playlist: the parts it has not seen and what to ask
//! for next.

/// A place in a playlist.
pub type Place = (u64, u64);

/// The edge of a playlist.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edge {
    /// Where the next part will be: the arguments of the next blocked reload.
    pub next: Place,
    /// Parts from `from` on, oldest first, with their addresses.
    pub parts: Vec<(Place, String)>,
    /// The broadcast is over.
    pub ended: bool,
}

/// Reads a playlist or a delta update; `from` is the first place that has not been fetched.
pub fn read(text: &str, from: Place) -> Edge {
    let mut edge = Edge::default();
    let (mut msn, mut index) = (0, 0);
    for line in text.lines() {
        if let Some(value) = line.strip_prefix("#EXT-X-PART:") {
            if (msn, index) >= from
                && let Some(address) = quoted(value, "URI=\"")
            {
                edge.parts.push(((msn, index), address.to_owned()));
            }
            index += 1;
        } else if let Some(value) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
            msn += value.trim().parse::<u64>().unwrap_or(0);
        } else if let Some(value) = line.strip_prefix("#EXT-X-SKIP:") {
            let skipped = value.split("SKIPPED-SEGMENTS=").nth(1).unwrap_or_default();
            msn +=
                skipped.split(',').next().and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or(0);
        } else if line.starts_with("#EXT-X-ENDLIST") {
            edge.ended = true;
        } else if !line.starts_with('#') && !line.is_empty() {
            (msn, index) = (msn + 1, 0);
        }
    }
    edge.next = (msn, index);
    edge
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split('"').next()
}

/// Addresses of all complete segments, oldest first.
pub fn segments(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n\
        #EXT-X-PART:DURATION=0.3,URI=\"a0\"\n#EXT-X-PART:DURATION=0.3,URI=\"a1\",INDEPENDENT=YES\n\
        #EXTINF:0.6,\nsegment9\n#EXT-X-PART:DURATION=0.3,URI=\"b0\"\n\
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b1\"\n";

    #[test]
    fn only_what_is_new_is_taken() {
        let all = read(TEXT, (0, 0));
        assert_eq!(all.next, (10, 1));
        assert_eq!(all.parts.len(), 3);
        let new = read(TEXT, (9, 1));
        assert_eq!(new.parts, [((9, 1), "a1".to_owned()), ((10, 0), "b0".to_owned())]);
        assert!(!new.ended && read("#EXT-X-ENDLIST", (0, 0)).ended);
        assert_eq!(segments(TEXT), ["segment9"]);
    }
}
