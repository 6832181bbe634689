//! `DontBlameSendmail`: file checks that an administrator may loosen.

/// A flag.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name as in the cf file.
    pub name: &'static str,
    /// Its bit; `None` for `Safe`, which has none.
    pub bit: Option<u8>,
    /// The check that it loosens.
    pub effect: &'static str,
}

/// All flags, in the original's order of bits. Source: op guide 5.6; observed bits.
#[rustfmt::skip]
pub static FLAGS: &[Row] = &[
    Row { name: "Safe", bit: None, effect: "no special handling (the default)" },
    Row { name: "AssumeSafeChown", bit: Some(1), effect: "treat chown as root-only so ownership proves authorship" },
    Row { name: "GroupWritableDirPathSafe", bit: Some(2), effect: "group-writable directories count as safe" },
    Row { name: "GroupWritableForwardFileSafe", bit: Some(3), effect: "group-writable .forward may name programs and files" },
    Row { name: "GroupWritableIncludeFileSafe", bit: Some(4), effect: "group-writable :include: may name programs and files" },
    Row { name: "GroupWritableAliasFile", bit: Some(5), effect: "group-writable alias source allowed" },
    Row { name: "WorldWritableAliasFile", bit: Some(6), effect: "world-writable alias source allowed" },
    Row { name: "ForwardFileInUnsafeDirPath", bit: Some(7), effect: ".forward under an unsafe directory is read" },
    Row { name: "IncludeFileInUnsafeDirPath", bit: Some(30), effect: ":include: under an unsafe directory is read" },
    Row { name: "MapInUnsafeDirPath", bit: Some(8), effect: "map and alias databases under unsafe directories are opened" },
    Row { name: "LinkedAliasFileInWritableDir", bit: Some(9), effect: "alias file may be a link in a writable directory" },
    Row { name: "LinkedClassFileInWritableDir", bit: Some(10), effect: "class file (F line) may be such a link" },
    Row { name: "LinkedForwardFileInWritableDir", bit: Some(11), effect: ".forward may be such a link" },
    Row { name: "LinkedIncludeFileInWritableDir", bit: Some(12), effect: ":include: file may be such a link" },
    Row { name: "LinkedMapInWritableDir", bit: Some(13), effect: "map file may be such a link" },
    Row { name: "LinkedServiceSwitchFileInWritableDir", bit: Some(14), effect: "service switch file may be such a link" },
    Row { name: "FileDeliveryToHardLink", bit: Some(15), effect: "delivery to a file with several hard links" },
    Row { name: "FileDeliveryToSymLink", bit: Some(16), effect: "delivery to a symbolic link" },
    Row { name: "WriteMapToHardLink", bit: Some(17), effect: "map rebuild onto a hard link" },
    Row { name: "WriteMapToSymLink", bit: Some(18), effect: "map rebuild onto a symbolic link" },
    Row { name: "WriteStatsToHardLink", bit: Some(19), effect: "statistics file may be a hard link" },
    Row { name: "WriteStatsToSymLink", bit: Some(20), effect: "statistics file may be a symbolic link" },
    Row { name: "ForwardFileInGroupWritableDirPath", bit: Some(21), effect: ".forward in group-writable directories is read" },
    Row { name: "IncludeFileInGroupWritableDirPath", bit: Some(22), effect: ":include: in group-writable directories is read" },
    Row { name: "ClassFileInUnsafeDirPath", bit: Some(23), effect: "class files under unsafe directories are read" },
    Row { name: "ErrorHeaderInUnsafeDirPath", bit: Some(24), effect: "ErrorHeader file under an unsafe directory" },
    Row { name: "HelpFileInUnsafeDirPath", bit: Some(25), effect: "help file under an unsafe directory" },
    Row { name: "ForwardFileInUnsafeDirPathSafe", bit: Some(26), effect: ".forward in an unsafe directory may name programs and files" },
    Row { name: "IncludeFileInUnsafeDirPathSafe", bit: Some(27), effect: ":include: in an unsafe directory may name programs and files" },
    Row { name: "RunProgramInUnsafeDirPath", bit: Some(28), effect: "no warning for programs in writable directories" },
    Row { name: "RunWritableProgram", bit: Some(29), effect: "no warning for group/world-writable programs" },
    Row { name: "NonRootSafeAddr", bit: Some(31), effect: "file and program addresses stay safe when not running as root" },
    Row { name: "TrustStickyBit", bit: Some(32), effect: "sticky directories count as safe though writable" },
    Row { name: "DontWarnForwardFileInUnsafeDirPath", bit: Some(33), effect: "no log line for missing .forward files in unsafe paths" },
    Row { name: "InsufficientEntropy", bit: Some(34), effect: "use TLS with a badly seeded PRNG" },
    Row { name: "GroupReadableSASLDBFile", bit: Some(35), effect: "group-readable SASL password file" },
    Row { name: "GroupWritableSASLDBFile", bit: Some(36), effect: "group-writable SASL password file" },
    Row { name: "GroupWritableForwardFile", bit: Some(37), effect: "group-writable .forward is read" },
    Row { name: "GroupWritableIncludeFile", bit: Some(38), effect: "group-writable :include: is read" },
    Row { name: "WorldWritableForwardFile", bit: Some(39), effect: "world-writable .forward is read" },
    Row { name: "WorldWritableIncludeFile", bit: Some(40), effect: "world-writable :include: is read" },
    Row { name: "GroupReadableKeyFile", bit: Some(41), effect: "group-readable TLS private key" },
    Row { name: "GroupReadableDefaultAuthInfoFile", bit: Some(42), effect: "group-readable DefaultAuthInfo file" },
    Row { name: "CertOwner", bit: Some(50), effect: "TLS certificate and key files need not belong to RunAsUser (8.18 and later; absent in 8.17.1.9)" },
];

/// A set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DontBlame(pub u64);

#[allow(missing_docs, reason = "the names are those of the flags; the table says what they mean")]
impl DontBlame {
    pub const ASSUME_SAFE_CHOWN: u8 = 1;
    pub const GROUP_WRITABLE_DIR_PATH_SAFE: u8 = 2;
    pub const GROUP_WRITABLE_FORWARD_FILE_SAFE: u8 = 3;
    pub const GROUP_WRITABLE_INCLUDE_FILE_SAFE: u8 = 4;
    pub const GROUP_WRITABLE_ALIAS_FILE: u8 = 5;
    pub const WORLD_WRITABLE_ALIAS_FILE: u8 = 6;
    pub const FORWARD_FILE_IN_UNSAFE_DIR_PATH: u8 = 7;
    pub const INCLUDE_FILE_IN_UNSAFE_DIR_PATH: u8 = 30;
    pub const MAP_IN_UNSAFE_DIR_PATH: u8 = 8;
    pub const LINKED_ALIAS_FILE_IN_WRITABLE_DIR: u8 = 9;
    pub const LINKED_CLASS_FILE_IN_WRITABLE_DIR: u8 = 10;
    pub const LINKED_FORWARD_FILE_IN_WRITABLE_DIR: u8 = 11;
    pub const LINKED_INCLUDE_FILE_IN_WRITABLE_DIR: u8 = 12;
    pub const LINKED_MAP_IN_WRITABLE_DIR: u8 = 13;
    pub const LINKED_SERVICE_SWITCH_FILE_IN_WRITABLE_DIR: u8 = 14;
    pub const FILE_DELIVERY_TO_HARD_LINK: u8 = 15;
    pub const FILE_DELIVERY_TO_SYM_LINK: u8 = 16;
    pub const WRITE_MAP_TO_HARD_LINK: u8 = 17;
    pub const WRITE_MAP_TO_SYM_LINK: u8 = 18;
    pub const WRITE_STATS_TO_HARD_LINK: u8 = 19;
    pub const WRITE_STATS_TO_SYM_LINK: u8 = 20;
    pub const FORWARD_FILE_IN_GROUP_WRITABLE_DIR_PATH: u8 = 21;
    pub const INCLUDE_FILE_IN_GROUP_WRITABLE_DIR_PATH: u8 = 22;
    pub const CLASS_FILE_IN_UNSAFE_DIR_PATH: u8 = 23;
    pub const ERROR_HEADER_IN_UNSAFE_DIR_PATH: u8 = 24;
    pub const HELP_FILE_IN_UNSAFE_DIR_PATH: u8 = 25;
    pub const FORWARD_FILE_IN_UNSAFE_DIR_PATH_SAFE: u8 = 26;
    pub const INCLUDE_FILE_IN_UNSAFE_DIR_PATH_SAFE: u8 = 27;
    pub const RUN_PROGRAM_IN_UNSAFE_DIR_PATH: u8 = 28;
    pub const RUN_WRITABLE_PROGRAM: u8 = 29;
    pub const NON_ROOT_SAFE_ADDR: u8 = 31;
    pub const TRUST_STICKY_BIT: u8 = 32;
    pub const DONT_WARN_FORWARD_FILE_IN_UNSAFE_DIR_PATH: u8 = 33;
    pub const INSUFFICIENT_ENTROPY: u8 = 34;
    pub const GROUP_READABLE_SASLDBFILE: u8 = 35;
    pub const GROUP_WRITABLE_SASLDBFILE: u8 = 36;
    pub const GROUP_WRITABLE_FORWARD_FILE: u8 = 37;
    pub const GROUP_WRITABLE_INCLUDE_FILE: u8 = 38;
    pub const WORLD_WRITABLE_FORWARD_FILE: u8 = 39;
    pub const WORLD_WRITABLE_INCLUDE_FILE: u8 = 40;
    pub const GROUP_READABLE_KEY_FILE: u8 = 41;
    pub const GROUP_READABLE_DEFAULT_AUTH_INFO_FILE: u8 = 42;
    pub const CERT_OWNER: u8 = 50;

    /// Whether the flag with this bit number is set.
    pub fn has(self, bit: u8) -> bool {
        bit < 64 && self.0 & (1 << bit) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_distinct() {
        let mut bits: Vec<u8> = FLAGS.iter().filter_map(|r| r.bit).collect();
        bits.sort_unstable();
        let count = bits.len();
        bits.dedup();
        assert_eq!(bits.len(), count);
    }
}
