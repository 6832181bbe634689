//! Text as an address: the first byte chooses the operator characters, the rest is scanned in every mode, split, shown.

use sendmail::address::scan::{Alphabet, Mode, prescan};
use sendmail::address::{list, mailbox, quote, visible};

use super::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let operators = input.one_of(&[&b".:%@!^/[]+"[..], b"", b".:@[]", b"abc\xff\x80\"()<>,;\\", b" \t"]);
    let text = input.0;
    let alphabet = Alphabet::new(operators);
    for mode in [Mode::Address, Mode::KeepComments, Mode::Rule, Mode::OldRule] {
        for delimiter in [None, Some(b','), Some(b'\t')] {
            let Ok(scanned) = prescan(text, &alphabet, mode, delimiter) else { continue };
            assert!(scanned.used <= text.len());
            let joined = scanned.tokens.join(b'.', &alphabet);
            assert!(joined.len() <= text.len() * 3 + 16, "{} bytes became {}", text.len(), joined.len());
        }
    }
    for item in list::split(text) {
        assert!(item.len() <= text.len());
        let _ = mailbox::crack(&item, b"@,;:\\()[].<>'").around(b"a@b");
        let _ = mailbox::bare(&item);
        let _ = mailbox::pruned(&item);
    }
    let _ = list::split_old_style(text);
    let mut out = Vec::new();
    for old_style in [false, true] {
        list::List::parse(text, old_style).write(&mut out, b"To", 60, b"\n");
    }
    for (option, brackets) in [(&b""[..], false), (b".'", true)] {
        let _ = quote::phrase(text, quote::Specials { option, brackets });
    }
    let _ = quote::unquoted(text);
    visible::push(text, &mut out);
    visible::push_column(text, 20, &mut out);
    let _ = sendmail::address::shortened(text);
}
