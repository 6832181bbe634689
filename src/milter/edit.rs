//! The header of a message as filters see and change it.
//!
//! *Default field*: one that an `H` line adds when the message has none. It has a place of its own in the list also
//! while it is not written, and filters that give it a value make it appear. Source: observed (milter/changes).

use bytes::Bytes;

use crate::config::Config;
use crate::macros::{NameTable, Piece};
use crate::message::{Header, HeaderList, HeaderValue, fields};

/// A header being changed. Fields that were deleted keep their place, so that numbers stay the same.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    slots: Vec<Slot>,
    is_resent: bool,
}

#[derive(Debug, Clone)]
struct Slot {
    header: Header,
    kind: Kind,
    /// Deleted, or a default field that the message made needless.
    is_hidden: bool,
    is_deleted: bool,
}

/// Where a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The message, or a filter.
    Given,
    /// An `H` line, when the message has none.
    Default,
    /// An `H` line, always: our own trace, which is no filter's business.
    Trace,
}

/// What a change came to, in the words of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was added.
    Added,
    /// A default field was given this value.
    DefaultChanged,
    /// It was inserted.
    Inserted,
    /// There was nothing to change, so that it was added.
    ChangedByAdding,
    /// There was nothing to delete.
    NothingToDelete,
    /// It was deleted; `None` when it had been before.
    Deleted {
        /// It is a default field.
        is_default: bool,
        /// What it was.
        former: Option<Bytes>,
    },
    /// It was changed.
    Changed {
        /// It is a default field.
        is_default: bool,
        /// What it was.
        former: Option<Bytes>,
    },
}

impl Fields {
    /// From the completed header of a message.
    pub fn new(headers: &HeaderList, config: &Config) -> Self {
        let mut slots = Vec::new();
        let mut rest = headers.iter().peekable();
        for rule in &config.headers {
            let Some(template) = &rule.template else { continue };
            let kind = if fields::has(&rule.name, fields::TRACE) { Kind::Trace } else { Kind::Default };
            let own = rest.next_if(|h| h.is_default && h.name.eq_ignore_ascii_case(&rule.name));
            let header = own.cloned().unwrap_or_else(|| Header {
                name: rule.name.clone(),
                value: HeaderValue::Template(template.clone()),
                condition: rule.condition.clone(),
                is_default: true,
            });
            slots.push(Slot { header, kind, is_hidden: own.is_none(), is_deleted: false });
        }
        slots.extend(rest.map(|header| Slot {
            header: header.clone(),
            kind: Kind::Given,
            is_hidden: false,
            is_deleted: false,
        }));
        let is_resent = headers.iter().any(|h| fields::has(&h.name, fields::RESENT));
        Self { slots, is_resent }
    }

    /// The fields that a filter is told: those of the message and what filters made of it.
    pub fn told(&self) -> impl Iterator<Item = &Header> {
        self.slots.iter().filter(|s| s.kind == Kind::Given && !s.is_hidden).map(|s| &s.header)
    }

    /// The header, as the message goes on with it.
    pub fn into_list(self) -> HeaderList {
        let mut list = HeaderList::default();
        let is_resent = self.is_resent;
        for slot in self.slots {
            let needs_resent = slot.header.is_default && fields::has(&slot.header.name, fields::RESENT);
            if !slot.is_hidden && (is_resent || !needs_resent) {
                list.push(slot.header);
            }
        }
        list
    }

    /// Bytes of the header as the original counts them after filters.
    pub fn counted_bytes(&self, names: &NameTable) -> usize {
        // Those of `H` lines, our trace aside, count one more. Source: observed (`pri=`).
        let of = |slot: &Slot| {
            let more = usize::from(slot.header.is_default && slot.kind != Kind::Trace);
            slot.header.name.len() + raw(&slot.header.value, names).len() + 1 + more
        };
        self.slots.iter().filter(|s| !s.is_hidden).map(of).sum()
    }

    /// Adds a field: a default field takes the value, else it stands in front of the first of its name, or at the end.
    pub fn add(&mut self, name: &Bytes, value: Bytes) -> Change {
        if let Some(slot) = self.default_mut(name) {
            slot.set(value);
            return Change::DefaultChanged;
        }
        self.put(name, value);
        Change::Added
    }

    /// Inserts a field: 0 is the place behind `Return-Path:`, in front of our trace field.
    pub fn insert(&mut self, index: u32, name: &Bytes, value: Bytes) -> Change {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let first = usize::from(self.slots.first().is_some_and(|s| s.header.is("return-path")));
        let at = at.saturating_add(first).min(self.slots.len());
        self.slots.insert(at, Slot::given(name, value));
        Change::Inserted
    }

    /// Changes, or with an empty value deletes, the field of that name and number, counted from 1.
    pub fn change(&mut self, index: u32, name: &Bytes, value: Bytes) -> Change {
        let number = usize::try_from(index.max(1)).unwrap_or(usize::MAX);
        let given = |s: &&mut Slot| s.kind == Kind::Given && s.header.name.eq_ignore_ascii_case(name);
        let found = self.slots.iter_mut().filter(given).nth(number - 1).is_some();
        let slot = if found {
            self.slots.iter_mut().filter(given).nth(number - 1)
        } else {
            self.slots.iter_mut().find(|s| s.kind == Kind::Default && s.header.name.eq_ignore_ascii_case(name))
        };
        let Some(slot) = slot else {
            if value.is_empty() {
                return Change::NothingToDelete;
            }
            self.put(name, value);
            return Change::ChangedByAdding;
        };
        let is_default = slot.header.is_default;
        let former = (!slot.is_deleted).then(|| raw(&slot.header.value, &NameTable::default()));
        if value.is_empty() {
            slot.is_hidden = true;
            slot.is_deleted = true;
            return Change::Deleted { is_default, former };
        }
        slot.set(value);
        Change::Changed { is_default, former }
    }

    fn default_mut(&mut self, name: &[u8]) -> Option<&mut Slot> {
        self.slots
            .iter_mut()
            .find(|s| s.header.is_default && s.kind != Kind::Trace && s.header.name.eq_ignore_ascii_case(name))
    }

    fn put(&mut self, name: &Bytes, value: Bytes) {
        let at = self.slots.iter().position(|s| s.header.name.eq_ignore_ascii_case(name)).unwrap_or(self.slots.len());
        self.slots.insert(at, Slot::given(name, value));
    }
}

impl Slot {
    fn given(name: &Bytes, value: Bytes) -> Self {
        let header = Header::new(name.clone(), folded(value));
        Self { header, kind: Kind::Given, is_hidden: false, is_deleted: false }
    }

    /// A default field that was given a value is told to the filters behind.
    fn set(&mut self, value: Bytes) {
        self.header.value = HeaderValue::Text(folded(value));
        self.kind = Kind::Given;
        self.is_hidden = false;
        self.is_deleted = false;
    }
}

/// A value whose lines are joined by LF and go on with white space: no filter may begin another field.
fn folded(value: Bytes) -> Bytes {
    if memchr::memchr2(b'\r', b'\n', &value).is_none() {
        return value;
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_ref();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail.first()) {
            (b'\r', Some(b'\n')) => {}
            (b'\n', Some(b' ' | b'\t')) => out.push(b'\n'),
            (b'\r' | b'\n', _) => out.push(b' '),
            (other, _) => out.push(*other),
        }
    }
    out.into()
}

/// A value as the original holds it: a macro that is expanded late is one byte and its name.
fn raw(value: &HeaderValue, names: &NameTable) -> Bytes {
    match value {
        HeaderValue::Text(text) => text.clone(),
        HeaderValue::Template(template) => {
            let mut out = Vec::new();
            for piece in template.pieces() {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Macro(id) | Piece::Deferred(id) => {
                        out.push(0x81);
                        out.extend_from_slice(&names.name(*id));
                    }
                    Piece::If(id) => {
                        out.push(0x85);
                        out.extend_from_slice(&names.name(*id));
                    }
                    Piece::Else => out.push(0x86),
                    Piece::EndIf => out.push(0x87),
                    Piece::Operator(sign) => out.extend_from_slice(&[b'$', *sign]),
                }
            }
            out.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::letters::LetterSet;
    use crate::config::HeaderRule;
    use crate::macros::Template;
    use crate::message::Condition;

    fn config() -> Config {
        let mut config = Config::default();
        for (letters, name) in [
            ("P", "Return-Path"),
            ("", "Received"),
            ("D", "Resent-Date"),
            ("D", "Date"),
            ("F", "From"),
            ("x", "Full-Name"),
            ("M", "Message-Id"),
        ] {
            let condition = match letters {
                "" => Condition::Always,
                letters => Condition::MailerFlags(LetterSet::from_bytes(letters.as_bytes())),
            };
            let template = Some(Template::literal("made"));
            config.headers.push(HeaderRule { name: name.into(), condition, template, check: None });
        }
        config
    }

    /// `From`, `Subject`, twice `X-Rep` and `To` given; `Date` and `Message-Id` added.
    fn fields() -> Fields {
        let mut list = HeaderList::default();
        for name in ["Return-Path", "Received", "Date", "Message-Id"] {
            list.push(Header { is_default: true, ..Header::new(name, " made") });
        }
        for (name, value) in [("From", " a"), ("Subject", " one"), ("X-Rep", " 1"), ("X-Rep", " 2"), ("To", " b")] {
            list.push(Header::new(name, value));
        }
        Fields::new(&list, &config())
    }

    fn lines(fields: Fields) -> String {
        let line = |h: &Header| format!("{}:{}", String::from_utf8_lossy(&h.name), String::from_utf8_lossy(h.text()));
        fields.into_list().iter().map(line).collect::<Vec<_>>().join(", ")
    }

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    const BEFORE: &str = "Return-Path: made, Received: made, Date: made, Message-Id: made, \
                          From: a, Subject: one, X-Rep: 1, X-Rep: 2, To: b";

    #[test]
    fn nothing_changes_by_itself() {
        assert_eq!(lines(fields()), BEFORE);
        assert_eq!(fields().told().count(), 5);
    }

    #[test]
    fn fields_are_added_where_the_original_adds_them() {
        for (name, from, to, change) in [
            ("X-New", "To: b", "To: b, X-New: v", Change::Added),
            ("Subject", "Subject: one", "Subject: v, Subject: one", Change::Added),
            ("Received", "Received: made", "Received: v, Received: made", Change::Added),
            ("Date", "Date: made", "Date: v", Change::DefaultChanged),
            ("From", "Message-Id: made", "From: v, Message-Id: made", Change::DefaultChanged),
            ("Full-Name", "Message-Id: made", "Full-Name: v, Message-Id: made", Change::DefaultChanged),
            ("Resent-Date", "", "", Change::DefaultChanged),
        ] {
            let mut fields = fields();
            assert_eq!(fields.add(&bytes(name), bytes(" v")), change, "{name}");
            assert_eq!(lines(fields), BEFORE.replacen(from, to, 1), "{name}");
        }
    }

    #[test]
    fn places_are_counted_behind_return_path_with_the_empty_ones() {
        for (index, before) in [
            (0, "Received"),
            (1, "Date: m"),
            (2, "Date: m"),
            (3, "Message-Id"),
            (5, "Message-Id"),
            (6, "From"),
            (99, ""),
        ] {
            let mut fields = fields();
            fields.insert(index, &bytes("X-I"), bytes(" v"));
            let expected = match before {
                "" => format!("{BEFORE}, X-I: v"),
                before => BEFORE.replacen(before, &format!("X-I: v, {before}"), 1),
            };
            assert_eq!(lines(fields), expected, "{index}");
        }
    }

    #[test]
    fn fields_are_changed_and_deleted_by_number() {
        let former = |text| Some(bytes(text));
        for (index, name, value, from, to, change) in [
            (
                1,
                "subject",
                " v",
                "Subject: one",
                "Subject: v",
                Change::Changed { is_default: false, former: former(" one") },
            ),
            (
                0,
                "Subject",
                " v",
                "Subject: one",
                "Subject: v",
                Change::Changed { is_default: false, former: former(" one") },
            ),
            (2, "X-Rep", "", ", X-Rep: 2", "", Change::Deleted { is_default: false, former: former(" 2") }),
            (3, "X-Rep", "", "", "", Change::NothingToDelete),
            (2, "Date", " v", "Date: made", "Date: v", Change::Changed { is_default: true, former: former(" made") }),
            (1, "Date", "", "Date: made, ", "", Change::Deleted { is_default: true, former: former(" made") }),
            (1, "Received", " v", "Received: made", "Received: v, Received: made", Change::ChangedByAdding),
            (1, "Received", "", "", "", Change::NothingToDelete),
            (1, "X-New", " v", "To: b", "To: b, X-New: v", Change::ChangedByAdding),
        ] {
            let mut fields = fields();
            assert_eq!(fields.change(index, &bytes(name), bytes(value)), change, "{index} {name}");
            assert_eq!(lines(fields), BEFORE.replacen(from, to, 1), "{index} {name}");
        }
    }

    #[test]
    fn deleted_fields_keep_their_number() {
        let mut fields = fields();
        fields.change(1, &bytes("X-Rep"), Bytes::new());
        let again = fields.change(1, &bytes("X-Rep"), Bytes::new());
        assert_eq!(again, Change::Deleted { is_default: false, former: None });
        fields.add(&bytes("X-Rep"), bytes(" n"));
        assert_eq!(lines(fields), BEFORE.replacen("X-Rep: 1", "X-Rep: n", 1));
    }

    #[test]
    fn changed_default_fields_are_told_to_the_next_filter() {
        let mut fields = fields();
        fields.change(1, &bytes("Date"), bytes(" v"));
        let told: Vec<&[u8]> = fields.told().map(|h| h.name.as_ref()).collect();
        assert_eq!(told, [&b"Date"[..], b"From", b"Subject", b"X-Rep", b"X-Rep", b"To"]);
    }

    #[test]
    fn no_value_begins_another_field() {
        for (value, expected) in
            [("a\r\n\tb", "a\n\tb"), ("a\nX: b", "a X: b"), ("a\r\nX: b", "a X: b"), ("a\rb", "a b"), ("a\n", "a ")]
        {
            assert_eq!(folded(bytes(value)), expected, "{value:?}");
        }
    }
}
