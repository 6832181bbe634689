//! 8BITMIME. Source: RFC 6152.

use super::parameter::Fault;
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::envelope::BodyType;

/// The value of `BODY=`.
pub fn parse(value: Option<&[u8]>) -> Result<BodyType, Fault> {
    let value = value.ok_or_else(|| Fault::no_value("BODY"))?;
    if value.eq_ignore_ascii_case(b"8BITMIME") {
        Ok(BodyType::EightBitMime)
    } else if value.eq_ignore_ascii_case(b"7BIT") {
        Ok(BodyType::SevenBit)
    } else {
        Err(Fault::new(501, Status(5, 5, 4), format!("Unknown BODY type {}", shown(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_types_are_known() {
        assert_eq!(parse(Some(b"8bitmime")), Ok(BodyType::EightBitMime));
        assert_eq!(parse(Some(b"BINARYMIME")).unwrap_err().text, "Unknown BODY type BINARYMIME");
        assert_eq!(parse(None).unwrap_err().text, "BODY requires a value");
    }
}
