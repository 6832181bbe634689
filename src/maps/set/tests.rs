use std::path::Path;

use super::*;
use crate::config::maps::MapDeclaration;
use crate::config::values::AliasSource;
use crate::maps::file::build::{Duplicates, Entries};
use crate::maps::file::{Kind, replace::Replacement};
use crate::sys::safefile::Judge;

struct Site {
    dir: tempfile::TempDir,
    config: Config,
}

impl Site {
    fn new() -> Self {
        let mut config = Config { path: "cf".into(), ..Config::default() };
        config.options.dont_blame_sendmail.0 = u64::MAX;
        Self { dir: tempfile::tempdir().unwrap(), config }
    }

    fn database(&self, name: &str, kind: Kind, rows: &[(&str, &str)]) {
        let mut entries = Entries::default();
        for (key, value) in rows {
            entries.push(key.as_bytes(), value.as_bytes(), 0);
        }
        let judge = Judge { uid: crate::sys::user::effective_uid(), dont_blame: u64::MAX, trusted_uid: None };
        let replacement = Replacement::begin(&self.dir.path().join(name), &judge).unwrap();
        entries.write(kind, Duplicates::Refuse, replacement.file()).unwrap();
        replacement.commit().unwrap();
    }

    fn text(&self, name: &str, text: &str) {
        crate::sys::file::replace(&self.dir.path().join(name), text.as_bytes(), 0o644).unwrap();
    }

    /// Declares maps as `K` lines do, `DIR` standing for the directory.
    fn open(&mut self, lines: &[&str]) -> (MapSet, Vec<String>) {
        for (line, number) in lines.iter().zip(1..) {
            let line = line.replace("DIR", &self.dir.path().display().to_string());
            let mut words = line.splitn(3, ' ').map(|word| Bytes::from(word.to_owned()));
            self.config.maps.push(MapDeclaration {
                name: words.next().unwrap(),
                class: words.next().unwrap(),
                arguments: words.next().unwrap_or_default(),
                line: number,
            });
        }
        let (set, diagnostics) = MapSet::open(&self.config, Services::default());
        (set, diagnostics.iter().map(ToString::to_string).collect())
    }
}

fn rule(set: &MapSet, map: &str, key: &str, args: &[&str]) -> String {
    let args: Vec<Bytes> = args.iter().map(|arg| Bytes::from((*arg).to_owned())).collect();
    let id = set.find(map.as_bytes()).unwrap();
    match set.lookup_now(id, key.as_bytes(), &args, &mut Scope::default()) {
        Some(Answer::Found(value) | Answer::Instead(value)) => String::from_utf8_lossy(&value).into_owned(),
        Some(Answer::NotFound(exit)) => format!("({})", exit.0),
        Some(Answer::Temporary(_)) => "(75)".to_owned(),
        None => "(waits)".to_owned(),
    }
}

#[test]
fn flags_act_on_keys_and_values() {
    let mut site = Site::new();
    site.database(
        "h.db",
        Kind::Hash,
        &[("k1", "%0-%1-%2-%3"), ("ab", "plain"), ("\"ab\"", "quoted"), ("null\0", "yes\0"), ("Up", "x")],
    );
    let (set, told) = site.open(&[
        "h hash DIR/h",
        "hq hash -q DIR/h",
        "hm hash -m -a<X> DIR/h",
        "hn hash -N DIR/h",
        "ho hash -O DIR/h",
        "hno hash -N -O DIR/h",
        "hf hash -f DIR/h.db",
        "im implicit DIR/h",
        "ht hash -T<T> DIR/none",
        "hs hash -t DIR/none",
        "hx hash DIR/none",
        "hopt hash -o DIR/none",
        "sq sequence hx h",
    ]);
    assert!(told.is_empty(), "{told:?}");
    for (map, key, args, value) in [
        ("h", "K1", &["a", "b"][..], "K1-a-b-"),
        ("H", "\"ab\"", &[], "plain"),
        ("hq", "\"ab\"", &[], "quoted"),
        ("hm", "K1", &[], "K1<X>"),
        ("h", "null", &[], "yes"),
        ("hn", "null", &[], "yes"),
        ("hn", "ab", &[], "(0)"),
        ("ho", "null", &[], "(0)"),
        ("hno", "ab", &[], "(0)"),
        ("hf", "Up", &[], "x"),
        ("h", "Up", &[], "(0)"),
        ("im", "ab", &[], "plain"),
        ("ht", "ab", &[], "ab<T>"),
        ("hs", "ab", &[], "(0)"),
        ("hx", "ab", &[], "(75)"),
        ("hopt", "ab", &[], "(0)"),
        ("sq", "ab", &[], "plain"),
        ("sq", "nope", &[], "(75)"),
    ] {
        assert_eq!(rule(&set, map, key, args), value, "{map} {key}");
    }
    assert!(!set.is_open(set.find(b"hopt").unwrap()));
    let complaints = set.take_complaints();
    assert_eq!(complaints.len(), 3, "each map complains once: {complaints:?}");
    assert!(
        complaints[0].starts_with("hash map \"ht\": missing map file ")
            && complaints[0].ends_with("none.db: No such file or directory")
    );
}

#[test]
fn declarations_are_complained_about_in_the_original_words() {
    let (_, told) = Site::new().open(&[
        "xx text",
        "xx hash -Y /x",
        "n4 hesiod x",
        "r1 regex [a",
        "d1 dns -RZZ",
        "s2 sequence xx nosuch",
        "y1 syslog -LFOO",
        "q1 socket",
    ]);
    assert_eq!(
        told,
        [
            "cf: line 1: No file name for text map xx",
            "cf: line 2: Illegal option Y map xx",
            "cf: line 3: readcf: map n4: class hesiod not available",
            "cf: line 4: pattern-compile-error: Unmatched [, [^, [:, [., or [=",
            "cf: line 5: dns map d1: wrong type ZZ",
            "cf: line 5: dns map d1: missing -R type",
            "cf: line 6: Sequence map s2: unknown member map nosuch",
            "cf: line 7: syslog_map_parseargs: Unknown priority FOO",
            "cf: line 8: No file name for socket map q1",
        ]
    );
}

#[test]
fn small_classes_answer_at_once() {
    let (set, _) = Site::new().open(&[
        "dq dequote",
        "dqs dequote -s_",
        "dqa dequote -a.x -s_",
        "ar arith",
        "nu null",
        "ap arpa -a.foo",
        "re regex -m -a<Y> ^k",
        "mac macro",
    ]);
    for (map, key, args, value) in [
        ("dq", "\"a.b\"", &[][..], "a.b"),
        ("dqs", "\"a b\"", &[], "a_b"),
        ("dqa", "\"ab\"", &[], "ab.x"),
        ("dqa", "\"a b\"", &[], "(0)"),
        ("ar", "+", &["1", "2"], "3"),
        ("nu", "x", &[], "(68)"),
        ("ap", "192.0.2.10", &[], "10.2.0.192.foo"),
        ("ap", "foo", &[], "(65)"),
        ("re", "K1", &[], "K1<Y>"),
        ("aliases", "x", &[], "(68)"),
    ] {
        assert_eq!(rule(&set, map, key, args), value, "{map} {key}");
    }
    let mut scope = Scope::default();
    let mac = set.find(b"mac").unwrap();
    set.lookup_now(mac, b"{client_name}", &[Bytes::from("v")], &mut scope);
    assert_eq!(scope.text(names::CLIENT_NAME), "v");
    set.lookup_now(mac, b"{client_name}", &[], &mut scope);
    assert!(scope.value(names::CLIENT_NAME).is_none());
}

#[test]
fn no_lookup_while_delivery_is_deferred() {
    let mut site = Site::new();
    site.text("t", "k v\n");
    let (set, _) = site.open(&["t text -v1 DIR/t", "td text -D -v1 DIR/t"]);
    let mut scope = Scope::default();
    scope.set(names::DELIVERY_MODE, "d");
    let ask = |map: &[u8], scope: &mut Scope| set.lookup_now(set.find(map).unwrap(), b"k", &[], scope).unwrap();
    assert_eq!(ask(b"t", &mut scope), Answer::Found("v".into()));
    assert_eq!(ask(b"td", &mut scope).exit(), Exit::TEMPFAIL);
}

#[test]
fn a_file_that_changed_is_read_again() {
    let mut site = Site::new();
    site.database("h.db", Kind::Hash, &[("k", "one")]);
    let (set, _) = site.open(&["h hash DIR/h"]);
    assert_eq!(rule(&set, "h", "k", &[]), "one");
    site.database("h.db", Kind::Hash, &[("k", "two")]);
    let limit = std::time::Instant::now() + Duration::from_secs(10);
    while rule(&set, "h", "k", &[]) != "two" {
        assert!(std::time::Instant::now() < limit);
        std::thread::yield_now();
    }
    crate::sys::file::unlink(Path::new(&site.dir.path().join("h.db"))).unwrap();
    assert_eq!(rule(&set, "h", "k", &[]), "two");
}

#[test]
fn aliases_are_found_in_the_database_or_the_text() {
    let mut site = Site::new();
    site.text("a1", "Root: alice\n");
    site.text("a2", "x: bob\n");
    site.database("a2.db", Kind::Hash, &[("x\0", "carol\0"), ("@\0", "@\0")]);
    let list = format!("{0}/a1, hash:{0}/a2", site.dir.path().display());
    let texts = list.split(", ").map(|text| AliasSource { text: Bytes::from(text.to_owned()), line: 0 });
    site.config.options.alias_file.extend(texts);
    let (set, told) = site.open(&[]);
    assert_eq!(rule(&set, "aliases", "root", &[]), "alice");
    assert_eq!(rule(&set, "aliases", "x", &[]), "carol");
    assert!(told.is_empty());
    let complaints = set.take_complaints();
    assert!(complaints[0].ends_with("a1; reading text version"), "{complaints:?}");
    assert!(complaints[1].ends_with("a1: 1 aliases, longest 5 bytes, 9 bytes total"), "{complaints:?}");
}
