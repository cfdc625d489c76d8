//! Where addresses are, by a MaxMind database that the operator may lay into the data folder.
//!
//! Without the file nobody is looked up, and with a broken one a single warning says so. A file
//! that is replaced while the server runs, as MaxMind's own updater does every week, is read anew.
//! It is held in memory (GeoLite2 City takes about 60 MB); of a place there is one copy, however
//! many are there.

use std::collections::HashSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use maxminddb::Reader;
use riverrun_web::viewers::Geo;
use serde::Deserialize;

/// Its name in the data folder: Owncast's (API §1.1).
const FILE_NAME: &str = "GeoLite2-City.mmdb";
/// A larger file is no database of cities, bytes: ten times what MaxMind's are.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Places of which there is one copy: regions of the earth are about 4,000.
const PLACES_MAX: usize = 50_000;

/// See the module.
#[derive(Default)]
pub(super) struct Places {
    path: PathBuf,
    /// Of the file that was read, or tried.
    seen: Option<(SystemTime, u64)>,
    reader: Option<Reader<Vec<u8>>>,
    known: HashSet<Arc<Geo>>,
}

/// What is read of a city's row.
#[derive(Deserialize)]
struct City<'a> {
    #[serde(borrow)]
    country: Option<Country<'a>>,
    #[serde(borrow, default)]
    subdivisions: Vec<Subdivision<'a>>,
    #[serde(borrow)]
    location: Option<Location<'a>>,
}

#[derive(Deserialize)]
struct Country<'a> {
    #[serde(borrow)]
    iso_code: Option<&'a str>,
}

#[derive(Deserialize)]
struct Subdivision<'a> {
    #[serde(borrow)]
    names: Option<Names<'a>>,
}

#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    en: Option<&'a str>,
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    time_zone: Option<&'a str>,
}

impl Places {
    /// Those of the file in this data folder.
    pub(super) fn of(data: &Path) -> Self {
        let mut places = Self { path: data.join(FILE_NAME), ..Self::default() };
        places.look();
        places
    }

    /// Reads the file if it is new or another. To be called now and then.
    pub(super) fn look(&mut self) {
        let about = fs::metadata(&self.path).ok().filter(fs::Metadata::is_file);
        let seen = about.and_then(|about| Some((about.modified().ok()?, about.len())));
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        self.reader = None;
        self.known.clear();
        let Some((_, len)) = seen else { return };
        match self.read(len) {
            Ok(reader) => {
                let kind = &reader.metadata.database_type;
                tracing::info!(file = FILE_NAME, kind, "viewers are located");
                self.reader = Some(reader);
            }
            Err(reason) => tracing::warn!(
                file = FILE_NAME,
                reason,
                "the database of places cannot be read: viewers are not located"
            ),
        }
    }

    fn read(&self, len: u64) -> Result<Reader<Vec<u8>>, String> {
        if len > FILE_BYTES_MAX {
            return Err(format!("it has {len} bytes; allowed are {FILE_BYTES_MAX}"));
        }
        let bytes = fs::read(&self.path).map_err(|error| error.to_string())?;
        Reader::from_source(bytes).map_err(|error| error.to_string())
    }

    /// Where this address is. The machine itself is told apart, as Owncast does.
    pub(super) fn find(&mut self, address: IpAddr) -> Option<Arc<Geo>> {
        let reader = self.reader.as_ref()?;
        let geo = if address.is_loopback() {
            Geo::of_loopback()
        } else {
            let city: City<'_> = reader.lookup(address).ok()?.decode().ok()??;
            let region = city.subdivisions.first().and_then(|region| region.names.as_ref()?.en);
            Geo {
                country_code: city.country?.iso_code?.to_owned(),
                region_name: region.unwrap_or_default().to_owned(),
                time_zone: city.location.and_then(|l| l.time_zone).unwrap_or_default().to_owned(),
            }
        };
        if let Some(known) = self.known.get(&geo) {
            return Some(Arc::clone(known));
        }
        let geo = Arc::new(geo);
        if self.known.len() < PLACES_MAX {
            self.known.insert(Arc::clone(&geo));
        }
        Some(geo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of the database's own format (MaxMind DB 2.0, "Data Section").
    enum Field {
        Text(&'static str),
        Number(u16),
        Large(u64),
        List(Vec<Self>),
        Map(Vec<(&'static str, Self)>),
    }

    impl Field {
        fn write(&self, bytes: &mut Vec<u8>) {
            match self {
                Self::Text(text) => {
                    // Longer ones have another form.
                    assert!(text.len() < 29);
                    bytes.push(2 << 5 | text.len() as u8);
                    bytes.extend_from_slice(text.as_bytes());
                }
                Self::Number(number) => {
                    bytes.push(5 << 5 | 2);
                    bytes.extend_from_slice(&number.to_be_bytes());
                }
                Self::Large(number) => {
                    bytes.extend_from_slice(&[8, 2]);
                    bytes.extend_from_slice(&number.to_be_bytes());
                }
                Self::List(items) => {
                    bytes.extend_from_slice(&[items.len() as u8, 4]);
                    items.iter().for_each(|item| item.write(bytes));
                }
                Self::Map(entries) => {
                    bytes.push(7 << 5 | entries.len() as u8);
                    for (name, value) in entries {
                        Self::Text(name).write(bytes);
                        value.write(bytes);
                    }
                }
            }
        }
    }

    /// A database in which every address of the upper half (128.0.0.0/1) is in Bavaria.
    fn database() -> Vec<u8> {
        use Field::{Large, List, Map, Number, Text};
        // One node: to the left nothing, to the right the first row of data.
        let nodes = 1_u32;
        let mut bytes = [nodes.to_be_bytes(), (nodes + 16).to_be_bytes()]
            .iter()
            .flat_map(|record| record[1..].to_vec())
            .collect::<Vec<u8>>();
        bytes.extend_from_slice(&[0; 16]);
        let names = Map(vec![("de", Text("Bayern")), ("en", Text("Bavaria"))]);
        Map(vec![
            ("country", Map(vec![("iso_code", Text("DE"))])),
            ("subdivisions", List(vec![Map(vec![("names", names)])])),
            ("location", Map(vec![("time_zone", Text("Europe/Berlin"))])),
        ])
        .write(&mut bytes);
        bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
        Map(vec![
            ("binary_format_major_version", Number(2)),
            ("binary_format_minor_version", Number(0)),
            ("build_epoch", Large(1_700_000_000)),
            ("database_type", Text("GeoLite2-City")),
            ("description", Map(vec![("en", Text("test"))])),
            ("ip_version", Number(4)),
            ("languages", List(vec![Text("en")])),
            ("node_count", Number(1)),
            ("record_size", Number(24)),
        ])
        .write(&mut bytes);
        bytes
    }

    fn find(places: &mut Places, address: &str) -> Option<Arc<Geo>> {
        places.find(address.parse().unwrap())
    }

    #[test]
    fn a_file_may_come_be_replaced_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let mut places = Places::of(folder.path());
        assert_eq!(find(&mut places, "203.0.113.9"), None);
        // The half of it is broken, and no reason to fail.
        let whole = database();
        for end in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..end]).unwrap();
            places.look();
            let _ = find(&mut places, "203.0.113.9");
        }
        fs::write(&path, &whole).unwrap();
        places.look();
        let geo = find(&mut places, "203.0.113.9").unwrap();
        let texts = [&geo.country_code, &geo.region_name, &geo.time_zone];
        assert_eq!(texts, ["DE", "Bavaria", "Europe/Berlin"]);
        assert!(Arc::ptr_eq(&geo, &find(&mut places, "198.51.100.1").unwrap()));
        assert_eq!(find(&mut places, "10.0.0.1"), None);
        assert_eq!(find(&mut places, "2001:db8::1"), None);
        assert_eq!(find(&mut places, "127.0.0.1").unwrap().country_code, "N/A");
        fs::remove_file(&path).unwrap();
        places.look();
        assert_eq!(find(&mut places, "203.0.113.9"), None);
    }
}
