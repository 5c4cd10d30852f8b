//! One contract for every engine: each case runs on a fresh store of each of them.

#[cfg(test)]
mod suite;

use store::EngineName;
use suite::check;

#[test]
fn memory() {
    check(EngineName::Memory);
}

#[test]
fn fjall() {
    check(EngineName::Fjall);
}

#[test]
fn redb() {
    check(EngineName::Redb);
}

#[test]
fn postgres() {
    check(EngineName::Postgres);
}
