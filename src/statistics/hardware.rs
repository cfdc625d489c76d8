//! How busy the machine is: processor, memory and the disk under the data folder, in percent.

use std::path::PathBuf;

/// Takes samples. Processor time is that since the sample before.
#[derive(Debug)]
pub(super) struct Hardware {
    data: PathBuf,
    /// Busy and all time of all cores, in the kernel's ticks.
    before: Option<(u64, u64)>,
}

/// One sample, in percent. `None` where the system does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Load {
    /// Of all cores.
    pub(super) cpu: Option<f64>,
    /// Of the memory.
    pub(super) memory: Option<f64>,
    /// Of the file system.
    pub(super) disk: Option<f64>,
}

impl Hardware {
    /// The disk of interest is the one under `data`.
    #[must_use]
    pub(super) fn new(data: PathBuf) -> Self {
        let before = std::fs::read_to_string("/proc/stat").ok().and_then(|text| ticks(&text));
        Self { data, before }
    }

    /// How busy it is now.
    pub(super) fn sample(&mut self) -> Load {
        let read = |path| std::fs::read_to_string(path).ok();
        let now = read("/proc/stat").and_then(|text| ticks(&text));
        let cpu = match (self.before, now) {
            (Some((busy, all)), Some((busy_now, all_now))) if all_now > all => {
                Some(percent(busy_now.saturating_sub(busy), all_now - all))
            }
            _ => None,
        };
        self.before = now;
        let memory = read("/proc/meminfo").and_then(|text| used_memory(&text));
        let disk = rustix::fs::statvfs(&self.data)
            .ok()
            .filter(|about| about.f_blocks > 0)
            .map(|about| percent(about.f_blocks.saturating_sub(about.f_bavail), about.f_blocks));
        Load { cpu, memory, disk }
    }
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
    }

    #[test]
    fn this_machine_has_all_three() {
        let folder = tempfile::tempdir().unwrap();
        let load = Hardware::new(folder.path().to_owned()).sample();
        for share in [load.memory, load.disk] {
            assert!(share.is_some_and(|share| (0.0..=100.0).contains(&share)), "{load:?}");
        }
    }
}
