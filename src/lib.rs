//! sendmail-rs: a mail transfer agent that takes over from sendmail 8 in place.
//!
//! # The way of a message
//!
//! ```text
//! socket ─ daemon/listen ─ smtp/server ─ collect ─ queue ─ deliver ─ smtp/client ─ next hop
//!                             │ policy (check_*), milter        │ dsn, log
//!                             └ route (RCPT → mailer, host, user) ─ rewrite ─ maps
//! ```
//!
//! # The layers
//!
//! A folder names only folders below it; `tests/layers.rs` holds the exact list.
//!
//! ```text
//! bin                                     names cmd only
//! cmd                                     command lines, -bt, tools
//! submit    daemon                        long-running programs
//! deliver                                 attempts and outcomes
//! smtp                                    protocol, server session, client session
//! site      dsn                           everything loaded, one Arc │ reports
//! policy  route  milter  collect  queue   stations
//! rewrite   envelope                      the rule machine │ sender, recipients
//! maps                                    lookups
//! monitor   net   config                  privileges │ dns tls sasl │ cf files
//! message                                 headers, bodies, MIME
//! address   macros   log                  words of mail │ words of operation
//! sys                                     the operating system
//! base                                    values
//! ```

pub mod address;
pub mod base;
pub mod cmd;
pub mod collect;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod dsn;
pub mod envelope;
pub mod log;
pub mod macros;
pub mod maps;
pub mod message;
pub mod milter;
pub mod monitor;
pub mod net;
pub mod policy;
pub mod queue;
pub mod rewrite;
pub mod route;
pub mod site;
pub mod smtp;
pub mod submit;
pub mod sys;
