//! What other processes cost: CPU time of all their threads and children, memory; and where we run.

use std::fs;
use std::path::Path;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// CPU seconds that a process, its threads and its living children have used.
///
/// From the process's CPU clock, which counts nanoseconds; threads that have ended and threads of
/// io_uring are in it.
pub fn seconds(pid: u32) -> f64 {
    let clock =
        i32::try_from(pid).ok().and_then(|pid| clock_getcpuclockid(Pid::from_raw(pid)).ok());
    let time = clock.and_then(|clock| clock.now().ok());
    let own = time.map_or(0.0, |time| time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9);
    own + children(pid).into_iter().map(seconds).sum::<f64>()
}

/// CPU seconds of this process, its ended threads included.
pub fn own_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// CPU seconds of the calling thread.
pub fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Resident memory of a process and its children, in bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let children: u64 = children(pid).into_iter().map(resident_bytes).sum();
    kib.unwrap_or(0) * 1024 + children
}

/// CPU seconds in which the whole machine was not idle.
pub fn machine_busy_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal: all but idle and iowait.
    let busy: u64 =
        ticks.iter().take(8).enumerate().filter(|(i, _)| *i != 3 && *i != 4).map(|(_, t)| t).sum();
    busy as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// Keeps the calling thread on one core. Threads it starts later inherit this.
pub fn pin(core: usize) -> Outcome<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}

/// Raises the limit on open files to what the system allows, and says what that is.
pub fn raise_open_files() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A limit that cannot be raised shows as failed connections, which are counted.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn children(pid: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for task in entries(&format!("/proc/{pid}/task")) {
        let listed = fs::read_to_string(format!("/proc/{pid}/task/{task}/children"));
        let listed = listed.unwrap_or_default();
        children.extend(listed.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    children
}

fn entries(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new(folder)) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        let me = std::process::id();
        let before = seconds(me);
        let mut sum = 0_u64;
        while seconds(me) - before < 0.01 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident_bytes(me) > 100_000);
        assert_eq!(seconds(u32::MAX), 0.0);
    }
}
