//! The linter itself: a good playlist has no finding, and for each rule one change that breaks it
//! gives findings of that rule alone.

use std::collections::BTreeSet;

use super::{media, multivariant, strict_multivariant, succession, text, together};
use crate::playlist::{Media, Multivariant};

/// Seven segments of 2 s in parts of 0.5 s at the edge, one open, MSN 10 to 17.
fn good() -> String {
    let mut list = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n\
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.500,CAN-SKIP-UNTIL=12.000\n\
        #EXT-X-PART-INF:PART-TARGET=0.500\n#EXT-X-MEDIA-SEQUENCE:10\n\
        #EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        .to_owned();
    for msn in 10..18 {
        if msn == 11 {
            list += "#EXT-X-DISCONTINUITY\n";
        }
        if msn == 10 || msn == 11 {
            list += &format!("#EXT-X-MAP:URI=\"init-{msn}.mp4\"\n");
        }
        list += &format!("#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:{:02}.000Z\n", (msn - 10) * 2);
        if msn >= 14 {
            for part in 0..if msn == 17 { 2 } else { 4 } {
                let independent = if part == 0 { ",INDEPENDENT=YES" } else { "" };
                list += &format!(
                    "#EXT-X-PART:DURATION=0.50000,URI=\"{msn}.{part}.m4s\"{independent}\n"
                );
            }
        }
        if msn < 17 {
            list += &format!("#EXTINF:2.00000,\n{msn}.m4s\n");
        }
    }
    list + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"17.2.m4s\"\n\
        #EXT-X-RENDITION-REPORT:URI=\"../audio/stream.m3u8\",LAST-MSN=17,LAST-PART=1\n"
}

/// The rules that a finding names: what stands before its colon.
fn rules(findings: &[String]) -> BTreeSet<String> {
    let names = findings.iter().filter_map(|finding| Some(finding.split_once(':')?.0));
    names.map(str::to_owned).collect()
}

fn findings(list: &str) -> Vec<String> {
    let findings = text(list);
    // What cannot be read as text is not looked at as a playlist.
    if findings.is_empty() { media(list, &Media::parse(list)) } else { findings }
}

#[test]
fn a_good_playlist_has_no_finding() {
    assert_eq!(findings(&good()), [""; 0]);
    let list = good();
    let (whole, _) = list.split_once("#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:14").expect("17");
    assert_eq!(findings(&format!("{whole}#EXT-X-ENDLIST\n")), [""; 0]);
}

#[test]
fn one_playlist_that_breaks_a_rule_gives_that_finding() {
    for (rule, from, to) in [
        ("PL-1", "#EXTINF:2.00000,\n12", "#EXTINF:2.00000,\r\n12"),
        ("PL-1", "#EXT-X-VERSION:9\n", "\n#EXT-X-VERSION:9\n"),
        ("PL-2", "#EXT-X-VERSION:9\n", "#EXT-X-VERSION:8\n"),
        ("PL-3", "TARGETDURATION:2\n", "TARGETDURATION:2.5\n"),
        ("PL-3", "#EXTINF:2.00000,\n10", "#EXTINF:2.60000,\n10"),
        ("PL-5", "#EXTINF:2.00000,\n12", "#EXTINF:2,\n12"),
        ("PL-5", "#EXTINF:2.00000,\n12", "#EXTINF:2.0e0,\n12"),
        ("PL-5", "#EXTINF:2.00000,\n12", "12"),
        ("PL-6", "#EXT-X-MEDIA-SEQUENCE:10\n", ""),
        ("PL-6", "#EXT-X-MEDIA-SEQUENCE:10\n", "#EXT-X-MEDIA-SEQUENCE:0\n"),
        ("PL-7", "#EXT-X-DISCONTINUITY-SEQUENCE:1\n", ""),
        ("PL-14", "#EXT-X-MAP:URI=\"init-11.mp4\"\n", ""),
        ("PL-15", "#EXT-X-MAP:URI=\"init-10.mp4\"\n", ""),
        ("PL-16", "#EXT-X-PROGRAM-DATE-TIME:2026-09-20T10:00:04.000Z\n", ""),
        ("PL-16", "10:00:04.000Z", "10:00:04.500Z"),
        ("PL-17", "URI=\"15.0.m4s\",INDEPENDENT=YES", "URI=\"15.0.m4s\""),
        ("PL-18", "#EXT-X-PART-INF", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-PART-INF"),
        ("PL-18", "#EXT-X-RENDITION-REPORT", "#EXT-X-ENDLIST\n#EXT-X-RENDITION-REPORT"),
        ("PL-20", "#EXT-X-PART-INF", "#EXT-X-START:TIME-OFFSET=-3.0\n#EXT-X-PART-INF"),
        ("LL-1", "#EXT-X-PART-INF:PART-TARGET=0.500\n", ""),
        ("LL-1", "DURATION=0.50000,URI=\"17.1", "DURATION=0.50100,URI=\"17.1"),
        (
            "LL-1",
            "DURATION=0.50000,URI=\"17.1.m4s\"\n",
            "DURATION=0.40000,URI=\"17.1.m4s\"\n#EXT-X-PART:DURATION=0.50000,URI=\"17.9.m4s\"\n",
        ),
        ("LL-3", "#EXT-X-PART:DURATION=0.50000,URI=\"14.3.m4s\"\n", ""),
        ("LL-5", "URI=\"17.1.m4s\"", "URI=\"17.1.m4s\",BYTERANGE=\"9@0\""),
        (
            "LL-6",
            "#EXT-X-PART:DURATION=0.50000,URI=\"17.1.m4s\"\n",
            "#EXT-X-PART:DURATION=0.50000,URI=\"17.1.m4s\"\n#EXT-X-MAP:URI=\"i\"\n",
        ),
        (
            "LL-6",
            "#EXTINF:2.00000,\n16.m4s",
            "#EXTINF:2.00000,\n#EXT-X-PART:DURATION=0.50000,URI=\"16.9.m4s\"\n16.m4s",
        ),
        ("LL-8", "CAN-BLOCK-RELOAD=YES,", ""),
        ("LL-8", "PART-HOLD-BACK=1.500", "PART-HOLD-BACK=1.000"),
        ("LL-8", "CAN-SKIP-UNTIL=12.000", "CAN-SKIP-UNTIL=6.000"),
        ("LL-8", "CAN-SKIP-UNTIL", "HOLD-BACK=4.000,CAN-SKIP-UNTIL"),
        ("LL-10", "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"17.2.m4s\"\n", ""),
        (
            "LL-10",
            "TYPE=PART,URI=\"17.2.m4s\"\n",
            "TYPE=PART,URI=\"17.2.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"17.3.m4s\"\n",
        ),
        ("LL-10", "TYPE=PART,URI=\"17.2", "TYPE=PART,URI=\"17.1"),
        (
            "LL-12",
            "#EXTINF:2.00000,\n12",
            "#EXT-X-RENDITION-REPORT:URI=\"x\",LAST-MSN=1\n#EXTINF:2.00000,\n12",
        ),
        (
            "LL-17",
            "#EXT-X-MAP:URI=\"init-10.mp4\"",
            "#EXT-X-SKIP:SKIPPED-SEGMENTS=0\n#EXT-X-MAP:URI=\"init-10.mp4\"",
        ),
    ] {
        let list = good();
        assert!(list.contains(from), "{rule}: {from}");
        let broken = list.replacen(from, to, 1);
        let found = findings(&broken);
        let named = rules(&found);
        let alone = named.iter().all(|name| name.split(", ").any(|name| name == rule));
        assert!(!named.is_empty() && alone, "{rule} by {to:?}: {found:#?}");
    }
}

#[test]
fn a_next_playlist_that_breaks_a_rule_gives_that_finding() {
    let segment = |msn: u32| format!("{msn}.m4s\n");
    let without_first = {
        let list = good();
        let (_, rest) = list.split_once(&segment(10)).expect("segment 10");
        let (head, _) = list.split_once("#EXT-X-MAP").expect("a map");
        format!("{head}{rest}").replace("SEQUENCE:10", "SEQUENCE:11")
    };
    let only_edge = {
        let list = good();
        let (_, rest) = list.split_once(&segment(14)).expect("segment 14");
        let (head, _) = list.split_once("#EXT-X-MAP").expect("a map");
        let head =
            head.replace("SEQUENCE:10", "SEQUENCE:15").replace("SEQUENCE:1\n", "SEQUENCE:2\n");
        format!("{head}#EXT-X-MAP:URI=\"init-11.mp4\"\n{rest}")
    };
    for (rule, next) in [
        ("", good()),
        ("", without_first.clone()),
        ("PL-2", good().replace("VERSION:9", "VERSION:10")),
        ("PL-3", good().replace("TARGETDURATION:2", "TARGETDURATION:3")),
        ("PL-6", good().replace("SEQUENCE:10", "SEQUENCE:9")),
        ("PL-7", without_first.replace("DISCONTINUITY-SEQUENCE:1", "DISCONTINUITY-SEQUENCE:2")),
        ("PL-8", good().replace("12.m4s", "012.m4s")),
        ("PL-11", only_edge),
        ("PL-8", good().replace("#EXTINF:2.00000,\n12", "#EXTINF:1.90000,\n12")),
        ("PL-8", good().replace("17.0.m4s", "17.9.m4s")),
        ("LL-1", good().replace("PART-TARGET=0.500", "PART-TARGET=0.600")),
        ("LL-8", good().replace("PART-HOLD-BACK=1.500", "PART-HOLD-BACK=1.600")),
    ] {
        let found = succession(&Media::parse(&good()), &Media::parse(&next));
        let named = rules(&found);
        if rule == "PL-6" {
            // Every segment has another number then.
            assert!(named.contains(rule), "{found:#?}");
        } else {
            let expected: BTreeSet<String> =
                [rule].iter().filter(|r| !r.is_empty()).map(|r| (*r).to_owned()).collect();
            assert_eq!(named, expected, "{rule}: {found:#?}");
        }
    }
    let mut ended = Media::parse(&good());
    ended.ended = true;
    let found = succession(&ended, &Media::parse(&good()));
    assert_eq!(rules(&found), BTreeSet::from(["PL-18".to_owned()]), "{found:#?}");
}

#[test]
fn a_part_that_was_not_hinted_is_seen() {
    let old = Media::parse(&good());
    let hint = "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"17.2.m4s\"\n";
    let with = |name: &str| {
        let part = format!("#EXT-X-PART:DURATION=0.50000,URI=\"{name}\"\n");
        Media::parse(&good().replace(hint, &part))
    };
    assert_eq!(super::wrong_hint(&old, &with("17.2.m4s")), None);
    assert_eq!(super::wrong_hint(&old, &old), None);
    let found = super::wrong_hint(&old, &with("18.0.m4s")).expect("a finding");
    assert_eq!(found, "LL-10: 17.2.m4s was hinted, 18.0.m4s came");
}

#[test]
fn playlists_that_disagree_give_that_finding() {
    let audio = || good().replace("../audio/stream.m3u8", "../0/stream.m3u8");
    for (rule, other) in [
        ("", audio()),
        ("PL-2", audio().replace("VERSION:9", "VERSION:10")),
        ("AL-1", audio().replace("TARGETDURATION:2", "TARGETDURATION:3")),
        ("AL-1", audio().replace("PART-HOLD-BACK=1.500", "PART-HOLD-BACK=1.800")),
        ("AL-1", audio().replace("#EXT-X-DISCONTINUITY\n", "")),
        ("AL-5", audio().replace("10:00:04.000Z", "10:00:04.300Z")),
        (
            "AL-7",
            audio().replace("SEQUENCE:10", "SEQUENCE:13").replace("SEQUENCE:1\n", "SEQUENCE:2\n"),
        ),
        ("LL-8", audio().replace("PART-TARGET=0.500", "PART-TARGET=0.600")),
        ("LL-12", audio().replace("LAST-MSN=17", "LAST-MSN=12")),
        ("LL-12", audio().replace(",LAST-PART=1", "")),
        ("LL-12", audio().replace("#EXT-X-RENDITION-REPORT", "#EXT-X-GAP-")),
    ] {
        let other = other.lines().filter(|l| !l.starts_with("#EXT-X-GAP-")).collect::<Vec<_>>();
        let (video, audio) = (Media::parse(&good()), Media::parse(&(other.join("\n") + "\n")));
        let lists = [("/hls/0/stream.m3u8", &video), ("/hls/audio/stream.m3u8", &audio)];
        let found = together(&lists);
        let named = rules(&found);
        match rule {
            "" => assert!(named.is_empty(), "{found:#?}"),
            // A rendition three segments away disagrees about dates and reports too.
            "AL-7" => assert!(named.contains(rule), "{found:#?}"),
            rule => assert_eq!(named, BTreeSet::from([rule.to_owned()]), "{found:#?}"),
        }
    }
}

#[test]
fn a_multivariant_playlist_that_breaks_a_rule_gives_that_finding() {
    let good = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"Main\",DEFAULT=YES,AUTOSELECT=YES,\
        CHANNELS=\"2\",URI=\"audio/stream.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000,\
        CODECS=\"avc1.64001F,mp4a.40.2\",RESOLUTION=640x360,FRAME-RATE=25.000,\
        VIDEO-RANGE=SDR,AUDIO=\"a\"\n0/stream.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=130000,\
        CODECS=\"mp4a.40.2\",AUDIO=\"a\"\naudio/stream.m3u8\n";
    for (rule, from, to) in [
        ("", "", ""),
        (
            "MV-1",
            "BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000",
            "BANDWIDTH=2000,AVERAGE-BANDWIDTH=1500",
        ),
        (
            "MV-1",
            "BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000",
            "BANDWIDTH=1000000,AVERAGE-BANDWIDTH=1500000",
        ),
        ("MV-1", ",AVERAGE-BANDWIDTH=130000", ""),
        ("MV-2", "FRAME-RATE=25.000", "FRAME-RATE=25"),
        ("MV-4", "AUDIO=\"a\"\n0", "AUDIO=\"b\"\n0"),
        ("MV-4", ",CHANNELS=\"2\"", ""),
        ("MV-4", ",AUTOSELECT=YES", ""),
        ("MV-7", "VIDEO-RANGE=SDR", "VIDEO-RANGE=SDR,CLOSED-CAPTIONS=\"cc\""),
        ("MV-12", "\n0/stream.m3u8", "\nhttp://elsewhere/0/stream.m3u8"),
        ("CM-12", "avc1.64001F", "hev1.1.6.L93.B0"),
    ] {
        let playlist = Multivariant::parse(&good.replacen(from, to, 1));
        let found = [multivariant(&playlist), strict_multivariant(&playlist)].concat();
        let named = rules(&found);
        let expected: BTreeSet<String> =
            [rule].iter().filter(|r| !r.is_empty()).map(|r| (*r).to_owned()).collect();
        assert_eq!(named, expected, "{rule}: {found:#?}");
    }
    let unsized_video = good.replace("RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,", "");
    let found = strict_multivariant(&Multivariant::parse(&unsized_video));
    assert_eq!(rules(&found), BTreeSet::from(["MV-6".to_owned()]), "{found:#?}");
    let unrated = good.replace("FRAME-RATE=25.000,", "");
    let found = strict_multivariant(&Multivariant::parse(&unrated));
    assert_eq!(rules(&found), BTreeSet::from(["MV-3".to_owned()]), "{found:#?}");
}
