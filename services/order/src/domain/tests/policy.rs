//! The presets reproduce their guides, and every rule of them decides something.

use types::Reason;

use super::world::{actor, catalogue, everything, ids, items, new_line, new_order, now, placed};
use crate::domain::cancelability::Advice;
use crate::domain::change::{ChangeRequest, Selection, Settlement};
use crate::domain::lifecycle::{open_order, start_processing};
use crate::domain::order::{Actor, Order, OrderState, Parties};
use crate::domain::policy::{
    Contact, Document, Effect, Grant, MatrixRule, PRESETS, Permission, Policy, Scope, TenderStrategy, Units,
    UnknownReason, preset, standing,
};
use crate::domain::pricing::price_change;

const STATES: [OrderState; 6] = [
    OrderState::Pending,
    OrderState::Confirmed,
    OrderState::Processing,
    OrderState::PartiallyShipped,
    OrderState::Shipped,
    OrderState::Delivered,
];
const ROLES: [&str; 6] = ["staff", "buyer", "supplier", "installer", "manager", "guest"];

/// An order of ada's, routed by "router", bought by "bistro", supplied by "mill", in a state.
fn order_in(state: OrderState) -> Order {
    let mut new = new_order(vec![new_line(2, "1.00"), new_line(2, "1.00")]);
    new.parties = Parties {
        buyer: "bistro".to_owned(),
        supplier: "mill".to_owned(),
        source_router: "router".to_owned(),
        client_contact: String::new(),
    };
    let mut order = placed(new, &ids()).order;
    let _told = open_order(&mut order, state != OrderState::Pending, now()).unwrap();
    if [OrderState::Pending, OrderState::Confirmed].contains(&state) {
        return order;
    }
    let _told = start_processing(&mut order, actor(), now()).unwrap();
    let all = [OrderState::Shipped, OrderState::Delivered].contains(&state);
    let shipping = if all { 2 } else { usize::from(state == OrderState::PartiallyShipped) };
    for line in order.lines.iter_mut().take(shipping) {
        line.quantities = line.quantities.ship(2).unwrap();
        line.progress.allocated = 2;
        line.progress.shipped = 2;
        if state == OrderState::Delivered {
            line.quantities = line.quantities.deliver_up_to(2);
        }
    }
    assert_eq!(order.state(), state);
    order
}

fn who(role: &str) -> Actor {
    let organisation = match role {
        "buyer" => "bistro",
        "supplier" => "mill",
        "installer" => "router",
        _ => "shop",
    };
    let user = if role == "installer" { "ada" } else { "bob" };
    Actor { user: user.to_owned(), organisation: organisation.to_owned(), role: role.to_owned() }
}

fn with_reason(mut request: ChangeRequest, code: &str) -> ChangeRequest {
    code.clone_into(&mut request.reason_code);
    request.settlement = None;
    request
}

/// One decision in words: who may, by which rule, or why not.
fn decided(policy: &Policy, order: &Order, role: &str, request: &ChangeRequest) -> String {
    let actor = who(role);
    let standing = standing(policy, order, &actor, now());
    let head = format!("{:?} {:?} {:?}", standing.grant, standing.advice, standing.required_acks);
    let checked = standing.check(request, catalogue());
    let priced = checked.and_then(|()| price_change(order, request, &policy.document));
    match priced {
        Err(refusal) => format!("{head} no: {} {}", refusal.reason, refusal.message),
        Ok(priced) => format!(
            "{head} {:?} by {} {:?} {:?} {} {:?}",
            standing.warnings.len(),
            standing.rule,
            standing.settlement(request),
            standing.money_terms(request),
            priced.amounts.amount,
            priced.lines.iter().map(|line| line.quantity).collect::<Vec<_>>()
        ),
    }
}

/// Every decision that the table below looks at.
fn decisions(policy: &Policy) -> Vec<String> {
    let mut all = Vec::new();
    for state in STATES {
        let mut order = order_in(state);
        if state == OrderState::Processing {
            order.lines[0].progress.allocated = 1;
        }
        let whole = everything(&order);
        let mut acked = with_reason(whole.clone(), "NO_CAPACITY");
        (acked.said.supplier_contacted, acked.said.confirmed) = (true, true);
        let mut forced = with_reason(whole.clone(), "NO_CAPACITY");
        forced.said.force = true;
        let mut paid = acked.clone();
        paid.settlement = Some(Settlement::Auto);
        let mut eligible = acked.clone();
        eligible.selection = Selection::AllEligible;
        let requests = [
            with_reason(whole.clone(), ""),
            with_reason(whole.clone(), "NO_CAPACITY"),
            with_reason(whole, "BECAUSE"),
            with_reason(items(&order, &[(2, 1)]), "NO_CAPACITY"),
            acked,
            forced,
            paid,
            eligible,
        ];
        for role in ROLES {
            all.extend(requests.iter().map(|request| decided(policy, &order, role, request)));
        }
    }
    all
}

#[test]
fn every_preset_is_a_document_and_reads_back() {
    for (name, text) in PRESETS {
        let document = Document::parse(text).unwrap();

        assert_eq!(Document::parse(&document.to_text()).unwrap(), document, "{name}");
        assert_eq!(preset(name).unwrap().version_text(), format!("{name}-1"));
    }
}

/// The table of conflicts between the guides: shipped, allocated, reason, scope, automatic refund.
#[test]
fn each_preset_reproduces_its_guide_in_every_row_of_the_conflict_table() {
    // preset, who cancels, shipped, allocated, a reason is needed, scope, what happens to the money
    let table = [
        ("installer", "staff", Some(false), None, true, Scope::Whole, Settlement::Auto),
        ("order_desk", "staff", Some(false), Some(true), false, Scope::Whole, Settlement::None),
        ("salesforce", "staff", Some(false), Some(false), true, Scope::Lines, Settlement::Auto),
        ("marketplace", "buyer", Some(false), Some(true), false, Scope::Whole, Settlement::Auto),
        ("ordoro", "staff", Some(true), Some(true), false, Scope::Whole, Settlement::None),
        ("default", "staff", None, Some(true), false, Scope::Lines, Settlement::Auto),
    ];
    for (name, role, shipped, allocated, reason, scope, settlement) in table {
        let policy = preset(name).unwrap();
        let actor = who(role);
        if let Some(shipped) = shipped {
            let order = order_in(OrderState::Shipped);
            let refusal = standing(policy, &order, &actor, now()).refusal;
            assert_eq!(refusal.is_none(), shipped, "{name}: shipped {refusal:?}");
        }
        let mut order = order_in(OrderState::Processing);
        for line in &mut order.lines {
            line.progress.allocated = 2;
        }
        let mut request = with_reason(everything(&order), "NO_CAPACITY");
        (request.said.supplier_contacted, request.said.confirmed) = (true, true);
        if let Some(allocated) = allocated {
            let standing = standing(policy, &order, &actor, now());
            let checked = standing.check(&request, catalogue());
            let taken = checked.and_then(|()| price_change(&order, &request, &policy.document));
            assert_eq!(taken.is_ok(), allocated, "{name}: allocated {taken:?}");
        }
        let standing = standing(policy, &order, &actor, now());
        let bare = ChangeRequest { reason_code: String::new(), ..request.clone() };
        let refused = standing.check(&bare, catalogue()).map_err(|refusal| refusal.reason);
        assert_eq!(refused, if reason { Err(Reason::ReasonRequired) } else { Ok(()) }, "{name}");
        assert_eq!(policy.scope_of(role), scope, "{name}");
        assert_eq!(standing.settlement(&request), settlement, "{name}");
    }
}

#[test]
fn i2_i3_the_current_role_decides_or_the_creator_at_the_source_router() {
    let policy = preset("installer").unwrap();
    let order = order_in(OrderState::Confirmed);
    let ada = |organisation: &str, role: &str| Actor {
        user: "ada".to_owned(),
        organisation: organisation.to_owned(),
        role: role.to_owned(),
    };
    let table = [
        (who("staff"), Some(Grant::Role)),
        (ada("router", "installer"), Some(Grant::CreatorAtSourceRouter)),
        (ada("elsewhere", "installer"), None),
        (Actor { user: "bob".to_owned(), ..ada("router", "installer") }, None),
        (who("buyer"), None),
    ];
    for (actor, grant) in table {
        let standing = standing(policy, &order, &actor, now());

        assert_eq!(standing.grant, grant, "{actor:?}");
        let refused = standing.refusal.map(|refusal| refusal.details["policy_version"].clone());
        assert_eq!(refused, grant.is_none().then(|| "installer-1".to_owned()));
    }
}

#[test]
fn b3_to_b8_every_state_of_the_marketplace_has_its_level() {
    let policy = preset("marketplace").unwrap();
    let table = [
        (OrderState::Pending, Advice::Safe, Contact::No, None),
        (OrderState::Confirmed, Advice::ContactFirst, Contact::Recommended, None),
        (OrderState::Processing, Advice::Urgent, Contact::Required, Some(Reason::ContactRequired)),
        (OrderState::PartiallyShipped, Advice::TooLate, Contact::No, Some(Reason::InTransit)),
        (OrderState::Shipped, Advice::TooLate, Contact::No, Some(Reason::InTransit)),
        (OrderState::Delivered, Advice::Completed, Contact::No, Some(Reason::Delivered)),
    ];
    for (state, advice, contact, refused) in table {
        let order = order_in(state);
        let buyer = who("buyer");
        let standing = standing(policy, &order, &buyer, now());

        assert_eq!(standing.advice, advice, "{state:?}");
        assert_eq!(standing.warnings.is_empty(), contact == Contact::No, "{state:?}");
        let request = with_reason(everything(&order), "");
        let refusal = standing.check(&request, catalogue()).err();
        assert_eq!(refusal.as_ref().map(|refusal| refusal.reason), refused, "{state:?}");
        if state == OrderState::Delivered {
            assert_eq!(refusal.unwrap().details["next"], "RETURN");
        }
    }
}

#[test]
fn b20_a_buyer_cancels_the_whole_order_or_asks_for_a_proposal() {
    let policy = preset("marketplace").unwrap();
    let order = order_in(OrderState::Pending);
    let lines = with_reason(items(&order, &[(1, 1)]), "");
    for (role, refused) in [("buyer", Some(Reason::UseProposal)), ("supplier", None)] {
        let actor = who(role);
        let refusal = standing(policy, &order, &actor, now()).check(&lines, catalogue()).err();

        assert_eq!(refusal.map(|refusal| refusal.reason), refused, "{role}");
    }
}

#[test]
fn a_rule_with_a_window_fits_until_it_closes() {
    let mut policy = preset("marketplace").unwrap().clone();
    policy.document.matrix[0].within_seconds = Some(60);
    let order = order_in(OrderState::Pending);
    let buyer = who("buyer");
    let early = standing(&policy, &order, &buyer, now());
    let late = standing(&policy, &order, &buyer, now().plus(std::time::Duration::from_mins(1)));

    assert_eq!(early.window_closes_at, Some(now().plus(std::time::Duration::from_mins(1))));
    assert_eq!(early.refusal, None);
    assert_eq!(late.refusal.unwrap().reason, Reason::PermissionDenied);
}

/// Nothing in a document is decoration: whatever is turned round, some decision turns with it.
#[test]
fn inverting_a_rule_changes_a_decision() {
    for (name, _) in PRESETS {
        let policy = preset(name).unwrap();
        let as_written = decisions(policy);
        let mut inversions: Vec<(String, Policy)> = Vec::new();
        let mut invert = |what: &str, change: &dyn Fn(&mut Document)| {
            let mut inverted = policy.clone();
            change(&mut inverted.document);
            inversions.push((format!("{name}: {what}"), inverted));
        };
        // Until a carrier reports a scan no order is out for delivery, so a rule for that alone decides nothing yet.
        let derived = |rule: &MatrixRule| rule.states.iter().any(|state| STATES.contains(state));
        for (index, rule) in policy.document.matrix.iter().enumerate().filter(|(_, rule)| derived(rule)) {
            invert(&rule.rule, &|document| {
                let effect = &mut document.matrix[index].effect;
                *effect = if *effect == Effect::Allow { Effect::Forbid } else { Effect::Allow };
            });
        }
        invert("scope", &|document| {
            for scope in document.scope.values_mut() {
                *scope = if *scope == Scope::Whole { Scope::Lines } else { Scope::Whole };
            }
        });
        invert("units", &|document| {
            document.units = if document.units == Units::Open { Units::Unallocated } else { Units::Open };
        });
        invert("reason required", &|document| document.reason.required = !document.reason.required);
        invert("unknown reason", &|document| {
            let accepts = document.reason.unknown == UnknownReason::Accept;
            document.reason.unknown = if accepts { UnknownReason::Refuse } else { UnknownReason::Accept };
        });
        invert("confirm", &|document| {
            document.confirm_from = match document.confirm_from {
                Some(_) => None,
                None => Some(Advice::Safe),
            };
        });
        invert("settlement", &|document| {
            document.settlement = match document.settlement {
                Settlement::None => Settlement::Auto,
                Settlement::Auto | Settlement::Explicit => Settlement::None,
            };
        });
        invert("strategy of the tenders", &|document| {
            document.tenders.strategy = match document.tenders.strategy {
                TenderStrategy::Explicit => TenderStrategy::Lifo,
                TenderStrategy::Lifo
                | TenderStrategy::Fifo
                | TenderStrategy::Proportional
                | TenderStrategy::ExactThenSmallestSufficient => TenderStrategy::Explicit,
            };
        });
        invert("store credit instead", &|document| {
            document.tenders.store_credit_fallback = !document.tenders.store_credit_fallback;
        });
        invert("creator at the source router", &|document| {
            document.creator_at_source_router = !document.creator_at_source_router;
            // Only where the role alone does not give leave does the relation matter.
            let installer = document.roles.entry("installer".to_owned()).or_default();
            installer.retain(|held| *held != Permission::CancelAny && *held != Permission::CancelOwn);
        });
        for permission in [Permission::CancelAny, Permission::CancelForce, Permission::RefundExecute] {
            invert(permission.as_str(), &|document| {
                for held in document.roles.values_mut() {
                    held.remove(&permission);
                }
            });
        }
        for (what, inverted) in inversions {
            assert!(decisions(&inverted) != as_written, "{what} decides nothing");
        }
    }
}

#[test]
fn a_document_says_what_is_wrong_with_it() {
    type Spoiling<'a> = &'a dyn Fn(&mut Document);
    let good = Document::parse(PRESETS[0].1).unwrap();
    let spoiled: [(&str, Spoiling<'_>); 4] = [
        ("1 to 200 rules", &|document| document.matrix.clear()),
        ("a name of its own", &|document| {
            let twin = document.matrix[0].clone();
            document.matrix.push(twin);
        }),
        ("names no state", &|document| document.matrix[0].states.clear()),
        ("basis points", &|document| {
            document.fees.push(crate::domain::policy::FeeRule {
                rule: "odd".to_owned(),
                supplier: String::new(),
                states: document.matrix[0].states.clone(),
                basis_points: 10_001,
                amount_minor: 0,
                currency: String::new(),
            });
        }),
    ];
    for (says, spoil) in spoiled {
        let mut document = good.clone();
        spoil(&mut document);

        let error = Document::parse(&document.to_text()).unwrap_err().to_string();

        assert!(error.contains(says), "{error}");
    }
    assert!(Document::parse("{}").is_err());
    assert!(Document::parse(&good.to_text().replace("\"fees\"", "\"feez\"")).is_err());
}

#[test]
fn every_preset_refuses_a_reason_that_nobody_offers_and_names_those_that_are() {
    for (name, _) in PRESETS {
        let rule = preset(name).unwrap().document.reason;
        let refusal = rule.check_given(catalogue(), "FRAUDD", "", "change").unwrap_err();
        let told = (refusal.reason, refusal.field.as_deref());
        assert_eq!(told, (Reason::FieldInvalid, Some("change.reason_code")));
        assert!(refusal.message.contains("FRAUD, NO_CAPACITY"), "{name}: {}", refusal.message);
        assert_eq!(rule.check_given(catalogue(), "FRAUD", "", "change"), Ok(()), "{name}");
    }
}
