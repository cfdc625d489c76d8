//! How the server ends a publish: at once and with a reason, or by asking the publisher to go.

use std::time::Instant;

use super::outbox::Level;
use super::{Refusal, Session, State};

impl Session {
    /// Refuses the publisher of [`Event::PublishRequested`] and finishes the session.
    ///
    /// [`Event::PublishRequested`]: crate::rtmp::Event::PublishRequested
    pub fn refuse_publish(&mut self, now: Instant, refusal: Refusal) {
        if matches!(self.state, State::AwaitingDecision { .. }) {
            self.end(now, refusal);
        }
    }

    /// The server is about to go: asks a publisher that announced it can to connect again. It moves
    /// at its next keyframe, and until then its media is taken as before (RC-6). `false` where it
    /// cannot, is not live, or was asked before: then [`Self::end`] is left.
    pub fn ask_to_reconnect(&mut self) -> bool {
        let live = matches!(self.state, State::AwaitingMedia(_));
        if !live || !self.capabilities.reconnects || self.asked_to_reconnect {
            return false;
        }
        self.asked_to_reconnect = true;
        self.outbox.reconnect_request(Refusal::ShuttingDown.description());
        true
    }

    /// Ends the session, live or not: the publisher is told why, later input is ignored and events
    /// not yet taken are dropped, so nothing follows a takeover (RC-2). When the server shuts down,
    /// a publisher that can connect again hears that it should, and nothing else (RC-6).
    pub fn end(&mut self, _now: Instant, refusal: Refusal) {
        if let State::AwaitingDecision { publish, .. } | State::AwaitingMedia(publish) = &self.state
        {
            let stream = publish.stream;
            if refusal == Refusal::ShuttingDown && self.capabilities.reconnects {
                // It comes back, where OBS gives up on a failure (CMD-3).
                if !self.asked_to_reconnect {
                    self.outbox.reconnect_request(refusal.description());
                }
            } else {
                self.outbox.status(stream, Level::Error, refusal.code(), refusal.description());
            }
        }
        self.events.clear();
        self.state = State::Finished;
    }
}
