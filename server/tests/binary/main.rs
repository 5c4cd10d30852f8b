//! The binary as operators meet it: started as a process, asked over HTTP, and broken as disks and people break things.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod server;
#[cfg(test)]
mod telling;
#[cfg(test)]
mod tls;
