//! Calls into OpenSSL that the `openssl` crate does not offer.
//!
//! Each function takes the crate's own types, so that nothing outside this file sees a pointer.
#![allow(unsafe_code, reason = "foreign interface")]

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ssl::{SslContext, SslContextBuilder, SslRef, SslSession};
use openssl::x509::store::X509StoreBuilderRef;
use openssl::x509::{X509, X509Crl, X509NameRef};
use openssl_sys as ffi;

unsafe extern "C" {
    fn SSL_set_options(ssl: *mut ffi::SSL, options: u64) -> u64;
    fn X509_NAME_oneline(name: *const ffi::X509_NAME, buffer: *mut c_char, size: c_int) -> *mut c_char;
    fn SSL_CTX_dane_enable(context: *mut ffi::SSL_CTX) -> c_int;
    fn SSL_dane_enable(ssl: *mut ffi::SSL, domain: *const c_char) -> c_int;
    fn SSL_dane_set_flags(ssl: *mut ffi::SSL, flags: c_ulong) -> c_ulong;
    fn SSL_dane_tlsa_add(
        ssl: *mut ffi::SSL,
        usage: u8,
        selector: u8,
        matching: u8,
        data: *const c_uchar,
        length: usize,
    ) -> c_int;
    fn SSL_get0_dane_authority(
        ssl: *mut ffi::SSL,
        certificate: *mut *mut ffi::X509,
        key: *mut *mut ffi::EVP_PKEY,
    ) -> c_int;
    fn SSL_add1_host(ssl: *mut ffi::SSL, host: *const c_char) -> c_int;
    fn X509_STORE_add_crl(store: *mut ffi::X509_STORE, crl: *mut ffi::X509_CRL) -> c_int;
}

/// `SSL_CTRL_CHAIN_CERT` of ssl.h.
const CTRL_CHAIN_CERT: c_int = 89;
/// `SSL_CTRL_BUILD_CERT_CHAIN` of ssl.h.
const CTRL_BUILD_CERT_CHAIN: c_int = 105;
/// `SSL_CTRL_SET_DH_AUTO` of ssl.h.
const CTRL_SET_DH_AUTO: c_int = 118;
/// `DANE_FLAG_NO_DANE_EE_NAMECHECKS` of ssl.h.
const NO_EE_NAME_CHECKS: c_ulong = 1;
const NO_ARGUMENT: *mut c_void = ptr::null_mut();

unsafe extern "C" {
    fn SSL_CTX_set_timeout(context: *mut ffi::SSL_CTX, seconds: c_long) -> c_long;
}

/// Adds `SSL_OP_…` bits to one connection; those already set stay.
pub fn set_session_options(ssl: &mut SslRef, options: u64) {
    // SAFETY: the pointer is valid as long as `ssl` is borrowed; the call only sets bits in the object.
    unsafe { SSL_set_options(ssl.as_ptr(), options) };
}

/// Makes the connections of a context able to use TLSA records.
pub fn allow_dane(context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    // SAFETY: the pointer is valid while borrowed.
    if unsafe { SSL_CTX_dane_enable(context.as_ptr()) } > 0 { Ok(()) } else { Err(ErrorStack::get()) }
}

/// Verifies one connection by TLSA records of this host. Certificates that usage 3 names need not carry its name (RFC 7672
/// §3.1.1).
pub fn enable_dane(ssl: &mut SslRef, domain: &str) -> Result<(), ErrorStack> {
    let Ok(domain) = CString::new(domain) else { return Err(ErrorStack::get()) };
    // SAFETY: both pointers are valid during the calls; the library copies the name.
    unsafe {
        if SSL_dane_enable(ssl.as_ptr(), domain.as_ptr()) <= 0 {
            return Err(ErrorStack::get());
        }
        SSL_dane_set_flags(ssl.as_ptr(), NO_EE_NAME_CHECKS);
    }
    Ok(())
}

/// One more name that the certificate may have.
pub fn add_host(ssl: &mut SslRef, name: &str) -> Result<(), ErrorStack> {
    let Ok(name) = CString::new(name) else { return Err(ErrorStack::get()) };
    // SAFETY: both pointers are valid during the call; the library copies the name.
    if unsafe { SSL_add1_host(ssl.as_ptr(), name.as_ptr()) } == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}

/// Adds a TLSA record; `false` when the library has no use for it.
pub fn add_tlsa(ssl: &mut SslRef, usage: u8, selector: u8, matching: u8, data: &[u8]) -> Result<bool, ErrorStack> {
    // SAFETY: the pointers are valid during the call, `data` for its length; the library copies it.
    let added = unsafe { SSL_dane_tlsa_add(ssl.as_ptr(), usage, selector, matching, data.as_ptr(), data.len()) };
    if added < 0 { Err(ErrorStack::get()) } else { Ok(added == 1) }
}

/// Whether a TLSA record matched the chain that the peer showed.
pub fn has_dane_match(ssl: &SslRef) -> bool {
    // SAFETY: the pointer is valid while borrowed; null pointers say that certificate and key are not wanted.
    unsafe { SSL_get0_dane_authority(ssl.as_ptr(), ptr::null_mut(), ptr::null_mut()) >= 0 }
}

/// A name in one line: `/C=DE/O=Example/CN=host`, bytes outside of printable ASCII as `\xHH`.
pub fn one_line(name: &X509NameRef) -> Result<String, ErrorStack> {
    // SAFETY: with a null buffer the library allocates the text; it is copied and freed below.
    let text = unsafe { X509_NAME_oneline(name.as_ptr(), ptr::null_mut(), 0) };
    if text.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: not null, ended by a NUL by the library, owned by us until freed.
    let copy = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: allocated by the library's own allocator in the call above, freed once.
    unsafe { ffi::OPENSSL_free(text.cast()) };
    Ok(copy)
}

/// Adds a revocation list to a store.
pub fn add_crl(store: &mut X509StoreBuilderRef, list: &X509Crl) -> Result<(), ErrorStack> {
    // SAFETY: both pointers are valid while borrowed; the store takes its own reference to the list.
    let added = unsafe { X509_STORE_add_crl(store.as_ptr(), list.as_ptr()) };
    if added == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}

/// Looks for the issuers of the certificate that was set last, once instead of in each handshake. When they are not all there it
/// stays as it was.
pub fn complete_chain(context: &mut SslContextBuilder) {
    // SAFETY: the pointer is valid while borrowed; the call takes no argument but flags, none here.
    let built = unsafe { ffi::SSL_CTX_ctrl(context.as_ptr(), CTRL_BUILD_CERT_CHAIN, 0, NO_ARGUMENT) };
    if built != 1 {
        // What the library says of it must not be taken for the reason of a later failure.
        drop(ErrorStack::get());
    }
}

/// Adds an intermediate certificate to the chain of the certificate that was set last.
pub fn add_chain_certificate(context: &mut SslContextBuilder, certificate: &X509) -> Result<(), ErrorStack> {
    // SAFETY: both pointers are valid while borrowed; argument 1 asks the library to take its own reference.
    let added = unsafe { ffi::SSL_CTX_ctrl(context.as_ptr(), CTRL_CHAIN_CERT, 1, certificate.as_ptr().cast()) };
    if added == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}

/// Lets the library choose Diffie-Hellman parameters that fit the key of the certificate.
pub fn set_automatic_dh(context: &mut SslContextBuilder) {
    // SAFETY: the pointer is valid while borrowed; the control takes a flag and no pointer.
    unsafe { ffi::SSL_CTX_ctrl(context.as_ptr(), CTRL_SET_DH_AUTO, 1, NO_ARGUMENT) };
}

/// For how long sessions of this context may be resumed.
pub fn set_session_timeout(context: &mut SslContextBuilder, seconds: u32) {
    // SAFETY: the pointer is valid while borrowed.
    unsafe { SSL_CTX_set_timeout(context.as_ptr(), c_long::from(seconds)) };
}

/// Offers an earlier session of the same context for resumption; without effect when the library refuses it.
pub fn resume(ssl: &mut SslRef, context: &SslContext, session: &SslSession) {
    // Sessions belong to contexts with the same settings; ours come from this one alone.
    if !ptr::eq(ssl.ssl_context().as_ptr(), context.as_ptr()) {
        return;
    }
    // SAFETY: the session was made by the context of `ssl` (checked above), as the crate demands.
    let _ = unsafe { ssl.set_session(session) };
}
