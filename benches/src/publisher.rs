//! Plays footage to a server: in time, faster, or with the faults of real uplinks.

use std::thread;
use std::time::Duration;

use crate::footage::Footage;
use crate::random::Random;
use crate::rtmp::{Publisher, Target};
use crate::{Outcome, stamp};

/// Bytes sent in one call when the pace is "as fast as possible".
const BATCH_BYTES: usize = 256 << 10;

/// How the footage is played.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Times real time; 0 is as fast as the server takes it.
    pub speed: f64,
    /// Seconds of media to send; the footage is repeated as often as it takes.
    pub seconds: f64,
    /// Each message is late by a random time up to this.
    pub jitter: Duration,
    /// Messages gather this long and then leave together; zero for none.
    pub burst: Duration,
    /// The connection breaks after this much media and is made again; zero for never.
    pub drop_every: Duration,
    /// How long it stays away.
    pub drop_for: Duration,
    /// Seed of jitter.
    pub seed: u64,
    /// Leave without a goodbye, so that the server keeps the broadcast open.
    pub vanish: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            speed: 1.0,
            seconds: 10.0,
            jitter: Duration::ZERO,
            burst: Duration::ZERO,
            drop_every: Duration::ZERO,
            drop_for: Duration::from_secs(2),
            seed: 1,
            vanish: false,
        }
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Payload bytes.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Send time of the first picture, in nanoseconds of the monotonic clock.
    pub first_picture: u64,
    /// Seconds from the first message to the last.
    pub seconds: f64,
}

/// Publishes `footage` as `pace` says; returns when it is through.
pub fn play(target: &Target, footage: &Footage, pace: &Pace) -> Outcome<Sent> {
    let mut footage = footage.clone();
    let mut random = Random::new(pace.seed);
    let mut publisher = Publisher::start(target)?;
    let start = stamp::now();
    let (mut sent, mut offset, mut next_drop) = (Sent::default(), 0_u64, millis(pace.drop_every));
    let end = (pace.seconds * 1_000.0) as u64;
    'passes: loop {
        for tag in &mut footage.tags {
            if tag.header && offset > 0 {
                continue;
            }
            let at = offset + tag.millis;
            if at >= end {
                break 'passes;
            }
            if next_drop > 0 && at >= next_drop {
                next_drop += millis(pace.drop_every);
                drop(publisher);
                thread::sleep(pace.drop_for);
                publisher = Publisher::start(target)?;
            }
            wait_until(start, due(at, pace, &mut random), &mut publisher)?;
            let now = stamp::now();
            if let Some(place) = tag.stamp {
                stamp::set(&mut tag.payload, place, now);
                if sent.first_picture == 0 {
                    sent.first_picture = now;
                }
            }
            publisher.queue(tag.kind, u32::try_from(at & 0xFFFF_FFFF).unwrap_or(0), &tag.payload);
            sent.bytes += tag.payload.len() as u64;
            sent.messages += 1;
            let gathers = pace.speed == 0.0 || !pace.burst.is_zero();
            if !gathers || publisher.queued_bytes() >= BATCH_BYTES {
                publisher.flush()?;
            }
        }
        offset += footage.millis;
    }
    publisher.flush()?;
    sent.seconds = (stamp::now() - start) as f64 / 1e9;
    if !pace.vanish {
        publisher.unpublish()?;
    }
    Ok(sent)
}

/// Nanoseconds after the start at which the message of media time `at` leaves.
fn due(at: u64, pace: &Pace, random: &mut Random) -> u64 {
    if pace.speed == 0.0 {
        return 0;
    }
    let mut nanos = (at as f64 * 1e6 / pace.speed) as u64;
    let burst = nanos_of(pace.burst);
    if burst > 0 {
        nanos = nanos.div_ceil(burst) * burst;
    }
    nanos + random.below(nanos_of(pace.jitter))
}

fn wait_until(start: u64, due: u64, publisher: &mut Publisher) -> Outcome<()> {
    let now = stamp::now() - start;
    if due > now {
        if publisher.queued_bytes() > 0 {
            publisher.flush()?;
        }
        thread::sleep(Duration::from_nanos(due - now));
    }
    Ok(())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
