//! Connectors are written by tenants: whom they may call, with which secrets, and what their texts may cost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use inventory::domain::{Connector, Method, MethodProfile, TaskState};
use inventory::ops::StepAnswer;
use inventory::ports::connector::{Flaw, Partners};
use inventory::ports::template;
use kit::outbound::Outbound;
use proto::events::v1::{AttentionRaised, PartnerAsked};
use types::bounded::{self, Syntax};
use types::{Reason, Tenant};

use crate::fulfilments::events;
use crate::partners::{method, profile};
use crate::program::Program;
use crate::world::{Order, World, applied, ask, partners, refused, worlds};

const MINE: Tenant = Tenant::DEFAULT;

impl World {
    /// An order that is to be stopped at a partner with this connector, up to the call of its program.
    async fn asked(&self, connector: Connector, methods: Vec<MethodProfile>, number: &str) -> Order {
        self.partner("fake", Some(profile(methods, Some(connector)))).await;
        let (order, _) = self.at_partner(number).await;
        applied(self.step(&order.hold("chg", &[3])).await);
        assert_eq!(self.step(&order.stop("chg", ask())).await, StepAnswer::Pending);
        self.run_errands().await;
        order
    }

    pub async fn told<M: prost::Message + Default>(&self, kind: &str) -> Vec<M> {
        let kind = format!("countermand.events.v1.{kind}");
        let all = events(self).await.into_iter().filter(|(_, of, _)| *of == kind);
        all.map(|(_, _, payload)| M::decode(payload.as_slice()).unwrap()).collect()
    }
}

fn api() -> Vec<MethodProfile> {
    vec![method(Method::Api, 0)]
}

async fn flaw(partners: &Partners, connector: Connector) -> Flaw {
    let outcome = partners.check(&MINE, &connector).await;
    outcome.expect_err(&format!("{connector:?}"))
}

/// What crashed the service in a loop: it was stored, and every start asked again by it.
#[tokio::test]
async fn a_stored_rule_that_no_parser_survives_goes_to_a_person_and_ends_nothing() {
    for (name, rule) in [
        ("minus", "-".repeat(6_417)),
        ("plus", "1".to_owned() + &"+1".repeat(3_200)),
        ("not", "not ".repeat(1_600) + "true"),
        ("brackets", "(".repeat(140) + "1" + &")".repeat(140)),
    ] {
        for world in worlds(&format!("connector_{name}")).await {
            let program = Program::answering("200 OK", "{\"cancelled\": true}").await;
            let stored = Connector { success: rule.clone(), ..program.connector() };
            let mail = MethodProfile { address: "a@b.example".to_owned(), ..method(Method::Email, 0) };

            let order = world.asked(stored, vec![method(Method::Api, 0), mail], "PO-1").await;

            let (_, task) = world.task(&order).await;
            assert_eq!((task.method, task.state), (Method::Email, TaskState::Requested));
            assert!(task.detail.starts_with("its program cannot be asked: success: "), "{}", task.detail);
            assert_eq!(program.heard(), Vec::<String>::new());
            let raised = world.told::<AttentionRaised>("AttentionRaised").await.pop().unwrap();
            let cause = raised.cause.unwrap();
            assert!(cause.message.contains("its program cannot be asked"), "{}", cause.message);
            assert_eq!(
                (raised.subject_type.as_str(), raised.order_id),
                ("partner_task", order.id.to_string())
            );
        }
    }
}

#[tokio::test]
async fn an_answer_is_not_blown_up_by_its_rule() {
    let long: &'static str = String::leak(format!("{{\"a\": \"{}\"}}", "a".repeat(200_000)));
    for (name, rule) in [
        ("sum", vec!["body.a"; 40].join("~")),
        ("replace", "body.a|replace('a', body.a)".to_owned()),
        ("twice", "body.a|replace('a', 'aaaaaaaaaa')|replace('a', 'aaaaaaaaaa')".to_owned()),
        ("json", format!("body{}", "|tojson".repeat(60))),
        ("url", format!("body.a{}", "|urlencode|replace('a', '%')".repeat(30))),
    ] {
        let world = worlds(&format!("connector_{name}")).await.remove(0);
        let program = Program::answering("200 OK", long).await;
        let started = Instant::now();

        let order = world.asked(Connector { success: rule, ..program.connector() }, api(), "PO-1").await;

        let (_, task) = world.task(&order).await;
        assert_eq!((task.state, task.tries), (TaskState::Requested, 1), "nothing was understood");
        assert!(task.answer.starts_with("the rule can't read status 200: "), "{}", task.answer);
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn nothing_inside_is_called_by_a_connector() {
    let strict = Partners::new(Outbound::default().guard().unwrap(), &BTreeMap::new()).unwrap();
    let plain = |url: &str| Connector { url: url.to_owned(), ..Connector::default() };

    for url in [
        "http://127.0.0.1/metadata/iam",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://{{ '10.0.0.1' }}/",
        "http://partner.example/",
        "https://user@partner.example/",
        "https://partner.example:22/",
        "https://partner.example/#{{ note }}",
    ] {
        assert_eq!(flaw(&strict, plain(url)).await.field, "url", "{url}");
    }
    strict.check(&MINE, &plain("https://partner.example/{{ order_id }}")).await.unwrap();

    // What was stored before there was a guard is a person's to look at, and nothing is sent.
    for world in worlds("connector_inside").await {
        let program = Program::answering("200 OK", "{\"cancelled\": true}").await;
        let inward =
            Connector { url: program.connector().url.replace("127.0.0.1", "127.0.0.9"), ..plain("") };

        let order = world.asked(inward, api(), "PO-1").await;

        let (_, task) = world.task(&order).await;
        assert_eq!(task.method, Method::ManualPortal);
        assert!(task.detail.contains("url: the url must begin with https://"), "{}", task.detail);
        assert_eq!(program.heard(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_secret_goes_to_its_own_hosts_for_its_own_tenants() {
    let program = Program::answering("200 OK", "{}").await;
    let partners = partners();
    partners.check(&MINE, &program.connector()).await.unwrap();

    // Another tenant, another host, a host that the secret would be a part of.
    let stranger = Tenant::parse("stranger").unwrap();
    let refused = partners.check(&stranger, &program.connector()).await.unwrap_err();
    assert!(refused.why.contains("there is no secret \"partner_key\""), "{refused}");
    for url in [
        "https://evil.example/{{ key }}",
        "https://127.0.0.1.evil.example/",
        "http://localhost:1/",
        "https://{{ secret('partner_key') }}.evil.example/",
    ] {
        let stray = Connector { url: url.to_owned(), ..program.connector() };
        let flaw = flaw(&partners, stray).await;
        assert_eq!((flaw.field, flaw.why.as_str()), ("url", "the secret \"partner_key\" is not sent there"));
    }
    let own_side =
        Connector { url: "https://{{ secret('partner_key') }}.10.0.0.1/".to_owned(), ..program.connector() };
    let flaw = flaw(&partners, own_side).await;
    assert!(!flaw.why.contains("s3cret"), "{flaw}");
}

#[tokio::test]
async fn a_secret_is_never_sent_in_the_clear() {
    let program = Program::answering("200 OK", "{}").await;
    let secret = inventory::config::PartnerSecret {
        value: inventory::config::Secret("s3cret".to_owned()),
        tenants: vec![MINE.to_string()],
        hosts: vec!["partner.example:*".to_owned()],
    };
    let secrets = [("partner_key".to_owned(), secret)].into();
    let partners = Partners::new(Outbound::default().guard().unwrap(), &secrets).unwrap();

    let clear = Connector { url: "http://partner.example/".to_owned(), ..program.connector() };
    assert_eq!(flaw(&partners, clear).await.field, "url");
    let encrypted = Connector { url: "https://partner.example/".to_owned(), ..program.connector() };
    partners.check(&MINE, &encrypted).await.unwrap();
}

#[tokio::test]
async fn a_header_ends_where_it_ends() {
    let program = Program::answering("200 OK", "{\"cancelled\": true}").await;
    let with = |name: &str, value: &str| Connector {
        headers: [(name.to_owned(), value.to_owned())].into(),
        ..program.connector()
    };
    let partners = partners();
    for (name, value) in [
        ("Host", "evil.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "upgrade"),
        ("Idempotency-Key", "another"),
        ("x y", "a"),
        ("x\r\ny", "a"),
        ("", "a"),
        ("x-note", "a\r\nx-evil: 1"),
        ("x-note", "{{ note ~ '\\r\\nx-evil: 1' }}"),
    ] {
        assert_eq!(flaw(&partners, with(name, value)).await.field, "headers", "{name:?}: {value:?}");
    }

    // What is filled in later is checked as well.
    for world in worlds("connector_headers").await {
        let program = Program::answering("200 OK", "{\"cancelled\": true}").await;
        let numbered = [("x-number".to_owned(), "{{ external_number }}".to_owned())].into();
        let connector = Connector { headers: numbered, ..program.connector() };

        let order = world.asked(connector, api(), "PO\nx-evil: 1").await;

        assert_eq!(world.task(&order).await.1.method, Method::ManualPortal);
        assert_eq!(program.heard(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_filled_into_an_address_stays_a_part_of_it() {
    for world in worlds("connector_url").await {
        let program = Program::answering("200 OK", "{\"cancelled\": true}").await;

        world.asked(program.connector(), api(), "../../admin?all=1#").await;

        let heard = program.heard();
        let expected = "POST /orders/..%2F..%2Fadmin%3Fall%3D1%23/cancel HTTP/1.1";
        assert!(heard[0].starts_with(expected), "{}", heard[0]);
    }
}

#[tokio::test]
async fn what_a_partner_answers_is_in_its_task_and_nowhere_else() {
    for world in worlds("connector_answers").await {
        let program = Program::answering("409 Conflict", "{\"token\": \"of-our-account\"}").await;

        let order = world.asked(program.connector(), api(), "PO-1").await;

        let (_, task) = world.task(&order).await;
        assert!(task.answer.contains("of-our-account"), "{}", task.answer);
        let refusal = refused(world.step(&order.stop("chg", ask())).await);
        assert_eq!(refusal.reason, Reason::PartnerRejected);
        assert!(!format!("{refusal:?}").contains("of-our-account"), "{refusal:?}");
        assert_eq!(world.told::<PartnerAsked>("PartnerAsked").await.pop().unwrap().state, "rejected");
        for (_, kind, payload) in events(&world).await {
            assert!(!String::from_utf8_lossy(&payload).contains("of-our-account"), "{kind}");
        }
    }
}

#[test]
fn a_template_has_the_filters_that_are_bounded_and_no_others() {
    for text in
        ["{{ note|indent(9) }}", "{{ note|format('a') }}", "{{ note | pprint }}", "{{ [1]|batch(2) }}"]
    {
        assert!(template::measure(text).unwrap_err().contains("there is no filter"), "{text}");
    }
    for rule in
        ["status|abs == 200", "body.list|join(', ')|length > 1", "body.x is defined and body.x is string"]
    {
        template::measure_rule(rule).unwrap();
        assert_eq!(template::holds(rule, 200, br#"{"list": [1, 2], "x": "y"}"#), Ok(true), "{rule}");
    }
    assert_eq!(template::holds("body.a.b.c == 1", 200, "[".repeat(100_000).as_bytes()), Ok(false));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        failure_persistence: None, ..proptest::test_runner::Config::with_cases(300)
    })]

    /// Words of the language in any order: some are read, none ends the process or takes long.
    #[test]
    fn no_sequence_of_words_ends_the_process(words in proptest::collection::vec(proptest::sample::select(vec![
        "(", ")", "[", "]", ",", ":", ".", "-", "+", "~", "/", "%", "==", "<", " and ", " or ", " not ", " in ", " is ",
        " if ", " else ", "true", "1", "1.5", "'a'", "\"b\"", "status", "body", ".a", "|", "replace('a', 'bb')", "tojson",
        "join(',')", "default(1)", "length", "string", "defined", "|urlencode", "{{", "}}", "{% if ", "%}", "{% endif %}",
    ]), 0..60)) {
        let text: String = words.concat();
        if bounded::expression(&text, Syntax::Jinja).is_ok() {
            let rule = text.clone();
            let _ = bounded::run(move || template::holds(&rule, 200, br#"{"a": "aaaa"}"#)).unwrap();
        }
        if template::measure(&text).is_ok() {
            let _ = bounded::run(move || template::parse(&text)).unwrap();
        }
    }
}
