//! Blocking playlist reload: answer now, wait, or refuse (HLS §6.2.5.2; the table of media.md 2.3).

use super::names::RenditionId;
use super::playlist::{DirectiveError, Directives};
use crate::time::MediaTime;

/// What a request waits for; [`super::Window::reached`] tells when to ask again.
///
/// Ordered by rendition, then by place in the playlist.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct WaitFor {
    /// Whose playlist.
    pub rendition: RenditionId,
    /// The segment.
    pub msn: u64,
    /// A part of it; `None` for the whole segment. Sorts before its parts, so a waiter list keeps
    /// equal waits together, not in order of arrival.
    pub part: Option<u32>,
}

/// The newest entries of a playlist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Edge {
    /// Number of the segment that is being made or will come next; all before it are complete.
    pub(super) open_msn: u64,
    /// Its parts so far.
    pub(super) open_parts: u32,
    /// Parts of the last complete segment; 0 when there is none.
    pub(super) last_parts: u32,
    /// Anything is listed.
    pub(super) listed: bool,
    /// A whole segment is listed.
    pub(super) playable: bool,
    /// ENDLIST: nothing more will come.
    pub(super) ended: bool,
}

/// The answer to the directives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reload {
    Now,
    Wait { msn: u64, part: Option<u32> },
}

impl Edge {
    /// Whether the entry exists, or never will.
    pub(super) fn has(&self, msn: u64, part: Option<u32>) -> bool {
        let behind_last = part.is_some_and(|part| self.is_behind_last(msn, part.into()));
        let (msn, part) = if behind_last { (self.open_msn, Some(0)) } else { (msn, part) };
        let open = msn == self.open_msn && part.is_some_and(|part| part < self.open_parts);
        self.ended || msn < self.open_msn || open
    }

    /// Decides about a request.
    pub(super) fn decide(
        &self,
        directives: &Directives,
        part_target: MediaTime,
    ) -> Result<Reload, DirectiveError> {
        if self.ended {
            return Ok(Reload::Now);
        }
        // The segment after the open one is the last that may be waited for.
        let max = self.open_msn.saturating_add(1);
        if let Some(msn) = directives.msn.filter(|msn| *msn > max) {
            return Err(DirectiveError::MsnTooFar { msn, max });
        }
        let Some(msn) = directives.msn else {
            // Players take parts without a segment before them for an empty playlist, or for a
            // broken one (hls.js, Shaka), so who does not ask for a part waits for a segment.
            let wait = Reload::Wait { msn: self.open_msn, part: None };
            return Ok(if self.playable { Reload::Now } else { wait });
        };
        if !self.listed {
            let part = if directives.plain { None } else { Some(0) };
            return Ok(Reload::Wait { msn: self.open_msn, part });
        }
        let Some(part) = directives.part.filter(|_| !directives.plain) else {
            let wait = Reload::Wait { msn, part: None };
            return Ok(if msn < self.open_msn { Reload::Now } else { wait });
        };
        self.decide_part(msn, part, part_target)
    }

    fn decide_part(
        &self,
        msn: u64,
        part: u64,
        part_target: MediaTime,
    ) -> Result<Reload, DirectiveError> {
        let behind_last = self.is_behind_last(msn, part);
        let (msn, part) = if behind_last { (self.open_msn, 0) } else { (msn, part) };
        if msn < self.open_msn {
            return Ok(Reload::Now);
        }
        let parts = if msn == self.open_msn { self.open_parts } else { 0 };
        let max = (u64::from(parts) + advance_part_limit(part_target)).saturating_sub(1);
        match u32::try_from(part) {
            Ok(index) if index < parts => Ok(Reload::Now),
            Ok(index) if part <= max => Ok(Reload::Wait { msn, part: Some(index) }),
            _ => Err(DirectiveError::PartTooFar { msn, part, max }),
        }
    }

    /// A part behind the last of a complete segment means the first of the next (HLS §6.2.5.2).
    fn is_behind_last(&self, msn: u64, part: u64) -> bool {
        msn.checked_add(1) == Some(self.open_msn) && part >= self.last_parts.into()
    }
}

/// Parts ahead of the last one that may be waited for: three seconds' worth, at least three.
fn advance_part_limit(part_target: MediaTime) -> u64 {
    let millis = u64::try_from(part_target.millis()).unwrap_or(0).max(1);
    3_000_u64.div_ceil(millis).max(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments 1200 to 1205 complete with 8 parts each, 1206 has parts 0 and 1.
    const EDGE: Edge = Edge {
        open_msn: 1206,
        open_parts: 2,
        last_parts: 8,
        listed: true,
        playable: true,
        ended: false,
    };
    const HALF_SECOND: MediaTime = MediaTime::from_millis(500);

    fn ask(edge: Edge, query: &str) -> Result<Reload, DirectiveError> {
        edge.decide(&Directives::parse(query)?, HALF_SECOND)
    }

    #[test]
    fn the_table_of_blocking_reload() {
        let wait = |msn, part| Ok(Reload::Wait { msn, part });
        for (query, want) in [
            ("", Ok(Reload::Now)),
            ("_HLS_msn=1205", Ok(Reload::Now)),
            ("_HLS_msn=1206", wait(1206, None)),
            ("_HLS_msn=1206&_HLS_part=0", Ok(Reload::Now)),
            ("_HLS_msn=1206&_HLS_part=1", Ok(Reload::Now)),
            ("_HLS_msn=1206&_HLS_part=2", wait(1206, Some(2))),
            ("_HLS_msn=1205&_HLS_part=7", Ok(Reload::Now)),
            ("_HLS_msn=1205&_HLS_part=8", Ok(Reload::Now)),
            ("_HLS_msn=1205&_HLS_part=4000000000000", Ok(Reload::Now)),
            ("_HLS_msn=1204&_HLS_part=9", Ok(Reload::Now)),
            ("_HLS_msn=1206&_HLS_part=6", wait(1206, Some(6))),
            ("_HLS_msn=1206&_HLS_part=7", wait(1206, Some(7))),
            (
                "_HLS_msn=1206&_HLS_part=8",
                Err(DirectiveError::PartTooFar { msn: 1206, part: 8, max: 7 }),
            ),
            ("_HLS_msn=1207", wait(1207, None)),
            ("_HLS_msn=1207&_HLS_part=0", wait(1207, Some(0))),
            ("_HLS_msn=1207&_HLS_part=5", wait(1207, Some(5))),
            (
                "_HLS_msn=1207&_HLS_part=6",
                Err(DirectiveError::PartTooFar { msn: 1207, part: 6, max: 5 }),
            ),
            ("_HLS_msn=1208", Err(DirectiveError::MsnTooFar { msn: 1208, max: 1207 })),
            ("_HLS_msn=1208&_HLS_part=0", Err(DirectiveError::MsnTooFar { msn: 1208, max: 1207 })),
            (
                "_HLS_msn=18446744073709551615",
                Err(DirectiveError::MsnTooFar { msn: u64::MAX, max: 1207 }),
            ),
            ("_HLS_msn=1100", Ok(Reload::Now)),
            ("_HLS_msn=0&_HLS_part=0", Ok(Reload::Now)),
            ("_HLS_part=3", Err(DirectiveError::PartWithoutMsn)),
            ("_HLS_msn=1206&_HLS_skip=YES", wait(1206, None)),
            ("_HLS_msn=1206&_HLS_part=2&ll=0", wait(1206, None)),
            ("_HLS_msn=1205&_HLS_part=8&ll=0", Ok(Reload::Now)),
        ] {
            assert_eq!(ask(EDGE, query), want, "{query}");
        }
    }

    #[test]
    fn a_part_behind_the_last_waits_for_the_next_segment_to_begin() {
        let edge = Edge { open_parts: 0, ..EDGE };
        let first_part = Ok(Reload::Wait { msn: 1206, part: Some(0) });
        assert_eq!(ask(edge, "_HLS_msn=1205&_HLS_part=8"), first_part);
        assert_eq!(ask(edge, "_HLS_msn=1205&_HLS_part=7"), Ok(Reload::Now));
    }

    /// Nothing was listed yet.
    const BEGIN: Edge =
        Edge { open_msn: 1, open_parts: 0, last_parts: 0, listed: false, playable: false, ..EDGE };

    #[test]
    fn before_anything_is_listed_nobody_is_answered() {
        for query in ["_HLS_msn=0", "_HLS_msn=1&_HLS_part=0", "_HLS_msn=2"] {
            assert_eq!(ask(BEGIN, query), Ok(Reload::Wait { msn: 1, part: Some(0) }), "{query}");
        }
        for query in ["", "_HLS_skip=YES", "ll=0"] {
            assert_eq!(ask(BEGIN, query), Ok(Reload::Wait { msn: 1, part: None }), "{query}");
        }
    }

    #[test]
    fn parts_without_a_segment_are_for_those_who_ask_for_parts() {
        let edge = Edge { open_parts: 2, listed: true, ..BEGIN };
        for (query, want) in [
            ("", Reload::Wait { msn: 1, part: None }),
            ("_HLS_skip=YES", Reload::Wait { msn: 1, part: None }),
            ("_HLS_msn=1", Reload::Wait { msn: 1, part: None }),
            ("_HLS_msn=1&_HLS_part=1", Reload::Now),
            ("_HLS_msn=1&_HLS_part=2", Reload::Wait { msn: 1, part: Some(2) }),
            ("_HLS_msn=0", Reload::Now),
        ] {
            assert_eq!(ask(edge, query), Ok(want), "{query}");
        }
    }

    #[test]
    fn after_the_end_nobody_waits() {
        let edge = Edge { ended: true, ..EDGE };
        for query in ["_HLS_msn=1206", "_HLS_msn=9999", "_HLS_msn=1206&_HLS_part=99"] {
            assert_eq!(ask(edge, query), Ok(Reload::Now), "{query}");
        }
        assert!(edge.has(9_999, Some(3)));
    }

    #[test]
    fn waits_end_with_the_part_or_its_segment() {
        assert!(EDGE.has(1206, Some(1)));
        assert!(!EDGE.has(1206, Some(2)));
        assert!(!EDGE.has(1206, None));
        assert!(EDGE.has(1205, Some(99)));
    }

    #[test]
    fn the_advance_part_limit_is_three_seconds_of_parts() {
        for (millis, want) in [(500, 6), (334, 9), (400, 8), (1_000, 3), (2_000, 3)] {
            assert_eq!(advance_part_limit(MediaTime::from_millis(millis)), want);
        }
    }
}
