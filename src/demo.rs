//! `--demo`: the built-in picture, drawn and encoded on a thread of its own, published like
//! anybody's stream.
//!
//! The codecs run at lower priority so that viewers on the same core come first. The thread paces
//! itself by the clock and hands finished access units to a task on shard 0 through a bounded
//! queue; when that is full the thread waits and then skips pictures that are late.

use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::future;
use riverrun_media::access_unit::{AccessUnit, Tracks};
use riverrun_media::demo::{Demo, DemoConfig};
use riverrun_media::limits::OUTPUT_START_90K;
use riverrun_media::time::{MediaTime, Timescale};

use crate::clock;
use crate::publish::Outlets;
use crate::stage::{Claim, Grant, Leaving, Origin, PublisherId, StageMessage};

/// Pictures that may wait between encoder and shard.
const QUEUE_PICTURES: usize = 8;
/// How nice the codec thread is: far behind the shards, ahead of idle.
const NICE: i32 = 10;
/// A codec thread this late starts its clock anew instead of hurrying after it.
const LATE_MAX: Duration = Duration::from_millis(500);

enum Produced {
    Begin { tracks: Tracks, start: MediaTime },
    Units(Vec<AccessUnit>),
}

/// Publishes the demo whenever nobody else is on air. Ends when the stage is gone.
pub async fn run(stage: Sender<StageMessage>, outlets: Outlets, publisher: PublisherId) {
    loop {
        let (grant, granted) = async_channel::bounded(1);
        let claim = Claim { publisher, origin: Origin::Demo, grant };
        if stage.send(StageMessage::Claim(claim)).await.is_err() {
            return;
        }
        let Ok(Grant { broadcast, revoked }) = granted.recv().await else { return };
        let (sender, pictures) = async_channel::bounded(QUEUE_PICTURES);
        let thread = thread::Builder::new().name("demo".to_owned()).spawn(move || encode(&sender));
        if let Err(error) = thread {
            tracing::error!(%error, "the demo's thread could not be started");
            return;
        }
        let (broadcast, leaving) = perform(broadcast, &pictures, &revoked, &outlets).await;
        let back = StageMessage::Return { publisher, broadcast, leaving };
        if stage.send(back).await.is_err() || leaving == Leaving::Finished {
            return;
        }
    }
}

async fn perform(
    mut broadcast: Box<crate::publish::Broadcast>,
    pictures: &Receiver<Produced>,
    revoked: &Receiver<crate::stage::Revocation>,
    outlets: &Outlets,
) -> (Box<crate::publish::Broadcast>, Leaving) {
    loop {
        let next = future::or(
            async {
                let _ = revoked.recv().await;
                None
            },
            async { Some(pictures.recv().await) },
        )
        .await;
        match next {
            None => return (broadcast, Leaving::Yielded),
            Some(Err(_)) => return (broadcast, Leaving::Finished),
            Some(Ok(Produced::Begin { tracks, start })) => {
                broadcast.start(tracks, start, clock::date());
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
fn encode(pictures: &Sender<Produced>) {
    let _ = rustix::process::nice(NICE);
    if let Err(error) = encode_until_closed(pictures) {
        tracing::error!(%error, "the demo ended: its codec failed");
    }
}

fn encode_until_closed(pictures: &Sender<Produced>) -> Result<(), riverrun_media::demo::DemoError> {
    let config = DemoConfig::default();
    let picture_time = Duration::from_secs(1) / config.frame_rate;
    let mut demo = Demo::new(config)?;
    let start = MediaTime::new(OUTPUT_START_90K, Timescale::VIDEO);
    if pictures.send_blocking(Produced::Begin { tracks: demo.tracks(), start }).is_err() {
        return Ok(());
    }
    let mut due = Instant::now();
    loop {
        let now = Instant::now();
        if now < due {
            thread::sleep(due - now);
        } else if now > due + LATE_MAX {
            due = now;
        }
        // The clock in the picture shows when it was due: it moves evenly.
        let units = demo.next(clock::date_at(due))?;
        if pictures.send_blocking(Produced::Units(units)).is_err() {
            return Ok(());
        }
        due += picture_time;
    }
}
