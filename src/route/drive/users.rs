//! Accounts of this machine.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::route::{Owner, RouteError};
use crate::sys::{clock, user};

/// Accounts by name, with the time they were read.
type Known = HashMap<Bytes, (Instant, Option<Owner>)>;

/// Looks accounts up in `MailboxDatabase`, and remembers them for a few seconds.
#[derive(Clone)]
pub(super) struct Users {
    known: Arc<Mutex<Known>>,
}

impl Users {
    pub(super) fn new() -> Self {
        Self { known: Arc::default() }
    }

    /// The user of that login name. Errors: the database cannot be read.
    pub(super) async fn find(&self, name: &[u8]) -> Result<Option<Owner>, RouteError> {
        let now = clock::monotonic();
        if let Some((at, owner)) = self.lock().get(name)
            && now.duration_since(*at) < REMEMBER
        {
            return Ok(owner.clone());
        }
        let asked = Bytes::copy_from_slice(name);
        let wanted = asked.clone();
        let found = tokio::task::spawn_blocking(move || user::by_name(&wanted)).await.map_err(std::io::Error::other);
        let owner = match found {
            Ok(Ok(account)) => account.map(owner),
            Ok(Err(error)) | Err(error) => return Err(temporary(&error)),
        };
        let mut known = self.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(asked, (now, owner.clone()));
        Ok(owner)
    }

    /// The user of that full name (`MatchGECOS`). Errors: the password file cannot be read.
    pub(super) async fn find_by_full_name(&self, name: Vec<u8>) -> Result<Option<Owner>, RouteError> {
        let found = tokio::task::spawn_blocking(move || user::by_real_name(&name)).await.map_err(std::io::Error::other);
        match found {
            Ok(Ok(account)) => Ok(account.map(owner)),
            Ok(Err(error)) | Err(error) => Err(temporary(&error)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owner(account: user::Account) -> Owner {
    Owner {
        uid: account.uid,
        gid: account.gid,
        home: Bytes::copy_from_slice(account.home.as_os_str().as_bytes()),
        shell: Bytes::copy_from_slice(account.shell.as_os_str().as_bytes()),
        real_name: account.real_name().into(),
        name: account.name,
    }
}

fn temporary(error: &std::io::Error) -> RouteError {
    RouteError::new(451, Status(4, 3, 0), Exit::TEMPFAIL, format!("user database: {error}"))
}

const REMEMBER: Duration = Duration::from_secs(5);
const MOST: usize = 1000;
