//! Questions to whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Error;

/// What was given, or what the terminal answers.
///
/// Errors: [`Error::Missing`] without a terminal or an answer.
pub(super) fn needed(given: Option<String>, question: &str, flag: &str, out: &mut dyn Write) -> Result<String, Error> {
    if let Some(given) = given {
        return Ok(given);
    }
    let missing = || Error::Missing(format!("{question} is needed: {flag}"));
    if !io::stdin().is_terminal() {
        return Err(missing());
    }
    write!(out, "{question}: ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    if answer.is_empty() { Err(missing()) } else { Ok(answer.to_owned()) }
}
