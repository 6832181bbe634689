//! Random maps, between us and the tools of Berkeley DB 5.3 (package `db5.3-util`; left out where they are not).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use sendmail::maps::file::build::{Duplicates, Entries};
use sendmail::maps::file::{Database, Kind};

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn has_tools() -> bool {
    Command::new("db5.3_verify").arg("-V").output().is_ok_and(|output| output.status.success())
}

/// Items of all lengths that matter: none, short, about as long as fits on a page, longer.
fn item() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => proptest::collection::vec(any::<u8>(), 0..24),
        1 => (120usize..140, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
        1 => (1000usize..1100, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
        1 => (4000usize..9000, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
    ]
}

fn rows() -> impl Strategy<Value = Rows> {
    proptest::collection::vec((item(), item()), 0..150)
}

/// Few keys with many values.
fn sets() -> impl Strategy<Value = Rows> {
    proptest::collection::vec((0u8..4, proptest::collection::vec(any::<u8>(), 0..40)), 0..400)
        .prop_map(|rows| rows.into_iter().map(|(key, value)| (vec![key; 3], value)).collect())
}

fn grouped(rows: &Rows) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut map: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (key, value) in rows {
        map.entry(key.clone()).or_default().push(value.clone());
    }
    map
}

fn read(path: &Path) -> Rows {
    let database = Database::open(File::open(path).unwrap()).unwrap();
    let mut rows = Vec::new();
    let mut take = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        true
    };
    database.for_each(&mut take).unwrap();
    for (key, values) in grouped(&rows) {
        assert_eq!(database.get(&key).unwrap().as_ref(), values.first());
        let mut each = Vec::new();
        database.each_value(&key, &mut |value| each.push(value.to_vec())).unwrap();
        assert_eq!(each, values);
    }
    rows
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// Values by key as `db5.3_dump` tells them, and what `db5.3_verify` has against it.
fn told_by_tools(path: &Path) -> (BTreeMap<String, Vec<String>>, String) {
    let verified = Command::new("db5.3_verify").arg(path).output().unwrap();
    let complaints = String::from_utf8_lossy(&verified.stderr).into_owned();
    let dumped = String::from_utf8(Command::new("db5.3_dump").arg(path).output().unwrap().stdout).unwrap();
    let lines: Vec<&str> = dumped.lines().filter_map(|line| line.strip_prefix(' ')).collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in lines.chunks(2) {
        found.entry(pair[0].to_owned()).or_default().push(pair[1].to_owned());
    }
    let complaints = if verified.status.success() { complaints } else { format!("refused: {complaints}") };
    (found, complaints)
}

/// A file that `db5.3_load` makes.
fn load(path: &Path, kind: Kind, options: &[String], rows: &Rows) {
    let mut command = Command::new("db5.3_load");
    command.args(["-t", kind.name()]);
    for option in options {
        command.args(["-c", option]);
    }
    let mut child = command.arg(path).stdin(Stdio::piped()).spawn().unwrap();
    let mut text = format!("VERSION=3\nformat=bytevalue\ntype={}\nHEADER=END\n", kind.name());
    for (key, value) in rows {
        writeln!(text, " {}\n {}", hex(key), hex(value)).unwrap();
    }
    text += "DATA=END\n";
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_we_write_are_whole_to_the_tools(rows in prop_oneof![2 => rows(), 1 => sets()], keeps in any::<bool>()) {
        if !has_tools() {
            return Ok(());
        }
        let dir = tempfile::tempdir().unwrap();
        for kind in [Kind::Hash, Kind::Btree] {
            let path = dir.path().join(kind.name());
            let mut entries = Entries::default();
            for (key, value) in &rows {
                entries.push(key, value, 1);
            }
            let duplicates = if keeps { Duplicates::Keep } else { Duplicates::Replace };
            let file = File::create_new(&path).unwrap();
            entries.write(kind, duplicates, &file).unwrap();
            let mut expected = grouped(&rows);
            if !keeps {
                for values in expected.values_mut() {
                    *values = values.split_off(values.len() - 1);
                }
            }
            let (found, complaints) = told_by_tools(&path);
            prop_assert_eq!(complaints, "");
            let expected: BTreeMap<String, Vec<String>> =
                expected.iter().map(|(key, values)| (hex(key), values.iter().map(|value| hex(value)).collect())).collect();
            prop_assert!(found == expected, "{} keys, {} expected", found.len(), expected.len());
        }
    }

    #[test]
    fn files_of_the_tools_are_read(
        rows in prop_oneof![2 => rows(), 1 => sets()],
        page_size in (9u32..17).prop_map(|bits| 1u32 << bits),
        is_big_endian in any::<bool>(),
        keeps in any::<bool>(),
        sorted in any::<bool>(),
        checksums in any::<bool>(),
    ) {
        if !has_tools() {
            return Ok(());
        }
        let dir = tempfile::tempdir().unwrap();
        let mut expected = grouped(&rows);
        let order = if is_big_endian { 4321 } else { 1234 };
        let mut options = vec![format!("db_pagesize={page_size}"), format!("db_lorder={order}")];
        if keeps {
            options.push("duplicates=1".to_owned());
        }
        if keeps && sorted {
            options.push("dupsort=1".to_owned());
            for values in expected.values_mut() {
                values.sort();
                values.dedup();
            }
        }
        if !keeps {
            for values in expected.values_mut() {
                values.truncate(1);
            }
        }
        if checksums {
            options.push("chksum=1".to_owned());
        }
        let unique: Rows = expected.iter().flat_map(|(key, all)| all.iter().map(|one| (key.clone(), one.clone()))).collect();
        for kind in [Kind::Hash, Kind::Btree] {
            let path = dir.path().join(kind.name());
            load(&path, kind, &options, if keeps && !sorted { &rows } else { &unique });
            let found = grouped(&read(&path));
            // The order of values is the library's; values on overflow pages may change places with others.
            let (told, _) = told_by_tools(&path);
            let shown: BTreeMap<String, Vec<String>> =
                found.iter().map(|(key, all)| (hex(key), all.iter().map(|one| hex(one)).collect())).collect();
            prop_assert!(shown == told, "{kind:?}: other values than the tools find");
            let sorted = |mut map: BTreeMap<Vec<u8>, Vec<Vec<u8>>>| {
                for values in map.values_mut() {
                    values.sort();
                }
                map
            };
            prop_assert!(sorted(found) == sorted(expected.clone()), "{kind:?}: other values than were put in");
        }
    }
}
