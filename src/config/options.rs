//! Options: one row each.
//!
//! The row is the only place to edit: field, type, default and the documents come from it. Sub-options of `Timeout` and
//! `Milter` stand in [`super::timeouts`] and [`super::milter`].

use std::time::Duration;

use bytes::Bytes;

use super::daemon_port::DaemonPort;
use super::dontblame::DontBlame;
use super::privacy::Privacy;
use super::values::{
    DeliveryMode, EightBitMode, ErrorMode, FileMode, NoRecipientAction, ProbeInterfaces, QueueSortOrder, SuperSafe,
    TimeZoneSpec, UserSpec,
};
use crate::base::letters::LetterSet;
use crate::macros::{Piece, Template, names};

/// Who may set an option on the command line without losing privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safe {
    /// Anybody.
    Yes,
    /// Anybody, but only to a higher value.
    Raise,
    /// Anybody, but only to add flags.
    Add,
    /// Only root and trusted users.
    No,
}

/// An option.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name as in the cf file.
    pub name: &'static str,
    /// Letter of the old one-letter form.
    pub letter: Option<u8>,
    /// Who may set it on the command line.
    pub safe: Safe,
    /// What it does.
    pub effect: &'static str,
}

macro_rules! options {
    ($($name:ident, $letter:expr, $safe:expr, $field:ident: $type:ty = $default:expr, $effect:literal;)*) => {
        /// All options, in the original's order (abbreviation messages name the first two in this order).
        #[rustfmt::skip]
        pub static OPTIONS: &[Row] = &[
            $(Row { name: stringify!($name), letter: $letter, safe: $safe, effect: $effect },)*
        ];

        /// Values of all options.
        #[derive(Debug, Clone)]
        pub struct Options {
            $(#[doc = $effect] pub $field: $type,)*
        }

        impl Default for Options {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

#[rustfmt::skip]
mod rows {
    #[allow(clippy::wildcard_imports, reason = "the rows name every type of this file")]
    use super::*;

options! {
    SevenBitInput, Some(b'7'), Safe::Yes, seven_bit_input: bool = false,
        "Clears the top bit of every input byte; the body is then never 8-bit.";
    EightBitMode, Some(b'8'), Safe::Yes, eight_bit_mode: EightBitMode = EightBitMode::Pass,
        "Chooses what to do with undeclared 8-bit bodies: convert to MIME, pass on, or reject with 554.";
    AliasFile, Some(b'A'), Safe::No, alias_file: Vec<Bytes> = Vec::new(),
        "Alias databases, searched in order; repeated option lines accumulate.";
    AliasWait, Some(b'a'), Safe::No, alias_wait: Duration = Duration::from_secs(0),
        "How long to wait at start for the @:@ marker to appear in a rebuilt alias database.";
    BlankSub, Some(b'B'), Safe::No, blank_sub: u8 = b' ',
        "Replaces unquoted blanks inside an address; also used as the blank in map keys coming from rules (observed: the syslog map key shows it).";
    MinFreeBlocks, Some(b'b'), Safe::Yes, min_free_blocks: i64 = -1,
        "MAIL is answered 452 when the queue file system has fewer free blocks than this.";
    CheckpointInterval, Some(b'C'), Safe::Yes, checkpoint_interval: i64 = 10,
        "Rewrites the queue file after this many deliveries so that a crash repeats few of them.";
    HoldExpensive, Some(b'c'), Safe::No, hold_expensive: bool = false,
        "Mail for mailers with flag e is queued at first instead of tried.";
    DeliveryMode, Some(b'd'), Safe::Yes, delivery_mode: DeliveryMode = DeliveryMode::Background,
        "When delivery happens; d also suppresses maps with flag -D.";
    ErrorHeader, Some(b'E'), Safe::No, error_header: Option<Bytes> = None,
        "Text put at the top of bounce reports.";
    ErrorMode, Some(b'e'), Safe::Yes, error_mode: ErrorMode = ErrorMode::Print,
        "How local submission errors are reported: print, quiet, mail, write, or mail with zero exit.";
    TempFileMode, Some(b'F'), Safe::No, temp_file_mode: FileMode = FileMode(0o600),
        "Mode of transcript, status, pid and delivered-to files. Value is read as octal.";
    SaveFromLine, Some(b'f'), Safe::No, save_from_line: bool = false,
        "Keep a leading UNIX From line of the input as part of the header.";
    MatchGECOS, Some(b'G'), Safe::No, match_gecos: bool = false,
        "Fuzzy search of the full-name field of the password file for unknown local users (binary needs MATCHGECOS; Debian has it).";
    HelpFile, Some(b'H'), Safe::No, help_file: Option<Bytes> = None,
        "Text source for SMTP HELP and -bt `?`. Unreadable: 502 5.3.0 ... HELP not implemented.";
    MaxHopCount, Some(b'h'), Safe::No, max_hop_count: i64 = 25,
        "More Received lines than this make the message bounce with 554 5.4.6 Too many hops.";
    ResolverOptions, Some(b'I'), Safe::No, resolver_options: Vec<Bytes> = Vec::new(),
        "Sets resolver flags; unknown word gives the message `readcf: I option value ... unrecognized`. use_inet6 in the guide is not in this binary's table.";
    IgnoreDots, Some(b'i'), Safe::Yes, ignore_dots: bool = false,
        "A lone dot does not end command-line input (same as -i). Never applies to SMTP.";
    ForwardPath, Some(b'J'), Safe::No, forward_path: Template = forward_path(),
        "Candidates for the per-user forward file; first that opens safely wins.";
    SendMimeErrors, Some(b'j'), Safe::Yes, send_mime_errors: bool = false,
        "Makes bounces multipart/report and enables the DSN extension.";
    ConnectionCacheSize, Some(b'k'), Safe::No, connection_cache_size: i64 = 1,
        "Open SMTP connections kept for re-use.";
    ConnectionCacheTimeout, Some(b'K'), Safe::No, connection_cache_timeout: Duration = Duration::from_secs(300),
        "Idle limit of a cached connection.";
    UseErrorsTo, Some(b'l'), Safe::No, use_errors_to: bool = false,
        "Errors go to Errors-To: addresses rather than the envelope sender. Discouraged.";
    LogLevel, Some(b'L'), Safe::Raise, log_level: i64 = 9,
        "Verbosity of syslog; see log_lines.md. An untrusted user may only raise it.";
    MeToo, Some(b'm'), Safe::Yes, me_too: bool = true,
        "Sender stays in expanded lists. Deprecated.";
    CheckAliases, Some(b'n'), Safe::No, check_aliases: bool = false,
        "Parses right sides while rebuilding aliases and reports bad ones.";
    OldStyleHeaders, Some(b'o'), Safe::Yes, old_style_headers: bool = false,
        "Header address lists may be space-separated; adaptive until a comma, angle or paren is seen.";
    DaemonPortOptions, Some(b'O'), Safe::No, daemon_port_options: Vec<DaemonPort> = Vec::new(),
        "Each line opens one listening socket.";
    PrivacyOptions, Some(b'p'), Safe::Add, privacy_options: Privacy = Privacy::default(),
        "Values accumulate; -O can add but not clear.";
    PostmasterCopy, Some(b'P'), Safe::No, postmaster_copy: Option<Template> = None,
        "Header-only copies of bounces go here.";
    QueueFactor, Some(b'q'), Safe::No, queue_factor: i64 = 600000,
        "Multiplier in the load-versus-priority queueing decision.";
    QueueDirectory, Some(b'Q'), Safe::No, queue_directory: Option<Bytes> = None,
        "Queue root and working directory; also the default queue group mqueue.";
    DontPruneRoutes, Some(b'R'), Safe::No, dont_prune_routes: bool = false,
        "Keep all hops of a source route when bouncing.";
    StatusFile, Some(b'S'), Safe::No, status_file: Option<Bytes> = None,
        "Fixed-size counters read by mailstats.";
    SuperSafe, Some(b's'), Safe::Yes, super_safe: SuperSafe = SuperSafe::False,
        "Whether the queue file is on disk before accepting. interactive with a delivery mode other than i prints a warning.";
    TimeZoneSpec, Some(b't'), Safe::No, time_zone_spec: TimeZoneSpec = TimeZoneSpec::System,
        "Time zone in effect.";
    UserDatabaseSpec, Some(b'U'), Safe::No, user_database_spec: Option<Bytes> = None,
        "User database location.";
    DefaultUser, Some(b'u'), Safe::No, default_user: UserSpec = UserSpec { uid: 1, gid: 1, name: None },
        "Uid used for mailers without S, file and program delivery of system aliases.";
    FallbackMXhost, Some(b'V'), Safe::No, fallback_mx_host: Option<Bytes> = None,
        "Extra lowest-priority MX.";
    Verbose, Some(b'v'), Safe::Yes, verbose: bool = false,
        "Interactive verbose output; forces DeliveryMode i and HoldExpensive off (observed with -v).";
    TryNullMXList, Some(b'w'), Safe::No, try_null_mx_list: bool = false,
        "If we are best MX ourselves, connect to the A record instead of complaining of a loop.";
    QueueLA, Some(b'x'), Safe::No, queue_la: Option<i64> = None,
        "Above it messages may be only queued.";
    RefuseLA, Some(b'X'), Safe::No, refuse_la: Option<i64> = None,
        "Above it connections are refused.";
    RecipientFactor, Some(b'y'), Safe::No, recipient_factor: i64 = 30000,
        "Priority penalty per recipient (observed in P line: size+1800*... + 30000 each).";
    ForkEachJob, Some(b'Y'), Safe::No, fork_each_job: bool = false,
        "One process per job in queue runs; no connection cache then.";
    ClassFactor, Some(b'z'), Safe::No, class_factor: i64 = 1800,
        "Precedence multiplier.";
    RetryFactor, Some(b'Z'), Safe::No, retry_factor: i64 = 90000,
        "Priority penalty per try (observed: P rose from 210035 to 300035 on one retry).";
    QueueSortOrder, None, Safe::Yes, queue_sort_order: QueueSortOrder = QueueSortOrder::Priority,
        "Order of a queue run.";
    HostsFile, None, Safe::No, hosts_file: Bytes = Bytes::from_static(b"/etc/hosts"),
        "Table read by canonification under switch entry `files`.";
    MinQueueAge, None, Safe::Yes, min_queue_age: Duration = Duration::from_secs(0),
        "Jobs tried more recently than this are skipped, except with -q selection flags.";
    DefaultCharSet, None, Safe::Yes, default_char_set: Bytes = Bytes::from_static(b"unknown-8bit"),
        "Charset for 8-bit text made into MIME.";
    ServiceSwitchFile, None, Safe::No, service_switch_file: Bytes = Bytes::from_static(b"/etc/mail/service.switch"),
        "Service order file: hosts and aliases lines. Absent: aliases files; hosts dns nis files.";
    DialDelay, None, Safe::Yes, dial_delay: Duration = Duration::from_secs(0),
        "Pause before second connect for mailers with flag Z.";
    NoRecipientAction, None, Safe::Yes, no_recipient_action: NoRecipientAction = NoRecipientAction::None,
        "What to add if no recipient header exists.";
    SafeFileEnvironment, None, Safe::No, safe_file_environment: Option<Bytes> = None,
        "chroot for file delivery; also forbids delivery to symlinks.";
    MaxMessageSize, None, Safe::No, max_message_size: i64 = 0,
        "SIZE limit; announced in EHLO and enforced.";
    ColonOkInAddr, None, Safe::Yes, colon_ok_in_addr: Option<bool> = None,
        "Whether a colon is ordinary in an address.";
    MaxQueueRunSize, None, Safe::Yes, max_queue_run_size: i64 = 0,
        "Jobs per queue run; also limits mailq.";
    MaxDaemonChildren, None, Safe::No, max_daemon_children: i64 = 0,
        "Concurrent SMTP children before refusing.";
    DontExpandCnames, None, Safe::No, dont_expand_cnames: bool = false,
        "Do not replace CNAMEs when canonifying.";
    MustQuoteChars, None, Safe::No, must_quote_chars: Bytes = Bytes::from_static(b".'"),
        "Characters that force quoting in the phrase of an address. Too long: warned and ignored.";
    SmtpGreetingMessage, None, Safe::No, smtp_greeting_message: Template = greeting(),
        "Greeting banner.";
    UnixFromLine, None, Safe::No, unix_from_line: Template = from_line(),
        "mbox separator line.";
    OperatorChars, None, Safe::No, operator_chars: Bytes = Bytes::from_static(b".:@[]"),
        "Tokenizer separators.";
    DontInitGroups, None, Safe::No, dont_init_groups: bool = false,
        "Skip initgroups; set only the primary group.";
    SingleLineFromHeader, None, Safe::Yes, single_line_from_header: bool = false,
        "Unfold From: to one line.";
    AllowBogusHELO, None, Safe::Yes, allow_bogus_helo: bool = false,
        "HELO/EHLO without a valid name is accepted.";
    ConnectionRateThrottle, None, Safe::No, connection_rate_throttle: i64 = 0,
        "New connections per second per daemon.";
    UnsafeGroupWrites, None, Safe::No, unsafe_group_writes: bool = true,
        "Group-writable .forward/:include: unsafe for files and programs. Deprecated.";
    DoubleBounceAddress, None, Safe::No, double_bounce_address: Bytes = Bytes::from_static(b"postmaster"),
        "Receiver of bounces of bounces.";
    HostStatusDirectory, None, Safe::No, host_status_directory: Option<Bytes> = None,
        "Persistent host status. Needs ConnectionCacheSize\\>0.";
    SingleThreadDelivery, None, Safe::No, single_thread_delivery: bool = false,
        "At most one connection to a host across processes. Needs HostStatusDirectory.";
    RunAsUser, None, Safe::No, run_as_user: Option<UserSpec> = None,
        "Uid taken after start-up.";
    RrtImpliesDsn, None, Safe::No, rrt_implies_dsn: bool = false,
        "Return-Receipt-To: asks for a success DSN.";
    PidFile, None, Safe::No, pid_file: Option<Template> = None,
        "Pid on line 1, command line on line 2.";
    DontBlameSendmail, None, Safe::No, dont_blame_sendmail: DontBlame = DontBlame::default(),
        "Turns off file safety checks.";
    DontProbeInterfaces, None, Safe::No, dont_probe_interfaces: ProbeInterfaces = ProbeInterfaces::All,
        "Skip adding interface names to $=w.";
    MaxRecipientsPerMessage, None, Safe::Yes, max_recipients_per_message: i64 = 0,
        "Extra RCPTs get 452 4.5.3 Too many recipients.";
    DeadLetterDrop, None, Safe::No, dead_letter_drop: Option<Bytes> = None,
        "Last resort for undeliverable bounces; unset means the qf is renamed Qf.";
    MaxAliasRecursion, None, Safe::No, max_alias_recursion: i64 = 10,
        "Depth of alias nesting.";
    ConnectOnlyTo, None, Safe::No, connect_only_to: Option<Bytes> = None,
        "All outgoing SMTP goes to this address (tests).";
    TrustedUser, None, Safe::No, trusted_user: Option<u32> = None,
        "Owner of maps and control socket; may start the daemon, rebuild aliases.";
    MaxMimeHeaderLength, None, Safe::No, max_mime_header_length: (i64, i64) = (2048, 1024),
        "Truncates long MIME headers.";
    ControlSocketName, None, Safe::No, control_socket_name: Option<Template> = None,
        "Control socket; commands help restart shutdown status mstat memdump.";
    MaxHeadersLength, None, Safe::No, max_headers_length: i64 = 32768,
        "Total header size limit: 552 Headers too large.";
    ProcessTitlePrefix, None, Safe::No, process_title_prefix: Option<Template> = None,
        "Prefix in ps.";
    DefaultAuthInfo, None, Safe::No, default_auth_info: Option<Bytes> = None,
        "Client AUTH data. Deprecated for the authinfo ruleset.";
    AuthMechanisms, None, Safe::No, auth_mechanisms: Option<Bytes> = None,
        "Mechanisms offered or used.";
    ClientPortOptions, None, Safe::No, client_port_options: Vec<DaemonPort> = Vec::new(),
        "Outgoing socket settings.";
    DataFileBufferSize, None, Safe::No, data_file_buffer_size: i64 = 4096,
        "df stays in memory up to this size.";
    XscriptFileBufferSize, None, Safe::No, xscript_file_buffer_size: i64 = 4096,
        "xf stays in memory up to this size.";
    LDAPDefaultSpec, None, Safe::No, ldap_default_spec: Option<Bytes> = None,
        "Defaults for all LDAP maps; set before them.";
    ServerCertFile, None, Safe::No, server_cert_file: Vec<Bytes> = Vec::new(),
        "Server certificate; missing means no STARTTLS (log: STARTTLS: ServerCertFile missing).";
    ServerKeyFile, None, Safe::No, server_key_file: Vec<Bytes> = Vec::new(),
        "Server key.";
    ClientCertFile, None, Safe::No, client_cert_file: Vec<Bytes> = Vec::new(),
        "Client certificate.";
    ClientKeyFile, None, Safe::No, client_key_file: Vec<Bytes> = Vec::new(),
        "Client key.";
    CACertFile, None, Safe::No, ca_cert_file: Option<Bytes> = None,
        "Root CAs; their names are sent to clients.";
    CACertPath, None, Safe::No, ca_cert_path: Option<Bytes> = None,
        "More CAs by hash link.";
    DHParameters, None, Safe::No, dh_parameters: Option<Bytes> = None,
        "Server Diffie-Hellman parameters.";
    InputMailFilters, None, Safe::No, input_mail_filters: Vec<Bytes> = Vec::new(),
        "Milters called in this order.";
    AuthOptions, None, Safe::No, auth_options: Option<LetterSet> = None,
        "SMTP AUTH behaviour.";
    QueueFileMode, None, Safe::No, queue_file_mode: FileMode = FileMode(0o600),
        "Mode of queue files.";
    CertFingerprintAlgorithm, None, Safe::No, cert_fingerprint_algorithm: Option<Bytes> = None,
        "When set, {cert_fp} is used instead.";
    CipherList, None, Safe::No, cipher_list: Option<Bytes> = None,
        "TLS up to 1.2 ciphers.";
    RandFile, None, Safe::No, rand_file: Option<Bytes> = None,
        "PRNG seed; not needed with /dev/urandom.";
    TLSSrvOptions, None, Safe::No, tls_srv_options: Option<LetterSet> = None,
        "V: no client certificate request; C: server needs no certificate.";
    BadRcptThrottle, None, Safe::Yes, bad_rcpt_throttle: i64 = 0,
        "Sleep one second per RCPT after this many rejections.";
    DeliverByMin, None, Safe::No, deliver_by_min: i64 = 0,
        "Minimum for the BY= parameter. Observed EHLO line 250-DELIVERBY by default.";
    MaxQueueChildren, None, Safe::No, max_queue_children: i64 = 0,
        "Concurrent queue runner sets.";
    MaxRunnersPerQueue, None, Safe::No, max_runners_per_queue: i64 = 1,
        "Default runners per queue group.";
    DirectSubmissionModifiers, None, Safe::No, direct_submission_modifiers: Option<LetterSet> = None,
        "{daemon_flags} for command line mail.";
    NiceQueueRun, None, Safe::No, nice_queue_run: i64 = 0,
        "nice for queue runners.";
    SharedMemoryKey, None, Safe::No, shared_memory_key: i64 = 0,
        "Shared counters (needed by -bP).";
    AuthMaxBits, None, Safe::No, auth_max_bits: Option<i64> = None,
        "Cap on SASL security layer strength.";
    MailboxDatabase, None, Safe::No, mailbox_database: Bytes = Bytes::from_static(b"pw"),
        "Where local users are looked up.";
    UseMSP, None, Safe::No, use_msp: bool = false,
        "Run as submission program: group-writable queue allowed.";
    DelayLA, None, Safe::No, delay_la: i64 = 0,
        "Sleep one second per command above this load.";
    FastSplit, None, Safe::No, fast_split: i64 = 1,
        "\\>0: no MX lookup for envelope splitting; also caps delivery processes on command-line submission.";
    SoftBounce, None, Safe::No, soft_bounce: bool = false,
        "5xx become 4xx.";
    SharedMemoryKeyFile, None, Safe::No, shared_memory_key_file: Option<Bytes> = None,
        "Where a self-chosen key is written.";
    RejectLogInterval, None, Safe::No, reject_log_interval: Duration = Duration::from_secs(10800),
        "How often lasting refusal is logged.";
    RequiresDirfsync, None, Safe::No, requires_dirfsync: bool = true,
        "fsync directories of the queue.";
    ConnectionRateWindowSize, None, Safe::No, connection_rate_window_size: Duration = Duration::from_secs(60),
        "Window of {client_rate} and {total_rate}.";
    CRLFile, None, Safe::No, crl_file: Option<Bytes> = None,
        "Revocation list; unusable file disables STARTTLS.";
    FallbackSmartHost, None, Safe::No, fallback_smart_host: Option<Bytes> = None,
        "Last host tried after the MX list.";
    AuthRealm, None, Safe::No, auth_realm: Option<Bytes> = None,
        "SASL realm.";
    CRLPath, None, Safe::No, crl_path: Option<Bytes> = None,
        "Revocation lists by hash.";
    HeloName, None, Safe::No, helo_name: Option<Bytes> = None,
        "Name sent in EHLO/HELO.";
    MaxNOOPCommands, None, Safe::No, max_noop_commands: i64 = 20,
        "Limit of NOOP-like commands before delays.";
    BadRcptShutdown, None, Safe::Yes, bad_rcpt_shutdown: i64 = 0,
        "Close with 421 after this many bad recipients.";
    BadRcptShutdownGood, None, Safe::Yes, bad_rcpt_shutdown_good: i64 = 100,
        "Share of good recipients under which BadRcptShutdown acts.";
    ServerSSLOptions, None, Safe::No, server_ssl_options: Option<Bytes> = None,
        "OpenSSL option bits, server.";
    ClientSSLOptions, None, Safe::No, client_ssl_options: Option<Bytes> = None,
        "OpenSSL option bits, client.";
    MaxQueueAge, None, Safe::No, max_queue_age: Duration = Duration::from_secs(0),
        "Exponential retry per job up to this bound.";
    RejectNUL, None, Safe::Yes, reject_nul: bool = false,
        "A body NUL is answered 554 NUL byte not allowed.";
    UseCompressedIPv6Addresses, None, Safe::No, use_compressed_ipv6_addresses: bool = false,
        ":: form of IPv6 addresses.";
    SSLEngine, None, Safe::No, ssl_engine: Option<Bytes> = None,
        "OpenSSL engine.";
    SSLEnginePath, None, Safe::No, ssl_engine_path: Option<Bytes> = None,
        "Loads path/libENGINE.so.";
    TLSFallbacktoClear, None, Safe::No, tls_fallbackto_clear: bool = false,
        "After a failed handshake, retry without STARTTLS.";
    SetCertAltnames, None, Safe::No, set_cert_altnames: bool = false,
        "Fills {cert_altnames}.";
    SmtpUTF8, None, Safe::No, smtp_utf8: bool = false,
        "Runtime switch for SMTPUTF8. The guide spells it SMTPUTF8; matching is case-blind. This binary answers `readcf: option: ... set but no USE_EAI support`.";
    StrictTransportSecurity, None, Safe::No, strict_transport_security: bool = false,
        "MTA-STS policy look-ups through a socket map.";
    CipherSuites, None, Safe::No, cipher_suites: Option<Bytes> = None,
        "TLS 1.3 cipher suites.";
    DANE, None, Safe::No, dane: bool = false,
        "Look up TLSA records and require matching certificates; adds use_dnssec and use_edns0 to the resolver.";
}
}

pub use rows::{OPTIONS, Options};

/// `$z/.forward`.
fn forward_path() -> Template {
    Template::from_pieces(vec![Piece::Macro(names::HOME), Piece::Text(Bytes::from_static(b"/.forward"))])
}

/// `$j Sendmail $v ready at $b`.
fn greeting() -> Template {
    Template::from_pieces(vec![
        Piece::Macro(names::HOST),
        Piece::Text(Bytes::from_static(b" Sendmail ")),
        Piece::Macro(names::VERSION),
        Piece::Text(Bytes::from_static(b" ready at ")),
        Piece::Macro(names::NOW),
    ])
}

/// `From $g $d`.
fn from_line() -> Template {
    Template::from_pieces(vec![
        Piece::Text(Bytes::from_static(b"From ")),
        Piece::Macro(names::SENDER_FOR_RECIPIENT),
        Piece::Text(Bytes::from_static(b" ")),
        Piece::Macro(names::NOW_CTIME),
    ])
}
