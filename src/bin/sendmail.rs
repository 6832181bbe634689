//! sendmail.

use std::process::ExitCode;

use sendmail::cmd;
use sendmail::sys::allocator::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    if let Some(code) = cmd::role::run_if_asked() {
        return code;
    }
    cmd::sendmail::main(None)
}
