//! `buswork`: see `buswork --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // A function's process begins here, many times a second perhaps: before anything else is set up.
    if arguments.next().is_some_and(|command| command == server::assemble::SANDBOX_COMMAND) {
        return lambda::runtime::sandbox::main(arguments);
    }
    server::cli::Cli::parse().run()
}
