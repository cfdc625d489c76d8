//! Riverrun, the tour: what runs where.
//!
//! [`server`] checks the machine ([`probe`]), opens the store, makes the first [`secrets`] and
//! starts one executor per core ([`executors`], [`shard`]), which a [`supervisor`] keeps running;
//! one that is replaced learns the running broadcast by a [`handover`]. Every shard accepts viewers
//! ([`serve`]) and publishers ([`ingest`]). Who is on air is decided by one thread, the [`stage`];
//! the publisher then holds the broadcast ([`publish`]), is read by a thread of its own
//! ([`on_air`]), has its [`sound`] and its pictures encoded where viewers need that ([`ladder`],
//! [`packager`]) and sends finished parts to every shard, where requests that [`wait`] for them are
//! released. A shard whose [`load`] makes viewers late takes no more of them. What a broadcast is
//! like, second by second, lies in [`health`]. What the operator has set is a [`state`] that one
//! thread changes and every shard reads; [`login`] knows the admin, [`statistics`] who watches,
//! [`log`] what happened, and [`public_files`] reads what lies in the operator's folder; a shard
//! reaches them all through its [`services`]. [`demo`] is a publisher without a connection, and
//! [`doctor`] tells what a machine can hold.
//!
//! No protocol byte is parsed here: that is `media`'s and `net`'s work. Units: a `Duration` or a
//! type says its own, raw integers end in theirs.

pub mod banner;
pub mod clock;
pub mod complaints;
pub mod config;
pub mod cores;
pub mod demo;
pub mod doctor;
pub mod ending;
pub mod executors;
pub mod failures;
pub mod handover;
pub mod health;
pub mod ingest;
pub mod ladder;
pub mod load;
pub mod log;
pub mod login;
pub mod naps;
pub mod on_air;
pub mod packager;
pub mod pipeline;
pub mod probe;
pub mod public_files;
pub mod publish;
pub mod secrets;
pub mod serve;
pub mod server;
pub mod services;
pub mod shard;
pub mod sound;
pub mod stage;
pub mod state;
pub mod statistics;
pub mod supervisor;
mod thread_wait;
pub mod wait;

use std::path::Path;
use std::process::ExitCode;

use config::{Arguments, Command, Config};
use riverrun_storage::disk::{FILE_NAME, Store};

/// Exit code of a configuration that the server does not start with (EX_CONFIG of sysexits).
const EXIT_CONFIG: u8 = 78;

/// Carries out a command line. 0 clean, 78 bad configuration, 1 anything else; clap itself exits
/// with 2 on wrong usage.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Command::Serve(serve) => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            match Config::load(*serve, cores) {
                Err(error) => complain(&error, EXIT_CONFIG),
                Ok(config) => match server::run(config) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => complain(&error, 1),
                },
            }
        }
        Command::ResetAdminPassword(reset) => match reset.data_folder() {
            Err(error) => complain(&error, EXIT_CONFIG),
            Ok(data) => match reset_admin_password(&data) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => complain(error.as_ref(), 1),
            },
        },
        Command::Doctor(arguments) => match doctor::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error, 1),
        },
    }
}

fn reset_admin_password(data: &Path) -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Write;
    // Opening would make a store in a mistyped folder, with a password that opens nothing.
    if !data.join(FILE_NAME).exists() {
        return Err(format!("there is no {FILE_NAME} in {}", data.display()).into());
    }
    let store = Store::open(data)?;
    let password = secrets::reset_admin_password(&store)?;
    writeln!(std::io::stdout(), "user admin, password {}", password.expose())?;
    Ok(())
}

fn complain(error: &dyn std::error::Error, code: u8) -> ExitCode {
    use std::io::Write;
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(std::io::stderr(), "riverrun: {error}");
    ExitCode::from(code)
}
