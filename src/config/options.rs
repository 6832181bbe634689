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
    AliasSource, DeliveryMode, EightBitMode, ErrorMode, FileMode, NoRecipientAction, ProbeInterfaces, QueueSortOrder,
    SuperSafe, TimeZoneSpec, UserSpec,
};
use crate::base::letters::{LetterSet, Modifiers};
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

/// Whether an option acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does what its row says.
    Done,
    /// It is read and has no effect, because of this.
    Accepted(&'static str),
    /// It is a diagnostic, because of this.
    Refused(&'static str),
}

/// How the value of an option is read, and where it is put.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Nothing, or a word that begins with `t` or `y`, is true; all else is false.
    Bool(fn(&mut Options) -> &mut bool),
    /// Decimal number; what is none counts as 0.
    Number(fn(&mut Options) -> &mut i64),
    /// The same, with a state "not set".
    MaybeNumber(fn(&mut Options) -> &mut Option<i64>),
    /// Interval; a bare number counts seconds.
    Seconds(fn(&mut Options) -> &mut Duration),
    /// Interval; a bare number counts minutes.
    Minutes(fn(&mut Options) -> &mut Duration),
    /// Interval; a bare number counts hours.
    Hours(fn(&mut Options) -> &mut Duration),
    /// Text as it stands.
    Text(fn(&mut Options) -> &mut Bytes),
    /// Text as it stands; nothing unsets it.
    MaybeText(fn(&mut Options) -> &mut Option<Bytes>),
    /// Text with macros, expanded where it is used.
    Template(fn(&mut Options) -> &mut Template),
    /// The same; nothing unsets it.
    MaybeTemplate(fn(&mut Options) -> &mut Option<Template>),
    /// Permission bits in octal digits.
    Mode(fn(&mut Options) -> &mut FileMode),
    /// A form of its own: [`super::assign`] has a function for it.
    Own,
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
    /// Whether it acts.
    pub status: Status,
    /// Form of its value.
    pub kind: Kind,
    /// What it does.
    pub effect: &'static str,
}

/// The row of an option by its one-letter name.
pub fn by_letter(letter: u8) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.letter == Some(letter))
}

macro_rules! kind {
    (Own) => {
        Kind::Own
    };
    (Own, $field:ident) => {
        Kind::Own
    };
    ($kind:ident, $field:ident) => {
        Kind::$kind(|o| &mut o.$field)
    };
}

macro_rules! options {
    ($($name:ident, $letter:expr, $safe:ident, $status:expr, $kind:ident $(=> $field:ident: $type:ty = $default:expr)?,
       $effect:literal;)*) => {
        /// All options, in the original's order (abbreviation messages name the first two in this order).
        #[rustfmt::skip]
        pub static OPTIONS: &[Row] = &[
            $(Row {
                name: stringify!($name), letter: $letter, safe: Safe::$safe, status: $status,
                kind: kind!($kind $(, $field)?), effect: $effect,
            },)*
        ];

        /// Values of all options.
        #[derive(Debug, Clone)]
        pub struct Options {
            $($(#[doc = $effect] pub $field: $type,)?)*
        }

        impl Default for Options {
            fn default() -> Self {
                Self { $($($field: $default,)?)* }
            }
        }
    };
}

#[rustfmt::skip]
mod rows {
    #[allow(clippy::wildcard_imports, reason = "the rows name every type of this file")]
    use super::*;
    use super::Status::{Accepted, Done, Refused};

options! {
    SevenBitInput, Some(b'7'), Yes, Done, Bool => seven_bit_input: bool = false,
        "Clears the top bit of every input byte; the body is then never 8-bit.";
    EightBitMode, Some(b'8'), Yes, Done, Own => eight_bit_mode: EightBitMode = EightBitMode::Pass,
        "Chooses what to do with undeclared 8-bit bodies: convert to MIME, pass on, or reject with 554.";
    AliasFile, Some(b'A'), No, Done, Own => alias_file: Vec<AliasSource> = Vec::new(),
        "Alias databases, searched in order; repeated option lines accumulate.";
    AliasWait, Some(b'a'), No, Accepted("databases are replaced as a whole, so that there is nothing to wait for"), Minutes => alias_wait: Duration = Duration::from_secs(0),
        "How long to wait at start for the @:@ marker to appear in a rebuilt alias database.";
    BlankSub, Some(b'B'), No, Done, Own => blank_sub: u8 = b' ',
        "Replaces unquoted blanks inside an address; also used as the blank in map keys coming from rules (observed: the syslog map key shows it).";
    MinFreeBlocks, Some(b'b'), Yes, Done, Number => min_free_blocks: i64 = -1,
        "MAIL is answered 452 when the queue file system has fewer free blocks than this.";
    CheckpointInterval, Some(b'C'), Yes, Done, Number => checkpoint_interval: i64 = 10,
        "Rewrites the queue file after this many deliveries so that a crash repeats few of them.";
    HoldExpensive, Some(b'c'), No, Done, Bool => hold_expensive: bool = false,
        "Mail for mailers with flag e is queued at first instead of tried.";
    DeliveryMode, Some(b'd'), Yes, Done, Own => delivery_mode: DeliveryMode = DeliveryMode::Background,
        "When delivery happens; d also suppresses maps with flag -D.";
    ErrorHeader, Some(b'E'), No, Done, MaybeText => error_header: Option<Bytes> = None,
        "Text put at the top of bounce reports.";
    ErrorMode, Some(b'e'), Yes, Done, Own => error_mode: ErrorMode = ErrorMode::Print,
        "How local submission errors are reported: print, quiet, mail, write, or mail with zero exit.";
    TempFileMode, Some(b'F'), No, Done, Mode => temp_file_mode: FileMode = FileMode(0o600),
        "Mode of transcript, status, pid and delivered-to files. Value is read as octal.";
    SaveFromLine, Some(b'f'), No, Done, Bool => save_from_line: bool = false,
        "Keep a leading UNIX From line of the input as part of the header.";
    MatchGECOS, Some(b'G'), No, Done, Bool => match_gecos: bool = false,
        "Fuzzy search of the full-name field of the password file for unknown local users (binary needs MATCHGECOS; Debian has it).";
    HelpFile, Some(b'H'), No, Done, Own => help_file: Option<Bytes> = None,
        "Text source for SMTP HELP and -bt `?`. Unreadable: 502 5.3.0 ... HELP not implemented.";
    MaxHopCount, Some(b'h'), No, Done, Number => max_hop_count: i64 = 25,
        "More Received lines than this make the message bounce with 554 5.4.6 Too many hops.";
    ResolverOptions, Some(b'I'), No, Done, Own => resolver_options: Vec<Bytes> = Vec::new(),
        "Sets resolver flags; unknown word gives the message `readcf: I option value ... unrecognized`. use_inet6 in the guide is not in this binary's table.";
    IgnoreDots, Some(b'i'), Yes, Done, Bool => ignore_dots: bool = false,
        "A lone dot does not end command-line input (same as -i). Never applies to SMTP.";
    ForwardPath, Some(b'J'), No, Done, Template => forward_path: Template = forward_path(),
        "Candidates for the per-user forward file; first that opens safely wins.";
    SendMimeErrors, Some(b'j'), Yes, Done, Bool => send_mime_errors: bool = false,
        "Makes bounces multipart/report and enables the DSN extension.";
    ConnectionCacheSize, Some(b'k'), No, Done, Number => connection_cache_size: i64 = 1,
        "Open SMTP connections kept for re-use.";
    ConnectionCacheTimeout, Some(b'K'), No, Done, Seconds => connection_cache_timeout: Duration = Duration::from_secs(300),
        "Idle limit of a cached connection.";
    UseErrorsTo, Some(b'l'), No, Done, Bool => use_errors_to: bool = false,
        "Errors go to Errors-To: addresses rather than the envelope sender. Discouraged.";
    LogLevel, Some(b'L'), Raise, Done, Number => log_level: i64 = 9,
        "Verbosity of syslog; see log_lines.md. An untrusted user may only raise it.";
    MeToo, Some(b'm'), Yes, Done, Bool => me_too: bool = true,
        "Sender stays in expanded lists. Deprecated.";
    CheckAliases, Some(b'n'), No, Done, Bool => check_aliases: bool = false,
        "Parses right sides while rebuilding aliases and reports bad ones.";
    OldStyleHeaders, Some(b'o'), Yes, Done, Bool => old_style_headers: bool = false,
        "Header address lists may be space-separated; adaptive until a comma, angle or paren is seen.";
    DaemonPortOptions, Some(b'O'), No, Done, Own => daemon_port_options: Vec<DaemonPort> = Vec::new(),
        "Each line opens one listening socket.";
    PrivacyOptions, Some(b'p'), Add, Done, Own => privacy_options: Privacy = Privacy::default(),
        "Values accumulate; -O can add but not clear.";
    PostmasterCopy, Some(b'P'), No, Done, MaybeTemplate => postmaster_copy: Option<Template> = None,
        "Header-only copies of bounces go here.";
    QueueFactor, Some(b'q'), No, Done, Number => queue_factor: i64 = 600000,
        "Multiplier in the load-versus-priority queueing decision.";
    QueueDirectory, Some(b'Q'), No, Done, MaybeText => queue_directory: Option<Bytes> = None,
        "Queue root and working directory; also the default queue group mqueue.";
    DontPruneRoutes, Some(b'R'), No, Done, Bool => dont_prune_routes: bool = false,
        "Keep all hops of a source route when bouncing.";
    Timeout, Some(b'r'), No, Done, Own,
        "Container of the timers; see the table of timeouts.";
    StatusFile, Some(b'S'), No, Done, Own => status_file: Option<Bytes> = None,
        "Fixed-size counters read by mailstats.";
    SuperSafe, Some(b's'), Yes, Done, Own => super_safe: SuperSafe = SuperSafe::False,
        "Whether the queue file is on disk before accepting. interactive with a delivery mode other than i prints a warning.";
    QueueTimeout, Some(b'T'), No, Done, Own,
        "Old name of Timeout.queuereturn, with the warning time behind a slash.";
    TimeZoneSpec, Some(b't'), No, Done, Own => time_zone_spec: TimeZoneSpec = TimeZoneSpec::System,
        "Time zone in effect.";
    UserDatabaseSpec, Some(b'U'), No, Done, MaybeText => user_database_spec: Option<Bytes> = None,
        "User database location.";
    DefaultUser, Some(b'u'), No, Done, Own => default_user: UserSpec = UserSpec { uid: 1, gid: 1, name: None },
        "Uid used for mailers without S, file and program delivery of system aliases.";
    FallbackMXhost, Some(b'V'), No, Done, MaybeText => fallback_mx_host: Option<Bytes> = None,
        "Extra lowest-priority MX.";
    Verbose, Some(b'v'), Yes, Done, Own => verbose: bool = false,
        "Interactive verbose output; forces DeliveryMode i and HoldExpensive off (observed with -v).";
    TryNullMXList, Some(b'w'), No, Done, Bool => try_null_mx_list: bool = false,
        "If we are best MX ourselves, connect to the A record instead of complaining of a loop.";
    QueueLA, Some(b'x'), No, Done, MaybeNumber => queue_la: Option<i64> = None,
        "Above it messages may be only queued.";
    RefuseLA, Some(b'X'), No, Done, MaybeNumber => refuse_la: Option<i64> = None,
        "Above it connections are refused.";
    RecipientFactor, Some(b'y'), No, Done, Number => recipient_factor: i64 = 30000,
        "Priority penalty per recipient (observed in P line: size+1800*... + 30000 each).";
    ForkEachJob, Some(b'Y'), No, Accepted("deliveries are tasks of one process, none is forked per message"), Bool => fork_each_job: bool = false,
        "One process per job in queue runs; no connection cache then.";
    ClassFactor, Some(b'z'), No, Done, Number => class_factor: i64 = 1800,
        "Precedence multiplier.";
    RetryFactor, Some(b'Z'), No, Done, Number => retry_factor: i64 = 90000,
        "Priority penalty per try (observed: P rose from 210035 to 300035 on one retry).";
    QueueSortOrder, None, Yes, Done, Own => queue_sort_order: QueueSortOrder = QueueSortOrder::Priority,
        "Order of a queue run.";
    HostsFile, None, No, Done, Text => hosts_file: Bytes = Bytes::from_static(b"/etc/hosts"),
        "Table read by canonification under switch entry `files`.";
    MinQueueAge, None, Yes, Done, Minutes => min_queue_age: Duration = Duration::from_secs(0),
        "Jobs tried more recently than this are skipped, except with -q selection flags.";
    DefaultCharSet, None, Yes, Done, Text => default_char_set: Bytes = Bytes::from_static(b"unknown-8bit"),
        "Charset for 8-bit text made into MIME.";
    ServiceSwitchFile, None, No, Done, Text => service_switch_file: Bytes = Bytes::from_static(b"/etc/mail/service.switch"),
        "Service order file: hosts and aliases lines. Absent: aliases files; hosts dns nis files.";
    DialDelay, None, Yes, Done, Seconds => dial_delay: Duration = Duration::from_secs(0),
        "Pause before second connect for mailers with flag Z.";
    NoRecipientAction, None, Yes, Done, Own => no_recipient_action: NoRecipientAction = NoRecipientAction::None,
        "What to add if no recipient header exists.";
    SafeFileEnvironment, None, No, Done, MaybeText => safe_file_environment: Option<Bytes> = None,
        "chroot for file delivery; also forbids delivery to symlinks.";
    MaxMessageSize, None, No, Done, Number => max_message_size: i64 = 0,
        "SIZE limit; announced in EHLO and enforced.";
    ColonOkInAddr, None, Yes, Accepted("names of groups are understood either way, as observed of the original"), Own => colon_ok_in_addr: Option<bool> = None,
        "Whether a colon is ordinary in an address.";
    MaxQueueRunSize, None, Yes, Done, Number => max_queue_run_size: i64 = 0,
        "Jobs per queue run; also limits mailq.";
    MaxDaemonChildren, None, No, Done, Number => max_daemon_children: i64 = 0,
        "Concurrent SMTP children before refusing.";
    DontExpandCnames, None, No, Done, Bool => dont_expand_cnames: bool = false,
        "Do not replace CNAMEs when canonifying.";
    MustQuoteChars, None, No, Done, Own => must_quote_chars: Bytes = Bytes::from_static(b".'"),
        "Characters that force quoting in the phrase of an address. Too long: warned and ignored.";
    SmtpGreetingMessage, None, No, Done, Template => smtp_greeting_message: Template = greeting(),
        "Greeting banner.";
    UnixFromLine, None, No, Done, Template => unix_from_line: Template = from_line(),
        "mbox separator line.";
    OperatorChars, None, No, Done, Own => operator_chars: Bytes = Bytes::from_static(b".:@[]"),
        "Tokenizer separators.";
    DontInitGroups, None, No, Done, Bool => dont_init_groups: bool = false,
        "Skip initgroups; set only the primary group.";
    SingleLineFromHeader, None, Yes, Done, Bool => single_line_from_header: bool = false,
        "Unfold From: to one line.";
    AllowBogusHELO, None, Yes, Done, Bool => allow_bogus_helo: bool = false,
        "HELO/EHLO without a valid name is accepted.";
    ConnectionRateThrottle, None, No, Done, Number => connection_rate_throttle: i64 = 0,
        "New connections per second per daemon.";
    UnsafeGroupWrites, None, No, Accepted("it showed no effect in the original either; DontBlameSendmail decides"), Own => unsafe_group_writes: bool = true,
        "Group-writable .forward/:include: unsafe for files and programs. Deprecated.";
    DoubleBounceAddress, None, No, Done, Text => double_bounce_address: Bytes = Bytes::from_static(b"postmaster"),
        "Receiver of bounces of bounces.";
    HostStatusDirectory, None, No, Done, MaybeText => host_status_directory: Option<Bytes> = None,
        "Persistent host status. Needs ConnectionCacheSize\\>0.";
    SingleThreadDelivery, None, No, Done, Bool => single_thread_delivery: bool = false,
        "At most one connection to a host across processes. Needs HostStatusDirectory.";
    RunAsUser, None, No, Done, Own => run_as_user: Option<UserSpec> = None,
        "Uid taken after start-up.";
    RrtImpliesDsn, None, No, Done, Bool => rrt_implies_dsn: bool = false,
        "Return-Receipt-To: asks for a success DSN.";
    PidFile, None, No, Done, MaybeTemplate => pid_file: Option<Template> = None,
        "Pid on line 1, command line on line 2.";
    DontBlameSendmail, None, No, Done, Own => dont_blame_sendmail: DontBlame = DontBlame::default(),
        "Turns off file safety checks.";
    DontProbeInterfaces, None, No, Done, Own => dont_probe_interfaces: ProbeInterfaces = ProbeInterfaces::All,
        "Skip adding interface names to $=w.";
    MaxRecipientsPerMessage, None, Yes, Done, Number => max_recipients_per_message: i64 = 0,
        "Extra RCPTs get 452 4.5.3 Too many recipients.";
    DeadLetterDrop, None, No, Done, MaybeText => dead_letter_drop: Option<Bytes> = None,
        "Last resort for undeliverable bounces; unset means the qf is renamed Qf.";
    MaxAliasRecursion, None, No, Done, Number => max_alias_recursion: i64 = 10,
        "Depth of alias nesting.";
    ConnectOnlyTo, None, No, Done, Own => connect_only_to: Option<Bytes> = None,
        "All outgoing SMTP goes to this address (tests).";
    TrustedUser, None, No, Done, Own => trusted_user: Option<u32> = None,
        "Owner of maps and control socket; may start the daemon, rebuild aliases.";
    MaxMimeHeaderLength, None, No, Done, Own => max_mime_header_length: (i64, i64) = (2048, 1024),
        "Truncates long MIME headers.";
    ControlSocketName, None, No, Done, MaybeTemplate => control_socket_name: Option<Template> = None,
        "Control socket; commands help restart shutdown status mstat memdump.";
    MaxHeadersLength, None, No, Done, Own => max_headers_length: i64 = 32768,
        "Total header size limit: 552 Headers too large.";
    ProcessTitlePrefix, None, No, Done, MaybeTemplate => process_title_prefix: Option<Template> = None,
        "Words in front of the title of the process.";
    DefaultAuthInfo, None, No, Done, MaybeText => default_auth_info: Option<Bytes> = None,
        "Client AUTH data. Deprecated for the authinfo ruleset.";
    AuthMechanisms, None, No, Done, MaybeText => auth_mechanisms: Option<Bytes> = None,
        "Mechanisms offered or used.";
    ClientPortOptions, None, No, Done, Own => client_port_options: Vec<DaemonPort> = Vec::new(),
        "Outgoing socket settings.";
    DataFileBufferSize, None, No, Done, Number => data_file_buffer_size: i64 = 4096,
        "df stays in memory up to this size.";
    XscriptFileBufferSize, None, No, Accepted("transcripts are held in memory with the message"), Number => xscript_file_buffer_size: i64 = 4096,
        "xf stays in memory up to this size.";
    LDAPDefaultSpec, None, No, Done, Own => ldap_default_spec: Option<Bytes> = None,
        "Defaults for all LDAP maps; set before them.";
    ServerCertFile, None, No, Done, Own => server_cert_file: Vec<Bytes> = Vec::new(),
        "Server certificate; missing means no STARTTLS (log: STARTTLS: ServerCertFile missing).";
    ServerKeyFile, None, No, Done, Own => server_key_file: Vec<Bytes> = Vec::new(),
        "Server key.";
    ClientCertFile, None, No, Done, Own => client_cert_file: Vec<Bytes> = Vec::new(),
        "Client certificate.";
    ClientKeyFile, None, No, Done, Own => client_key_file: Vec<Bytes> = Vec::new(),
        "Client key.";
    CACertFile, None, No, Done, MaybeText => ca_cert_file: Option<Bytes> = None,
        "Root CAs; their names are sent to clients.";
    CACertPath, None, No, Done, MaybeText => ca_cert_path: Option<Bytes> = None,
        "More CAs by hash link.";
    DHParameters, None, No, Done, MaybeText => dh_parameters: Option<Bytes> = None,
        "Server Diffie-Hellman parameters.";
    InputMailFilters, None, No, Done, Own => input_mail_filters: Vec<Bytes> = Vec::new(),
        "Milters called in this order.";
    Milter, None, No, Done, Own,
        "Container of Milter.LogLevel and Milter.macros.STAGE.";
    AuthOptions, None, No, Done, Own => auth_options: Option<LetterSet> = None,
        "SMTP AUTH behaviour.";
    QueueFileMode, None, No, Done, Mode => queue_file_mode: FileMode = FileMode(0o600),
        "Mode of queue files.";
    CertFingerprintAlgorithm, None, No, Done, MaybeText => cert_fingerprint_algorithm: Option<Bytes> = None,
        "When set, {cert_fp} is used instead.";
    CipherList, None, No, Done, MaybeText => cipher_list: Option<Bytes> = None,
        "TLS up to 1.2 ciphers.";
    RandFile, None, No, Accepted("the kernel seeds the generator"), MaybeText => rand_file: Option<Bytes> = None,
        "PRNG seed; not needed with /dev/urandom.";
    TLSSrvOptions, None, No, Done, Own => tls_srv_options: Option<LetterSet> = None,
        "V: no client certificate request; C: server needs no certificate.";
    BadRcptThrottle, None, Yes, Done, Number => bad_rcpt_throttle: i64 = 0,
        "Sleep one second per RCPT after this many rejections.";
    DeliverByMin, None, No, Done, Own => deliver_by_min: i64 = 0,
        "Minimum for the BY= parameter. Observed EHLO line 250-DELIVERBY by default.";
    MaxQueueChildren, None, No, Done, Number => max_queue_children: i64 = 0,
        "Concurrent queue runner sets.";
    MaxRunnersPerQueue, None, No, Done, Number => max_runners_per_queue: i64 = 1,
        "Default runners per queue group.";
    DirectSubmissionModifiers, None, No, Done, Own => direct_submission_modifiers: Option<Modifiers> = None,
        "{daemon_flags} for command line mail.";
    NiceQueueRun, None, No, Done, Number => nice_queue_run: i64 = 0,
        "nice for queue runners.";
    SharedMemoryKey, None, No, Done, Number => shared_memory_key: i64 = 0,
        "Not 0: -bP and mstat of the control socket count the messages of each queue directory.";
    AuthMaxBits, None, No, Done, MaybeNumber => auth_max_bits: Option<i64> = None,
        "Cap on SASL security layer strength.";
    MailboxDatabase, None, No, Accepted("accounts come from the system\'s own database, also with ldap; other words end the program"), Text => mailbox_database: Bytes = Bytes::from_static(b"pw"),
        "Where local users are looked up.";
    UseMSP, None, No, Done, Bool => use_msp: bool = false,
        "Run as submission program: group-writable queue allowed.";
    DelayLA, None, No, Done, Number => delay_la: i64 = 0,
        "Sleep one second per command above this load.";
    FastSplit, None, No, Accepted("messages are not split by next hop when they are taken"), Number => fast_split: i64 = 1,
        "\\>0: no MX lookup for envelope splitting; also caps delivery processes on command-line submission.";
    SoftBounce, None, No, Done, Bool => soft_bounce: bool = false,
        "5xx become 4xx.";
    SharedMemoryKeyFile, None, No, Accepted("no memory is shared, so that no key is chosen"), MaybeText => shared_memory_key_file: Option<Bytes> = None,
        "Where a self-chosen key is written.";
    RejectLogInterval, None, No, Done, Hours => reject_log_interval: Duration = Duration::from_secs(10800),
        "How often lasting refusal is logged.";
    RequiresDirfsync, None, No, Accepted("directories are always synced with the messages in them"), Bool => requires_dirfsync: bool = true,
        "fsync directories of the queue.";
    ConnectionRateWindowSize, None, No, Done, Seconds => connection_rate_window_size: Duration = Duration::from_secs(60),
        "Window of {client_rate} and {total_rate}.";
    CRLFile, None, No, Done, MaybeText => crl_file: Option<Bytes> = None,
        "Revocation list; unusable file disables STARTTLS.";
    FallbackSmartHost, None, No, Done, MaybeText => fallback_smart_host: Option<Bytes> = None,
        "Last host tried after the MX list.";
    AuthRealm, None, No, Done, MaybeText => auth_realm: Option<Bytes> = None,
        "SASL realm.";
    CRLPath, None, No, Done, MaybeText => crl_path: Option<Bytes> = None,
        "Revocation lists by hash.";
    HeloName, None, No, Done, MaybeText => helo_name: Option<Bytes> = None,
        "Name sent in EHLO/HELO.";
    MaxNOOPCommands, None, No, Done, Number => max_noop_commands: i64 = 20,
        "Limit of NOOP-like commands before delays.";
    BadRcptShutdown, None, Yes, Done, Number => bad_rcpt_shutdown: i64 = 0,
        "Close with 421 after this many bad recipients.";
    BadRcptShutdownGood, None, Yes, Done, Number => bad_rcpt_shutdown_good: i64 = 100,
        "Percentage of bad recipients among all from which on BadRcptShutdown acts.";
    ServerSSLOptions, None, No, Done, Own => server_ssl_options: Option<Bytes> = None,
        "OpenSSL option bits, server.";
    ClientSSLOptions, None, No, Done, Own => client_ssl_options: Option<Bytes> = None,
        "OpenSSL option bits, client.";
    MaxQueueAge, None, No, Done, Minutes => max_queue_age: Duration = Duration::from_secs(0),
        "Exponential retry per job up to this bound.";
    RejectNUL, None, Yes, Done, Bool => reject_nul: bool = false,
        "A body NUL is answered 554 NUL byte not allowed.";
    UseCompressedIPv6Addresses, None, No, Done, Bool => use_compressed_ipv6_addresses: bool = false,
        ":: form of IPv6 addresses.";
    SSLEngine, None, No, Accepted("engines are gone from OpenSSL 3"), MaybeText => ssl_engine: Option<Bytes> = None,
        "OpenSSL engine.";
    SSLEnginePath, None, No, Accepted("engines are gone from OpenSSL 3"), MaybeText => ssl_engine_path: Option<Bytes> = None,
        "Loads path/libENGINE.so.";
    TLSFallbacktoClear, None, No, Done, Bool => tls_fallbackto_clear: bool = false,
        "After a failed handshake, retry without STARTTLS.";
    SetCertAltnames, None, No, Done, Bool => set_cert_altnames: bool = false,
        "Fills {cert_altnames}.";
    SmtpUTF8, None, No, Refused("internationalised addresses are not handled yet"), Own => smtp_utf8: bool = false,
        "Runtime switch for SMTPUTF8. The guide spells it SMTPUTF8; matching is case-blind. This binary answers `readcf: option: ... set but no USE_EAI support`.";
    StrictTransportSecurity, None, No, Accepted("MTA-STS policies are not looked up"), Bool => strict_transport_security: bool = false,
        "MTA-STS policy look-ups through a socket map.";
    CipherSuites, None, No, Done, MaybeText => cipher_suites: Option<Bytes> = None,
        "TLS 1.3 cipher suites.";
    DANE, None, No, Done, Own => dane: bool = false,
        "Look up TLSA records and require matching certificates; adds use_dnssec and use_edns0 to the resolver.";
    UseTLS, None, No, Done, Bool => use_tls: bool = true,
        "False turns STARTTLS off in both directions, whatever keys there are (HP-UX; the original does not know it).";
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
