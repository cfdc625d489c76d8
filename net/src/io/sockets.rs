//! The sockets of one shard, so that they can be shut from outside when the shard cannot (F37).
//!
//! A thread that is stuck still owns its share of the port: the kernel goes on giving it viewers,
//! who would wait for ever. [`Sockets::shut`] takes its listeners out of the port's group and ends
//! its connections, so that viewers come back to a shard that lives.

use std::collections::BTreeSet;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::SockRef;

/// Every open listener and connection of a shard; clones share it. The only state of a shard that
/// another thread can reach.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    open: Arc<Mutex<BTreeSet<RawFd>>>,
}

impl Sockets {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shuts all of them down, in both directions; how many. Peers see the end of their connection
    /// at once; the descriptors stay the shard's, to close when it comes round.
    pub fn shut(&self) -> usize {
        let open = self.lock();
        for socket in open.iter().map(|fd| Descriptor(*fd)) {
            // Fails on a connection that its peer has ended, which is as good.
            let _ = SockRef::from(&socket).shutdown(Shutdown::Both);
        }
        open.len()
    }

    /// Counts a socket in until the entry is dropped, which must be before it is closed: from then
    /// on its number may be anybody's.
    pub(super) fn enter(&self, socket: RawFd) -> Entry {
        self.lock().insert(socket);
        Entry { sockets: self.clone(), socket }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<RawFd>> {
        // Nothing in here panics; a set is whole either way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket's place in [`Sockets`].
#[derive(Debug)]
pub(super) struct Entry {
    sockets: Sockets,
    socket: RawFd,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.sockets.lock().remove(&self.socket);
    }
}

/// A number that is known to be an open socket.
struct Descriptor(RawFd);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpStream;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use bytes::Bytes;
    use glommio::LocalExecutorBuilder;

    use super::*;
    use crate::io::Listener;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// What the peer sends until it ends the connection.
    fn hear(client: &mut TcpStream) -> Vec<u8> {
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut heard = Vec::new();
        // A reset is an end too.
        let _ = client.read_to_end(&mut heard);
        heard
    }

    #[test]
    fn a_stuck_shard_loses_its_connections_and_its_share_of_the_port() {
        let sockets = Sockets::new();
        let (address_in, address) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let stuck = {
            let sockets = sockets.clone();
            LocalExecutorBuilder::default().spawn(move || async move {
                let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), &sockets).unwrap();
                address_in.send(listener.local_addr()).unwrap();
                let _stream = listener.accept().await.unwrap();
                address_in.send(listener.local_addr()).unwrap();
                // The whole thread, not the task: nothing of this shard runs any more.
                wait.recv().unwrap();
                listener.accept().await.is_err()
            })
        };
        let address_of = address.recv().unwrap();
        let mut accepted = TcpStream::connect(address_of).unwrap();
        address.recv().unwrap();
        let mut unaccepted = TcpStream::connect(address_of).unwrap();

        assert_eq!(sockets.shut(), 2, "a listener and a connection");
        assert!(hear(&mut accepted).is_empty() && hear(&mut unaccepted).is_empty());

        let others = Sockets::new();
        let serving = LocalExecutorBuilder::default().spawn(move || async move {
            let listener = Listener::bind(address_of, &others).unwrap();
            for _ in 0..50 {
                let mut stream = listener.accept().await.unwrap();
                let hello = [Bytes::from_static(b"hello")];
                stream.write_all(&hello, Instant::now() + PATIENCE).await.unwrap();
            }
        });
        for _ in 0..50 {
            let deadline = Instant::now() + PATIENCE;
            let mut client = loop {
                match TcpStream::connect(address_of) {
                    Ok(client) => break client,
                    Err(error) => assert!(Instant::now() < deadline, "{error}"),
                }
            };
            assert_eq!(hear(&mut client), b"hello", "the kernel still gives viewers to the dead");
        }
        serving.unwrap().join().unwrap();
        go_on.send(()).unwrap();
        assert!(stuck.unwrap().join().unwrap(), "its listener is of no more use");
        assert_eq!(sockets.shut(), 0, "what is closed is forgotten");
    }
}
