//! DSN: `RET=`, `ENVID=` of MAIL, `NOTIFY=`, `ORCPT=` of RCPT. Source: RFC 3461; observed.

use bytes::Bytes;

use super::parameter::Fault;
use crate::base::bytes::{shown, split_once};
use crate::base::status::Status;
use crate::base::xtext;
use crate::envelope::{Notify, Ret};

/// The value of `RET=`.
pub fn ret(value: Option<&[u8]>) -> Result<Ret, Fault> {
    let value = value.ok_or_else(|| Fault::no_value("RET"))?;
    if value.eq_ignore_ascii_case(b"FULL") {
        Ok(Ret::Full)
    } else if value.eq_ignore_ascii_case(b"HDRS") {
        Ok(Ret::Headers)
    } else {
        Err(Fault::new(501, Status(5, 5, 2), format!("Bad argument \"{}\" to RET", shown(value))))
    }
}

/// The value of `ENVID=`, still xtext.
pub fn envid(value: Option<&[u8]>) -> Result<Bytes, Fault> {
    let value = value.ok_or_else(|| Fault::no_value("ENVID"))?;
    xtext::decode(value).map(|_| Bytes::copy_from_slice(value)).ok_or_else(|| Fault::syntax("ENVID"))
}

/// The value of `NOTIFY=`.
pub fn notify(value: Option<&[u8]>) -> Result<Notify, Fault> {
    let value = value.ok_or_else(|| Fault::no_value("NOTIFY"))?;
    let mut notify = Notify::NEVER;
    if value.eq_ignore_ascii_case(b"NEVER") {
        return Ok(notify);
    }
    for word in value.split(|b| *b == b',') {
        match word.to_ascii_uppercase().as_slice() {
            b"SUCCESS" => notify.success = true,
            b"FAILURE" => notify.failure = true,
            b"DELAY" => notify.delay = true,
            _ => {
                let text = format!("Bad argument \"{}\"  to NOTIFY", shown(word));
                return Err(Fault::new(501, Status(5, 5, 4), text));
            }
        }
    }
    Ok(notify)
}

/// The value of `ORCPT=`: `type;address`, the address xtext.
pub fn orcpt(value: Option<&[u8]>) -> Result<Bytes, Fault> {
    let value = value.ok_or_else(|| Fault::no_value("ORCPT"))?;
    match split_once(value, b';') {
        Some((kind, address)) if !kind.is_empty() && xtext::decode(address).is_some() => {
            Ok(Bytes::copy_from_slice(value))
        }
        _ => Err(Fault::syntax("ORCPT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notify_takes_never_alone_or_a_list() {
        let all = notify(Some(b"SUCCESS,failure,DELAY")).unwrap();
        assert!(all.success && all.failure && all.delay && all.is_given);
        let never = notify(Some(b"NEVER")).unwrap();
        assert!(never.is_given && !never.failure);
        for (bad, word) in [("NEVER,DELAY", "NEVER"), ("BOGUS", "BOGUS"), ("", ""), ("SUCCESS,,FAILURE", "")] {
            let text = notify(Some(bad.as_bytes())).unwrap_err().text;
            assert_eq!(text, format!("Bad argument \"{word}\"  to NOTIFY"));
        }
    }

    #[test]
    fn original_recipients_need_a_type() {
        assert!(orcpt(Some(b"rfc822;a@b")).is_ok());
        for bad in ["bogus", "", "rfc822;a+ZZ", ";a"] {
            assert!(orcpt(Some(bad.as_bytes())).is_err(), "{bad}");
        }
        assert!(envid(Some(b"")).is_ok() && envid(Some(b"+ZZ")).is_err());
    }
}
