//! Bytes as a control file of the queue. What can be read is written, read again, and then the same.

use std::sync::OnceLock;

use sendmail::config;
use sendmail::envelope::QueueId;
use sendmail::queue::qf::{self, Codec, DataFile};

pub fn run(bytes: &[u8]) {
    static CODEC: OnceLock<Codec> = OnceLock::new();
    let codec = CODEC.get_or_init(|| Codec::new(&config::parse(b"V10\nC{persistentMacros}x {auth_type}\n").0));
    let id = QueueId::parse(b"6AM8Wwpk005225").expect("an id");
    let _ = qf::quarantine::rewrite(bytes, Some(b"why"));
    let _ = qf::quarantine::rewrite(bytes, None);
    let Ok(control) = qf::read(bytes, &id, codec) else { return };
    let data = DataFile::default();
    let once = qf::render(&control.envelope, codec, data);
    let again = match qf::read(&once, &id, codec) {
        Ok(again) => again,
        Err(fault) => panic!("{fault:?} in what was written:\n{}", once.escape_ascii()),
    };
    let twice = qf::render(&again.envelope, codec, data);
    assert!(once == twice, "\n{}\n\n{}", once.escape_ascii(), twice.escape_ascii());
}
