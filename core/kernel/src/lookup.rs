//! What a transaction may know of other services: the schemas of their operations, for those who make documents for them.

use base::schema::OperationSchema;

use crate::tx::Tx;

impl Tx {
    /// The schema of an operation that clients may call, by its service's signing name.
    pub fn operation_schema(&self, service: &str, operation: &str) -> Option<&'static OperationSchema> {
        self.inner.services.get(service)?.operations.get(operation)?.schema
    }
}
