//! `MaxMimeHeaderLength`: MIME fields that are too long, or whose quotes and comments do not close.
//!
//! Mail readers have been broken into through such fields. Source: op guide 5.6; observed.

/// What is looked at in a field, by the classes that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// `{checkMIMETextHeaders}`: text, cut at the limit.
    pub text: bool,
    /// `{checkMIMEFieldHeaders}`: parameters between semicolons, each with a limit of its own.
    pub parameters: bool,
    /// `{checkMIMEHeaders}`: the whole, closed where it is cut.
    pub whole: bool,
}

/// The two numbers of the option, bytes; 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a field.
    pub field: usize,
    /// Of a parameter.
    pub parameter: usize,
}

/// What was mended; `length` is the one before, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// A parameter was cut.
    Parameter(usize),
    /// Quotes or comments of a parameter were closed.
    ParameterClosed,
    /// The field was cut.
    Whole(usize),
    /// Quotes or comments of the field were closed.
    WholeClosed,
}

impl Mended {
    /// The log line about the field `name`.
    pub fn text(self, name: &str) -> String {
        match self {
            Self::Parameter(length) => {
                format!("Truncated MIME {name} header due to field size (length = {length}) (possible attack)")
            }
            Self::ParameterClosed => format!("Fixed MIME {name} header field (possible attack)"),
            Self::Whole(length) => format!("Truncated long MIME {name} header (length = {length}) (possible attack)"),
            Self::WholeClosed => format!("Fixed MIME {name} header (possible attack)"),
        }
    }
}

/// The text of a field within the limits, and what was mended; `None` when nothing was.
pub fn mend(text: &[u8], checks: Checks, limits: Limits) -> Option<(Vec<u8>, Vec<Mended>)> {
    let mut out = text.to_vec();
    let mut mended = Vec::new();
    if checks.text && limits.field > 0 && out.len() > limits.field {
        mended.push(Mended::Whole(out.len()));
        out.truncate(limits.field);
    }
    if checks.parameters && limits.parameter > 0 {
        // The blank behind the colon or semicolon is not counted.
        let limit = limits.parameter + 1;
        let mut last = None;
        let pieces: Vec<Vec<u8>> = parameters(&out)
            .map(|piece| {
                let kept = closed(piece, limit);
                if piece.len() > limit {
                    last = Some(Mended::Parameter(piece.len()));
                } else if kept != piece {
                    last = Some(Mended::ParameterClosed);
                }
                kept
            })
            .collect();
        if let Some(last) = last {
            mended.push(last);
            out = pieces.join(&b';');
        }
    }
    if checks.whole && limits.field > 0 {
        let limit = limits.field + 1;
        let kept = closed(&out, limit);
        if out.len() > limit {
            mended.push(Mended::Whole(out.len()));
        } else if kept != out {
            mended.push(Mended::WholeClosed);
        }
        out = kept;
    }
    (!mended.is_empty()).then_some((out, mended))
}

/// Where in quotes, comments and escapes a text is.
#[derive(Clone, Copy, Default)]
struct Nesting {
    quoted: bool,
    escaped: bool,
    comments: usize,
}

impl Nesting {
    fn after(mut self, byte: u8) -> Self {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' if self.comments == 0 => self.quoted = !self.quoted,
            _ if self.quoted => {}
            b'(' => self.comments += 1,
            b')' => self.comments = self.comments.saturating_sub(1),
            _ => {}
        }
        self
    }

    fn is_outside(self) -> bool {
        !self.quoted && !self.escaped && self.comments == 0
    }

    /// Bytes that it takes to close what is open.
    fn closers(self) -> usize {
        usize::from(self.quoted) + self.comments
    }
}

/// The longest beginning of a text that fits into `limit`, and into the text's own length, with what is open closed.
fn closed(text: &[u8], limit: usize) -> Vec<u8> {
    let limit = limit.min(text.len());
    let (mut state, mut best, mut open) = (Nesting::default(), 0, Nesting::default());
    for (at, byte) in text.iter().enumerate() {
        state = state.after(*byte);
        if at + 1 + state.closers() > limit {
            break;
        }
        if !state.escaped {
            (best, open) = (at + 1, state);
        }
    }
    let mut out = text.get(..best).unwrap_or_default().to_vec();
    out.extend(std::iter::repeat_n(b')', open.comments));
    if open.quoted {
        out.push(b'"');
    }
    out
}

/// Pieces between semicolons outside of quotes and comments.
fn parameters(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut state = Nesting::default();
    text.split(move |byte| {
        let ends = *byte == b';' && state.is_outside();
        state = state.after(*byte);
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str, checks: Checks) -> Option<(String, Vec<Mended>)> {
        let found = mend(text.as_bytes(), checks, Limits { field: 60, parameter: 20 });
        found.map(|(text, mended)| (String::from_utf8(text).unwrap(), mended))
    }

    #[test]
    fn parameters_are_cut_and_closed_one_by_one() {
        let checks = Checks { parameters: true, whole: true, ..Checks::default() };
        for (text, expected, what) in [
            (
                " text/plain; name=\"nnnnnnnnnnnnnnnnnnnn\"",
                " text/plain; name=\"nnnnnnnnnnnnn\"",
                Mended::Parameter(28),
            ),
            (" a; \"x;y;zzzzzzzzzzzzzzzzzzzzzzzz;w\"; b", " a; \"x;y;zzzzzzzzzzzzzz\"; b", Mended::Parameter(33)),
            (" a\\;bbbbbbbbbbbbbbbbbbbbbb", " a\\;bbbbbbbbbbbbbbbbb", Mended::Parameter(26)),
            (" a/b; n=((x)", " a/b; n=(())", Mended::ParameterClosed),
            (" a/b; n=\"x", " a/b; n=\"\"", Mended::ParameterClosed),
            (" a/b\\", " a/b", Mended::ParameterClosed),
            (" (()", " ()", Mended::ParameterClosed),
        ] {
            assert_eq!(mended(text, checks), Some((expected.to_owned(), vec![what])), "{text}");
        }
        for text in [" a/b; n=(\"x)", " x ))", " a/b;;", " a/b; (c;d); e", "", " text/plain; n=\"(x\""] {
            assert_eq!(mended(text, checks), None, "{text}");
        }
    }

    #[test]
    fn text_is_cut_where_the_limit_is() {
        let long = " d".repeat(50);
        let text = Checks { text: true, ..Checks::default() };
        assert_eq!(mended(&long, text), Some((" d".repeat(30), vec![Mended::Whole(100)])));
        assert_eq!(mended(" \"x", text), None);
        let whole = Checks { whole: true, ..Checks::default() };
        assert_eq!(mended(&long, whole), Some((format!("{} ", " d".repeat(30)), vec![Mended::Whole(100)])));
        assert_eq!(mend(long.as_bytes(), whole, Limits { field: 0, parameter: 0 }), None);
    }
}
