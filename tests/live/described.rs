//! Schemathesis reads `/api/openapi.json`, sends what it describes and what it forbids, and holds
//! every answer against it: no 5xx, no shape, status or media type that is not described, nothing
//! wrong that is taken. The seed is fixed: a failure comes again.

use std::time::Duration;

use crate::client::{BASIC, wait_for_the_admin};
use crate::server::Server;
use crate::tool::{root, run, scratch, tool_of_python};

/// What one run may take on a machine that is shared; it takes half a minute.
const LIMIT: Duration = Duration::from_secs(120);

/// What it judges is everything it can, but for two: it would guess passwords until it is locked
/// out, and settings have rules that no schema can say.
const UNJUDGED: &str = "ignored_auth,positive_data_acceptance";
/// A player's report may hold anything beside what is read: what is wrong in it is passed over.
const UNJUDGED_OF_PLAYERS: &str = "ignored_auth,positive_data_acceptance,negative_data_rejection";
/// Where they come.
const OF_PLAYERS: &str = "/api/metrics/cmcd";

/// Runs it over operations chosen by `filters`.
fn explore(server: &Server, unjudged: &str, filters: &[&str]) {
    let mut tool = tool_of_python("schemathesis");
    tool.arg("--no-color").arg("--config-file").arg(root().join("tests/tools/schemathesis.toml"));
    tool.args(["run", &server.url("/api/openapi.json"), "--url", &server.url("")]);
    tool.arg("--header").arg(format!("{}: {}", BASIC.0, BASIC.1));
    tool.args(["--generation-with-security-parameters", "false"]);
    tool.args(["--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1"]);
    tool.args(["--exclude-checks", unjudged, "--suppress-health-check", "all"]);
    tool.args(["--generation-database", "none", "--request-timeout", "20"]).args(filters);
    // It keeps a folder of its own where it runs.
    tool.current_dir(scratch("schemathesis"));
    let outcome = run(&mut tool, LIMIT);
    assert!(outcome.status.success(), "{}\n{}", outcome.stdout, outcome.stderr);
}

#[test]
fn every_answer_is_as_described() {
    let server = Server::start();
    wait_for_the_admin(&server);
    // What is to come says 501; media is judged by players. A login that is guessed locks out, and
    // comes last.
    let mut others = vec!["--exclude-tag", "coming", "--exclude-tag", "media"];
    others.extend(["--exclude-path", OF_PLAYERS, "--exclude-path", "/api/admin/login"]);
    explore(&server, UNJUDGED, &others);
    explore(&server, UNJUDGED_OF_PLAYERS, &["--include-path", OF_PLAYERS]);
    explore(&server, UNJUDGED, &["--include-path", "/api/admin/login"]);
    assert_eq!(server.get("/healthz").status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
