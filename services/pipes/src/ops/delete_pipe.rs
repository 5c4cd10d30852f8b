use kernel::{Result, Tx};

use crate::api::{DeletePipeInput, DeletePipeOutput, PipeState, RequestedPipeStateDescribeResponse};
use crate::keys::Pipe;
use crate::pipe;

/// Removes a pipe; it is `DELETING` for a moment. A batch that is on its way goes on to its end.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_DeletePipe.html>
pub(crate) async fn delete_pipe(tx: &mut Tx, input: DeletePipeInput) -> Result<DeletePipeOutput> {
    let (key, before) = pipe::find_settled(tx, &input.name).await?;
    let deleting = Pipe { state: PipeState::Deleting, modified_at: tx.now(), ..before };
    pipe::set_out(tx, &key, &deleting)?;
    Ok(DeletePipeOutput {
        arn: Some(pipe::arn(tx.scope(), &key.name)),
        name: Some(key.name),
        desired_state: Some(RequestedPipeStateDescribeResponse::Deleted),
        current_state: Some(deleting.state),
        creation_time: Some(deleting.created_at),
        last_modified_time: Some(deleting.modified_at),
    })
}
