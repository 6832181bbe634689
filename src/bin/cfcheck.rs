//! cfcheck.

fn main() -> std::process::ExitCode {
    sendmail::cmd::cfcheck::main()
}
