//! Calls into libsasl2: mechanisms, passwords and plugins are what the host configured for `Sendmail.conf`.
//!
//! The library blocks (saslauthd, databases): callers use threads that may wait. It is started once per process and gets
//! mutexes from here; a connection is used by one thread at a time. A name that the library knows proves nothing: only
//! [`Step::Done`] does.
#![allow(unsafe_code, reason = "foreign interface")]

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::mem;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What an exchange said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The other side is to answer this.
    More(Vec<u8>),
    /// Authenticated; the client may have a last word.
    Done(Option<Vec<u8>>),
    /// Not authenticated.
    Failed(Failure),
}

/// Why an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words} ({code}) {detail}")]
pub struct Failure {
    /// Number of the library.
    pub code: i32,
    /// What the number means.
    pub words: String,
    /// What the mechanism says about it.
    pub detail: String,
}

impl Failure {
    /// No mechanism fits.
    pub const NO_MECHANISM: i32 = -4;
    /// The other side sent what it must not.
    pub const BAD_PROTOCOL: i32 = -5;
    /// Try again later.
    pub const TRY_AGAIN: i32 = -8;
    /// A server that must be asked does not answer.
    pub const UNAVAILABLE: i32 = -24;
    const OUT_OF_MEMORY: i32 = -2;
    const FAIL: i32 = -1;
    const BAD_PARAMETER: i32 = -7;

    /// Whether another try makes sense.
    pub fn is_temporary(&self) -> bool {
        matches!(self.code, Self::TRY_AGAIN | Self::UNAVAILABLE | Self::OUT_OF_MEMORY)
    }

    fn new(code: c_int) -> Self {
        Self { code, words: words(code), detail: String::new() }
    }
}

/// What mechanisms must and must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demands {
    /// Bits of `SASL_SEC_…`.
    pub flags: u32,
    /// Most bits of a security layer.
    pub max_bits: u32,
    /// Largest block of a security layer that we take; 0 for no layer.
    pub max_block_bytes: u32,
    /// Bits of the encryption underneath.
    pub external_bits: u32,
}

/// No mechanism that shows the password.
pub const NO_PLAINTEXT: u32 = 0x01;
/// None open to active attacks.
pub const NO_ACTIVE: u32 = 0x02;
/// None open to dictionary attacks.
pub const NO_DICTIONARY: u32 = 0x04;
/// Forward secrecy.
pub const FORWARD_SECRECY: u32 = 0x08;
/// None without a name.
pub const NO_ANONYMOUS: u32 = 0x10;
/// Credentials can be passed on.
pub const PASS_CREDENTIALS: u32 = 0x20;
/// Both sides authenticate.
pub const MUTUAL: u32 = 0x40;

/// Judges a configuration file or a plugin before the library reads it.
pub type Judge = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// Who a server session is.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// `smtp`.
    pub service: String,
    /// Our name.
    pub host: String,
    /// Realm of users without one; the host when `None`.
    pub realm: Option<String>,
    /// Our address as `192.0.2.1;25`.
    pub local: Option<String>,
    /// The other address.
    pub remote: Option<String>,
}

/// A connection of the library.
struct Connection {
    raw: *mut RawConnection,
}

// SAFETY: the library keeps no thread-local state for a connection; it is owned and used by one thread at a time.
unsafe impl Send for Connection {}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: made by sasl_*_new, disposed once; the call clears the pointer.
        unsafe { sasl_dispose(&raw mut self.raw) };
    }
}

impl Connection {
    fn demand(&mut self, demands: Demands) -> Result<(), Failure> {
        let properties = Properties {
            min_ssf: 0,
            max_ssf: demands.max_bits,
            max_buffer: demands.max_block_bytes,
            flags: demands.flags,
            names: ptr::null(),
            values: ptr::null(),
        };
        // SAFETY: the library copies the structure, which lives to the end of the call.
        let code = unsafe { sasl_setprop(self.raw, SEC_PROPS, (&raw const properties).cast()) };
        checked(code)?;
        if demands.external_bits == 0 {
            return Ok(());
        }
        // SAFETY: the library copies the number.
        let code = unsafe { sasl_setprop(self.raw, SSF_EXTERNAL, (&raw const demands.external_bits).cast()) };
        checked(code)
    }

    fn external(&mut self, name: &str) -> Result<(), Failure> {
        let name = text(name)?;
        // SAFETY: the library copies the string.
        checked(unsafe { sasl_setprop(self.raw, AUTH_EXTERNAL, name.as_ptr().cast()) })
    }

    fn string(&self, property: c_int) -> Option<Vec<u8>> {
        let mut value: *const c_void = ptr::null();
        // SAFETY: the property is one whose value is a string owned by the connection.
        let code = unsafe { sasl_getprop(self.raw, property, &raw mut value) };
        if code != OK || value.is_null() {
            return None;
        }
        // SAFETY: a string ended by NUL that lives as long as the connection; copied.
        Some(unsafe { CStr::from_ptr(value.cast()) }.to_bytes().to_vec())
    }

    fn number(&self, property: c_int) -> u32 {
        let mut value: *const c_void = ptr::null();
        // SAFETY: the property is one whose value is an unsigned number owned by the connection.
        let code = unsafe { sasl_getprop(self.raw, property, &raw mut value) };
        if code != OK || value.is_null() {
            return 0;
        }
        // SAFETY: points to an unsigned int of the connection.
        unsafe { *value.cast::<c_uint>() }
    }

    fn failure(&self, code: c_int) -> Failure {
        // SAFETY: the string belongs to the connection and is copied.
        let detail = unsafe { sasl_errdetail(self.raw) };
        let detail = if detail.is_null() {
            String::new()
        } else {
            // SAFETY: not null, ended by NUL.
            unsafe { CStr::from_ptr(detail) }.to_string_lossy().into_owned()
        };
        Failure { detail, ..Failure::new(code) }
    }

    fn step(&self, code: c_int, out: *const c_char, length: c_uint) -> Step {
        // SAFETY: `out` and `length` are what the library just set; the bytes belong to the connection.
        let said = unsafe { bytes(out, length) };
        match code {
            OK => Step::Done(said),
            CONTINUE => Step::More(said.unwrap_or_default()),
            code => Step::Failed(self.failure(code)),
        }
    }

    /// Bytes through the security layer, one way or the other.
    fn through(&mut self, way: Way, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let length = length(data)?;
        let (mut out, mut out_length) = (ptr::null(), 0);
        // SAFETY: the input lives to the end of the call; the output belongs to the connection and is copied.
        let code = unsafe { way(self.raw, data.as_ptr().cast(), length, &raw mut out, &raw mut out_length) };
        checked(code).map_err(|_| self.failure(code))?;
        // SAFETY: as above.
        Ok(unsafe { bytes(out, out_length) }.unwrap_or_default())
    }

    fn encode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let most = usize::try_from(self.number(MAX_OUT)).unwrap_or(0).clamp(SMALLEST_BLOCK, LARGEST_BLOCK);
        let mut all = Vec::with_capacity(data.len() + data.len() / 16 + 64);
        for block in data.chunks(most) {
            all.extend(self.through(sasl_encode, block)?);
        }
        Ok(all)
    }

    fn decode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.through(sasl_decode, data)
    }
}

/// Our side of a client's AUTH.
pub struct Server(Connection);

impl Server {
    /// A new exchange. Errors: the library cannot be started, or the names are none.
    pub fn new(names: &Names, demands: Demands, external: Option<&str>, judge: &Judge) -> Result<Self, Failure> {
        start_server(judge)?;
        let (service, host) = (text(&names.service)?, text(&names.host)?);
        let realm = names.realm.as_deref().map(text).transpose()?;
        let local = names.local.as_deref().map(text).transpose()?;
        let remote = names.remote.as_deref().map(text).transpose()?;
        let mut raw = ptr::null_mut();
        // SAFETY: all strings live to the end of the call and are copied; no callbacks of its own.
        let code = unsafe {
            sasl_server_new(
                service.as_ptr(),
                host.as_ptr(),
                pointer(realm.as_ref()),
                pointer(local.as_ref()),
                pointer(remote.as_ref()),
                ptr::null(),
                0,
                &raw mut raw,
            )
        };
        checked(code)?;
        let mut connection = Connection { raw };
        connection.demand(demands)?;
        if let Some(name) = external {
            connection.external(name)?;
        }
        Ok(Self(connection))
    }

    /// Mechanisms that fit the demands; empty when there are none.
    pub fn mechanisms(&mut self) -> Result<Vec<String>, Failure> {
        let mut list = ptr::null();
        // SAFETY: constant strings; the list belongs to the connection and is copied below.
        let code = unsafe {
            sasl_listmech(
                self.0.raw,
                ptr::null(),
                c"".as_ptr(),
                c" ".as_ptr(),
                c"".as_ptr(),
                &raw mut list,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if code == Failure::NO_MECHANISM || code == OK && list.is_null() {
            return Ok(Vec::new());
        }
        checked(code).map_err(|_| self.0.failure(code))?;
        // SAFETY: not null, ended by NUL.
        let list = unsafe { CStr::from_ptr(list) }.to_string_lossy();
        Ok(list.split_ascii_whitespace().map(str::to_owned).collect())
    }

    /// Begins with a mechanism, and the first response when the client sent one.
    pub fn start(&mut self, mechanism: &str, response: Option<&[u8]>) -> Step {
        let (Ok(mechanism), Ok(response)) = (text(mechanism), response.map(Input::new).transpose()) else {
            return Step::Failed(Failure::new(Failure::BAD_PARAMETER));
        };
        let (mut out, mut out_length) = (ptr::null(), 0);
        let (data, length) = response.as_ref().map_or((ptr::null(), 0), Input::parts);
        // SAFETY: the input lives to the end of the call; the output belongs to the connection.
        let code = unsafe {
            sasl_server_start(self.0.raw, mechanism.as_ptr(), data, length, &raw mut out, &raw mut out_length)
        };
        self.0.step(code, out, out_length)
    }

    /// Goes on with the client's response.
    pub fn step(&mut self, response: &[u8]) -> Step {
        let Ok(response) = Input::new(response) else { return Step::Failed(Failure::new(Failure::BAD_PARAMETER)) };
        let (data, length) = response.parts();
        let (mut out, mut out_length) = (ptr::null(), 0);
        // SAFETY: as in `start`.
        let code = unsafe { sasl_server_step(self.0.raw, data, length, &raw mut out, &raw mut out_length) };
        self.0.step(code, out, out_length)
    }

    /// The user as the library has it so far; says nothing about success.
    pub fn user(&self) -> Option<Vec<u8>> {
        self.0.string(USER_NAME)
    }

    /// The user whose secret was checked; says nothing about success.
    pub fn authenticated(&self) -> Option<Vec<u8>> {
        self.0.string(AUTH_USER)
    }

    /// Name of the mechanism in use.
    pub fn mechanism(&self) -> Option<Vec<u8>> {
        self.0.string(MECH_NAME)
    }

    /// Bits of the security layer that was agreed; 0 for none.
    pub fn layer_bits(&self) -> u32 {
        self.0.number(SSF)
    }

    /// Bytes for the wire, through the security layer.
    pub fn encode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.0.encode(data)
    }

    /// Bytes from the wire, through the security layer; incomplete blocks are kept inside.
    pub fn decode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.0.decode(data)
    }
}

/// Our side of AUTH with a server.
pub struct Client {
    connection: Connection,
    is_done: bool,
    // The connection has pointers into both.
    _secrets: Box<Secrets>,
    _callbacks: Box<[Callback]>,
}

impl Client {
    /// A new exchange. Errors: the library cannot be started, or a value has a NUL.
    pub fn new(names: &Names, demands: Demands, identity: &Identity<'_>, judge: &Judge) -> Result<Self, Failure> {
        start_client(judge)?;
        let (service, host) = (text(&names.service)?, text(&names.host)?);
        let local = names.local.as_deref().map(text).transpose()?;
        let remote = names.remote.as_deref().map(text).transpose()?;
        let secrets = Box::new(Secrets::new(identity)?);
        let callbacks = secrets.callbacks();
        let mut raw = ptr::null_mut();
        // SAFETY: strings are copied; callbacks and what they point to are kept as long as the connection.
        let code = unsafe {
            sasl_client_new(
                service.as_ptr(),
                host.as_ptr(),
                pointer(local.as_ref()),
                pointer(remote.as_ref()),
                callbacks.as_ptr(),
                0,
                &raw mut raw,
            )
        };
        checked(code)?;
        let mut connection = Connection { raw };
        connection.demand(demands)?;
        Ok(Self { connection, is_done: false, _secrets: secrets, _callbacks: callbacks })
    }

    /// Chooses the best mechanism of a list of words; its name, and what is said first.
    pub fn start(&mut self, mechanisms: &str) -> Result<(String, Option<Vec<u8>>), Failure> {
        let list = text(mechanisms)?;
        let (mut out, mut out_length, mut chosen) = (ptr::null(), 0, ptr::null());
        // SAFETY: the list lives to the end of the call; no prompts are asked for because all callbacks answer.
        let code = unsafe {
            sasl_client_start(
                self.connection.raw,
                list.as_ptr(),
                ptr::null_mut(),
                &raw mut out,
                &raw mut out_length,
                &raw mut chosen,
            )
        };
        if code != OK && code != CONTINUE || chosen.is_null() {
            return Err(self.connection.failure(code));
        }
        self.is_done = code == OK;
        // SAFETY: not null, ended by NUL, copied.
        let chosen = unsafe { CStr::from_ptr(chosen) }.to_string_lossy().into_owned();
        // SAFETY: belongs to the connection, copied.
        Ok((chosen, unsafe { bytes(out, out_length) }))
    }

    /// Answers a challenge.
    pub fn step(&mut self, challenge: &[u8]) -> Step {
        let Ok(challenge) = Input::new(challenge) else { return Step::Failed(Failure::new(Failure::BAD_PARAMETER)) };
        let (data, length) = challenge.parts();
        let (mut out, mut out_length) = (ptr::null(), 0);
        // SAFETY: the input lives to the end of the call; the output belongs to the connection.
        let code = unsafe {
            sasl_client_step(self.connection.raw, data, length, ptr::null_mut(), &raw mut out, &raw mut out_length)
        };
        self.is_done = code == OK;
        self.connection.step(code, out, out_length)
    }

    /// Whether nothing more is wanted from the server: it has proved what the mechanism makes it prove.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Bits of the security layer that was agreed; 0 for none.
    pub fn layer_bits(&self) -> u32 {
        self.connection.number(SSF)
    }

    /// Bytes for the wire, through the security layer.
    pub fn encode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.connection.encode(data)
    }

    /// Bytes from the wire, through the security layer; incomplete blocks are kept inside.
    pub fn decode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.connection.decode(data)
    }
}

/// Who we are for a server.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The user to act for.
    pub user: &'a [u8],
    /// The user who authenticates.
    pub authenticates: &'a [u8],
    /// The password.
    pub password: &'a [u8],
    /// The realm; the server's first one when empty.
    pub realm: &'a [u8],
}

/// What the library asks for in a client session.
struct Secrets {
    user: CString,
    authenticates: CString,
    realm: Option<CString>,
    /// `sasl_secret_t`: a length, then the bytes.
    password: Vec<c_ulong>,
}

impl Secrets {
    fn new(identity: &Identity<'_>) -> Result<Self, Failure> {
        let string = |value: &[u8]| CString::new(value).map_err(|_| Failure::new(Failure::BAD_PARAMETER));
        let size = size_of::<c_ulong>();
        let mut password = vec![0; 2 + identity.password.len() / size];
        password[0] = c_ulong::try_from(identity.password.len()).unwrap_or(0);
        for (word, chunk) in password.iter_mut().skip(1).zip(identity.password.chunks(size)) {
            let mut bytes = [0; size_of::<c_ulong>()];
            bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            *word = c_ulong::from_ne_bytes(bytes);
        }
        Ok(Self {
            user: string(identity.user)?,
            authenticates: string(identity.authenticates)?,
            realm: if identity.realm.is_empty() { None } else { Some(string(identity.realm)?) },
            password,
        })
    }

    fn callbacks(&self) -> Box<[Callback]> {
        let context = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the library calls each with the signature that belongs to its number.
        let (simple, secret, realm) = unsafe {
            (
                mem::transmute::<GetSimple, Procedure>(give_name),
                mem::transmute::<GetSecret, Procedure>(give_secret),
                mem::transmute::<GetRealm, Procedure>(give_realm),
            )
        };
        let row = |id, procedure| Callback { id, procedure: Some(procedure), context };
        Box::new([
            row(CB_USER, simple),
            row(CB_AUTHNAME, simple),
            row(CB_PASS, secret),
            row(CB_GETREALM, realm),
            Callback { id: CB_LIST_END, procedure: None, context: ptr::null_mut() },
        ])
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.password.fill(0);
    }
}

unsafe extern "C" fn give_name(
    context: *mut c_void,
    id: c_int,
    result: *mut *const c_char,
    length: *mut c_uint,
) -> c_int {
    // SAFETY: the context is the `Secrets` that the connection keeps.
    let secrets = unsafe { &*context.cast::<Secrets>() };
    let name = if c_ulong::try_from(id) == Ok(CB_USER) { &secrets.user } else { &secrets.authenticates };
    // SAFETY: the library passes a place for the result; the length may be null.
    unsafe {
        *result = name.as_ptr();
        if !length.is_null() {
            *length = c_uint::try_from(name.as_bytes().len()).unwrap_or(0);
        }
    }
    OK
}

unsafe extern "C" fn give_secret(
    _connection: *mut RawConnection,
    context: *mut c_void,
    _id: c_int,
    result: *mut *const c_ulong,
) -> c_int {
    // SAFETY: as in `give_name`; the secret has the shape of `sasl_secret_t` and is kept by the connection.
    unsafe { *result = (*context.cast::<Secrets>()).password.as_ptr() };
    OK
}

unsafe extern "C" fn give_realm(
    context: *mut c_void,
    _id: c_int,
    available: *const *const c_char,
    result: *mut *const c_char,
) -> c_int {
    // SAFETY: as in `give_name`; the list of realms ends with a null pointer.
    unsafe {
        let mut next = available;
        let Some(wanted) = &(*context.cast::<Secrets>()).realm else {
            let first = if next.is_null() { ptr::null() } else { *next };
            *result = first;
            return if first.is_null() { Failure::FAIL } else { OK };
        };
        while !next.is_null() && !(*next).is_null() {
            if CStr::from_ptr(*next) == wanted.as_c_str() {
                *result = wanted.as_ptr();
                return OK;
            }
            next = next.add(1);
        }
    }
    Failure::FAIL
}

/// Starts the server side, once.
fn start_server(judge: &Judge) -> Result<(), Failure> {
    static STARTED: OnceLock<c_int> = OnceLock::new();
    let code = *STARTED.get_or_init(|| {
        let callbacks = prepare(judge);
        // SAFETY: callbacks and name live for ever; mutexes are set; called once.
        unsafe { sasl_server_init(callbacks, c"Sendmail".as_ptr()) }
    });
    checked(code)
}

/// Starts the client side, once.
fn start_client(judge: &Judge) -> Result<(), Failure> {
    static STARTED: OnceLock<c_int> = OnceLock::new();
    let code = *STARTED.get_or_init(|| {
        let callbacks = prepare(judge);
        // SAFETY: callbacks live for ever; mutexes are set; called once.
        unsafe { sasl_client_init(callbacks) }
    });
    checked(code)
}

/// Mutexes for the library, and callbacks for both sides.
fn prepare(judge: &Judge) -> *const Callback {
    static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    JUDGE.get_or_init(|| Arc::clone(judge));
    let made = CALLBACKS.get_or_init(|| {
        // SAFETY: set before anything else of the library is used; the functions keep to their contracts.
        unsafe { sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free) };
        // SAFETY: the library calls each with the signature that belongs to its number.
        let (log, verify, proxy) = unsafe {
            (
                mem::transmute::<Log, Procedure>(say_nothing),
                mem::transmute::<VerifyFile, Procedure>(verify_file),
                mem::transmute::<Proxy, Procedure>(proxy_policy),
            )
        };
        let judge = JUDGE.get().map_or(ptr::null_mut(), |j| ptr::from_ref(j).cast_mut().cast());
        let row = |id, procedure, context| Callback { id, procedure: Some(procedure), context };
        Callbacks([
            row(CB_LOG, log, ptr::null_mut()),
            row(CB_VERIFYFILE, verify, judge),
            row(CB_PROXY_POLICY, proxy, ptr::null_mut()),
            Callback { id: CB_LIST_END, procedure: None, context: ptr::null_mut() },
        ])
    });
    made.0.as_ptr()
}

/// What the library would write to the system log is in the answers too.
unsafe extern "C" fn say_nothing(_context: *mut c_void, _level: c_int, _text: *const c_char) -> c_int {
    OK
}

unsafe extern "C" fn verify_file(context: *mut c_void, file: *const c_char, kind: c_int) -> c_int {
    if context.is_null() || file.is_null() || !matches!(kind, VERIFY_PLUGIN | VERIFY_CONFIGURATION) {
        return OK;
    }
    // SAFETY: the context is the judge that lives for ever; the name ends with NUL.
    let (judge, name) = unsafe { (&*context.cast::<Judge>(), CStr::from_ptr(file)) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    if judge(path) { OK } else { CONTINUE }
}

/// Any user may act for any other here; rulesets decide what that means (`trust_auth`).
unsafe extern "C" fn proxy_policy(
    _connection: *mut RawConnection,
    _context: *mut c_void,
    _user: *const c_char,
    _user_length: c_uint,
    _authenticated: *const c_char,
    _authenticated_length: c_uint,
    _realm: *const c_char,
    _realm_length: c_uint,
    _properties: *mut c_void,
) -> c_int {
    OK
}

extern "C" fn mutex_new() -> *mut c_void {
    let mutex = Box::new(libc::PTHREAD_MUTEX_INITIALIZER);
    Box::into_raw(mutex).cast()
}

unsafe extern "C" fn mutex_lock(mutex: *mut c_void) -> c_int {
    // SAFETY: made by `mutex_new` and not yet freed.
    if unsafe { libc::pthread_mutex_lock(mutex.cast()) } == 0 { OK } else { Failure::FAIL }
}

unsafe extern "C" fn mutex_unlock(mutex: *mut c_void) -> c_int {
    // SAFETY: made by `mutex_new`, locked by this thread.
    if unsafe { libc::pthread_mutex_unlock(mutex.cast()) } == 0 { OK } else { Failure::FAIL }
}

unsafe extern "C" fn mutex_free(mutex: *mut c_void) {
    if !mutex.is_null() {
        // SAFETY: made by `mutex_new`, freed once.
        drop(unsafe { Box::from_raw(mutex.cast::<libc::pthread_mutex_t>()) });
    }
}

/// A response with the NUL behind it that some mechanisms rely on.
struct Input(Vec<u8>, c_uint);

impl Input {
    fn new(data: &[u8]) -> Result<Self, Failure> {
        Ok(Self([data, &[0]].concat(), length(data)?))
    }

    fn parts(&self) -> (*const c_char, c_uint) {
        (self.0.as_ptr().cast(), self.1)
    }
}

fn length(data: &[u8]) -> Result<c_uint, Failure> {
    c_uint::try_from(data.len()).map_err(|_| Failure::new(Failure::BAD_PARAMETER))
}

fn text(value: &str) -> Result<CString, Failure> {
    CString::new(value).map_err(|_| Failure::new(Failure::BAD_PARAMETER))
}

fn pointer(value: Option<&CString>) -> *const c_char {
    value.map_or(ptr::null(), |v| v.as_ptr())
}

fn checked(code: c_int) -> Result<(), Failure> {
    if code == OK { Ok(()) } else { Err(Failure::new(code)) }
}

/// What the library calls a number.
fn words(code: c_int) -> String {
    // The library keeps unknown numbers in one buffer for all threads.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: gives a string of the library's own, copied under the lock.
    let text = unsafe { sasl_errstring(code, ptr::null(), ptr::null_mut()) };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, ended by NUL.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A copy of the library's bytes; `None` for none.
///
/// # Safety
/// `data` is null or points to `length` bytes.
unsafe fn bytes(data: *const c_char, length: c_uint) -> Option<Vec<u8>> {
    let length = usize::try_from(length).ok()?;
    // SAFETY: the caller's promise.
    (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec())
}

#[repr(C)]
struct RawConnection {
    _opaque: [u8; 0],
}

/// `sasl_callback_t`.
#[repr(C)]
struct Callback {
    id: c_ulong,
    procedure: Option<Procedure>,
    context: *mut c_void,
}

// SAFETY: contexts are secrets that only their connection's thread reads.
unsafe impl Send for Callback {}

struct Callbacks([Callback; 4]);

// SAFETY: never changed; contexts are null or the judge, which lives for ever.
unsafe impl Sync for Callbacks {}
// SAFETY: as above.
unsafe impl Send for Callbacks {}

/// `sasl_security_properties_t`.
#[repr(C)]
struct Properties {
    min_ssf: c_uint,
    max_ssf: c_uint,
    max_buffer: c_uint,
    flags: c_uint,
    names: *const *const c_char,
    values: *const *const c_char,
}

type Procedure = unsafe extern "C" fn() -> c_int;
type Way = unsafe extern "C" fn(*mut RawConnection, *const c_char, c_uint, *mut *const c_char, *mut c_uint) -> c_int;
type Log = unsafe extern "C" fn(*mut c_void, c_int, *const c_char) -> c_int;
type VerifyFile = unsafe extern "C" fn(*mut c_void, *const c_char, c_int) -> c_int;
type GetSimple = unsafe extern "C" fn(*mut c_void, c_int, *mut *const c_char, *mut c_uint) -> c_int;
type GetSecret = unsafe extern "C" fn(*mut RawConnection, *mut c_void, c_int, *mut *const c_ulong) -> c_int;
type GetRealm = unsafe extern "C" fn(*mut c_void, c_int, *const *const c_char, *mut *const c_char) -> c_int;
type Proxy = unsafe extern "C" fn(
    *mut RawConnection,
    *mut c_void,
    *const c_char,
    c_uint,
    *const c_char,
    c_uint,
    *const c_char,
    c_uint,
    *mut c_void,
) -> c_int;

const OK: c_int = 0;
const CONTINUE: c_int = 1;
const USER_NAME: c_int = 0;
const SSF: c_int = 1;
const MAX_OUT: c_int = 2;
const MECH_NAME: c_int = 15;
const AUTH_USER: c_int = 16;
const SSF_EXTERNAL: c_int = 100;
const SEC_PROPS: c_int = 101;
const AUTH_EXTERNAL: c_int = 102;
const CB_LIST_END: c_ulong = 0;
const CB_LOG: c_ulong = 2;
const CB_VERIFYFILE: c_ulong = 4;
const CB_USER: c_ulong = 0x4001;
const CB_AUTHNAME: c_ulong = 0x4002;
const CB_PASS: c_ulong = 0x4004;
const CB_GETREALM: c_ulong = 0x4008;
const CB_PROXY_POLICY: c_ulong = 0x8001;
/// `SASL_VRFY_PLUGIN`.
const VERIFY_PLUGIN: c_int = 0;
/// `SASL_VRFY_CONF`.
const VERIFY_CONFIGURATION: c_int = 1;
/// Bounds of what goes into one block of a security layer, bytes.
const SMALLEST_BLOCK: usize = 512;
const LARGEST_BLOCK: usize = 64 * 1024;

#[link(name = "sasl2")]
unsafe extern "C" {
    fn sasl_set_mutex(
        new: extern "C" fn() -> *mut c_void,
        lock: unsafe extern "C" fn(*mut c_void) -> c_int,
        unlock: unsafe extern "C" fn(*mut c_void) -> c_int,
        free: unsafe extern "C" fn(*mut c_void),
    );
    fn sasl_server_init(callbacks: *const Callback, name: *const c_char) -> c_int;
    fn sasl_client_init(callbacks: *const Callback) -> c_int;
    fn sasl_server_new(
        service: *const c_char,
        host: *const c_char,
        realm: *const c_char,
        local: *const c_char,
        remote: *const c_char,
        callbacks: *const Callback,
        flags: c_uint,
        connection: *mut *mut RawConnection,
    ) -> c_int;
    fn sasl_client_new(
        service: *const c_char,
        host: *const c_char,
        local: *const c_char,
        remote: *const c_char,
        callbacks: *const Callback,
        flags: c_uint,
        connection: *mut *mut RawConnection,
    ) -> c_int;
    fn sasl_dispose(connection: *mut *mut RawConnection);
    fn sasl_listmech(
        connection: *mut RawConnection,
        user: *const c_char,
        prefix: *const c_char,
        separator: *const c_char,
        suffix: *const c_char,
        result: *mut *const c_char,
        length: *mut c_uint,
        count: *mut c_int,
    ) -> c_int;
    fn sasl_server_start(
        connection: *mut RawConnection,
        mechanism: *const c_char,
        data: *const c_char,
        length: c_uint,
        out: *mut *const c_char,
        out_length: *mut c_uint,
    ) -> c_int;
    fn sasl_server_step(
        connection: *mut RawConnection,
        data: *const c_char,
        length: c_uint,
        out: *mut *const c_char,
        out_length: *mut c_uint,
    ) -> c_int;
    fn sasl_client_start(
        connection: *mut RawConnection,
        mechanisms: *const c_char,
        prompts: *mut *mut c_void,
        out: *mut *const c_char,
        out_length: *mut c_uint,
        mechanism: *mut *const c_char,
    ) -> c_int;
    fn sasl_client_step(
        connection: *mut RawConnection,
        data: *const c_char,
        length: c_uint,
        prompts: *mut *mut c_void,
        out: *mut *const c_char,
        out_length: *mut c_uint,
    ) -> c_int;
    fn sasl_setprop(connection: *mut RawConnection, property: c_int, value: *const c_void) -> c_int;
    fn sasl_getprop(connection: *mut RawConnection, property: c_int, value: *mut *const c_void) -> c_int;
    fn sasl_errdetail(connection: *mut RawConnection) -> *const c_char;
    fn sasl_errstring(code: c_int, languages: *const c_char, language: *mut *const c_char) -> *const c_char;
    fn sasl_encode(
        connection: *mut RawConnection,
        data: *const c_char,
        length: c_uint,
        out: *mut *const c_char,
        out_length: *mut c_uint,
    ) -> c_int;
    fn sasl_decode(
        connection: *mut RawConnection,
        data: *const c_char,
        length: c_uint,
        out: *mut *const c_char,
        out_length: *mut c_uint,
    ) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> Judge {
        Arc::new(|_| true)
    }

    fn names() -> Names {
        Names { service: "smtp".into(), host: "mta.example.test".into(), ..Names::default() }
    }

    fn server() -> Server {
        let demands = Demands { max_bits: 256, max_block_bytes: 8192, ..Demands::default() };
        Server::new(&names(), demands, Some("/O=Test/CN=client"), &any()).unwrap()
    }

    #[test]
    fn external_takes_the_name_it_was_given() {
        let mut server = server();
        assert!(server.mechanisms().unwrap().iter().any(|m| m == "EXTERNAL"));
        assert!(matches!(server.start("EXTERNAL", Some(b"")), Step::Done(_)));
        assert_eq!(server.user().as_deref(), Some(&b"/O=Test/CN=client"[..]));
        assert_eq!((server.mechanism().as_deref(), server.layer_bits()), (Some(&b"EXTERNAL"[..]), 0));
    }

    #[test]
    fn unknown_mechanisms_fail_with_the_library_s_words() {
        let Step::Failed(failure) = server().start("BOGUS", None) else { panic!("must fail") };
        assert_eq!(failure.code, Failure::NO_MECHANISM);
        assert!(!failure.words.is_empty() && !failure.is_temporary());
    }

    #[test]
    fn a_name_is_known_although_the_password_is_wrong() {
        let mut server = server();
        if !server.mechanisms().unwrap().iter().any(|m| m == "PLAIN") {
            return;
        }
        assert!(matches!(server.start("PLAIN", Some(b"\0nobody-here\0wrong")), Step::Failed(_)));
    }

    #[test]
    fn a_client_says_who_it_is() {
        let who = Identity { user: b"u", authenticates: b"i", password: b"pass word", realm: b"" };
        let Ok(mut client) = Client::new(&names(), Demands::default(), &who, &any()) else { panic!("no library") };
        // Plugins are separate packages; without PLAIN there is nothing to choose.
        let Ok((mechanism, first)) = client.start("PLAIN") else { return };
        assert_eq!((mechanism.as_str(), first.as_deref()), ("PLAIN", Some(&b"u\0i\0pass word"[..])));
    }

    #[test]
    fn a_client_is_done_when_the_server_has_nothing_left_to_prove() {
        const DIGEST: &str = "realm=\"b.test\",nonce=\"abc\",qop=\"auth,auth-conf\",algorithm=md5-sess,charset=utf-8";
        let cases: &[(&str, &[&str], &[bool])] = &[
            ("PLAIN", &[], &[true]),
            ("LOGIN", &["User Name", "Password"], &[false, false, true]),
            ("CRAM-MD5", &["<1@b.test>"], &[false, true]),
            ("DIGEST-MD5", &[DIGEST, ""], &[false, false, false]),
            ("DIGEST-MD5", &[DIGEST, "rspauth=00000000000000000000000000000000"], &[false, false, false]),
            ("SCRAM-SHA-256", &[], &[false]),
        ];
        for (mechanism, challenges, done) in cases {
            let who = Identity { user: b"u", authenticates: b"u", password: b"secret", realm: b"" };
            let demands = Demands { max_bits: 256, max_block_bytes: 8192, ..Demands::default() };
            let Ok(mut client) = Client::new(&names(), demands, &who, &any()) else { panic!("no library") };
            if client.start(mechanism).is_err() {
                println!("LEFT OUT: no plugin for {mechanism} (Debian: apt-get install libsasl2-modules)");
                continue;
            }
            let mut seen = vec![client.is_done()];
            for challenge in *challenges {
                client.step(challenge.as_bytes());
                seen.push(client.is_done());
            }
            assert_eq!(seen, *done, "{mechanism}");
        }
    }

    #[test]
    fn configuration_and_plugins_are_judged() {
        let judge: Judge = Arc::new(|path| path.ends_with("good"));
        let asked = |name: &CStr, kind| {
            let context = ptr::from_ref(&judge).cast_mut().cast();
            // SAFETY: the judge and the name live to the end of the call.
            unsafe { verify_file(context, name.as_ptr(), kind) }
        };
        for kind in [VERIFY_PLUGIN, VERIFY_CONFIGURATION] {
            assert_eq!((asked(c"/good", kind), asked(c"/bad", kind)), (OK, CONTINUE));
        }
        // Files of the plugins' own are theirs to judge.
        assert_eq!(asked(c"/bad", 2), OK);
    }

    #[test]
    fn values_with_a_nul_are_refused() {
        let who = Identity { user: b"a\0b", authenticates: b"i", password: b"", realm: b"" };
        assert!(Client::new(&names(), Demands::default(), &who, &any()).is_err());
        assert!(matches!(server().start("PL\0AIN", None), Step::Failed(_)));
    }
}
