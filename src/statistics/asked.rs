//! What the admin asks, answered from what the thread has.

use std::time::Instant;

use riverrun_web::admin::{self, Sample};
use riverrun_web::history::{self, Query, SAMPLES_MAX, Series};
use riverrun_web::metrics::{Overview, VIDEO_SERIES, VideoMetrics};

use super::observer::{Observer, read, unix_seconds};
use super::{Answer, Question};

/// Owncast keeps 300 samples, each of two minutes (API §5.6).
const OWNCAST_SECONDS: u64 = 300 * 120;
/// Three hundred, and the one that is under way.
const OWNCAST_SAMPLES: u32 = 301;
/// What `/api/admin/history` gives when no time is named, seconds.
const HISTORY_SECONDS: u64 = 15 * 60;

impl Observer {
    /// The answer to a question of the admin's.
    pub(super) fn answer(&self, question: &Question) -> Answer {
        let now = Instant::now();
        Answer::Body(match question {
            Question::Viewers => admin::to_json(&self.audience.viewers()),
            Question::PlaybackClients => {
                admin::to_json(&self.audience.playback_clients(now, &self.playback))
            }
            Question::ViewersOverTime(since) => {
                let (_, mut samples) = self.samples(&[Series::Viewers], *since, SAMPLES_MAX);
                admin::to_json(&samples.pop().unwrap_or_default())
            }
            Question::History(since, wanted) => {
                let since = since.unwrap_or_else(|| unix_seconds().saturating_sub(HISTORY_SECONDS));
                let (step, samples) = self.samples(wanted, since, SAMPLES_MAX);
                history::to_json(wanted, step, &samples)
            }
            Question::Hardware => {
                let series = [Series::Disk, Series::Memory, Series::Cpu];
                let mut samples = self.owncast_samples(&series).into_iter();
                let mut next = || samples.next().unwrap_or_default();
                admin::to_json(&admin::Hardware { disk: next(), memory: next(), cpu: next() })
            }
            Question::Playback => {
                let mut metrics = VideoMetrics::new(self.owncast_samples(&VIDEO_SERIES));
                let variants = self.board.state().variants();
                let rates = variants.iter().map(|variant| variant.video_bitrate);
                metrics.available_bitrates = rates.filter(|kbit| *kbit > 0).collect();
                metrics.segment_length = self.segment_seconds;
                metrics.representation = self.overview.as_ref().map_or(0, |o| o.representation);
                metrics.to_json()
            }
            Question::Health => self.verdict.to_json(&self.readings, self.overview.as_ref()),
            Question::Metrics => self.exposition().into_bytes(),
            Question::Overview => return Answer::Overview(self.told_overview()),
        })
    }

    /// Owncast's overview; where it has nothing to say, what the health value has.
    fn told_overview(&self) -> Option<Overview> {
        let mut overview = self.overview.clone()?;
        if let Some(worst) = self.verdict.worst().filter(|_| overview.message.is_empty()) {
            overview.message.clone_from(&worst.message);
        }
        Some(overview)
    }

    fn owncast_samples(&self, wanted: &[Series]) -> Vec<Vec<Sample>> {
        let since = unix_seconds().saturating_sub(OWNCAST_SECONDS);
        self.samples(wanted, since, OWNCAST_SAMPLES).1
    }

    fn samples(&self, wanted: &[Series], since: u64, max: u32) -> (u32, Vec<Vec<Sample>>) {
        let blocks = self.store.measured();
        if let Err(error) = &blocks {
            tracing::error!(%error, "only what is in memory of the history is shown");
        }
        let query = Query { since, until: unix_seconds(), samples_max: max };
        self.history.read(wanted, query, |tier, place| read(blocks.as_ref().ok()?, tier, place))
    }
}
