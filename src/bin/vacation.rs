//! vacation.

fn main() -> std::process::ExitCode {
    sendmail::cmd::vacation::main()
}
