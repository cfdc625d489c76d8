//! Rules of the house that no compiler checks: which room may know which, where `unsafe` and the
//! runtime may appear, how long and how wide files get, what the top level must say.
//!
//! Reads the manifests and sources as text. Each test collects every offence and prints them all.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::Table;

/// Non-test lines a source file may have.
const LINES_MAX: usize = 500;
/// Columns a Rust line may have.
const WIDTH_MAX: usize = 100;
/// Crates of others that may end up in the release binary: about 120 (design §2), and what the AV1
/// encoder brings, 26: rav1e is one of them, and most are its arithmetic.
const CRATES_MAX: usize = 154;

/// Files past the wall, with the length they had when they were let in. The list only shrinks: a
/// file that grows past its number, or falls back under the wall, fails until the list says so.
const LONG_FILES: &[(&str, usize)] = &[];

/// What a room's manifest may name of the house.
const ROOMS: &[(&str, &[&str])] = &[
    ("media", &[]),
    ("net", &[]),
    ("storage", &[]),
    // Plain values only; `web_names_only_plain_values_of_net` looks closer.
    ("web", &["riverrun-net"]),
];

/// Crates that may be named in few places: crate, folders where it may.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("glommio", &["net/src/io", "storage/src/disk", "src"]),
    ("redb", &["storage/src"]),
    ("rav1e", &["media/src/codec/av1"]),
    ("openh264_sys2", &["media/src/codec/ffi"]),
    ("fdk_aac_sys", &["media/src/codec/ffi"]),
    ("serde_json", &["web/src", "tests"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file git knows or would add, as a path from the root with forward slashes.
fn files() -> Vec<String> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(out.status.success(), "git ls-files: {}", String::from_utf8_lossy(&out.stderr));
    let listed = String::from_utf8(out.stdout).expect("paths are UTF-8");
    let files: Vec<String> =
        listed.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    assert!(files.len() > 20, "only {} files: is this the repository?", files.len());
    files
}

fn rust_files() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| {
            let text = read(&path);
            (path, text)
        })
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The code of a line: without its comment and without what stands in string literals.
fn code(line: &str) -> String {
    let mut kept = String::new();
    let mut chars = line.chars().peekable();
    let mut quoted = false;
    while let Some(char) = chars.next() {
        match char {
            '\\' if quoted => {
                chars.next();
            }
            '"' => quoted = !quoted,
            '/' if !quoted && chars.peek() == Some(&'/') => break,
            _ if quoted => {}
            _ => kept.push(char),
        }
    }
    kept
}

/// Whether `word` stands in `line` with no letter, digit or underscore on either side.
fn has_word(line: &str, word: &str) -> bool {
    let edge = |char: Option<char>| !char.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        edge(line[..at].chars().next_back()) && edge(line[at + word.len()..].chars().next())
    })
}

fn none(offences: &[String], rule: &str) {
    assert!(offences.is_empty(), "{rule}\n  {}", offences.join("\n  "));
}

fn dependency_tables(table: &Table) -> Vec<(&str, &Table)> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|name| Some((name, table.get(name)?.as_table()?)))
        .collect()
}

#[test]
fn rooms_know_only_what_they_may() {
    let mut offences = Vec::new();
    for (room, allowed) in ROOMS {
        let path = format!("{room}/Cargo.toml");
        for (kind, table) in dependency_tables(&manifest(&path)) {
            for name in table.keys().filter(|name| name.starts_with("riverrun")) {
                if !allowed.contains(&name.as_str()) {
                    offences.push(format!("{path} [{kind}] names {name}"));
                }
            }
        }
    }
    none(&offences, "rooms never know each other (style 3.2)");
}

#[test]
fn crates_stay_where_they_are_kept() {
    let mut offences = Vec::new();
    for (path, text) in rust_files() {
        for (name, folders) in KEPT_IN {
            if folders.iter().any(|folder| Path::new(&path).starts_with(folder)) {
                continue;
            }
            for (number, line) in text.lines().enumerate() {
                let line = code(line);
                if has_word(&line, name) && line.contains("::") {
                    offences.push(format!("{path}:{} names {name}", number + 1));
                }
            }
        }
    }
    none(&offences, "each of these crates is named in its own place only (style 3.2)");
}

#[test]
fn web_names_only_plain_values_of_net() {
    let mut offences = Vec::new();
    for (path, text) in rust_files().iter().filter(|(path, _)| path.starts_with("web/")) {
        for (number, line) in text.lines().enumerate() {
            if code(line).contains("riverrun_net::io") {
                offences.push(format!("{path}:{}", number + 1));
            }
        }
    }
    none(&offences, "web may name values of net::http and net::ws, no sockets");
}

#[test]
fn unsafe_lives_in_the_codec_bindings_only() {
    let mut offences = Vec::new();
    for (path, text) in rust_files() {
        if Path::new(&path).starts_with("media/src/codec/ffi") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if has_word(&code(line), "unsafe") {
                offences.push(format!("{path}:{}", number + 1));
            }
        }
    }
    none(&offences, "`unsafe` outside media/src/codec/ffi");
}

/// Lines up to the tests that end the file; a file of tests has none.
fn non_test_lines(path: &str, text: &str) -> usize {
    if path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/") {
        return 0;
    }
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().position(|line| *line == "#[cfg(test)]").unwrap_or(lines.len())
}

#[test]
fn files_stay_under_the_wall() {
    let mut offences = Vec::new();
    for (path, text) in rust_files() {
        let lines = non_test_lines(&path, &text);
        match LONG_FILES.iter().find(|(long, _)| *long == path) {
            None if lines > LINES_MAX => {
                offences.push(format!("{path}: {lines} lines, {LINES_MAX} allowed"));
            }
            Some((_, was)) if lines > *was => {
                offences.push(format!("{path}: {lines} lines, grown past the {was} it was let in"));
            }
            Some(_) if lines <= LINES_MAX => {
                offences.push(format!("{path}: {lines} lines, take it off LONG_FILES"));
            }
            _ => {}
        }
    }
    for (path, _) in LONG_FILES {
        if !root().join(path).exists() {
            offences.push(format!("{path} is gone, take it off LONG_FILES"));
        }
    }
    none(&offences, "non-test lines per file (style 3.5)");
}

#[test]
fn lines_stay_within_the_width() {
    let mut offences = Vec::new();
    for (path, text) in rust_files() {
        for (number, line) in text.lines().enumerate() {
            let width = line.chars().count();
            if width > WIDTH_MAX && !line.contains("://") {
                offences.push(format!("{path}:{}: {width} columns", number + 1));
            }
        }
    }
    none(&offences, "columns per line");
}

#[test]
fn no_leftover_markers() {
    // Spelt apart, so that this file does not find itself.
    let markers = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("HA", "CK"),
        concat!("todo", "!"),
        concat!("unimplemented", "!"),
        concat!("for", " now"),
    ];
    let kinds = [".rs", ".toml", ".ts", ".tsx", ".css", ".html", ".mjs", ".py", ".sh", ".yml"];
    let mut offences = Vec::new();
    for path in files() {
        let text_file = kinds.iter().any(|kind| path.ends_with(kind)) || path == "Makefile";
        if !text_file {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            if let Some(marker) = markers.iter().find(|marker| line.contains(*marker)) {
                offences.push(format!("{path}:{}: {marker}", number + 1));
            }
        }
    }
    none(&offences, "left over in the code; work still to do belongs in the tracker");
}

#[test]
fn readme_maps_every_folder() {
    let readme = read("README.md");
    let folders: BTreeSet<String> = files()
        .iter()
        .filter_map(|path| Some(path.split_once('/')?.0.to_owned()))
        .filter(|folder| !folder.starts_with('.'))
        .collect();
    let offences: Vec<String> = folders
        .iter()
        .filter(|folder| !readme.contains(&format!("{folder}/")))
        .map(|folder| format!("{folder}/ is not in the code map"))
        .collect();
    none(&offences, "README.md");
}

#[test]
fn readme_reading_list_exists() {
    let readme = read("README.md");
    let mut named = 0;
    let mut offences = Vec::new();
    for word in readme.split('`') {
        let path = word.trim();
        if path.ends_with(".rs") && path.contains('/') && !path.contains(char::is_whitespace) {
            named += 1;
            if !root().join(path).is_file() {
                offences.push(format!("{path} does not exist"));
            }
        }
    }
    none(&offences, "README.md names files that are not there (style 3.10)");
    assert!(named >= 5, "the reading list names only {named} files");
}

#[test]
fn licences_and_changelog() {
    let mut offences = Vec::new();
    for (path, words) in [
        ("LICENSE-MIT", "Permission is hereby granted"),
        ("LICENSE-APACHE", "Apache License"),
        ("CHANGELOG.md", "## Unreleased"),
    ] {
        match fs::read_to_string(root().join(path)) {
            Ok(text) if text.contains(words) => {}
            Ok(_) => offences.push(format!("{path} does not say {words:?}")),
            Err(error) => offences.push(format!("{path}: {error}")),
        }
    }
    let workspace = manifest("Cargo.toml");
    let licence = workspace["workspace"]["package"]["license"].as_str();
    assert_eq!(licence, Some("MIT OR Apache-2.0"));
    for room in ROOMS.iter().map(|(room, _)| format!("{room}/Cargo.toml")) {
        let inherited = manifest(&room)["package"].get("license").and_then(|value| {
            value.as_table().and_then(|table| table.get("workspace")).and_then(|on| on.as_bool())
        });
        if inherited != Some(true) {
            offences.push(format!("{room} does not take the workspace's licence"));
        }
    }
    none(&offences, "what a release must carry");
}

#[test]
fn every_dependency_has_its_reason() {
    let mut offences = Vec::new();
    for path in files().iter().filter(|path| path.ends_with("Cargo.toml")) {
        offences.extend(unexplained(&read(path)).iter().map(|name| format!("{path}: {name}")));
    }
    none(&offences, "a dependency needs the reason it is here, as a comment above or behind it");
}

/// Dependencies of a manifest without a comment. A crate that carries the name of the one before it
/// (`serde_json` after `serde`) shares its reason; members of the house and entries that defer to
/// the workspace table need none.
fn unexplained(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut in_dependencies = false;
    let mut explained: Option<String> = None;
    let mut above = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
            explained = None;
        } else if in_dependencies
            && !line.starts_with('#')
            && let Some((name, value)) = line.split_once('=')
        {
            let name = name.trim().split('.').next().unwrap_or_default().to_owned();
            let family = explained.as_ref().is_some_and(|before| {
                name.strip_prefix(before).is_some_and(|rest| rest.starts_with(['-', '_']))
            });
            let house = name.starts_with("riverrun") || line.contains("workspace = true");
            if above.starts_with('#') || value.contains(" # ") {
                explained = Some(name);
            } else if !family && !house {
                names.push(name);
            }
        }
        above = line;
    }
    names
}

#[test]
fn unexplained_sees_what_it_should() {
    let manifest = "[dependencies]\n# Why.\nserde = \"1\"\nserde_json = \"1\"\nbare = \"1\"\n\
                    http.workspace = true\nbehind = \"1\" # why\n[features]\nx = []\n";
    assert_eq!(unexplained(manifest), ["bare"]);
}

#[test]
fn the_release_tree_stays_small() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "-p", "riverrun"])
        .args(["-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "cargo tree: {}", String::from_utf8_lossy(&out.stderr));
    let listed = String::from_utf8(out.stdout).expect("crate names are UTF-8");
    let crates: BTreeSet<&str> = listed
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty() && !line.starts_with("riverrun"))
        .collect();
    assert!(crates.len() > 10, "cargo tree listed only {crates:?}");
    assert!(
        crates.len() <= CRATES_MAX,
        "{} crates in the release tree, {CRATES_MAX} allowed:\n{crates:#?}",
        crates.len()
    );
}
