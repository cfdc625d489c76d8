//! Arguments to configuration to server to exit code.

use std::process::ExitCode;

use clap::Parser;
use riverrun::config::Arguments;

fn main() -> ExitCode {
    riverrun::run(Arguments::parse())
}
