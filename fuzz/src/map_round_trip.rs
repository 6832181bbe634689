//! Pairs out of the input, written as each kind of map: what was put in comes out again.

use std::collections::BTreeMap;

use sendmail::maps::file::build::{Duplicates, Entries};
use sendmail::maps::file::{Database, Kind};

use super::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.one_of(&[Kind::Hash, Kind::Btree, Kind::Cdb]);
    let duplicates = input.one_of(&[Duplicates::Refuse, Duplicates::Replace, Duplicates::Keep]);
    let mut entries = Entries::default();
    let mut expected: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    let mut line = 0;
    while !input.is_empty() && line < 2000 {
        line += 1;
        let key = item(&mut input);
        let value = item(&mut input);
        entries.push(&key, &value, line);
        let values = expected.entry(key).or_default();
        match duplicates {
            Duplicates::Refuse | Duplicates::KeepOld if !values.is_empty() => {}
            Duplicates::Replace => *values = vec![value],
            _ => values.push(value),
        }
    }
    let file = tempfile::tempfile_in("/dev/shm").expect("a file in memory");
    entries.write(kind, duplicates, &file).expect("written");
    let database = Database::open_as(Some(kind), file).expect("opened");
    let mut found: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    let mut take = |key: &[u8], value: &[u8]| {
        found.entry(key.to_vec()).or_default().push(value.to_vec());
        true
    };
    database.for_each(&mut take).expect("read");
    assert!(found == expected, "what is read is not what was written");
    for (key, values) in &expected {
        assert_eq!(database.get(key).expect("looked up").as_ref(), values.first());
        let mut all = Vec::new();
        database.each_value(key, &mut |value| all.push(value.to_vec())).expect("looked up");
        assert!(&all == values, "values of a key");
    }
}

/// A few bytes of the input, now and then as the start of something long.
fn item(input: &mut Input<'_>) -> Vec<u8> {
    let length = input.below(16);
    let mut item = input.bytes(length).to_vec();
    let longer = match input.byte() {
        250 => 900,
        251 => 1010 + input.below(32),
        252 => 4060 + input.below(40),
        253 => 20_000,
        _ => 0,
    };
    item.resize(item.len() + longer, b'l');
    item
}
