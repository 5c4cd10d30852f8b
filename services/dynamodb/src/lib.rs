//! Amazon DynamoDB: tables, items and the expressions over them.
//!
//! Knows tables with their indexes, items, DynamoDB's numbers and its expression language.
//! Must not know any other service, HTTP, the clock, or how a row reaches the disk: time, ids and rows come with the
//! transaction, and what has to happen later (expiry of items, filling of an index, removal of a table's rows) is a task.
//!
//! Two invariants, written as absences: no item is ever read whose index entries are of another commit, and no
//! conditional write commits on an item that changed after its condition was judged.

pub mod border;
pub mod expression;
pub mod number;
pub mod stored;
pub mod value;
