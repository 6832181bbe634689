//! Extensions that the server offers, and the parameters they bring to MAIL and RCPT.
//!
//! In: what is configured, parameters of a command. Out: lines of the EHLO reply, checked values. Documents: RFC 1870
//! (SIZE), 2034, 2852 (DELIVERBY), 2920, 3207, 3461 (DSN), 4954 (AUTH), 6152 (8BITMIME), 1985 (ETRN). Never: sends anything.

pub mod body;
pub mod deliver_by;
pub mod dsn;
pub mod parameter;
pub mod size;

pub use parameter::Fault;

/// What decides whether an extension is offered.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// `PIPELINING`.
    pub pipelining: bool,
    /// `EXPN`.
    pub expn: bool,
    /// `VERB`.
    pub verb: bool,
    /// `8BITMIME`.
    pub eight_bit: bool,
    /// `SIZE`: the limit, bytes; 0 for none.
    pub max_size: i64,
    /// `DSN`.
    pub dsn: bool,
    /// `ETRN`.
    pub etrn: bool,
    /// `AUTH`: mechanisms.
    pub auth: Vec<String>,
    /// `STARTTLS`.
    pub starttls: bool,
    /// `DELIVERBY`: the least time, seconds; negative when it is not offered.
    pub deliver_by_min: i64,
}

/// A keyword of the EHLO reply.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The keyword.
    pub keyword: &'static str,
    /// Its line when it is offered.
    pub line: fn(&Offer) -> Option<String>,
}

/// All keywords in the order of the reply. Source: observed.
pub static EXTENSIONS: &[Row] = &[
    Row { keyword: "ENHANCEDSTATUSCODES", line: |_| Some("ENHANCEDSTATUSCODES".to_owned()) },
    Row { keyword: "PIPELINING", line: |o| o.pipelining.then(|| "PIPELINING".to_owned()) },
    Row { keyword: "EXPN", line: |o| o.expn.then(|| "EXPN".to_owned()) },
    Row { keyword: "VERB", line: |o| o.verb.then(|| "VERB".to_owned()) },
    Row { keyword: "8BITMIME", line: |o| o.eight_bit.then(|| "8BITMIME".to_owned()) },
    Row { keyword: "SIZE", line: |o| Some(size::line(o.max_size)) },
    Row { keyword: "DSN", line: |o| o.dsn.then(|| "DSN".to_owned()) },
    Row { keyword: "ETRN", line: |o| o.etrn.then(|| "ETRN".to_owned()) },
    Row { keyword: "AUTH", line: |o| (!o.auth.is_empty()).then(|| format!("AUTH {}", o.auth.join(" "))) },
    Row { keyword: "STARTTLS", line: |o| o.starttls.then(|| "STARTTLS".to_owned()) },
    Row { keyword: "DELIVERBY", line: |o| deliver_by::line(o.deliver_by_min) },
    Row { keyword: "HELP", line: |_| Some("HELP".to_owned()) },
];

impl Offer {
    /// Lines behind the first one of the EHLO reply.
    pub fn lines(&self) -> Vec<String> {
        EXTENSIONS.iter().filter_map(|row| (row.line)(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_original_s() {
        let all = Offer {
            pipelining: true,
            expn: true,
            verb: true,
            eight_bit: true,
            max_size: 2000,
            dsn: true,
            etrn: true,
            auth: vec!["LOGIN".to_owned(), "PLAIN".to_owned()],
            starttls: true,
            deliver_by_min: 0,
        };
        assert_eq!(
            all.lines().join(" "),
            "ENHANCEDSTATUSCODES PIPELINING EXPN VERB 8BITMIME SIZE 2000 DSN ETRN AUTH LOGIN PLAIN STARTTLS DELIVERBY HELP"
        );
        assert_eq!(Offer { deliver_by_min: -1, ..Offer::default() }.lines().join(" "), "ENHANCEDSTATUSCODES SIZE HELP");
    }
}
