//! A message in front of hosts that take 7 or 8 bits.

use std::sync::OnceLock;

use sendmail::collect::headers::Collector;
use sendmail::collect::limits::Limits;
use sendmail::config;
use sendmail::macros::ClassTable;
use sendmail::message::mime::{Converter, to_7bit, to_8bit};

pub fn run(bytes: &[u8]) {
    static CLASSES: OnceLock<ClassTable> = OnceLock::new();
    let classes = CLASSES.get_or_init(|| config::parse(b"V10\nCqtext/html\n").0.classes);
    let mut body = Vec::new();
    let mut collector = Collector::new(Limits::default());
    collector.feed(bytes, &mut body);
    let headers = collector.finish(&mut body).headers;
    let by = Converter { host: b"mta.example.test", id: "6AM8Wwpk005225", charset: b"unknown-8bit", classes };
    let bound = bytes.len() * 4 + 4096;

    let mut fields = headers.clone();
    if let Some(seven) = to_7bit(&mut fields, &body, &by) {
        assert!(seven.len() <= bound, "{} bytes became {}", body.len(), seven.len());
        if let Some(eight) = to_8bit(&mut fields, &seven, &by) {
            assert!(eight.len() <= bound);
        }
    }
    let mut fields = headers;
    if let Some(eight) = to_8bit(&mut fields, &body, &by) {
        assert!(eight.len() <= bound, "{} bytes became {}", body.len(), eight.len());
    }
}
