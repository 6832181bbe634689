//! Command lines: the sendmail personalities, `-bt`, and the companion programs.
//!
//! In: arguments, environment, standard input. Out: exit codes and text in the original's words. Documents: op guide 4,
//! sendmail(8), makemap(8), editmap(8), praliases(8), smrsh(8), rmail(8), cfcheck(8), tlscheck(8). Never: decides what a message means; that is the stations' work.

/// Who takes the mail of programs that send some. No command line names another: a stranger may have written it.
const SENDMAIL: &str = "/usr/sbin/sendmail";

mod arguments;
pub mod caller;
pub mod certs;
pub mod cfcheck;
mod clean;
mod database;
mod dead_letter;
pub mod editmap;
pub mod finish;
pub mod gencf;
mod hoststat;
mod identity;
pub mod invocation;
pub mod mail_local;
pub mod mailq;
pub mod mailstats;
pub mod makemap;
pub mod modes;
pub mod mtail;
mod newaliases;
pub mod praliases;
mod progress;
mod queue_run;
mod requarantine;
pub mod rmail;
pub mod role;
mod sender;
pub mod sendmail;
mod serving;
mod severity;
pub mod smrsh;
mod submission;
pub mod testmode;
pub mod tlscheck;
pub mod vacation;
mod verify;
mod watch;
