//! Values of options: numbers that are none, cipher lists without a cipher, options that do nothing here.

use openssl::ssl::{SslContextBuilder, SslMethod};

use super::Context;
use super::finding::Finding;
use super::source::Line;
use crate::config::options::{Kind, OPTIONS, Row, Status};

/// Every `O` line.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for row in OPTIONS {
        for (line, value) in context.source.options(row.name) {
            let value = String::from_utf8_lossy(value).into_owned();
            findings.extend(of_number(context, row, line, &value));
            findings.extend(of_ciphers(context, row, line, &value));
            findings.extend(without_effect(context, row, line));
        }
    }
    findings.extend(submission_as_root(context));
}

/// The program ends with 78 rather than be root under `UseMSP`.
fn submission_as_root(context: &Context<'_>) -> Option<Finding> {
    let options = &context.config.options;
    // A user whom this machine does not know is none that is root.
    let (line, value) = context.source.option("RunAsUser")?;
    let is_root = options.run_as_user.as_ref().is_some_and(|user| user.uid == 0);
    let place = context.source.place(line, &String::from_utf8_lossy(value));
    (options.use_msp && is_root).then(|| {
        Finding::new("submission-as-root", Some(place), "the submission program does not run as root")
            .fix("name a user of its own, as smmsp, to whom the client queue belongs")
    })
}

/// The reader takes what is no number for 0.
fn of_number(context: &Context<'_>, row: &Row, line: &Line, value: &str) -> Option<Finding> {
    if !matches!(row.kind, Kind::Number(_) | Kind::MaybeNumber(_)) || value.contains('$') {
        return None;
    }
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let read = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    if !read.is_empty() && read.len() == digits.len() {
        return None;
    }
    let counts = if read.is_empty() { "0" } else { read };
    let text = format!("the value of {} is no number; {counts} is taken", row.name);
    Some(Finding::new("bad-number", Some(context.source.place(line, value)), text).fix("write a whole number"))
}

/// OpenSSL ignores a list that names no cipher it knows.
fn of_ciphers(context: &Context<'_>, row: &Row, line: &Line, value: &str) -> Option<Finding> {
    if value.is_empty() || !matches!(row.name, "CipherList" | "CipherSuites") {
        return None;
    }
    let mut builder = SslContextBuilder::new(SslMethod::tls()).ok()?;
    let (set, older) = match row.name {
        "CipherList" => (builder.set_cipher_list(value), "TLS 1.3 has suites of its own: CipherSuites"),
        _ => (builder.set_ciphersuites(value), "names of TLS 1.2 and before belong into CipherList"),
    };
    let _ = set.err()?;
    let text = format!("OpenSSL knows no cipher of {}", row.name);
    Some(Finding::new("bad-cipher-list", Some(context.source.place(line, value)), text).fix(older))
}

fn without_effect(context: &Context<'_>, row: &Row, line: &Line) -> Option<Finding> {
    let Status::Accepted(why) = row.status else { return None };
    let text = format!("{} has no effect here: {why}", row.name);
    Some(Finding::new("option-without-effect", Some(context.source.place(line, row.name)), text))
}
