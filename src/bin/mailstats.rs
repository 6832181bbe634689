//! mailstats.

fn main() -> std::process::ExitCode {
    sendmail::cmd::mailstats::main()
}
