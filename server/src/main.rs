//! `buswork`: see `buswork --help`.

use std::process::ExitCode;

use clap::Parser;

/// Measured against the system's: a sixth less CPU for a request, most of whose allocations another thread frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // A function's process begins here, many times a second perhaps: before anything else is set up.
    if arguments.next().is_some_and(|command| command == server::assemble::SANDBOX_COMMAND) {
        return lambda::runtime::sandbox::main(arguments);
    }
    server::cli::Cli::parse().run()
}
