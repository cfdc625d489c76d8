//! The threads of the shards: where each runs, and one life of it from its ring to its end.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

use async_channel::Receiver;
use glommio::{LocalExecutorBuilder, Placement};
use rustix::thread::CpuSet;

use crate::demo;
use crate::probe;
use crate::shard::{self, ShardMessage, ShardPlan};
use crate::stage::StageMessage;
use crate::supervisor::{News, Post, ShardId, Shards};

/// Memory that each executor registers with its ring, in bytes. glommio's default of 10 MiB is for
/// direct disk I/O, of which the shards do none.
const RING_MEMORY_BYTES: usize = 64 << 10;

/// Starts shards as glommio executors.
pub struct Executors {
    /// Of the shard that is started next.
    plan: ShardPlan,
    /// Queues of the first lives, by shard.
    inboxes: Vec<Option<Receiver<ShardMessage>>>,
    demo: bool,
}

impl Executors {
    /// Shards that all follow `plan`, each with the queue of its number; the demo beside the first
    /// if wanted.
    pub fn new(plan: ShardPlan, inboxes: Vec<Receiver<ShardMessage>>, demo: bool) -> Self {
        let inboxes = inboxes.into_iter().map(Some).collect();
        Self { plan, inboxes, demo }
    }

    /// A core for each shard if there are as many. A successor takes any: its predecessor may still
    /// keep the core busy.
    fn placement(&self, shard: ShardId) -> Placement {
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| self.plan.cores.is_set(*core));
        let count = cores.clone().count();
        match cores.nth(shard.index) {
            Some(core) if self.inboxes.len() <= count && shard.life == 0 => Placement::Fixed(core),
            _ => Placement::Unbound,
        }
    }
}

impl Executors {
    /// Starts the thread of a shard; `beside` is called on its executor and may spawn tasks there.
    fn launch(
        &mut self,
        post: Post,
        beside: impl FnOnce(&ShardPlan) + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let id = post.id;
        let first = self.inboxes.get_mut(id.index).and_then(Option::take);
        let inbox = first.or_else(|| self.plan.outlets.replace(id.index));
        let inbox = inbox.ok_or_else(|| io::Error::other("there is no such shard"))?;
        let plan = ShardPlan { id, ..self.plan.clone() };
        let placement = self.placement(id);
        thread::Builder::new().name(format!("shard-{}", id.index)).spawn(move || {
            let news = post.news.clone();
            // Beyond the shard's own tasks only the runtime itself can panic.
            let execute = || execute(placement, plan, inbox, post, beside);
            let ended = catch_unwind(AssertUnwindSafe(execute))
                .unwrap_or_else(|_| Err("its executor panicked".to_owned()));
            // The main thread is gone only when the process is ending.
            let _ = news.send(News::Ended(id, ended));
        })
    }
}

impl Shards for Executors {
    fn start(&mut self, post: Post) -> io::Result<JoinHandle<()>> {
        let demo = (self.demo && post.id.index == 0).then_some(self.plan.cores);
        self.launch(post, move |plan| {
            if let Some(cores) = demo {
                let (stage, outlets) = (plan.stage.clone(), plan.outlets.clone());
                glommio::spawn_local(demo::run(stage, outlets, plan.id, cores)).detach();
            }
        })
    }

    fn lost(&mut self, shard: ShardId) {
        // A stage with a full queue is told by the next claim, which finds the publisher gone.
        let _ = self.plan.stage.try_send(StageMessage::Lost(shard));
    }
}

/// One life of a shard, on its thread.
fn execute(
    placement: Placement,
    plan: ShardPlan,
    inbox: Receiver<ShardMessage>,
    post: Post,
    beside: impl FnOnce(&ShardPlan),
) -> Result<(), String> {
    let executor = LocalExecutorBuilder::new(placement)
        .io_memory(RING_MEMORY_BYTES)
        .make()
        .map_err(|error| probe::explain(error).to_string())?;
    executor.run(async {
        beside(&plan);
        shard::run(plan, inbox, post).await.map_err(|error| error.to_string())
    })
}

#[cfg(test)]
mod tests;
