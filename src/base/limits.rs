//! Limits that bound memory and time, with where each comes from.

/// Longest line read from a peer outside of data, bytes with its end. Source: PRIVILEGES "limits"; observed.
pub const SMTP_COMMAND_LINE: usize = 2048;

/// Longest line of an AUTH dialogue, bytes with its end. Source: RFC 4954 §4.
pub const AUTH_LINE: usize = 12288;
/// Longest line of message data accepted before it is cut into pieces, bytes. Source: RFC 5321 §4.5.3.1.6 asks for 1000.
pub const DATA_LINE: usize = 12 * 1024;
/// Longest address, bytes. Source: observed (`Address too long (255 bytes max)`).
pub const ADDRESS: usize = 255;
/// Most text that is cut into tokens at once, bytes, with one more for each token. Source: observed.
pub const SCANNED: usize = 1250;
/// Most tokens in a workspace. Source: op guide, MAXATOM.
pub const TOKENS: usize = 1000;
/// Deepest nesting of ruleset calls. Source: observed.
pub const RULESET_DEPTH: usize = 50;
/// Most replacements by one rule before it counts as a loop. Source: observed.
pub const RULE_REPEATS: u32 = 100;
/// Longest logical line of a cf file, bytes. Source: op guide, MAXLINE.
pub const CF_LINE: usize = 2048;
/// Longest macro or class name, characters. Source: observed.
pub const MACRO_NAME: usize = 25;
/// Most mailers. Source: observed.
pub const MAILERS: usize = 25;
/// Queue groups of a configuration, the default one among them.
pub const QUEUE_GROUPS: usize = 50;
/// Macros of one `Milter.macros` stage.
pub const MILTER_MACROS: usize = 50;
/// Most precedence lines. Source: observed.
pub const PRECEDENCES: usize = 25;
/// Longest reply line accepted from a server, bytes. Source: PRIVILEGES "limits".
pub const REPLY_LINE: usize = 2048;
/// Most lines in one reply from a server. Source: PRIVILEGES "limits".
pub const REPLY_LINES: usize = 100;
/// Most lines read before a reply from a server must have ended.
pub const REPLY_LINES_READ: usize = 1000;
/// Longest map value, bytes. Source: PRIVILEGES "limits".
pub const MAP_VALUE: usize = 100_000;
/// Deepest alias expansion unless `MaxAliasRecursion` says otherwise. Source: op guide.
pub const ALIAS_DEPTH: usize = 10;
/// Most recipients an expansion may make. Source: PRIVILEGES "limits".
pub const EXPANSION: usize = 100_000;
/// Deepest MIME nesting followed. Source: PRIVILEGES "limits".
pub const MIME_DEPTH: usize = 20;
/// Longest packet of a filter, bytes behind its length. Source: PRIVILEGES "limits".
pub const MILTER_PACKET: usize = 1024 * 1024 + 64 * 1024;

/// What all maps together may keep of files that are too large to be held whole, bytes.
pub const MAP_CHUNKS: u64 = 256 << 20;
