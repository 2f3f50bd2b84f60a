//! Each adapter against each other side there is.

use std::time::Duration;

use payment::ports::gateway::Gateway;
use payment::ports::sandbox::{self, Delays, Sandbox};
use payment::ports::simulator::Simulator;
use payment::ports::stripe::Stripe;
use storage::testing;
use types::Clock;

use super::proxy::{Fault, Faults};
use super::{Shows, Subject, charges, fakes, laws};
use crate::simulator;

/// Longer than a fake takes, and short enough to wait for it to be over.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// Both fakes take any key that looks like one.
const KEY: &str = "sk_test_12345";

#[tokio::test]
async fn the_sandbox_keeps_the_contract() {
    for database in testing::databases("contract_sandbox").await {
        database.migrate(sandbox::NAME, sandbox::MIGRATIONS).await.unwrap();
        let delays = Delays { late: Duration::from_mins(1), fail_after: Duration::from_mins(1) };
        let gateway = Gateway::Sandbox(Sandbox::start(database, Clock::System, delays));
        let shows = Shows { keys: true, cap: false, search: true };

        laws::all(&Subject::new(gateway, shows, ["tok_approve", "tok_decline"])).await;
    }
}

/// The sandbox's rules with a network in between.
#[tokio::test]
async fn the_simulator_keeps_the_contract() {
    for simulated in simulator::on_each_engine("contract_simulator").await {
        let faults = Faults::before(simulated.address()).await;
        let mut subject = simulated.subject;
        subject.gateway = Gateway::Simulator(Simulator::new(&faults.url, TIMEOUT).unwrap());
        subject.faults = Some(faults);

        laws::all(&subject).await;
    }
}

/// localstripe ignores keys, has no cap and no search; it has the objects and states of Stripe.
#[tokio::test]
async fn stripe_keeps_the_contract_on_localstripe() {
    let Some(fake) = fakes::localstripe().await else { return };
    let faults = Faults::before(fake.address).await;
    let gateway = Gateway::Stripe(Stripe::new(&faults.url, KEY, TIMEOUT).unwrap());
    let shows = Shows { keys: false, cap: false, search: false };
    let empty = charges::empty_card(fake.address, KEY).await;
    let mut subject = Subject::new(gateway, shows, ["pm_card_visa", &empty]);
    subject.faults = Some(faults);

    laws::all(&subject).await;
}

/// stripe-stateful-mock has no payment intents; it has keys and the cap of Stripe, on charges.
#[tokio::test]
async fn stripe_keeps_the_contract_on_stripe_stateful_mock() {
    let Some(fake) = fakes::stateful_mock().await else { return };
    let faults = Faults::before(fake.address).await;
    let gateway = Gateway::Stripe(Stripe::new(&faults.url, KEY, TIMEOUT).unwrap());
    let shows = Shows { keys: true, cap: true, search: false };
    let mut subject = Subject::new(gateway, shows, ["tok_visa", "tok_chargeDeclined"]);
    subject.faults = Some(faults);

    laws::refunds(&subject, &charges::charged(&subject, fake.address, KEY).await).await;
    for fault in Fault::ALL {
        let paid = charges::charged(&subject, fake.address, KEY).await;
        laws::a_lost_answer_is_never_a_no(&subject, &paid, fault).await;
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_leaves_everything_open() {
    let gateway = Gateway::Stripe(Stripe::new("http://127.0.0.1:9", KEY, TIMEOUT).unwrap());
    let shows = Shows { keys: true, cap: true, search: true };
    let subject = Subject::new(gateway, shows, ["pm_card_visa", "pm_card_visa"]);
    let task = subject.authorise_task("pm_card_visa");

    assert!(super::is_open(&subject.call(&task).await));
    let reading = subject.gateway.read(&types::Tenant::DEFAULT, "pi_1").await;
    assert!(matches!(reading, payment::domain::gateway::Reading::Silent { .. }), "{reading:?}");
    assert!(subject.query(&task).await.is_some_and(|answer| super::is_open(&answer)));
}
