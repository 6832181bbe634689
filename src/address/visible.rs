//! Words of an address as a terminal may see them.

use super::scan;

/// Appends foreign text: bytes that a terminal may act on are written out.
///
/// Shape: C escapes for line ends and tabs, nothing for other control characters, `M-x` for what has the eighth bit.
/// Source: observed.
pub fn push(text: &[u8], out: &mut Vec<u8>) {
    if text.iter().all(|b| (b' '..0x7f).contains(b)) {
        return out.extend_from_slice(text);
    }
    for byte in text {
        push_byte(*byte, out);
    }
}

/// Appends text of ours padded with blanks to a width, and cut there.
pub fn push_column(text: &[u8], width: usize, out: &mut Vec<u8>) {
    let text = text.get(..width).unwrap_or(text);
    out.extend_from_slice(text);
    out.resize(out.len() + width - text.len(), b' ');
}

fn push_byte(byte: u8, out: &mut Vec<u8>) {
    let byte = match byte {
        0xff => return,
        scan::MARK => {
            out.push(b'$');
            return;
        }
        0x9b => {
            out.extend_from_slice(b"$|");
            return;
        }
        0x80..=0x9f => {
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            return;
        }
        0xa0.. => {
            out.extend_from_slice(b"M-");
            byte & 0x7f
        }
        _ => byte,
    };
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..0x20 | 0x7f => {}
        _ => out.push(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_bytes_are_written_out() {
        let mut out = Vec::new();
        push(b"a\tb\x01\xe4\xff\r\n", &mut out);
        push_column(b"Basic_check_relay", 16, &mut out);
        push_column(b"ab", 3, &mut out);
        assert_eq!(out, b"a\\tbM-d\\r\\nBasic_check_relaab ");
    }
}
