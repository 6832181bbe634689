//! mail-local, installed as mail.local.

fn main() -> std::process::ExitCode {
    sendmail::cmd::mail_local::main()
}
