//! What a tenant writes as the condition of a rule: any text is refused, read or evaluated, and none ends the process,
//! takes long or takes much memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use order::domain::condition::{ChangeFacts, Condition, EventFacts, Facts, LineFacts, OrderFacts};

fuzz_target!(|text: &str| {
    let Ok(condition) = Condition::compile(text) else { return };
    let line = |sku: &str| LineFacts { sku: sku.to_owned(), ordered: 5, open: 3, ..LineFacts::default() };
    let facts = Facts {
        event: EventFacts::default(),
        order: OrderFacts {
            state: "confirmed".to_owned(),
            lines: vec![line("LAMP"), line("CABLE")],
            systems: vec!["webshop".to_owned()],
            ..OrderFacts::default()
        },
        change: ChangeFacts::default(),
    };
    if let Err(refusal) = condition.holds(&facts) {
        assert!(!refusal.message.contains("took longer"), "{text}");
    }
});
