//! What requests lean on beside the broadcast: what is remembered, who is the admin, who watches,
//! what was logged. The same for all shards; each part is a way to a thread or a small board.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use riverrun_storage::disk::{History, Store};
use riverrun_web::viewers::{ViewerKeys, client_address};

use crate::config::{Config, TrustedProxies};
use crate::health::HealthBoard;
use crate::ladder::LadderControl;
use crate::log::LogRing;
use crate::login::Door;
use crate::public_files::PublicFiles;
use crate::publish::Outlets;
use crate::state::{State, StateBoard, Writer};
use crate::statistics::Statistics;

/// Folder of the operator's own files in the data folder (API §1.3).
const PUBLIC_FOLDER: &str = "public";

/// See the module.
#[derive(Clone)]
pub struct Services {
    /// The newest state.
    pub board: StateBoard,
    /// Changes it.
    pub writer: Writer,
    /// Knows the admin.
    pub door: Door,
    /// Knows who watches.
    pub statistics: Statistics,
    /// The newest lines of the log.
    pub log: LogRing,
    /// Files of the operator's own.
    pub public_files: PublicFiles,
    /// Tells viewers apart.
    pub viewer_keys: ViewerKeys,
    trusted_proxies: Arc<TrustedProxies>,
}

impl Services {
    /// Starts the threads.
    pub fn start(
        config: &Config,
        store: &Arc<Store>,
        outlets: &Outlets,
        ladder: &LadderControl,
        (state, history): (State, History),
        health: &HealthBoard,
        log: LogRing,
    ) -> io::Result<Self> {
        let board = StateBoard::new(state);
        Ok(Self {
            writer: Writer::start(
                Arc::clone(store),
                config.data.clone(),
                board.clone(),
                outlets.clone(),
                // What is configured wins over what is set.
                (!config.given.renditions).then(|| ladder.clone()),
            )?,
            statistics: Statistics::start(
                config,
                Arc::clone(store),
                board.clone(),
                outlets.clone(),
                (health.clone(), history),
            )?,
            door: Door::start()?,
            public_files: PublicFiles::start(&config.data.join(PUBLIC_FOLDER))?,
            log,
            viewer_keys: viewer_keys()?,
            trusted_proxies: Arc::new(config.trusted_proxies.clone()),
            board,
        })
    }

    /// A new server's without a store: nothing can be changed.
    pub fn idle() -> io::Result<Self> {
        Ok(Self {
            board: StateBoard::new(State::empty()),
            writer: Writer::closed(),
            door: Door::start()?,
            statistics: Statistics::closed(),
            log: LogRing::default(),
            public_files: PublicFiles::closed(),
            viewer_keys: viewer_keys()?,
            trusted_proxies: Arc::default(),
        })
    }

    /// Whose request it is, behind proxies that are believed.
    #[must_use]
    pub fn client(&self, peer: SocketAddr, forwarded_for: Option<&str>) -> IpAddr {
        client_address(peer.ip(), forwarded_for, |address| self.trusted_proxies.contains(address))
    }
}

fn viewer_keys() -> io::Result<ViewerKeys> {
    let mut entropy = [0; 16];
    getrandom::fill(&mut entropy).map_err(io::Error::other)?;
    Ok(ViewerKeys::new(u128::from_ne_bytes(entropy)))
}
