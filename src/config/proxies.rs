//! Proxies whose word about a viewer's address counts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// Networks, written as `10.0.0.0/8,::1`. Others may write what they like into `X-Forwarded-For`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// Leading bits that count.
    prefix: u8,
}

/// An entry that is no address and no network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no address like 10.0.0.1 and no network like 10.0.0.0/8")]
pub struct ProxyError(String);

impl TrustedProxies {
    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address.to_canonical()))
    }
}

/// Programs on this machine: the usual place of a proxy.
impl Default for TrustedProxies {
    fn default() -> Self {
        let four = Network { address: IpAddr::from([127, 0, 0, 0]), prefix: 8 };
        let six = Network { address: IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), prefix: 128 };
        Self(vec![four, six])
    }
}

impl FromStr for TrustedProxies {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Network {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let wrong = || ProxyError(text.chars().take(64).collect());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if prefix <= most { Ok(Self { address, prefix }) } else { Err(wrong()) }
    }
}

impl Network {
    fn contains(self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                let differ = u32::from(ours) ^ u32::from(other);
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                let differ = u128::from(ours) ^ u128::from(other);
                differ.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Network { address, prefix }) in self.0.iter().enumerate() {
            let joint = if index == 0 { "" } else { "," };
            write!(f, "{joint}{address}/{prefix}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let proxies: TrustedProxies = "10.0.0.0/8, 192.0.2.7, 2001:db8::/32".parse().unwrap();
        for (address, inside) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.6", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(proxies.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!("0.0.0.0/0".parse::<TrustedProxies>().unwrap().contains([1, 2, 3, 4].into()));
        assert!(!"".parse::<TrustedProxies>().unwrap().contains([127, 0, 0, 1].into()));
        assert_eq!(TrustedProxies::default().to_string(), "127.0.0.0/8,::1/128");
        for wrong in ["10.0.0.0/33", "localhost", "10.0.0/8", "10.0.0.0/-1", "::/129"] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }
}
