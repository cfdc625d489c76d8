//! `--demo`: the built-in picture, drawn and encoded on a thread of its own, published like
//! anybody's stream.
//!
//! The codecs run at lower priority so that viewers on the same core come first. The thread paces
//! itself by the clock and hands finished access units to a task on shard 0 through a bounded
//! queue; when that is full the thread waits.

use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::future;
use glommio::timer::Timer;
use riverrun_media::access_unit::{AccessUnit, TrackKind, Tracks};
use riverrun_media::demo::{Demo, DemoConfig, DemoError};
use riverrun_media::limits::OUTPUT_START_90K;
use riverrun_media::time::{MediaTime, Timescale, UnixTime};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::clock;
use crate::ingest::next_publisher;
use crate::publish::{Broadcast, Outlets};
use crate::stage::{Claim, Denial, Grant, Leaving, Origin, Revocation, StageMessage};
use crate::supervisor::ShardId;

/// Pictures that may wait between encoder and shard.
const QUEUE_PICTURES: usize = 8;
/// How nice the codec thread is: far behind the shards, ahead of idle.
const NICE: i32 = 10;
/// A codec thread this late starts its clock anew instead of hurrying after it.
const LATE_MAX: Duration = Duration::from_millis(500);
/// Pause before a failed demo is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

enum Produced {
    /// A timeline begins, at the start and after a leap of the clock.
    Begin {
        tracks: Tracks,
        start: MediaTime,
        date: UnixTime,
    },
    Units(Vec<AccessUnit>),
}

/// Publishes the demo whenever nobody else is on air. `cores` are those of the process: this task
/// runs on a pinned shard and its thread would inherit the pin. Ends when the stage is gone.
pub async fn run(stage: Sender<StageMessage>, outlets: Outlets, shard: ShardId, cores: CpuSet) {
    let publisher = next_publisher();
    loop {
        let (sender, answer) = async_channel::bounded(1);
        let claim = Claim { publisher, origin: Origin::Demo, shard, peer: None, answer: sender };
        if stage.send(StageMessage::Claim(claim)).await.is_err() {
            return;
        }
        let Grant { broadcast, revoked } = match answer.recv().await {
            Ok(Ok(grant)) => grant,
            Ok(Err(Denial::Stopping)) | Err(_) => return,
            Ok(Err(Denial::OtherKey | Denial::Superseded | Denial::NoNumbers)) => {
                Timer::new(RETRY_INTERVAL).await;
                continue;
            }
        };
        let (sender, pictures) = async_channel::bounded(QUEUE_PICTURES);
        let thread =
            thread::Builder::new().name("demo".to_owned()).spawn(move || encode(&sender, &cores));
        if let Err(error) = &thread {
            tracing::error!(%error, "the demo's thread could not be started");
        }
        let (broadcast, leaving) = perform(broadcast, &pictures, &revoked, &outlets).await;
        let grant = Grant { broadcast, revoked };
        let back = StageMessage::Return { publisher, grant, leaving };
        if stage.send(back).await.is_err() {
            return;
        }
        if leaving == Leaving::Finished {
            Timer::new(RETRY_INTERVAL).await;
        }
    }
}

/// Hands units over until the stage wants the broadcast back or the thread has ended.
async fn perform(
    mut broadcast: Box<Broadcast>,
    pictures: &Receiver<Produced>,
    revoked: &Receiver<Revocation>,
    outlets: &Outlets,
) -> (Box<Broadcast>, Leaving) {
    loop {
        let revocation = async {
            let _ = revoked.recv().await;
            None
        };
        match future::or(revocation, async { Some(pictures.recv().await) }).await {
            None => return (broadcast, Leaving::Yielded),
            Some(Err(_)) => return (broadcast, Leaving::Finished),
            Some(Ok(Produced::Begin { tracks, start, date })) => {
                broadcast.start(tracks, start, date);
            }
            Some(Ok(Produced::Units(units))) => {
                for unit in units {
                    broadcast.unit(unit);
                }
            }
        }
        broadcast.flush(outlets).await;
    }
}

/// Draws and encodes until nobody listens.
fn encode(pictures: &Sender<Produced>, cores: &CpuSet) {
    // Neither is needed to run: without them the demo is a worse neighbour.
    let _ = sched_setaffinity(None, cores);
    let _ = rustix::process::nice(NICE);
    if let Err(error) = encode_until_closed(pictures) {
        tracing::error!(%error, "the demo ended: its codec failed");
    }
}

fn encode_until_closed(pictures: &Sender<Produced>) -> Result<(), DemoError> {
    let config = DemoConfig::default();
    let picture_time = Duration::from_secs(1) / config.frame_rate;
    let mut demo = Demo::new(config)?;
    let mut due = Instant::now();
    let mut anchored = false;
    for picture in 0.. {
        let now = Instant::now();
        if now < due {
            thread::sleep(due - now);
        } else if now > due + LATE_MAX {
            due = now;
            anchored = false;
        }
        let date = clock::date_at(due);
        let units = demo.next(date)?;
        // Dates and media time must agree (PL-16): after a leap of the clock they are tied anew, as
        // soon as a picture can begin a timeline.
        if !anchored && units.iter().any(|unit| unit.track == TrackKind::Video && unit.sync) {
            let begin = Produced::Begin { tracks: demo.tracks(), start: time_of(picture), date };
            if pictures.send_blocking(begin).is_err() {
                return Ok(());
            }
            anchored = true;
        }
        if pictures.send_blocking(Produced::Units(units)).is_err() {
            return Ok(());
        }
        due += picture_time;
    }
    Ok(())
}

/// When this picture is shown on the demo's timeline.
fn time_of(picture: i64) -> MediaTime {
    let rate = i64::from(DemoConfig::default().frame_rate);
    let ticks = i64::from(Timescale::VIDEO.hz()) * picture / rate;
    MediaTime::new(OUTPUT_START_90K + ticks, Timescale::VIDEO)
}
