//! What this process takes of the machine.

use rustix::process::{Resource, getrlimit};

/// Ticks of `/proc/self/stat` in a second: the kernel shows programs 100 on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// One sample. `None` where the system does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    /// Time on all cores since its start, seconds.
    pub(super) cpu_seconds: Option<f64>,
    /// Memory that is its own now, bytes.
    pub(super) resident_bytes: Option<u64>,
    /// Address space, bytes.
    pub(super) virtual_bytes: Option<u64>,
    /// Threads.
    pub(super) threads: Option<u64>,
    /// Open files.
    pub(super) open_files: Option<u64>,
    /// Files that may be open.
    pub(super) open_files_max: Option<u64>,
}

/// How it is now. Counting the open files looks at each of them: not for every second.
pub(super) fn sample() -> Process {
    let stat = std::fs::read_to_string("/proc/self/stat").ok();
    let mut process = stat.and_then(|text| of_stat(&text)).unwrap_or_default();
    let open = std::fs::read_dir("/proc/self/fd").ok();
    // One of them is the folder that is being read.
    process.open_files = open.map(|entries| (entries.count() as u64).saturating_sub(1));
    process.open_files_max = getrlimit(Resource::Nofile).current;
    process
}

/// The fields of proc(5) behind the program's name, which may hold anything.
fn of_stat(text: &str) -> Option<Process> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    // The first of them is field 3 of the manual.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    #[allow(clippy::cast_precision_loss)] // Seconds.
    let cpu_seconds = (field(14)? + field(15)?) as f64 / TICKS_PER_SECOND;
    let page = rustix::param::page_size() as u64;
    Some(Process {
        cpu_seconds: Some(cpu_seconds),
        resident_bytes: field(24).map(|pages| pages * page),
        virtual_bytes: field(23),
        threads: field(20),
        open_files: None,
        open_files_max: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let text = "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 500 4096 3 9";
        let process = of_stat(text).unwrap();
        assert_eq!((process.cpu_seconds, process.threads), (Some(3.0), Some(9)));
        assert_eq!(process.virtual_bytes, Some(4_096));
        assert_eq!(process.resident_bytes, Some(3 * rustix::param::page_size() as u64));
        for end in 0..20 {
            assert_eq!(of_stat(&text[..end]), None);
        }
        let own = sample();
        assert!(own.open_files.is_some_and(|open| open > 2), "{own:?}");
        assert!(own.resident_bytes.is_some_and(|bytes| bytes > 1 << 20), "{own:?}");
    }
}
