//! Routing: from an address to mailer, host and user, through aliases and `.forward`.
//!
//! In: recipients. Out: recipients with triples, and new ones from expansion. Documents: op guide 2.2, 5.1, aliases(5).
//! Never: opens a connection to a mail host.
