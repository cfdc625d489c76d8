//! All figures as Prometheus reads them. Names and units are stable; labels are few and bounded.

use riverrun_media::health::{Figures, RenditionFigures};
use riverrun_web::prometheus::{Exposition, Kind};

use super::observer::Observer;

use Kind::{Counter, Gauge};

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Observer {
    /// The document.
    pub(super) fn exposition(&self) -> String {
        let mut text = Exposition::default();
        text.metric("riverrun_build_info", Gauge, "The program that runs.")
            .sample(&[("version", VERSION)], 1.0);
        self.write_health(&mut text);
        self.write_viewers(&mut text);
        self.write_ingest(&mut text);
        if self.is_on_air {
            write_ladder(&self.broadcast.total(), &mut text);
        }
        self.write_machine(&mut text);
        self.write_process(&mut text);
        self.write_as_owncast(&mut text);
        text.finish()
    }

    fn write_health(&self, text: &mut Exposition) {
        let help = "How well each part does: 0 good, 1 warning, 2 bad. /api/admin/health says why.";
        let mut health = text.metric("riverrun_health", Gauge, help);
        for finding in &self.verdict.findings {
            let level = f64::from(finding.level as u8);
            match finding.variant.map(|variant| variant.to_string()) {
                None => health.sample(&[("part", finding.part.word())], level),
                Some(variant) => {
                    health.sample(&[("part", finding.part.word()), ("variant", &variant)], level)
                }
            };
        }
        let late = "The shard serves viewers late and takes no new ones: 1, else 0.";
        let mut metric = text.metric("riverrun_shard_late", Gauge, late);
        for (shard, figures) in self.shards.iter().enumerate() {
            let late = figures.map_or(0.0, |figures| f64::from(u8::from(figures.is_late)));
            metric.sample(&[("shard", &shard.to_string())], late);
        }
        let mut metric = text.metric(
            "riverrun_connections",
            Gauge,
            "Open connections of viewers and publishers.",
        );
        for (shard, figures) in self.shards.iter().enumerate() {
            let open = figures.map_or(0, |figures| figures.connections);
            metric.sample(&[("shard", &shard.to_string())], count(open));
        }
    }

    fn write_viewers(&self, text: &mut Exposition) {
        let counts = self.counts();
        let on_air = f64::from(u8::from(self.is_on_air));
        text.gauge("riverrun_on_air", "A broadcast is on: 1, else 0.", Some(on_air));
        text.gauge("riverrun_viewers", "Viewers now.", Some(counts.viewers.into()));
        let help = "Most viewers at one time, in this broadcast or the last.";
        text.gauge("riverrun_viewers_session_peak", help, Some(counts.session_peak.into()));
        let help = "Most viewers at one time, ever.";
        text.gauge("riverrun_viewers_overall_peak", help, Some(counts.overall_peak.into()));
        let countries = self.audience.by_country();
        if !countries.is_empty() {
            let help = "Viewers now, by the code of their country.";
            let mut metric = text.metric("riverrun_viewers_by_country", Gauge, help);
            for (country, viewers) in countries {
                metric.sample(&[("country", country)], viewers.into());
            }
        }
        let players = &self.players;
        let help = "Players that told of themselves in the last half minute.";
        text.gauge("riverrun_players", help, Some(players.players.into()));
        let (errors, changes) = self.playback.totals();
        let help = "Errors and stops that players told of.";
        text.counter("riverrun_player_errors_total", help, Some(errors));
        let help = "Changes to another rendition that players told of.";
        text.counter("riverrun_player_quality_changes_total", help, Some(changes));
        for (name, help, spread, unit) in [
            ("riverrun_player_latency_seconds", "Behind live.", players.latency, 1.0),
            (
                "riverrun_player_download_seconds",
                "To load a segment or part.",
                players.download,
                1.0,
            ),
            (
                "riverrun_player_bandwidth_bits_per_second",
                "Measured lines.",
                players.bandwidth,
                1e3,
            ),
        ] {
            let Some(spread) = spread else { continue };
            let mut metric = text.metric(name, Gauge, help);
            for (quantile, value) in ["0", "0.5", "1"].into_iter().zip(spread) {
                metric.sample(&[("quantile", quantile)], value * unit);
            }
        }
    }

    fn write_ingest(&self, text: &mut Exposition) {
        let Some(ingest) = self.readings.ingest else { return };
        for (name, help, value) in [
            (
                "riverrun_ingest_video_bits_per_second",
                "The publisher's pictures, mean of ten seconds.",
                Some(ingest.video_kbit * 1e3),
            ),
            (
                "riverrun_ingest_audio_bits_per_second",
                "The publisher's sound, mean of ten seconds.",
                Some(ingest.audio_kbit * 1e3),
            ),
            (
                "riverrun_ingest_pictures_per_second",
                "The publisher's pictures, mean of ten seconds.",
                Some(ingest.pictures),
            ),
            (
                "riverrun_ingest_keyframe_gap_seconds",
                "Media between two keyframes.",
                ingest.keyframe_gap,
            ),
            (
                "riverrun_ingest_jitter_seconds",
                "How far arrivals are from their pace.",
                Some(ingest.jitter),
            ),
            (
                "riverrun_ingest_arrival_gap_seconds",
                "Longest wait for a picture in ten seconds.",
                Some(ingest.arrival_gap),
            ),
        ] {
            text.gauge(name, help, value);
        }
        let away = f64::from(u8::from(ingest.is_away));
        let help = "The publisher is away and the broadcast waits for it: 1, else 0.";
        text.gauge("riverrun_ingest_away", help, Some(away));
    }

    fn write_machine(&self, text: &mut Exposition) {
        let load = &self.load;
        for (name, help, value) in [
            (
                "riverrun_machine_cpu_ratio",
                "Busy share of all cores.",
                load.cpu.map(|cpu| cpu / 100.0),
            ),
            (
                "riverrun_machine_memory_ratio",
                "Used share of the memory.",
                load.memory.map(|memory| memory / 100.0),
            ),
            (
                "riverrun_machine_disk_ratio",
                "Used share of the file system of the data folder.",
                load.disk.map(|disk| disk / 100.0),
            ),
            (
                "riverrun_machine_disk_free_bytes",
                "Free for us on that file system.",
                load.disk_free.map(bytes),
            ),
            (
                "riverrun_machine_network_sent_bits_per_second",
                "Sent by the machine to others.",
                load.network_out,
            ),
        ] {
            text.gauge(name, help, value);
        }
    }

    /// By the names that every program gives these.
    fn write_process(&self, text: &mut Exposition) {
        let process = &self.process;
        let help = "Time on all cores.";
        text.counter("process_cpu_seconds_total", help, process.cpu_seconds);
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory in use.", process.resident_bytes),
            ("process_virtual_memory_bytes", "Address space.", process.virtual_bytes),
            ("process_threads", "Threads.", process.threads),
            ("process_open_fds", "Open files.", process.open_files),
            ("process_max_fds", "Files that may be open.", process.open_files_max),
        ] {
            text.gauge(name, help, value.map(bytes));
        }
    }

    /// The gauges of Owncast that there is something behind, for dashboards made for it (API §5.6).
    fn write_as_owncast(&self, text: &mut Exposition) {
        let state = self.board.state();
        let url: Option<http::Uri> = state.settings.instance.server_url.parse().ok();
        let host = url.as_ref().and_then(http::Uri::host).unwrap_or("unknown");
        let labels = [("version", VERSION), ("host", host)];
        let viewers = f64::from(self.counts().viewers);
        for (name, help, value) in [
            ("owncast_instance_active_viewer_count", "Viewers now.", viewers),
            (
                "owncast_instance_playback_error_count",
                "Errors of players in the last ten seconds.",
                self.players.errors,
            ),
            (
                "owncast_instance_cpu_usage",
                "Busy cores, percent.",
                self.load.cpu.unwrap_or_default(),
            ),
        ] {
            text.metric(name, Gauge, help).sample(&labels, value);
        }
    }
}

/// Of the broadcast that is on, since its beginning.
fn write_ladder(total: &Figures, text: &mut Exposition) {
    let help = "Pictures that the publisher sent.";
    text.counter("riverrun_ingest_pictures_total", help, Some(total.ingest.pictures.into()));
    if total.renditions.iter().all(Option::is_none) {
        return;
    }
    for (name, help, value) in [
        ("riverrun_decoder_pictures_total", "Pictures decoded.", total.decoding.pictures),
        (
            "riverrun_decoder_skipped_pictures_total",
            "Pictures left out for want of time.",
            total.decoding.skipped,
        ),
    ] {
        text.counter(name, help, Some(value.into()));
    }
    type Of = fn(&RenditionFigures) -> Option<f64>;
    let table: [(&str, Kind, &str, Of); 8] = [
        ("riverrun_rendition_pictures_total", Counter, "Pictures coded.", |r| {
            Some(r.pictures.into())
        }),
        ("riverrun_rendition_bytes_total", Counter, "Coded.", |r| Some(bytes(r.bits / 8))),
        (
            "riverrun_rendition_dropped_pictures_total",
            Counter,
            "Pictures that did not get to the encoder.",
            |r| Some(r.dropped.into()),
        ),
        (
            "riverrun_rendition_late_pictures_total",
            Counter,
            "Coded pictures that came too late for their segment.",
            |r| Some(r.late.into()),
        ),
        ("riverrun_rendition_media_seconds_total", Counter, "Media coded.", |r| {
            Some(r.media.as_secs_f64())
        }),
        ("riverrun_rendition_encode_seconds_total", Counter, "Time in the encoder.", |r| {
            Some(r.encode_time.as_secs_f64())
        }),
        (
            "riverrun_rendition_lag_seconds",
            Gauge,
            "From the arrival of a picture to its coded form, mean of the broadcast.",
            |r| r.lag_mean().map(|lag| lag.as_secs_f64()),
        ),
        ("riverrun_rendition_paused", Gauge, "Nobody asks for it: 1, else 0.", |r| {
            Some(f64::from(u8::from(r.paused)))
        }),
    ];
    for (name, kind, help, of) in table {
        let mut metric = text.metric(name, kind, help);
        for (variant, rendition) in total.renditions.iter().enumerate() {
            if let Some(value) = rendition.as_ref().and_then(of) {
                metric.sample(&[("variant", &variant.to_string())], value);
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)] // Whole up to eight petabytes.
fn bytes(number: u64) -> f64 {
    number as f64
}

fn count(number: usize) -> f64 {
    bytes(number as u64)
}
