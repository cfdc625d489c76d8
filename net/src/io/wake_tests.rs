//! `async_channel` between executors and threads: the hop that the whole server leans on.
//!
//! A receiver sleeps on a glommio executor; senders are another executor and a plain thread. Every
//! message must arrive although the receiver goes to sleep in between (a lost wake-up would hang
//! the test), and the time from send to receipt is bounded generously. `cargo test --release --
//! --nocapture wake` prints it.

#![allow(clippy::print_stderr, reason = "a measurement, shown with --nocapture")]

use std::time::{Duration, Instant};

use glommio::LocalExecutorBuilder;

/// Sends that each find the receiver asleep, or nearly so: the pause walks over the time that
/// falling asleep takes, which is where a wake-up would be lost.
const ROUNDS: u32 = 2_000;

fn receive(
    receiver: async_channel::Receiver<Instant>,
) -> glommio::ExecutorJoinHandle<Vec<Duration>> {
    LocalExecutorBuilder::default()
        .spawn(|| async move {
            let mut delays = Vec::new();
            while let Ok(sent) = receiver.recv().await {
                delays.push(sent.elapsed());
            }
            delays
        })
        .unwrap()
}

fn check(from: &str, mut delays: Vec<Duration>) {
    assert_eq!(delays.len(), ROUNDS as usize, "{from}");
    delays.sort_unstable();
    let (median, p99) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    let worst = delays[delays.len() - 1];
    let text = format!("wake-up from {from}: median {median:?}, p99 {p99:?}, worst {worst:?}");
    eprintln!("{text}");
    assert!(median < Duration::from_millis(50), "{text}");
}

fn pause(round: u32) -> Duration {
    Duration::from_micros(u64::from(round % 400))
}

#[test]
fn wakes_from_a_plain_thread() {
    let (sender, receiver) = async_channel::bounded(4);
    let receiving = receive(receiver);
    for round in 0..ROUNDS {
        std::thread::sleep(pause(round));
        sender.send_blocking(Instant::now()).unwrap();
    }
    drop(sender);
    check("a thread", receiving.join().unwrap());
}

#[test]
fn wakes_from_another_executor() {
    let (sender, receiver) = async_channel::bounded(4);
    let receiving = receive(receiver);
    LocalExecutorBuilder::default()
        .spawn(|| async move {
            for round in 0..ROUNDS {
                glommio::timer::sleep(pause(round)).await;
                sender.send(Instant::now()).await.unwrap();
            }
        })
        .unwrap()
        .join()
        .unwrap();
    check("an executor", receiving.join().unwrap());
}

/// Both directions at once with a full channel: senders wait for room, receivers for messages.
#[test]
fn a_full_channel_wakes_its_sender_on_the_other_executor() {
    let (sender, receiver) = async_channel::bounded::<u32>(1);
    let (back_sender, back_receiver) = async_channel::bounded::<u32>(1);
    let echo = LocalExecutorBuilder::default()
        .spawn(|| async move {
            while let Ok(value) = receiver.recv().await {
                back_sender.send(value).await.unwrap();
            }
        })
        .unwrap();
    LocalExecutorBuilder::default()
        .spawn(|| async move {
            let sending = glommio::spawn_local(async move {
                for value in 0..ROUNDS {
                    sender.send(value).await.unwrap();
                }
            })
            .detach();
            for value in 0..ROUNDS {
                assert_eq!(back_receiver.recv().await.unwrap(), value);
            }
            sending.await;
        })
        .unwrap()
        .join()
        .unwrap();
    echo.join().unwrap();
}
