use base::Fault;
use kernel::{Result, Tx};

use crate::api::{RevokeResourceInput, RevokeResourceOutput};
use crate::arn::{self, Named};
use crate::bus::{self, id_of};
use crate::keys::{Source, Subscriber};
use crate::{fault, source, subscriber};

/// Withdraws a subscriber or an event source from its bus, for good: it delivers nothing any more and can only be deleted.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_RevokeResource.html>
pub(crate) async fn revoke_resource(tx: &mut Tx, input: RevokeResourceInput) -> Result<RevokeResourceOutput> {
    match arn::parse(tx, &input.arn)? {
        Named::Bus { .. } => Err(not_revocable(&input.arn).into()),
        Named::Subscriber { .. } => {
            let (key, found) = subscriber::find(tx, &input.arn).await?;
            if !found.revoked {
                let revoked = Subscriber { revoked: true, modified_at: tx.now(), ..found };
                bus::attach(tx, id_of(&revoked.bus_arn), -1, 0).await?;
                tx.put(&key, &revoked)?;
            }
            Ok(RevokeResourceOutput { arn: Some(input.arn) })
        }
        Named::Source { .. } => {
            let (key, found) = source::find(tx, &input.arn).await?;
            if !found.revoked {
                let revoked = Source { revoked: true, modified_at: tx.now(), ..found };
                bus::attach(tx, id_of(&revoked.bus_arn), 0, -1).await?;
                source::unfeed(tx, &key.name)?;
                tx.put(&key, &revoked)?;
            }
            Ok(RevokeResourceOutput { arn: Some(input.arn) })
        }
    }
}

fn not_revocable(arn: &str) -> Fault {
    fault::invalid(format!("{arn} is neither a subscriber nor an event source."))
}
