//! Any pattern and any event: no panic, no hang, and all ways of matching agree.
//! The input is the pattern, a zero byte, and the event.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pattern::{Event, Pattern, RuleSet, explain};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let pattern = parts.next().and_then(|text| std::str::from_utf8(text).ok()).map(Pattern::parse);
    let text = parts.next().unwrap_or_default();
    let event = Event::parse(text);
    let Some(Ok(pattern)) = pattern else { return };
    let pattern = Arc::new(pattern);
    let mut out = Vec::new();
    let matched = RuleSet::new([((), Arc::clone(&pattern))]).matches_json(text, &mut out);
    assert_eq!(matched.is_ok(), event.is_ok());
    if let Ok(event) = event {
        let alone = pattern.matches_event(&event);
        assert_eq!(alone, !out.is_empty());
        assert_eq!(explain(&pattern, &event).matched, alone);
    }
});
