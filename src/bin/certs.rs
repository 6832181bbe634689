//! certs.

fn main() -> std::process::ExitCode {
    sendmail::cmd::certs::main()
}
