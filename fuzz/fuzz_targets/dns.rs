#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sendmail_fuzz::dns::run(bytes));
