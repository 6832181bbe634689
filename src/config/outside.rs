//! What the reader of a cf file asks the machine; answered by `drive.rs`, or by a table in tests.

use bytes::Bytes;

use super::daemon_port::Family;
use super::dontblame::DontBlame;
use super::values::UserSpec;

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Login name.
    pub(super) name: Bytes,
    /// User number.
    pub(super) uid: u32,
    /// Group number.
    pub(super) gid: u32,
}

/// Answers about the machine.
pub(super) trait Outside {
    /// The user of that login name.
    fn user(&self, name: &[u8]) -> Option<Account>;

    /// The user of that number.
    fn user_by_number(&self, uid: u32) -> Option<Account>;

    /// Number of the group of that name.
    fn group(&self, name: &[u8]) -> Option<u32>;

    /// Text of a class file, judged by the safe-file rules. Errors: the reason in the system's words.
    fn class_file(&self, path: &[u8], blame: DontBlame) -> Result<Vec<u8>, String>;

    /// Output of the program of an `F` line, run as `user` in `directory`. Errors: the reason in the system's words.
    fn class_program(&self, command: &[u8], user: &UserSpec, directory: Option<&[u8]>) -> Result<Vec<u8>, String>;

    /// Whether a port's address exists in its family: a literal, or a name that resolves.
    fn is_address(&self, address: &[u8], family: Family) -> bool;

    /// Whether a port is a number or a service by name.
    fn is_service(&self, port: &[u8]) -> bool;
}

/// A machine without users, files and programs.
pub(super) struct Nowhere;

impl Outside for Nowhere {
    fn user(&self, _name: &[u8]) -> Option<Account> {
        None
    }

    fn user_by_number(&self, _uid: u32) -> Option<Account> {
        None
    }

    fn group(&self, _name: &[u8]) -> Option<u32> {
        None
    }

    fn class_file(&self, _path: &[u8], _blame: DontBlame) -> Result<Vec<u8>, String> {
        Err("No such file or directory".to_owned())
    }

    fn class_program(&self, _command: &[u8], _user: &UserSpec, _directory: Option<&[u8]>) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    fn is_address(&self, _address: &[u8], _family: Family) -> bool {
        false
    }

    fn is_service(&self, _port: &[u8]) -> bool {
        false
    }
}
