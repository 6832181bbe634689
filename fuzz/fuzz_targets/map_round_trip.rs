#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sendmail_fuzz::map_round_trip::run(bytes));
