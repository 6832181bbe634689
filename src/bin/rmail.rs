//! rmail, for mail that comes by UUCP.

fn main() -> std::process::ExitCode {
    sendmail::cmd::rmail::main()
}
