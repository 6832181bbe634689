//! POSIX regular expressions of the C library, and random bytes.
#![allow(unsafe_code, reason = "foreign interface: regcomp, regexec, getrandom")]

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// A compiled expression.
///
/// Shape: the C library's `regex_t`, boxed, so that it never moves.
pub struct Regex {
    compiled: NonNull<libc::regex_t>,
    groups: usize,
}

// SAFETY: `regexec` only reads the compiled expression (glibc locks its own caches inside).
unsafe impl Send for Regex {}
// SAFETY: as above.
unsafe impl Sync for Regex {}

/// How an expression is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Extended syntax (`REG_EXTENDED`).
    pub extended: bool,
    /// Letter case does not count (`REG_ICASE`).
    pub ignore_case: bool,
}

impl Regex {
    /// Compiles an expression; the error is the C library's text.
    pub fn new(pattern: &CStr, flags: Flags) -> Result<Self, String> {
        let mut bits = 0;
        if flags.extended {
            bits |= libc::REG_EXTENDED;
        }
        if flags.ignore_case {
            bits |= libc::REG_ICASE;
        }
        let raw = Box::into_raw(Box::new(MaybeUninit::<libc::regex_t>::zeroed())).cast::<libc::regex_t>();
        // SAFETY: `raw` is valid for writes and `pattern` is a C string; both outlive the call.
        let code = unsafe { libc::regcomp(raw, pattern.as_ptr(), bits) };
        let owned = NonNull::new(raw).ok_or_else(|| "out of memory".to_owned())?;
        if code == 0 {
            return Ok(Self { compiled: owned, groups: count_groups(pattern.to_bytes(), flags.extended) });
        }
        let mut text = [0u8; 256];
        // SAFETY: `raw` is what `regcomp` failed on, the buffer's length is given; the result is cut to it and ends in NUL.
        unsafe { libc::regerror(code, raw, text.as_mut_ptr().cast(), text.len()) };
        // SAFETY: made by `Box::into_raw` above; after a failure `regcomp` has left nothing to free in it.
        drop(unsafe { Box::from_raw(raw.cast::<MaybeUninit<libc::regex_t>>()) });
        let text = CStr::from_bytes_until_nul(&text).map(|t| t.to_string_lossy().into_owned());
        Err(text.unwrap_or_else(|_| "bad expression".to_owned()))
    }

    /// How many groups the expression has.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Matches; the ranges are those of the whole match and of the groups, `None` for one that took no part.
    pub fn find(&self, subject: &CStr) -> Option<Vec<Option<(usize, usize)>>> {
        let mut found = vec![libc::regmatch_t { rm_so: -1, rm_eo: -1 }; self.groups() + 1];
        // SAFETY: the expression is compiled, `subject` is a C string, `found` has as many places as the call is told.
        let code =
            unsafe { libc::regexec(self.compiled.as_ptr(), subject.as_ptr(), found.len(), found.as_mut_ptr(), 0) };
        if code != 0 {
            return None;
        }
        let range = |m: &libc::regmatch_t| Some((usize::try_from(m.rm_so).ok()?, usize::try_from(m.rm_eo).ok()?));
        Some(found.iter().map(range).collect())
    }
}

impl Drop for Regex {
    fn drop(&mut self) {
        // SAFETY: compiled by `regcomp`, made by `Box::into_raw`, dropped once.
        unsafe {
            libc::regfree(self.compiled.as_ptr());
            drop(Box::from_raw(self.compiled.as_ptr().cast::<MaybeUninit<libc::regex_t>>()));
        }
    }
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Regex").field("groups", &self.groups()).finish()
    }
}

/// Counts the groups of an expression that compiles; `regex_t` has the number, but not at the same place everywhere.
fn count_groups(pattern: &[u8], extended: bool) -> usize {
    let mut groups = 0;
    let mut rest = pattern;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'\\' => {
                groups += usize::from(!extended && rest.first() == Some(&b'('));
                rest = rest.get(1..).unwrap_or_default();
            }
            b'(' if extended => groups += 1,
            b'[' => rest = behind_brackets(rest),
            _ => {}
        }
    }
    groups
}

/// What follows a bracket expression whose `[` has been read.
fn behind_brackets(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"^").unwrap_or(text);
    let mut rest = text.strip_prefix(b"]").unwrap_or(text);
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, rest.first()) {
            (b']', _) => break,
            (b'[', Some(kind @ (b':' | b'.' | b'='))) => {
                let end = rest.get(1..).and_then(|inner| inner.windows(2).position(|w| w == [*kind, b']']));
                rest = end.and_then(|at| rest.get(at + 3..)).unwrap_or_default();
            }
            _ => {}
        }
    }
    rest
}

/// Fills `bytes` from the kernel's random source; they stay as they are when there is none.
pub fn random(bytes: &mut [u8]) {
    // SAFETY: pointer and length are those of one slice.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENDED: Flags = Flags { extended: true, ignore_case: true };

    #[test]
    fn the_longest_alternative_wins() {
        let regex = Regex::new(c"(foo|foo[.]com)", EXTENDED).unwrap();
        assert_eq!(regex.groups(), 1);
        assert_eq!(regex.find(c"FOO.com").unwrap(), vec![Some((0, 7)), Some((0, 7))]);
        assert!(regex.find(c"bar").is_none());
    }

    #[test]
    fn groups_are_counted_outside_of_brackets() {
        for (pattern, extended, groups) in [
            ("(a)(b)", true, 2),
            ("[(](a)[^](]", true, 1),
            (r"\(a", true, 0),
            (r"\(a\)(", false, 1),
            ("[[:alpha:](](x)", true, 1),
            ("((a)|(b))", true, 3),
        ] {
            assert_eq!(count_groups(pattern.as_bytes(), extended), groups, "{pattern}");
        }
    }

    #[test]
    fn groups_that_took_no_part_are_none() {
        let regex = Regex::new(c"(a)|(b)", EXTENDED).unwrap();
        assert_eq!(regex.find(c"b").unwrap(), vec![Some((0, 1)), None, Some((0, 1))]);
    }

    #[test]
    fn a_bad_expression_says_why() {
        assert_eq!(Regex::new(c"[a", EXTENDED).unwrap_err(), "Unmatched [, [^, [:, [., or [=");
    }
}
