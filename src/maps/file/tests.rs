use proptest::prelude::*;

use super::build::{Duplicates, Entries};
use super::*;

fn build(kind: Kind, duplicates: Duplicates, rows: &[(Vec<u8>, Vec<u8>)]) -> Database {
    let file = tempfile::tempfile().unwrap();
    let mut entries = Entries::default();
    for (key, value) in rows {
        entries.push(key, value, 0);
    }
    entries.write(kind, duplicates, &file).unwrap();
    Database::open_as(Some(kind), file).unwrap()
}

const KINDS: [Kind; 3] = [Kind::Hash, Kind::Btree, Kind::Cdb];

fn all(database: &Database) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    database
        .for_each(&mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            true
        })
        .unwrap();
    rows
}

fn rows() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    let item = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => proptest::collection::vec(any::<u8>(), 0..9000),
    ];
    proptest::collection::vec((item.clone(), item), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_is_found_again(rows in rows()) {
        let mut expected = std::collections::BTreeMap::new();
        for (key, value) in &rows {
            expected.entry(key.clone()).or_insert(value.clone());
        }
        for kind in KINDS {
            let database = build(kind, Duplicates::Refuse, &rows);
            for (key, value) in &expected {
                prop_assert_eq!(database.get(key).unwrap(), Some(value.clone()));
            }
            prop_assert_eq!(database.get(b"no such key, surely").unwrap(), None);
            let found: std::collections::BTreeMap<_, _> = all(&database).into_iter().collect();
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn duplicates_keep_their_order(values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..900)) {
        let mut rows = vec![(b"a".to_vec(), b"1".to_vec()), (b"z".to_vec(), b"2".to_vec())];
        rows.extend(values.iter().map(|value| (b"key".to_vec(), value.clone())));
        for kind in KINDS {
            let database = build(kind, Duplicates::Keep, &rows);
            prop_assert_eq!(database.get(b"key").unwrap(), values.first().cloned());
            let mut each = Vec::new();
            database.each_value(b"key", &mut |value| each.push(value.to_vec())).unwrap();
            prop_assert_eq!(&each, &values);
            let found = all(&database).into_iter().filter(|(key, _)| key == b"key");
            let found: Vec<_> = found.map(|(_, value)| value).collect();
            prop_assert_eq!(&found, &values);
        }
    }

    #[test]
    fn damaged_files_give_errors_or_answers(
        damage in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..40), cut in any::<u16>(), kind in 0..3usize
    ) {
        let file = tempfile::tempfile().unwrap();
        let mut entries = Entries::default();
        for n in 0..300u32 {
            entries.push(format!("key{n}").as_bytes(), &vec![b'v'; (n * 7 % 2000) as usize], n);
        }
        let kind = KINDS[kind];
        entries.write(kind, Duplicates::Refuse, &file).unwrap();
        damage_file(&file, &damage, cut);
        if let Ok(database) = Database::open_as(Some(kind), file) {
            for n in 0..300u32 {
                let _ = database.get(format!("key{n}").as_bytes());
            }
            let _ = database.for_each(&mut |_, _| true);
        }
    }
}

fn damage_file(file: &File, damage: &[(u32, u8)], cut: u16) {
    use std::os::unix::fs::FileExt;
    let length = file.metadata().unwrap().len();
    for (at, byte) in damage {
        // Half of the damage goes to page heads, where it does most.
        let at = u64::from(*at) % length;
        let at = if byte % 2 == 0 { at / 4096 * 4096 + at % 64 } else { at };
        file.write_all_at(&[*byte], at).unwrap();
    }
    if cut.is_multiple_of(4) {
        file.set_len(u64::from(cut) % length).unwrap();
    }
}

#[test]
fn refused_duplicates_are_told_with_their_lines() {
    let mut entries = Entries::default();
    for (line, key) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
        entries.push(key.as_bytes(), line.to_string().as_bytes(), line);
    }
    for kind in KINDS {
        let file = tempfile::tempfile().unwrap();
        let refused = entries.write(kind, Duplicates::Refuse, &file).unwrap();
        assert_eq!(refused.iter().map(|d| d.line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(Database::open_as(Some(kind), file).unwrap().get(b"a").unwrap().unwrap(), b"1");
        let file = tempfile::tempfile().unwrap();
        assert!(entries.write(kind, Duplicates::Replace, &file).unwrap().is_empty());
        assert_eq!(Database::open_as(Some(kind), file).unwrap().get(b"a").unwrap().unwrap(), b"3");
    }
}

#[test]
fn other_files_are_refused() {
    for text in ["", "text\n", &"x".repeat(9000)] {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let other = file.try_clone().unwrap();
        assert!(matches!(Database::open(file), Err(Error::Format)), "{}", text.len());
        assert!(matches!(Database::open_as(Some(Kind::Cdb), other), Err(Error::Format)), "{}", text.len());
    }
}

#[test]
fn hostile_files_end_in_errors_or_answers() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/hostile");
    let dir = crate::sys::file::Dir::open(&dir).unwrap();
    let mut told = Vec::new();
    for name in dir.entries().unwrap() {
        let shown = name.to_string_lossy().into_owned();
        let Some(base) = shown.strip_suffix(".db") else { continue };
        let found = Database::open(dir.open_read(&name).unwrap()).and_then(|database| {
            for key in [&b"k"[..], b"j", b"x", b""] {
                let _ = database.get(key);
            }
            database.for_each(&mut |_, _| true)
        });
        told.push(format!("{base}: {}", found.map_or_else(|e| e.to_string(), |()| "readable".to_owned())));
    }
    told.sort();
    assert_eq!(
        told,
        [
            "btree-circular-leaves: page 1: circular chain",
            "btree-duplicates-of-themselves: page 2: circular chain",
            "btree-own-child: page 1: tree too deep",
            "btree-root-is-meta: page 0: unexpected page type",
            "hash-circular-bucket: page 1: circular chain",
            "hash-circular-overflow: page 3: overflow chain",
            "hash-duplicates-cut: page 1: duplicates",
            "hash-encrypted: encrypted databases are not supported in map files",
            "hash-huge-buckets: page 2: page beyond the end",
            "hash-items-overlap: page 1: item offset",
            "hash-page-size: page 0: page size",
            "hash-subdatabases: subdatabases are not supported in map files",
            "meta-cut: unexpected file type or format",
        ]
    );
}

/// Made by `tests/golden/berkeley/make.py`: kinds, byte orders and releases of Berkeley DB.
#[test]
fn files_of_other_releases_and_byte_orders_are_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/berkeley");
    let dir = crate::sys::file::Dir::open(&dir).unwrap();
    let mut count = 0;
    for name in dir.entries().unwrap() {
        let shown = name.to_string_lossy().into_owned();
        let Some(base) = shown.strip_suffix(".db") else { continue };
        count += 1;
        let database = Database::open(dir.open_read(&name).unwrap()).unwrap();
        assert_eq!(database.kind().name(), base.split('-').next().unwrap());
        let mut expected: Vec<(Vec<u8>, Vec<u8>)> =
            (0..60).map(|n| (format!("key{n}").into_bytes(), format!("value of {n}").into_bytes())).collect();
        if base.contains("-long-") {
            expected.push((b"long".to_vec(), vec![b'v'; 3000]));
        }
        if base.contains("-long-") && base != "btree-1.85-long-little" {
            expected.extend([(vec![b'K'; 700], vec![b'w'; 900]), (vec![b'N'; 300], Vec::new())]);
        }
        let values: Vec<Vec<u8>> = (0..90).map(|n| format!("{n:02}").into_bytes()).collect();
        if base.contains("-duplicates-") {
            expected.extend(values.iter().map(|value| (b"many".to_vec(), value.clone())));
            let mut each = Vec::new();
            database.each_value(b"many", &mut |value| each.push(value.to_vec())).unwrap();
            assert_eq!(database.get(b"many").unwrap().as_ref(), each.first(), "{base}");
            // Release 1.85 keeps them in an order of its own.
            if base.contains("1.85") {
                each.sort();
            }
            assert_eq!(each, values, "{base}");
        } else {
            for (key, value) in &expected {
                assert_eq!(database.get(key).unwrap().as_ref(), Some(value), "{base}");
            }
        }
        assert_eq!(database.get(b"key60").unwrap(), None, "{base}");
        assert_eq!(database.get(b"").unwrap(), None, "{base}");
        let mut found = all(&database);
        found.sort();
        expected.sort();
        assert!(found == expected, "{base}: {} entries", found.len());
        damaged_files_end(&dir, &name);
    }
    assert_eq!(count, 25);
}

/// Every byte of a file changed in turn, and every length: answers or errors.
fn damaged_files_end(dir: &crate::sys::file::Dir, name: &std::ffi::OsStr) {
    let mut whole = Vec::new();
    std::io::Read::read_to_end(&mut dir.open_read(name).unwrap(), &mut whole).unwrap();
    let look = |bytes: Vec<u8>| {
        let Ok(database) = Database::from_bytes(None, bytes) else { return };
        for key in [&b"key7"[..], b"many", b"long", b""] {
            let _ = database.get(key);
            let _ = database.each_value(key, &mut |_| {});
        }
        let _ = database.for_each(&mut |_, _| true);
    };
    for at in (0..whole.len()).step_by(13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        look(bytes);
        look(whole[..at].to_vec());
    }
}
