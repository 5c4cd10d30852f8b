//! No text makes the expression parsers, or what they build, panic or hang.

#![no_main]

use dynamodb::border::ItemForm;
use dynamodb::expression::{Condition, KeyCondition, Kind, Placeholders, Projection, Update};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The first line is an item, whose attributes are also the placeholders' values; the rest is the expression.
    let (json, text) = text.split_once('\n').unwrap_or(("{}", text));
    let Ok(Ok(item)) = serde_json::from_str::<ItemForm>(json).map(ItemForm::accept) else { return };
    let values = item.iter().map(|(name, value)| (format!(":{name}"), value.clone())).collect();
    let names = std::collections::BTreeMap::from([("#n".to_owned(), "n".to_owned())]);
    let Ok(placeholders) = Placeholders::new(Some(&names), Some(&values)) else { return };
    if let Ok(condition) = Condition::parse(Kind::Condition, text, &placeholders) {
        condition.holds(&item);
    }
    if let Ok(projection) = Projection::parse(text, &placeholders) {
        projection.apply(&item);
    }
    if let Ok(update) = Update::parse(text, &placeholders) {
        let mut changed = item.clone();
        if update.apply(&mut changed).is_ok() {
            update.touched().apply(&changed);
        }
    }
    let _ = KeyCondition::parse(text, &placeholders, "pk", Some("sk"));
});
