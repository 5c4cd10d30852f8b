//! What a transaction may know of other services: their schemas, for those who make documents for them.

use base::schema::ServiceSchema;

use crate::tx::Tx;

impl Tx {
    /// The schema of a service that is registered with one, by its signing name.
    pub fn schema(&self, service: &str) -> Option<&'static ServiceSchema> {
        self.inner.services.get(service)?.schema
    }
}
