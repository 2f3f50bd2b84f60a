use storage::{Accepted, Overlay, Request, RequestKey, RequestKeys};
use types::{Clock, Fingerprint, Ids, Reason, RequestId, Subject, Tenant};

use crate::world::shops;

fn key(tenant: &str, method: &str, request_id: &str) -> RequestKey {
    RequestKey {
        tenant: Tenant::parse(tenant).expect("it is well formed"),
        subject: Subject::of("https://id.example", "ada", "shop"),
        method: method.to_owned(),
        request_id: RequestId::parse(request_id).expect("it is well formed"),
    }
}

#[tokio::test]
async fn an_accepted_request_finds_its_resource_and_another_body_is_told() {
    let (at, ids) = (Clock::System.now(), Ids::random(Clock::System));
    let accept = |resource_id: &str| Accepted {
        id: ids.mint(),
        fingerprint: Fingerprint::of(&[b"body"]),
        resource_id: resource_id.to_owned(),
        at,
    };
    let (body, other) = (Fingerprint::of(&[b"body"]), Fingerprint::of(&[b"other"]));
    for database in shops("requests").await {
        let accepted = key("a", "Create", "1");
        let refused = key("a", "Create", "2");
        let asked = [accepted.clone(), accepted.clone(), refused.clone()];
        let mut tx = database.begin().await.unwrap();
        let mut keys = RequestKeys::load(&mut tx, &asked).await.unwrap();
        let fresh = keys.check(&accepted, &body);
        keys.mark();
        keys.store(accepted.clone(), accept("ord_1"));
        let in_the_same_batch = keys.check(&accepted, &body);
        keys.mark();
        keys.store(refused.clone(), accept("ord_2"));
        keys.rollback();
        keys.flush(&mut tx).await.unwrap();
        tx.commit().await.unwrap();

        let subjects = [
            Subject::of("https://id.other", "ada", "shop"),
            Subject::of("https://id.example", "adas", "hop"),
            Subject::of("https://id.example", "ada", ""),
        ];
        let by_others = subjects.map(|subject| RequestKey { subject, ..accepted.clone() });
        let named_otherwise = [key("b", "Create", "1"), key("a", "Change", "1"), key("a", "Create", "1x")];
        let elsewhere: Vec<RequestKey> = by_others.into_iter().chain(named_otherwise).collect();
        let mut tx = database.begin().await.unwrap();
        let all: Vec<RequestKey> = asked.iter().chain(&elsewhere).cloned().collect();
        let keys = RequestKeys::load(&mut tx, &all).await.unwrap();

        assert_eq!(fresh, Request::Fresh);
        assert_eq!(in_the_same_batch, Request::Seen("ord_1".to_owned()));
        assert_eq!(keys.check(&accepted, &body), Request::Seen("ord_1".to_owned()));
        let Request::Reused(refusal) = keys.check(&accepted, &other) else {
            panic!("the id was used before")
        };
        assert_eq!(
            (refusal.reason, &*refusal.details["resource_id"]),
            (Reason::IdempotencyKeyReused, "ord_1")
        );
        assert_eq!(keys.check(&refused, &body), Request::Fresh, "a refused request may be tried again");
        for key in &elsewhere {
            assert_eq!(keys.check(key, &body), Request::Fresh);
        }
    }
}
