//! How many connections a shard holds: in all, and from one address. Asked before a byte is read,
//! so that a flood costs one accept and one canned reply (F25).
//!
//! An IPv6 client owns a /64 and can use every address in it, so it counts by its /64; a mapped
//! IPv4 address counts as IPv4 (F33). Counts are per shard: the kernel spreads one client's
//! connections over all of them, so the machine's cap per address is this one times the shards.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use http::StatusCode;

/// The caps of one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections in all. Each costs about 2 KiB here and as much in the kernel while idle. Keep
    /// it below the limit on open files divided by the shards.
    pub connections_max: usize,
    /// Connections per address. A browser opens six; a school or a mobile carrier shares one
    /// address among hundreds of viewers.
    pub connections_per_address_max: usize,
    /// Whether loopback peers are free of the cap per address: a reverse proxy on this machine
    /// brings all viewers from one address.
    pub loopback_is_exempt: bool,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            connections_per_address_max: 1_024,
            loopback_is_exempt: true,
        }
    }
}

/// The count of one shard's connections; clones share it.
#[derive(Clone, Debug)]
pub struct Admission {
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    limits: ConnectionLimits,
    total: usize,
    per_address: HashMap<IpAddr, usize>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The shard is full.
    #[error("the server has {max} connections open and takes no more; try again later")]
    Full {
        /// Connections allowed.
        max: usize,
    },
    /// The address has its share.
    #[error("your address has {max} connections open; at most {max} are allowed")]
    AddressFull {
        /// Connections allowed.
        max: usize,
    },
}

impl Refusal {
    /// The status of the reply (RFC 6585 §4 for the address).
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Full { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::AddressFull { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// A full server is capacity; a full address is the peer's.
    #[must_use]
    pub fn fault(self) -> crate::Fault {
        match self {
            Self::Full { .. } => crate::Fault::Capacity,
            Self::AddressFull { .. } => crate::Fault::Peer,
        }
    }
}

impl Admission {
    /// Nobody admitted yet.
    #[must_use]
    pub fn new(limits: ConnectionLimits) -> Self {
        let state = State { limits, total: 0, per_address: HashMap::new() };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// Connections now held.
    #[must_use]
    pub fn total(&self) -> usize {
        self.state.borrow().total
    }

    /// Counts a connection from `peer` until the admission is dropped, or refuses it.
    pub fn admit(&self, peer: IpAddr) -> Result<Admitted, Refusal> {
        let mut state = self.state.borrow_mut();
        let State { limits, total, per_address } = &mut *state;
        if *total >= limits.connections_max {
            return Err(Refusal::Full { max: limits.connections_max });
        }
        let address = (!(limits.loopback_is_exempt && peer.to_canonical().is_loopback()))
            .then(|| client_of(peer));
        if let Some(address) = address {
            let held = per_address.entry(address).or_insert(0);
            if *held >= limits.connections_per_address_max {
                let max = limits.connections_per_address_max;
                if *held == 0 {
                    per_address.remove(&address);
                }
                return Err(Refusal::AddressFull { max });
            }
            *held += 1;
        }
        *total += 1;
        Ok(Admitted { state: self.state.clone(), address })
    }
}

/// A counted connection.
#[derive(Debug)]
pub struct Admitted {
    state: Rc<RefCell<State>>,
    address: Option<IpAddr>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.total -= 1;
        let Some(address) = self.address else { return };
        if let Some(held) = state.per_address.get_mut(&address) {
            *held -= 1;
            if *held == 0 {
                state.per_address.remove(&address);
            }
        }
    }
}

/// Who an address stands for when connections or failures are counted: itself in IPv4, its /64 in
/// IPv6, which is what one household or one attacker has.
#[must_use]
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Admission {
        Admission::new(ConnectionLimits {
            connections_max: total,
            connections_per_address_max: per_address,
            loopback_is_exempt: true,
        })
    }

    #[test]
    fn an_address_gets_its_share_and_gets_it_back() {
        let admission = admission(100, 2);
        let same: [(&str, &str); 4] = [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8::1", "2001:db8::ffff:1"),
            ("2001:db8:0:1::", "2001:db8:0:1:a:b:c:d"),
        ];
        for (first, second) in same {
            let held = admission.admit(first.parse().unwrap()).unwrap();
            let also = admission.admit(second.parse().unwrap()).unwrap();
            let refused = admission.admit(first.parse().unwrap()).unwrap_err();
            assert_eq!(refused, Refusal::AddressFull { max: 2 }, "{first} {second}");
            assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
            drop(held);
            drop(admission.admit(second.parse().unwrap()).unwrap());
            drop(also);
        }
        assert_eq!(admission.total(), 0);
        assert!(admission.state.borrow().per_address.is_empty(), "no entry is left behind");
    }

    #[test]
    fn another_network_and_loopback_are_not_counted_together() {
        let admission = admission(100, 1);
        let _held = admission.admit("2001:db8::1".parse().unwrap()).unwrap();
        let _other = admission.admit("2001:db8:0:1::1".parse().unwrap()).unwrap();
        let _proxied: Vec<Admitted> = (0..50)
            .map(|at| {
                let address = if at % 2 == 0 { "127.0.0.1" } else { "::1" };
                admission.admit(address.parse().unwrap()).unwrap()
            })
            .collect();
    }

    #[test]
    fn a_full_shard_refuses_everybody() {
        let admission = admission(1, 10);
        let held = admission.admit("192.0.2.1".parse().unwrap()).unwrap();
        let refused = admission.admit("127.0.0.1".parse().unwrap()).unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(held);
        assert!(admission.admit("192.0.2.9".parse().unwrap()).is_ok());
        let none = self::admission(10, 0);
        assert!(none.admit("192.0.2.1".parse().unwrap()).is_err());
        assert!(none.state.borrow().per_address.is_empty());
    }
}
