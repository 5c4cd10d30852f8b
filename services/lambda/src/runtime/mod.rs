//! The function supervisor: runs functions as plain processes that speak the Lambda Runtime API. No container, no image.
//!
//! Knows processes, their loopback Runtime API, code packages on disk, and AWS's words for what goes wrong. Must not know
//! the store, the kernel, operations, versions, permissions or queues: it is given a [`FunctionSpec`] and an
//! [`Invocation`] and answers with an [`Invoked`]. Nothing that it holds must survive a restart.
//!
//! One process serves one invocation at a time and is kept warm; a burst starts several, and a waiting invocation takes
//! whichever comes first, a process that became free or a new one. Every process has a Runtime API listener of its own.
//!
//! Isolation is layered, and each layer is reported by [`Isolation::probe`]: an own process group, with a watch over what leaves it; a stripped environment; limits
//! on open files, file sizes and core dumps; Landlock (code read-only, writes only to the process's own scratch directory and
//! `/tmp`, no signals to processes outside); death with the server. The limits, Landlock and the death signal are put on by a
//! launcher ([`sandbox::main`]) that restricts itself and then becomes the function. Memory is watched, not limited by an
//! rlimit: `RLIMIT_AS` and `RLIMIT_DATA` count address space that V8 and thread stacks reserve and never touch. The watch
//! looks every 50 ms at the resident size of the process and its descendants, so that a sudden peak may overshoot.
//!
//! The launcher also lays the layers of a function over `/opt` where the machine allows it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

mod api;
mod code;
mod descendants;
mod environment;
mod failure;
mod interpreter;
mod invoke;
mod logs;
mod memory;
mod platform;
mod pool;
mod process;
pub mod sandbox;
mod spec;
mod start;
mod supervisor;
mod timer;
mod unpack;
mod view;

pub use sandbox::Isolation;
pub use spec::{
    Archive, Code, Credentials, ErrorKind, FunctionSpec, Invocation, InvokeError, Invoked, Layer, LogSink,
    Logging, PackageFetch, PackageFuture, Unlogged,
};
pub use supervisor::{Launcher, Supervisor, SupervisorConfig, Trusted};
pub(crate) use timer::background;
pub use unpack::{UnpackError, unpacked_size};
