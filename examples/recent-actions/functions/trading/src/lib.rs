//! The trading account as the two services see it: a booking goes in, a booking with a ticket number comes out.
//!
//! It knows nothing about who shows the actions later: no event, no table, no page.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// What a service is asked to book. Fields beside these three pass through untouched.
type Booking = Map<String, Value>;

/// Switches with which a test or a demonstration makes a booking slow or fail.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rehearsal {
    fail: bool,
    sleep_ms: u64,
}

/// Serves invocations of the function that books a `kind` of action, until the process is ended.
///
/// # Errors
/// Fails when the Runtime API cannot be reached.
pub async fn serve(kind: &'static str) -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Booking>| book(kind, event.payload).await)).await
}

/// Returns the booking with its `ticketNumber`, a random UUID.
///
/// # Errors
/// A booking that says `"fail": true`, or has no positive `amount`, is refused with the error type `Error`.
async fn book(kind: &str, mut booking: Booking) -> Result<Booking, Diagnostic> {
    let rehearsal: Rehearsal = serde_json::from_value(Value::Object(booking.clone()))
        .map_err(|error| refusal(format!("{kind} is malformed: {error}")))?;
    tokio::time::sleep(Duration::from_millis(rehearsal.sleep_ms)).await;
    if rehearsal.fail {
        return Err(refusal(format!("{kind} was refused by the trading account")));
    }
    if !booking.get("amount").and_then(Value::as_f64).is_some_and(|amount| amount > 0.0) {
        return Err(refusal(format!("{kind} needs an amount above zero")));
    }
    booking.insert("ticketNumber".to_owned(), uuid::Uuid::new_v4().to_string().into());
    Ok(booking)
}

fn refusal(message: String) -> Diagnostic {
    Diagnostic { error_type: "Error".to_owned(), error_message: message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booking(text: &str) -> Booking {
        serde_json::from_str(text).unwrap()
    }

    #[tokio::test]
    async fn a_booking_keeps_its_fields_and_gets_a_ticket() {
        let booked = book("Deposit", booking(r#"{"amount":50,"accountNumber":"179"}"#)).await.unwrap();
        let names: Vec<_> = booked.keys().map(String::as_str).collect();
        assert_eq!(names, ["amount", "accountNumber", "ticketNumber"]);
        assert!(uuid::Uuid::parse_str(booked["ticketNumber"].as_str().unwrap()).is_ok());
    }

    #[tokio::test]
    async fn refusals_carry_the_type_error() {
        for (input, message) in [
            (r#"{"amount":50,"fail":true}"#, "Deposit was refused by the trading account"),
            (r#"{"amount":0}"#, "Deposit needs an amount above zero"),
            ("{}", "Deposit needs an amount above zero"),
        ] {
            let refused = book("Deposit", booking(input)).await.unwrap_err();
            assert_eq!((refused.error_type.as_str(), refused.error_message.as_str()), ("Error", message));
        }
    }
}
