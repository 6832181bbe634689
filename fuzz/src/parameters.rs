//! Parameters of MAIL and RCPT, xtext, base64, enhanced codes, intervals.

use sendmail::base::{base64, bytes, status::Status, time, xtext};
use sendmail::smtp::extension::{body, deliver_by, dsn, parameter, size};

pub fn run(input: &[u8]) {
    let end = parameter::path_end(input);
    assert!(end <= input.len());
    let mut rest = &input[end..];
    let mut count = 0;
    while let Some(parameter) = parameter::next(&mut rest) {
        count += 1;
        assert!(count <= input.len() + 1, "parameters without end");
        let value = parameter.value;
        let _ = parameter::Fault::unrecognized(parameter.keyword);
        let _ = body::parse(value).map(sendmail::envelope::BodyType::word);
        let _ = (deliver_by::parse(value, 0), deliver_by::parse(value, 60));
        let _ = size::parse(value).map(|n| size::check(n, 1000));
        let _ = (dsn::ret(value), dsn::notify(value));
        for text in [dsn::envid(value), dsn::orcpt(value)].into_iter().flatten() {
            assert!(text.len() <= value.map_or(0, <[u8]>::len));
        }
    }
    assert_eq!(xtext::decode(xtext::encode(input, b"x=").as_bytes()).as_deref(), Some(input));
    if let Some(text) = xtext::decode(input) {
        assert_eq!(xtext::decode(xtext::encode(&text, b"").as_bytes()), Some(text));
    }
    assert_eq!(base64::decode(base64::encode(input).as_bytes()).as_deref(), Some(input));
    if let Some(data) = base64::decode(input) {
        assert!(data.len() <= input.len());
    }
    let _ = Status::parse_prefix(input);
    for unit in [b's', b'm', b'h', b'd', b'w'] {
        if let Ok(span) = time::parse_interval(input, unit) {
            let _ = (time::clock_form(span), time::word_form(span));
        }
    }
    let _ = (bytes::leading_number(input), bytes::compact(input), bytes::shown(input).to_string());
}
