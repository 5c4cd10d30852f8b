//! Resource-based policies: statements as AWS writes them for `AddPermission`.

use base::Fault;
use kernel::{Result, Tx};
use serde_json::{Value, json};

use crate::api::{AddPermissionInput, SERVICE};
use crate::fault;
use crate::function;
use crate::keys::{Policy, PolicyKey, Statement};
use crate::name::FunctionRef;

/// The largest policy, in bytes.
const BYTES_MAX: usize = 20_480;

/// Actions that are no operations, or are called otherwise.
///
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>
const ACTIONS: [&str; 4] = ["InvokeFunction", "InvokeFunctionUrl", "EnableReplication", "DisableReplication"];

/// What the names of services end with.
const SERVICES: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"];

/// The statement that the input asks for.
pub(crate) fn statement(input: &AddPermissionInput, resource: &str) -> Result<Statement, Fault> {
    if !is_known(&input.action) {
        return Err(fault::invalid(
            "The provided action was invalid. Please check the action and try again.",
        ));
    }
    let mut statement = json!({
        "Sid": input.statement_id,
        "Effect": "Allow",
        "Principal": principal(&input.principal)?,
        "Action": input.action,
        "Resource": resource,
    });
    let condition = condition(input);
    if condition.as_object().is_some_and(|map| !map.is_empty()) {
        statement["Condition"] = condition;
    }
    Ok(Statement { sid: input.statement_id.clone(), json: statement.to_string() })
}

/// Whether IAM knows the action: `*`, `lambda:*`, an operation by its name, or one of those with names of their own.
fn is_known(action: &str) -> bool {
    let Some(name) = action.strip_prefix("lambda:") else { return action == "*" };
    let invokes = ["Invoke", "InvokeWithResponseStream"].contains(&name);
    name == "*" || ACTIONS.contains(&name) || (!invokes && SERVICE.knows(name))
}

/// An account, an ARN, everybody or a service.
fn principal(text: &str) -> Result<Value, Fault> {
    let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let is_service =
        SERVICES.iter().any(|suffix| text.strip_suffix(suffix).is_some_and(|name| !name.is_empty()));
    match text {
        "*" => Ok("*".into()),
        _ if is_account => Ok(json!({ "AWS": format!("arn:aws:iam::{text}:root") })),
        _ if text.starts_with("arn:") => Ok(json!({ "AWS": text })),
        _ if is_service => Ok(json!({ "Service": text })),
        _ => Err(fault::invalid(
            "The provided principal was invalid. Please check the principal and try again.",
        )),
    }
}

fn condition(input: &AddPermissionInput) -> Value {
    let mut condition = json!({});
    let mut add = |operator: &str, key: &str, value: Value| condition[operator][key] = value;
    if let Some(account) = &input.source_account {
        add("StringEquals", "AWS:SourceAccount", account.clone().into());
    }
    if let Some(arn) = &input.source_arn {
        add("ArnLike", "AWS:SourceArn", arn.clone().into());
    }
    if let Some(token) = &input.event_source_token {
        add("StringEquals", "lambda:EventSourceToken", token.clone().into());
    }
    if let Some(organisation) = &input.principal_org_id {
        add("StringEquals", "aws:PrincipalOrgID", organisation.clone().into());
    }
    if let Some(auth) = input.function_url_auth_type {
        add("StringEquals", "lambda:FunctionUrlAuthType", auth.as_str().into());
    }
    if let Some(invoked) = input.invoked_via_function_url {
        add("Bool", "lambda:InvokedViaFunctionUrl", invoked.to_string().into());
    }
    condition
}

impl Policy {
    /// The whole policy as JSON text.
    pub(crate) fn text(&self) -> String {
        let parse = |statement: &Statement| serde_json::from_str(&statement.json).unwrap_or(Value::Null);
        let statements: Vec<Value> = self.statements.iter().map(parse).collect();
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
    }

    /// Adds a statement with a name of its own.
    pub(crate) fn add(&mut self, statement: Statement) -> Result<(), Fault> {
        if self.statements.iter().any(|present| present.sid == statement.sid) {
            let message = format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing statement.",
                statement.sid
            );
            return Err(fault::conflict(message));
        }
        self.statements.push(statement);
        if self.text().len() > BYTES_MAX {
            let message = format!("The final policy size is bigger than the limit ({BYTES_MAX}).");
            return Err(crate::api::error::policy_length_exceeded_exception(message));
        }
        Ok(())
    }
}

/// The row of the policy of what the caller names, which exists.
pub(crate) async fn key(tx: &mut Tx, wanted: &FunctionRef) -> Result<PolicyKey> {
    function::find(tx, wanted, 0).await?;
    let qualifier = wanted.qualifier.clone().unwrap_or_default();
    Ok(PolicyKey { name: wanted.name.clone(), qualifier })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_and_actions_are_known() {
        let ask = |action: &str, principal: &str| {
            let (action, principal) = (action.to_owned(), principal.to_owned());
            let input = AddPermissionInput { action, principal, ..AddPermissionInput::default() };
            statement(&input, "arn:f").map_err(|fault| fault.message)
        };
        for principal in [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:role/r",
            "s3.amazonaws.com",
            "alexa-appkit.amazon.com",
        ] {
            assert!(ask("lambda:InvokeFunction", principal).is_ok(), "{principal}");
        }
        for principal in ["nonsense", "12345", ".amazonaws.com", "events"] {
            let message = ask("lambda:InvokeFunction", principal).unwrap_err();
            assert!(message.starts_with("The provided principal was invalid."), "{message}");
        }
        for action in [
            "*",
            "lambda:*",
            "lambda:InvokeFunctionUrl",
            "lambda:GetFunction",
            "lambda:PutProvisionedConcurrencyConfig",
        ] {
            assert!(ask(action, "*").is_ok(), "{action}");
        }
        for action in ["lambda:Dance", "lambda:Invoke", "sqs:SendMessage"] {
            let message = ask(action, "*").unwrap_err();
            assert!(message.starts_with("The provided action was invalid."), "{message}");
        }
    }

    #[test]
    fn a_statement_reads_as_aws_writes_it() {
        let input = AddPermissionInput {
            statement_id: "s1".into(),
            action: "lambda:InvokeFunction".into(),
            principal: "events.amazonaws.com".into(),
            source_arn: Some("arn:aws:events:r:1:rule/x".into()),
            ..AddPermissionInput::default()
        };
        let statement = statement(&input, "arn:f").unwrap();
        assert_eq!(
            statement.json,
            r#"{"Sid":"s1","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:r:1:rule/x"}}}"#
        );
        let mut policy = Policy { statements: vec![], revision_id: uuid::Uuid::nil() };
        policy.add(statement.clone()).unwrap();
        assert!(
            policy
                .add(statement)
                .unwrap_err()
                .message
                .starts_with("The statement id (s1) provided already exists")
        );
        assert!(
            policy.text().starts_with(r#"{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s1""#)
        );
    }
}
