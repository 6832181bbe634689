//! mtail.

fn main() -> std::process::ExitCode {
    sendmail::cmd::mtail::main()
}
