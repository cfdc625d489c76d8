//! When to acknowledge received bytes (RTMP §5.4.3, AK-1).

/// Compares totals modulo 2^32, so a broadcast of any length keeps being acknowledged: FMLE stops
/// sending when it is not.
#[derive(Debug)]
pub(super) struct Acknowledgement {
    window: u32,
    /// The last total sent.
    acknowledged: u32,
}

impl Acknowledgement {
    pub(super) const fn new(window: u32) -> Self {
        Self { window, acknowledged: 0 }
    }

    /// The peer announced its window, in bytes.
    pub(super) const fn set_window(&mut self, window: u32) {
        self.window = window;
    }

    /// The total to send now, once `received` bytes have arrived in all; `None` inside the window.
    pub(super) const fn due(&mut self, received: u64) -> Option<u32> {
        // The wire counts modulo 2^32.
        let received = received as u32;
        let since = received.wrapping_sub(self.acknowledged);
        if since == 0 || since < self.window {
            return None;
        }
        self.acknowledged = received;
        Some(received)
    }

    /// As if everything up to `received` had been acknowledged.
    #[cfg(test)]
    pub(super) const fn preset(&mut self, received: u64) {
        self.acknowledged = received as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ak_1_totals_wrap_at_4_gib() {
        let mut acknowledgement = Acknowledgement::new(1_000);
        let start = (1_u64 << 32) - 1_500;
        acknowledgement.preset(start);
        for (received, due) in [
            (start + 999, None),
            (start + 1_000, Some(u32::MAX - 499)),
            (start + 1_999, None),
            (start + 2_000, Some(500)),
            (start + 2_000, None),
            (start + 9_000, Some(7_500)),
            ((1 << 33) + 8_499, None),
            ((1 << 33) + 8_500, Some(8_500)),
        ] {
            assert_eq!(acknowledgement.due(received), due, "{received}");
        }
    }

    #[test]
    fn a_window_of_zero_acknowledges_every_arrival_once() {
        let mut acknowledgement = Acknowledgement::new(0);
        assert_eq!(acknowledgement.due(0), None);
        assert_eq!(acknowledgement.due(5), Some(5));
        assert_eq!(acknowledgement.due(5), None);
    }
}
