//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html>

use kernel::{Error, Result, Tx};

use crate::api::{GetTemplateInput, GetTemplateOutput, StackStatus, TemplateStage};
use crate::change_set;
use crate::keys::{OriginalKey, TemplateKey};
use crate::stack::{self, Stack, invalid};

/// The text of the deployed template, or of a change set's: before its transforms, unless what they made is asked for.
pub(crate) async fn get_template(tx: &mut Tx, input: GetTemplateInput) -> Result<GetTemplateOutput> {
    let processed = input.template_stage == Some(TemplateStage::Processed);
    let text = match (&input.change_set_name, &input.stack_name) {
        (Some(name), stack) => {
            let (stack, found) = change_set::find(tx, name, stack.as_deref()).await?;
            let original = found.original.filter(|_| !processed);
            match original.or(found.text) {
                Some(text) => text,
                None => stage(tx, &stack, processed).await?,
            }
        }
        (None, Some(name)) => {
            let stack = stack::find(tx, name).await?;
            stage(tx, &stack, processed).await?
        }
        (None, None) => {
            return Err(invalid("StackName is required if ChangeSetName is not specified.").into());
        }
    };
    Ok(GetTemplateOutput {
        template_body: Some(text),
        stages_available: Some(vec![TemplateStage::Original, TemplateStage::Processed]),
    })
}

async fn stage(tx: &mut Tx, stack: &Stack, processed: bool) -> Result<String> {
    if processed { text(tx, stack).await } else { original(tx, stack).await }
}

/// The text of the deployed template as its author wrote it.
pub(super) async fn original(tx: &mut Tx, stack: &Stack) -> Result<String> {
    let key = OriginalKey { stack: stack.id.clone(), version: stack.deployed.template };
    match tx.get(&key).await? {
        Some(original) => Ok(original),
        None => text(tx, stack).await,
    }
}

/// The text of the deployed template, its transforms done. A stack that only has change sets so far has the empty one.
pub(super) async fn text(tx: &mut Tx, stack: &Stack) -> Result<String> {
    if stack.status == StackStatus::ReviewInProgress {
        return Ok("{}".to_owned());
    }
    let key = TemplateKey { stack: stack.id.clone(), version: stack.deployed.template };
    tx.get(&key).await?.ok_or_else(|| Error::bug("read a stack's template: there is none"))
}
