//! The programs from outside: a module per thing that happens to them.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a failed step is a failed test; the programs are looked at from outside"
)]

mod rewriting;
mod support;

mod address_files_and_programs;
mod bare_line_feeds;
mod berkeley_db;
mod broken_configuration;
mod cfcheck;
mod classes_in_use;
mod command_line;
mod configuration_values;
mod daemon_is_asked;
mod daemon_is_killed;
mod daemon_is_reloaded;
mod dane;
mod databases_made_by_makemap;
mod filters_look_and_change;
mod full_disk;
mod generated_configurations;
mod header_fields;
mod key_files;
mod large_messages;
mod login;
mod m4_library;
mod macros_in_their_moments;
mod many_sessions;
mod map_flags;
mod maps_in_a_directory;
mod next_hop_defers_or_refuses;
mod next_hop_hangs_up;
mod next_hop_is_of_no_use;
mod options;
mod peer_hangs_up_in_data;
mod queue_runs;
mod relay;
mod requirements;
mod somebody_watches;
mod starttls;
mod submission_agent;
mod tls_settings;
mod tlscheck;
mod vacation;
mod what_next_hops_get;
mod what_programs_get;
mod where_addresses_lead;
