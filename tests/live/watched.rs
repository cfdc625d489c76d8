//! A live broadcast beside which others misbehave: it must not notice.

use std::time::Duration;

use crate::frames::Tracks;
use crate::player::{Follower, follow_all};
use crate::playlist::Media;
use crate::publish::Publisher;
use crate::server::Server;
use crate::tool::wait_for;

const BOTH: Tracks = Tracks { video: true, audio: true };
/// What hostile peers together may cost on top of the window, in bytes.
pub(crate) const MEMORY_BUDGET: u64 = 96 << 20;
/// A part may come this much later than the promptest one. PART-HOLD-BACK is three parts: about a
/// second is what a player has in store.
const LATENESS_LIMIT: Duration = Duration::from_millis(1000);

/// How many segments the broadcast must go on for, so that an attack that works late is seen.
const WATCHED_SEGMENTS: u64 = 6;

/// A live broadcast under watch. The publisher uses a key the recordings do not carry, so that
/// replaying them is an attack and not a takeover.
pub(crate) struct Watched {
    pub(crate) server: Server,
    publisher: Publisher,
    followers: Vec<Follower>,
    first_segment: u64,
    pub(crate) resident_before: u64,
    pub(crate) descriptors_before: usize,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let key = "another-key-than-the-recordings";
        let server = Server::start_with_key(key);
        let publisher = Publisher::looped("fps25", &server.publish_url_with(key));
        let followers = follow_all(&server, BOTH);
        wait_for("two segments", Duration::from_secs(30), || {
            let text = server.get("/hls/0/stream.m3u8");
            (Media::parse(text.text()).segments.len() > 2).then_some(())
        });
        let first_segment = edge(&server);
        let (resident_before, descriptors_before) = (server.resident(), server.descriptors());
        Self { server, publisher, followers, first_segment, resident_before, descriptors_before }
    }

    /// The attack is over: nothing was missed, nothing came late, nothing stays behind.
    pub(crate) fn assert_unharmed(mut self) {
        assert!(self.server.runs(), "the server ended");
        let grown = self.server.resident().saturating_sub(self.resident_before);
        assert!(grown < MEMORY_BUDGET, "memory grew by {} MiB", grown >> 20);
        let server = &self.server;
        wait_for("the attackers' connections to be closed", Duration::from_secs(60), || {
            (server.descriptors() <= self.descriptors_before + 8).then_some(())
        });
        wait_for("the broadcast to go on", Duration::from_secs(60), || {
            (edge(server) >= self.first_segment + WATCHED_SEGMENTS).then_some(())
        });
        assert!(self.publisher.runs(), "the publisher was dropped");
        for follower in self.followers {
            assert!(!follower.finished(), "a viewer was dropped");
            let recording = follower.stop();
            recording.assert_clean();
            assert!(recording.discontinuities().is_empty());
            assert_eq!(recording.unavailable, 0);
            assert!(recording.parts() > 20, "watched only {} parts", recording.parts());
            let late = recording.worst_lateness();
            assert!(late < LATENESS_LIMIT, "a part came {late:?} late");
        }
        let log = self.server.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

pub(crate) fn edge(server: &Server) -> u64 {
    Media::parse(server.get("/hls/0/stream.m3u8").text()).edge().0
}
