//! Embeds the built page (`web/page/dist`) in the binary.
//!
//! The page's own build has already hashed the names and compressed the files with gzip and brotli
//! (`page/build/finish.mjs`); here they only become a table of byte strings with validators, and
//! `index.html` becomes the template that `page.rs` fills.

// A build script reads files and talks to Cargo.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where the server writes into the page, in this order, each exactly once.
const MARKERS: [&str; 3] =
    ["<!--riverrun:head-->", "<!--riverrun:body-->", "<!--riverrun:facts-->"];
const TEMPLATE: &str = "index.html";

fn main() {
    println!("cargo::rerun-if-changed=page/dist");
    if let Err(problem) = embed() {
        println!("cargo::error={problem}");
    }
}

fn embed() -> Result<(), String> {
    let dist =
        Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?).join("page/dist");
    let template = fs::read_to_string(dist.join(TEMPLATE))
        .map_err(|_| "the page is not built yet: run `make build`".to_owned())?;

    let mut files = Vec::new();
    collect(&dist, &dist, &mut files).map_err(|e| format!("cannot read web/page/dist: {e}"))?;
    files.sort();

    let mut source = String::from("pub(crate) static FILES: &[Asset] = &[\n");
    for name in files.iter().filter(|name| is_asset(name)) {
        write_asset(&mut source, &dist, name, &files).map_err(|e| format!("{name}: {e}"))?;
    }
    source.push_str("];\n");
    write_template(&mut source, &template)?;

    let out = PathBuf::from(env::var("OUT_DIR").map_err(|e| e.to_string())?).join("embedded.rs");
    fs::write(&out, source).map_err(|e| format!("cannot write {}: {e}", out.display()))
}

/// Every file below `dir`, as a path relative to `root` with `/` between the parts.
fn collect(root: &Path, dir: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(relative) = path.strip_prefix(root) {
            files.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

fn is_asset(name: &str) -> bool {
    name != TEMPLATE && !name.ends_with(".gz") && !name.ends_with(".br")
}

fn write_asset(
    source: &mut String,
    dist: &Path,
    name: &str,
    files: &[String],
) -> Result<(), String> {
    let content_type =
        content_type(name).ok_or("no content type is known for this kind of file")?;
    let path = dist.join(name);
    let bytes = fs::read(&path).map_err(|e| e.to_string())?;
    let compressed = |suffix: &str| {
        let packed = format!("{name}.{suffix}");
        match files.contains(&packed) {
            true => format!("Some(include_bytes!({:?}))", dist.join(packed)),
            false => "None".to_owned(),
        }
    };
    writeln!(
        source,
        "Asset {{ name: {name:?}, content_type: {content_type:?}, etag: \"{:016x}\", \
         identity: include_bytes!({path:?}), gzip: {}, brotli: {}, immutable: {} }},",
        hash(&bytes),
        compressed("gz"),
        compressed("br"),
        // Vite puts what it names after its content here.
        name.starts_with("assets/"),
    )
    .map_err(|e| e.to_string())
}

fn write_template(source: &mut String, template: &str) -> Result<(), String> {
    let mut rest = template;
    source.push_str("pub(crate) static TEMPLATE: [&str; 4] = [\n");
    for marker in MARKERS {
        let (before, after) = rest
            .split_once(marker)
            .ok_or_else(|| format!("web/page/index.html has no {marker} where one is expected"))?;
        source.push_str(&format!("{before:?},\n"));
        rest = after;
    }
    source.push_str(&format!("{rest:?}];\n"));
    Ok(())
}

fn content_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// A validator has to change when the content does, not to resist an attacker: std's hash with its
/// fixed keys is enough and keeps the build free of another crate.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
