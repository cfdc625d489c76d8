//! The cores that this process has: which it may run on, and how many of them it may use.

use std::thread::available_parallelism;

use rustix::thread::{CpuSet, sched_getaffinity};

/// See the module's text.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    /// That it may run on.
    pub set: CpuSet,
    /// What its threads together may use, at least 1: as many, or what the CPU quota of its
    /// container leaves, in whole cores.
    pub usable: usize,
}

impl Cores {
    /// Asks the system. Not from a thread that is pinned: that has one core.
    pub fn of_this_process() -> Self {
        let set = sched_getaffinity(None).unwrap_or_default();
        Self::new(set, available_parallelism().map_or(usize::MAX, usize::from))
    }

    /// `quota`: what control groups and the set allow together.
    fn new(set: CpuSet, quota: usize) -> Self {
        let mut cores = Self { set, usable: 1 };
        cores.usable = cores.allowed().min(quota).max(1);
        cores
    }

    /// How many it may run on, at least 1.
    pub fn allowed(&self) -> usize {
        usize::try_from(self.set.count()).unwrap_or(1).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_leaves_fewer_cores_than_there_are() {
        for (count, quota, usable) in
            [(4, 4, 4), (4, 1, 1), (1, 4, 1), (0, 2, 1), (2, usize::MAX, 2)]
        {
            let mut set = CpuSet::new();
            (0..count).for_each(|core| set.set(core));
            let cores = Cores::new(set, quota);
            assert_eq!((cores.allowed(), cores.usable), (count.max(1), usable), "{count}, {quota}");
        }
        let here = Cores::of_this_process();
        assert!((1..=here.allowed()).contains(&here.usable));
    }
}
