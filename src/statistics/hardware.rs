//! How busy the machine is: processor, memory, network and the disk under the data folder.

use std::path::{Path, PathBuf};
use std::time::Instant;

/// Takes samples. What is of a time is of that since the sample before.
#[derive(Debug)]
pub(crate) struct Hardware {
    data: PathBuf,
    /// Busy and all time of all cores, in the kernel's ticks.
    ticks: Option<(u64, u64)>,
    /// When, and bytes sent by then.
    sent: Option<(Instant, u64)>,
}

/// One sample. `None` where the system does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Load {
    /// Of all cores, percent.
    pub(crate) cpu: Option<f64>,
    /// Of the memory, percent.
    pub(crate) memory: Option<f64>,
    /// Of the file system, percent.
    pub(crate) disk: Option<f64>,
    /// Bytes that are free for us on the file system.
    pub(crate) disk_free: Option<u64>,
    /// Sent to other machines, bit/s.
    pub(crate) network_out: Option<f64>,
}

impl Hardware {
    /// The disk of interest is the one under `data`.
    #[must_use]
    pub(crate) fn new(data: PathBuf) -> Self {
        let now = Instant::now();
        Self { data, ticks: read_ticks(), sent: read_sent().map(|sent| (now, sent)) }
    }

    /// How busy it is now.
    pub(crate) fn sample(&mut self, now: Instant) -> Load {
        let ticks = read_ticks();
        let cpu = match (self.ticks, ticks) {
            (Some((busy, all)), Some((busy_now, all_now))) if all_now > all => {
                Some(percent(busy_now.saturating_sub(busy), all_now - all))
            }
            _ => None,
        };
        self.ticks = ticks;
        let sent = read_sent().map(|sent| (now, sent));
        let network_out = self.sent.zip(sent).and_then(|((at, before), (_, sent))| {
            let seconds = now.saturating_duration_since(at).as_secs_f64();
            #[allow(clippy::cast_precision_loss)] // A rate.
            let bits = sent.saturating_sub(before) as f64 * 8.0;
            (seconds > 0.0).then(|| bits / seconds)
        });
        self.sent = sent;
        let memory = read("/proc/meminfo").and_then(|text| used_memory(&text));
        let (disk, disk_free) = disk(&self.data).unzip();
        Load { cpu, memory, disk, disk_free, network_out }
    }
}

/// Used share of the file system of `path`, percent, and bytes that are free for us.
pub(crate) fn disk(path: &Path) -> Option<(f64, u64)> {
    let about = rustix::fs::statvfs(path).ok().filter(|about| about.f_blocks > 0)?;
    let used = percent(about.f_blocks.saturating_sub(about.f_bavail), about.f_blocks);
    Some((used, about.f_bavail.saturating_mul(about.f_frsize)))
}

/// Used share of the memory, percent.
pub(crate) fn memory() -> Option<f64> {
    read("/proc/meminfo").and_then(|text| used_memory(&text))
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn read_ticks() -> Option<(u64, u64)> {
    read("/proc/stat").and_then(|text| ticks(&text))
}

fn read_sent() -> Option<u64> {
    read("/proc/net/dev").map(|text| sent(&text))
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn ticks(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.lines().next()?.split_whitespace();
    if fields.next() != Some("cpu") {
        return None;
    }
    let times: Vec<u64> = fields.take(8).filter_map(|field| field.parse().ok()).collect();
    let all: u64 = times.iter().sum();
    let idle = times.get(3)? + times.get(4)?;
    Some((all - idle, all))
}

/// The ninth number behind each interface of `/proc/net/dev`, but for the machine's own.
fn sent(text: &str) -> u64 {
    let interfaces = text.lines().filter_map(|line| line.split_once(':'));
    let others = interfaces.filter(|(name, _)| name.trim() != "lo");
    let bytes = |fields: &str| fields.split_whitespace().nth(8)?.parse::<u64>().ok();
    others.filter_map(|(_, fields)| bytes(fields)).fold(0, u64::saturating_add)
}

fn used_memory(text: &str) -> Option<f64> {
    let kib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let (all, available) = (kib("MemTotal:")?, kib("MemAvailable:")?);
    (all > 0).then(|| percent(all.saturating_sub(available), all))
}

#[allow(clippy::cast_precision_loss)] // Percent.
fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 * 1_000.0 / whole as f64).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let stat = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n";
        assert_eq!(ticks(stat), Some((150, 1_000)));
        assert_eq!(ticks("intr 1"), None);
        let memory = "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n";
        assert_eq!(used_memory(memory), Some(75.0));
        assert_eq!(used_memory("MemTotal: 0 kB\nMemAvailable: 0 kB\n"), None);
        let devices = "Inter-|   Receive      |  Transmit\n face |bytes    packets|bytes\n\
            \x20   lo:    7 1 0 0 0 0 0 0   9000 1 0 0 0 0 0 0\n\
            \x20 eth0: 1000 1 0 0 0 0 0 0    250 1 0 0 0 0 0 0\n\
            \x20 wlan0:1000 1 0 0 0 0 0 0     50 1 0 0 0 0 0 0\n";
        assert_eq!(sent(devices), 300);
        assert_eq!(sent(""), 0);
    }

    #[test]
    fn this_machine_has_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut hardware = Hardware::new(folder.path().to_owned());
        let load = hardware.sample(Instant::now());
        for share in [load.memory, load.disk, memory()] {
            assert!(share.is_some_and(|share| (0.0..=100.0).contains(&share)), "{load:?}");
        }
        assert!(load.disk_free.is_some() && load.network_out.is_some_and(|bits| bits >= 0.0));
    }
}
