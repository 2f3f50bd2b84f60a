//! Fulfilment partners: asked by the right method, believed only on their word, and never given a number twice.

use std::collections::BTreeMap;
use std::time::Duration;

use inventory::domain::{
    Ask, Confirmation, Connector, Integration, IntegrationKey, IntegrationKind, Method, MethodProfile,
    PartnerTask, TaskState, Unconfirmed, Warehouse, WarehouseKind, Word,
};
use inventory::ops::{Action, Resource, ShownTask, Step, StepAnswer, StepCommand};
use storage::Direction;
use types::{FulfilmentId, PartnerTaskId, Reason, Refusal, Tenant};

use crate::program::Program;
use crate::world::{Order, World, applied, ask, reason, shown, step, warehouse, worlds};

pub fn key(name: &str) -> IntegrationKey {
    IntegrationKey::parse(name).unwrap()
}

pub fn method(method: Method, window_seconds: u32) -> MethodProfile {
    MethodProfile { method, window_seconds, deadline_seconds: 0, address: String::new() }
}

pub fn profile(methods: Vec<MethodProfile>, connector: Option<Connector>) -> Integration {
    Integration {
        accepts_cancel_notification: false,
        name: "Fake".to_owned(),
        kind: IntegrationKind::Fulfillment,
        methods,
        needs_reason: false,
        reason_map: BTreeMap::new(),
        confirmation: Confirmation::None,
        resubmit_same_number_ok: false,
        rule_triggerable: false,
        rule_required: false,
        connector,
    }
}

impl World {
    pub async fn partner(&self, name: &str, integration: Option<Integration>) {
        let dropship = Warehouse {
            kind: WarehouseKind::Dropship,
            priority: 5,
            active: true,
            integration: Some(key(name)),
        };
        let action = Action::UpsertWarehouse { id: warehouse("partner"), warehouse: dropship };
        self.act("UpsertWarehouse", action).await.unwrap();
        self.assign("kite", Some("partner")).await.unwrap();
        if let Some(integration) = integration {
            let action = Action::UpsertIntegration { key: key(name), integration };
            self.act("UpsertIntegration", action).await.unwrap();
        }
    }

    /// An order of three kites that the partner has, and that a change holds.
    pub async fn at_partner(&self, number: &str) -> (Order, FulfilmentId) {
        let order = self.placed(&[("kite", 3)]).await;
        let create = order.pack("partner", Vec::new());
        let created = self.act("CreateFulfillment", create).await.map(shown).unwrap();
        self.submit(&created.id, number).await.unwrap();
        (order, created.id)
    }

    pub async fn task(&self, order: &Order) -> (PartnerTaskId, PartnerTask) {
        let tasks = self.inventory.tasks(&Tenant::DEFAULT, &order.id).await.unwrap();
        let [ShownTask { id, task, .. }] = tasks.try_into().unwrap();
        (id, task)
    }

    async fn say(&self, id: &PartnerTaskId, word: Word) -> Result<Resource, Refusal> {
        let (task_id, note, by) = (id.clone(), "heard by telephone".to_owned(), "sam".to_owned());
        self.act("RespondCancellation", Action::PartnerWord { task_id, word, note, by, of: None }).await
    }
}

impl Order {
    pub fn stop(&self, saga: &str, ask: Ask) -> StepCommand {
        step(saga, "stop_partner", Direction::Do, &self.id, Step::StopPartner(ask))
    }

    fn withdraw(&self, saga: &str) -> StepCommand {
        step(saga, "stop_partner", Direction::Undo, &self.id, Step::WithdrawStop)
    }
}

#[tokio::test]
async fn the_seeded_profiles_are_those_of_the_guides() {
    for world in worlds("partners_seeds").await {
        let all = world.inventory.integrations(&Tenant::DEFAULT, None).await.unwrap();

        let facts: Vec<_> = all
            .iter()
            .map(|shown| {
                let profile = &shown.integration;
                let methods: Vec<&str> = profile.methods.iter().map(|by| by.method.as_str()).collect();
                (shown.key.as_str(), methods.join(" "), profile.needs_reason, profile.confirmation)
            })
            .collect();
        let none = Confirmation::None;
        let expected = [
            ("amazon_marketplace", "api", false, none),
            ("amazon_mcf", "api", false, Confirmation::Required),
            ("bay_photo", "api", false, none),
            ("bdlinx", "api", false, none),
            ("commercehub", "api", true, none),
            ("default_unknown", "manual_portal", false, Confirmation::Required),
            ("generic_button", "api manual_portal", false, Confirmation::Required),
            ("generic_cart", "api", false, none),
            ("hp_site_flow", "api", false, none),
            ("mww", "api email", false, Confirmation::AfterWindow),
            ("oia_global", "email", false, Confirmation::Required),
            ("progressive_solutions", "api", false, none),
        ];
        let expected = expected.map(|(key, methods, reason, word)| (key, methods.to_owned(), reason, word));
        assert_eq!(facts, expected);
        assert!(all.iter().all(|shown| shown.seeded && !shown.integration.resubmit_same_number_ok));
    }
}

#[tokio::test]
async fn a_partner_with_a_program_is_asked_once_with_its_own_words() {
    for world in worlds("partners_api").await {
        let program = Program::answering("200 OK", "{\"cancelled\": true}").await;
        let mut own = profile(vec![method(Method::Api, 0)], Some(program.connector()));
        own.needs_reason = true;
        own.reason_map = [("OTHER".to_owned(), "merchant_request".to_owned())].into();
        world.partner("fake", Some(own)).await;
        let (order, _) = world.at_partner("PO-1").await;
        assert_eq!(applied(world.step(&order.hold("chg", &[3])).await).with_partner, 3);

        let unmapped = Ask { reason_code: "WHIM".to_owned(), ..ask() };
        let mut strange = order.stop("chg", unmapped);
        strange.call.context.step = "stop_partner".to_owned();
        let strange_saga = StepCommand { ..strange };
        assert_eq!(reason(world.step(&strange_saga).await), Reason::ReasonRequired);
        applied(world.step(&order.resume("chg")).await);

        applied(world.step(&order.hold("two", &[3])).await);
        assert_eq!(world.step(&order.stop("two", ask())).await, StepAnswer::Pending);
        world.run_errands().await;
        world.run_errands().await;

        let reply = applied(world.step(&order.stop("two", ask())).await);
        assert_eq!(
            (reply.partners[0].state.as_str(), reply.partners[0].method.as_str()),
            ("accepted", "api")
        );
        let heard = program.heard();
        assert_eq!(heard.len(), 1);
        assert!(heard[0].starts_with("POST /orders/PO-1/cancel HTTP/1.1"), "{}", heard[0]);
        assert!(heard[0].contains("Bearer s3cret"));
        assert!(heard[0].contains("\"reason\": \"merchant_request\", \"units\": 3"));
        world.check().await;
    }
}

#[tokio::test]
async fn a_partner_that_says_no_keeps_the_order_alive() {
    for world in worlds("partners_no").await {
        let program = Program::answering("409 Conflict", "{\"cancelled\": false}").await;
        let own = profile(vec![method(Method::Api, 0)], Some(program.connector()));
        world.partner("fake", Some(own)).await;
        let (order, fulfilment) = world.at_partner("").await;
        applied(world.step(&order.hold("chg", &[3])).await);
        assert_eq!(world.step(&order.stop("chg", ask())).await, StepAnswer::Pending);

        world.run_errands().await;

        assert_eq!(reason(world.step(&order.stop("chg", ask())).await), Reason::PartnerRejected);
        assert!(applied(world.step(&order.withdraw("chg")).await).nothing_to_do);
        applied(world.step(&order.resume("chg")).await);
        world.ship(&fulfilment, Vec::new()).await.unwrap();
        world.check().await;
    }
}

#[tokio::test]
async fn what_is_no_answer_is_asked_again_with_the_same_key() {
    for world in worlds("partners_unknown").await {
        let program = Program::answering("503 Service Unavailable", "later").await;
        let own = profile(vec![method(Method::Api, 0)], Some(program.connector()));
        world.partner("fake", Some(own)).await;
        let (order, _) = world.at_partner("").await;
        applied(world.step(&order.hold("chg", &[3])).await);
        assert_eq!(world.step(&order.stop("chg", ask())).await, StepAnswer::Pending);

        world.run_errands().await;
        world.clock.advance(Duration::from_secs(10));
        world.run_errands().await;

        let heard = program.heard();
        let key_of = |request: &String| {
            request.lines().find(|line| line.starts_with("idempotency-key: ")).unwrap().to_owned()
        };
        assert_eq!(heard.len(), 2);
        assert_eq!(key_of(&heard[0]), key_of(&heard[1]));
        assert_eq!(world.task(&order).await.1.state, TaskState::Requested);

        world.clock.advance(Duration::from_mins(15));
        world.run_errands().await;
        let reply = applied(world.step(&order.stop("chg", ask())).await);
        assert_eq!(reply.partners[0].state, "unconfirmed");
        world.check().await;
    }
}

#[tokio::test]
async fn a_window_is_judged_when_the_request_is_sent() {
    for world in worlds("partners_window").await {
        let program = Program::answering("200 OK", "{\"cancelled\": true}").await;
        let mail = MethodProfile { address: "orders@mww.example".to_owned(), ..method(Method::Email, 0) };
        let mut own = profile(vec![method(Method::Api, 120), mail], Some(program.connector()));
        own.confirmation = Confirmation::AfterWindow;
        world.partner("mww", Some(own)).await;
        let (order, _) = world.at_partner("").await;
        applied(world.step(&order.hold("chg", &[3])).await);
        world.clock.advance(Duration::from_secs(119));
        assert_eq!(world.step(&order.stop("chg", ask())).await, StepAnswer::Pending);
        assert_eq!(world.task(&order).await.1.method, Method::Api);

        world.clock.advance(Duration::from_secs(2));
        world.run_errands().await;

        let (id, task) = world.task(&order).await;
        assert_eq!((task.method, task.state, task.sent), (Method::Email, TaskState::Requested, true));
        assert!(program.heard().is_empty(), "too late for the button");
        assert!(task.needs_person(), "somebody has to follow up");
        world.say(&id, Word::Accepted).await.unwrap();
        let reply = applied(world.step(&order.stop("chg", ask())).await);
        assert_eq!(
            (reply.partners[0].state.as_str(), reply.partners[0].method.as_str()),
            ("accepted", "email")
        );
        world.check().await;
    }
}

#[tokio::test]
async fn silence_comes_to_what_the_policy_says() {
    let cases = [
        (Unconfirmed::Commit, TaskState::Unconfirmed),
        (Unconfirmed::Wait, TaskState::Requested),
        (Unconfirmed::Reject, TaskState::Expired),
    ];
    for (policy, state) in cases {
        for world in worlds(&format!("partners_silence_{}", policy.as_str())).await {
            world.partner("oia_global", None).await;
            let (order, _) = world.at_partner("").await;
            applied(world.step(&order.hold("chg", &[3])).await);
            let stop = order.stop("chg", Ask { unconfirmed: policy, ..ask() });
            assert_eq!(world.step(&stop).await, StepAnswer::Pending);

            world.clock.advance(Duration::from_hours(24));
            world.run_errands().await;

            let (id, task) = world.task(&order).await;
            assert_eq!(task.state, state);
            match policy {
                Unconfirmed::Commit => {
                    assert_eq!(applied(world.step(&stop).await).partners[0].state, "unconfirmed");
                    world.say(&id, Word::Accepted).await.unwrap();
                    assert_eq!(world.task(&order).await.1.state, TaskState::Accepted);
                    let again = world.say(&id, Word::Rejected).await.unwrap_err();
                    assert_eq!(again.reason, Reason::AlreadyDecided);
                }
                Unconfirmed::Wait => assert_eq!(world.step(&stop).await, StepAnswer::Pending),
                Unconfirmed::Reject => {
                    assert_eq!(reason(world.step(&stop).await), Reason::NoAnswerInTime);
                }
            }
            world.check().await;
        }
    }
}

#[tokio::test]
async fn a_stop_that_is_withdrawn_too_late_wants_a_new_number() {
    for world in worlds("partners_withdraw").await {
        world.partner("default_unknown", None).await;
        let (order, fulfilment) = world.at_partner("PO-9").await;
        applied(world.step(&order.hold("chg", &[3])).await);
        assert_eq!(world.step(&order.stop("chg", ask())).await, StepAnswer::Pending);
        let (id, task) = world.task(&order).await;
        assert!(task.needs_person());
        world.say(&id, Word::Accepted).await.unwrap();
        applied(world.step(&order.stop("chg", ask())).await);

        applied(world.step(&order.withdraw("chg")).await);
        applied(world.step(&order.resume("chg")).await);

        assert_eq!(reason_of(world.ship(&fulfilment, Vec::new()).await), Reason::StateConflict);
        let burned = world.submit(&fulfilment, "PO-9").await.unwrap_err();
        assert_eq!(burned.reason, Reason::ExternalNumberBurned);
        let anew = world.submit(&fulfilment, "").await.unwrap();
        let number = anew.fulfilment.partner.unwrap().external_number;
        assert_eq!(number, format!("{fulfilment}-R1"));
        world.ship(&fulfilment, Vec::new()).await.unwrap();
        world.check().await;
    }
}

fn reason_of<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> Reason {
    outcome.unwrap_err().reason
}

#[tokio::test]
async fn a_late_yes_after_a_withdrawal_marks_the_units_for_resubmission() {
    for world in worlds("partners_late").await {
        world.partner("oia_global", None).await;
        let (order, fulfilment) = world.at_partner("").await;
        applied(world.step(&order.hold("chg", &[3])).await);
        assert_eq!(world.step(&order.stop("chg", ask())).await, StepAnswer::Pending);
        applied(world.step(&order.withdraw("chg")).await);
        applied(world.step(&order.resume("chg")).await);

        let (id, _) = world.task(&order).await;
        world.say(&id, Word::Accepted).await.unwrap();

        assert_eq!(reason_of(world.ship(&fulfilment, Vec::new()).await), Reason::StateConflict);
        let found = world.inventory.fulfilment(&Tenant::DEFAULT, &fulfilment).await.unwrap().unwrap();
        assert!(found.lines.iter().all(|(_, row)| row.needs_resubmission()));
        world.check().await;
    }
}

#[tokio::test]
async fn a_partner_takes_a_number_once_whoever_comes_with_it() {
    for world in worlds("partners_numbers").await {
        world.partner("bay_photo", None).await;
        world.at_partner("PO-7").await;
        let order = world.placed(&[("kite", 3)]).await;
        let create = order.pack("partner", Vec::new());
        let created = world.act("CreateFulfillment", create).await.map(shown).unwrap();

        let burned = world.submit(&created.id, "PO-7").await.unwrap_err();
        assert_eq!(burned.reason, Reason::ExternalNumberBurned);
        let taken = world.submit(&created.id, "PO-8").await.unwrap();
        assert_eq!(taken.fulfilment.partner.unwrap().external_number, "PO-8");
        world.check().await;
    }
}

#[tokio::test]
async fn a_partner_that_lies_is_written_down_as_it_is() {
    for world in worlds("partners_lie").await {
        world.partner("default_unknown", None).await;
        let (order, fulfilment) = world.at_partner("").await;
        applied(world.step(&order.hold("chg", &[3])).await);
        assert_eq!(world.step(&order.stop("chg", ask())).await, StepAnswer::Pending);
        let (id, _) = world.task(&order).await;
        world.say(&id, Word::Accepted).await.unwrap();
        applied(world.step(&order.release("chg")).await);

        let reported = world.report(&fulfilment, "T-2").await.unwrap();

        assert_eq!((reported.shipped, reported.shipped_after_cancel), (0, 3));
        assert!(world.task(&order).await.1.shipped_after_cancel);
        let all = world.inventory.integrations(&Tenant::DEFAULT, None).await.unwrap();
        let liar = all.iter().find(|shown| shown.key.as_str() == "default_unknown").unwrap();
        assert_eq!(liar.shipped_after_cancel, 1);
        assert_eq!(world.inventory.open_tasks(&Tenant::DEFAULT, "", 10).await.unwrap(), []);
        world.check().await;
    }
}
