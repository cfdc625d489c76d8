//! A slow line between a browser and the server: a relay that passes a limited number of bits a
//! second, over all connections together, and queues no more than a home router would.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What passes at once: some packets.
const PIECE_BYTES: usize = 4 << 10;

/// The relay; its connections end with their browser or server.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    pace: Arc<Pace>,
}

struct Pace {
    /// 0 for no limit.
    bits_per_second: AtomicU64,
    /// When the next piece may pass.
    free_at: Mutex<Instant>,
}

impl Line {
    /// A line without a limit.
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let pace = Arc::new(Pace {
            bits_per_second: AtomicU64::new(0),
            free_at: Mutex::new(Instant::now()),
        });
        let shared = Arc::clone(&pace);
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                let Ok(up) = TcpStream::connect(server) else { return };
                let (Ok(browser_up), Ok(down)) = (browser.try_clone(), up.try_clone()) else {
                    continue;
                };
                let pace = Arc::clone(&shared);
                thread::spawn(move || relay(browser_up, up, None));
                thread::spawn(move || relay(down, browser, Some(&pace)));
            }
        });
        Self { address, pace }
    }

    /// Changes what the line carries; 0 for no limit.
    pub(crate) fn carry(&self, bits_per_second: u64) {
        self.pace.bits_per_second.store(bits_per_second, Ordering::Relaxed);
    }
}

impl Pace {
    fn wait(&self, bytes: usize) {
        let bits_per_second = self.bits_per_second.load(Ordering::Relaxed);
        if bits_per_second == 0 {
            return;
        }
        let lasts = Duration::from_secs_f64(bytes as f64 * 8.0 / bits_per_second as f64);
        let until = {
            let mut free_at = self.free_at.lock().expect("nothing panics with it");
            *free_at = (*free_at).max(Instant::now()) + lasts;
            *free_at
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, pace: Option<&Pace>) {
    let mut piece = [0; PIECE_BYTES];
    while let Ok(len @ 1..) = from.read(&mut piece) {
        if let Some(pace) = pace {
            pace.wait(len);
        }
        if to.write_all(&piece[..len]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
