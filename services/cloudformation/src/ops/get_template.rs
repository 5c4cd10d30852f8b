//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html>

use base::Fault;
use kernel::{Error, Result, Tx};

use crate::api::{GetTemplateInput, GetTemplateOutput, TemplateStage};
use crate::keys::TemplateKey;
use crate::stack::{self, invalid};

/// The text of the deployed template. Without transforms, both stages are the same.
pub(crate) async fn get_template(tx: &mut Tx, input: GetTemplateInput) -> Result<GetTemplateOutput> {
    if input.change_set_name.is_some() {
        return Err(Fault::not_implemented("cloudformation", "GetTemplate of a change set").into());
    }
    let name = input
        .stack_name
        .ok_or_else(|| invalid("StackName is required if ChangeSetName is not specified."))?;
    let stack = stack::find(tx, &name).await?;
    let key = TemplateKey { stack: stack.id, version: stack.deployed.template };
    let text = tx.get(&key).await?.ok_or_else(|| Error::bug("read a stack's template: there is none"))?;
    Ok(GetTemplateOutput {
        template_body: Some(text),
        stages_available: Some(vec![TemplateStage::Original, TemplateStage::Processed]),
    })
}
