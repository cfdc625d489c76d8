//! What the health value has to say before a server runs: disk, memory, clock, and whether the data
//! folder can be written.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use riverrun_web::health::{Health, Machine, Readings};

use crate::clock;
use crate::statistics::hardware;

/// A file that exists for a moment.
const TRIAL_NAME: &str = ".riverrun-doctor";

/// Looks at the machine and at this data folder, which need not exist.
pub(super) fn of(data: &Path) -> Health {
    // What is missing would be made where its parent is.
    let exists = data.ancestors().find(|path| path.is_dir()).unwrap_or_else(|| Path::new("."));
    let readings = Readings {
        machine: Machine {
            memory: hardware::memory(),
            disk_free: hardware::disk(exists).map(|(_, free)| free),
            ..Machine::default()
        },
        store_error: try_to_write(exists).err().map(|error| error.to_string()),
        date_ms: Some(clock::date().millis()),
        ..Readings::default()
    };
    Health::of(&readings, None)
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let path = folder.join(TRIAL_NAME);
    let mut file = File::create(&path)?;
    let written = file.write_all(b"riverrun doctor\n").and_then(|()| file.sync_all());
    fs::remove_file(&path)?;
    written
}

#[cfg(test)]
mod tests {
    use riverrun_web::health::{Level, Part};

    use super::*;

    #[test]
    fn a_folder_that_is_missing_is_judged_by_its_parent_and_left_missing() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        let health = of(&data);
        let store = health.findings.iter().find(|finding| finding.part == Part::Store).unwrap();
        assert_eq!(store.level, Level::Good, "{store:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for part in [Part::Disk, Part::Memory, Part::Clock] {
            assert!(health.findings.iter().any(|finding| finding.part == part), "{part:?}");
        }
    }
}
