//! `buswork redeliver`

use anyhow::{Context, bail};
use serde_json::{Value, json};
use uuid::Uuid;

use super::search::moment;
use crate::cli::{RedeliverArgs, say};
use crate::client::{Client, block_on};

/// The longest that a dead letter stays hidden from others while its event is sent again, in seconds.
const HIDDEN_SECONDS: u32 = 30;

/// Sends one event, one dead letter, or everything since a time once more.
///
/// # Errors
/// There is no such event or dead letter, no rule matches it now, or no server answers.
pub fn redeliver(args: &RedeliverArgs) -> anyhow::Result<()> {
    block_on(async {
        let client = Client::new(&args.endpoint)?;
        match (&args.id, &args.from, &args.dead_letter) {
            (Some(id), None, None) if Uuid::parse_str(id.trim()).is_err() => bail!(
                "no event that is kept has the id {id}: the ids of events are like 01890a5d-ac96-774b-bcce-b302099a8057, and \
                 `buswork events search` finds events by their text"
            ),
            (Some(id), None, None) => events(&client, args, json!({ "EventId": id.trim() })).await,
            (None, Some(from), None) => {
                events(&client, args, json!({ "FromTime": moment(from)?.as_millis() })).await
            }
            (None, None, Some(queue)) => dead_letter(&client, args, queue).await,
            _ => bail!("name one of: the id of an event, --from with --bus, --dead-letter with a queue"),
        }
    })
}

async fn events(client: &Client, args: &RedeliverArgs, mut input: Value) -> anyhow::Result<()> {
    let given = [("EventBusName", &args.bus), ("RuleName", &args.rule), ("TargetArn", &args.target)];
    for (name, value) in given {
        if let Some(value) = value {
            input[name] = value.as_str().into();
        }
    }
    let sent = client.ask("events", events::REDELIVER, &input).await?;
    print(&sent);
    Ok(())
}

/// The letter is removed once its event is on its way again, and becomes visible at once if that fails.
async fn dead_letter(client: &Client, args: &RedeliverArgs, queue: &str) -> anyhow::Result<()> {
    let url = client.call("sqs", "GetQueueUrl", &json!({ "QueueName": queue })).await?;
    let url = url["QueueUrl"].clone();
    let receive = json!({
        "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": HIDDEN_SECONDS,
        "MessageAttributeNames": ["All"],
    });
    let received = client.call("sqs", "ReceiveMessage", &receive).await?;
    let letters = received["Messages"].as_array().cloned().unwrap_or_default();
    let wanted = |letter: &&Value| args.message.as_ref().is_none_or(|id| letter["MessageId"] == id.as_str());
    let chosen = letters.iter().find(wanted).cloned();
    for letter in letters.iter().filter(|letter| chosen.as_ref() != Some(letter)) {
        show_again(client, &url, letter).await?;
    }
    let Some(letter) = chosen else {
        bail!(
            "{queue} has no such letter among the ten that it gave; others may be hidden by who received them"
        );
    };
    match send_again(client, &letter).await {
        Ok(sent) => {
            let delete = json!({ "QueueUrl": url, "ReceiptHandle": letter["ReceiptHandle"] });
            client.call("sqs", "DeleteMessage", &delete).await?;
            print(&sent);
            Ok(())
        }
        Err(error) => {
            show_again(client, &url, &letter).await?;
            Err(error)
        }
    }
}

async fn send_again(client: &Client, letter: &Value) -> anyhow::Result<Value> {
    let attribute = |name: &str| letter["MessageAttributes"][name]["StringValue"].as_str();
    let body: Value = serde_json::from_str(letter["Body"].as_str().unwrap_or_default()).unwrap_or_default();
    let id = body["id"].as_str().context("the letter is no event of a bus")?;
    let target = attribute("TARGET_ARN").context("the letter does not say which target it was for")?;
    let mut input = json!({ "EventId": id, "TargetArn": target });
    // `arn:aws:events:region:account:rule/bus/name`, without the bus for the default one.
    if let Some(rule) = attribute("RULE_ARN").and_then(|arn| arn.rsplit('/').next()) {
        input["RuleName"] = rule.into();
    }
    client.ask("events", events::REDELIVER, &input).await
}

async fn show_again(client: &Client, url: &Value, letter: &Value) -> anyhow::Result<()> {
    let input = json!({ "QueueUrl": url, "ReceiptHandle": letter["ReceiptHandle"], "VisibilityTimeout": 0 });
    client.call("sqs", "ChangeMessageVisibility", &input).await.map(|_| ())
}

fn print(sent: &Value) {
    for delivery in sent["Deliveries"].as_array().into_iter().flatten() {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default();
        let rule = delivery["RuleName"].as_str().map_or_else(String::new, |rule| format!(" by rule {rule}"));
        say(&format!("{} -> {}{rule}", text("EventId"), text("TargetArn")));
    }
    let more = if sent["More"] == true { "; the rest follows" } else { "" };
    let deliveries = sent["Deliveries"].as_array().map_or(0, Vec::len);
    say(&format!("{deliveries} deliveries of {} events begun{more}", sent["Events"]));
}
