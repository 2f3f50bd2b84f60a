use super::*;

fn user(tenant: &str, name: &str) -> Caller {
    Caller::User(Arc::new(User { tenant: Tenant::parse(tenant).unwrap(), name: name.to_owned() }))
}

async fn all_of(admission: &Arc<Admission>, caller: &Caller) -> Vec<Turn> {
    let mut turns = Vec::new();
    while let Ok(turn) = admission.admit(caller).await {
        turns.push(turn);
    }
    turns
}

#[tokio::test]
async fn one_caller_never_has_all_turns() {
    let admission = Admission::new(8);

    let greedy = all_of(&admission, &user("acme", "greedy")).await;

    assert_eq!(greedy.len(), 6);
    assert!(admission.admit(&user("acme", "modest")).await.is_ok());
}

#[tokio::test]
async fn one_tenant_never_has_all_turns_either() {
    let admission = Admission::new(8);

    let mut acme = all_of(&admission, &user("acme", "one")).await;
    acme.extend(all_of(&admission, &user("acme", "two")).await);

    assert_eq!(acme.len(), 7);
    assert!(admission.admit(&user("other", "one")).await.is_ok());
}

#[tokio::test]
async fn our_own_services_may_have_all_turns() {
    assert_eq!(all_of(&Admission::new(8), &Caller::Peers).await.len(), 8);
}

#[tokio::test]
async fn a_free_turn_goes_to_whoever_has_the_fewest() {
    let admission = Admission::new(8);
    let (greedy, modest) = (user("acme", "greedy"), user("other", "modest"));
    let mut held = all_of(&admission, &greedy).await;
    let other = all_of(&admission, &user("third", "other")).await;
    assert_eq!((held.len(), other.len()), (6, 2));

    // The greedy one asks first, and the turn that becomes free was theirs.
    let again = admission.admit(&greedy);
    let first = admission.admit(&modest);
    let release = async {
        tokio::task::yield_now().await;
        held.pop();
    };
    let (again, first, ()) = tokio::join!(again, first, release);

    assert!(first.is_ok());
    assert!(again.is_err());
}

#[tokio::test]
async fn whoever_stopped_waiting_takes_no_turn_with_them() {
    let admission = Admission::new(1);
    let turn = admission.admit(&Caller::Peers).await.unwrap();
    assert!(admission.admit(&Caller::Peers).await.is_err());
    assert!(admission.state().waiting.is_empty());

    drop(turn);

    assert!(admission.admit(&Caller::Peers).await.is_ok());
    let state = admission.state();
    assert_eq!((state.free, state.callers.len()), (1, 0));
}
