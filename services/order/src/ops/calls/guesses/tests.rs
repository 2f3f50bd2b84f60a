use super::*;

fn guess(user: &str, number: &str, contact: &str) -> Guess {
    let request = tonic::Request::new(());
    let guesser = Guesser { tenant: Tenant::default(), user: user.to_owned(), origin: Origin::of(&request) };
    let mut hash = DefaultHasher::new();
    contact.hash(&mut hash);
    Guess {
        own: [
            Key::OwnOfOrder(guesser.clone(), number.to_owned()),
            Key::OwnOfContact(guesser.clone(), hash.finish()),
        ],
        shared: [
            (Key::Order(guesser.tenant, number.to_owned()), MANY_OF_ORDER),
            (Key::Address(guesser.origin), MANY_OF_ADDRESS),
        ],
    }
}

/// How many of so many tries are let through, all of them wrong.
fn tried(guesses: &Guesses, tries: impl IntoIterator<Item = Guess>, now: Instant) -> usize {
    let let_through = tries.into_iter().filter(|guess| guesses.may_try_at(guess, now).is_ok());
    let_through.inspect(|guess| guesses.was_wrong_at(guess, now)).count()
}

#[test]
fn one_guesser_has_few_tries_at_one_order_and_with_one_contact() {
    let guesses = Guesses::default();

    let at_one_order = (0..300).map(|n| guess("eve", "1", &format!("{n}@example.org")));
    assert_eq!(tried(&guesses, at_one_order, Instant::now()), 5);
    let with_one_contact = (0..300).map(|n| guess("mallory", &n.to_string(), "ann@example.org"));
    assert_eq!(tried(&guesses, with_one_contact, Instant::now()), 5);
}

#[test]
fn others_guesses_never_refuse_whoever_has_not_guessed() {
    let guesses = Guesses::default();
    let many = (0..300).map(|n| guess(&format!("eve-{n}"), "1", &format!("{n}@example.org")));
    tried(&guesses, many, Instant::now());

    assert!(guesses.may_try_at(&guess("ann", "1", "ann@example.org"), Instant::now()).is_ok());
}

#[test]
fn where_many_guess_each_has_one_try() {
    let guesses = Guesses::default();
    let now = Instant::now();
    for n in 0..10 {
        guesses.was_wrong_at(&guess(&format!("eve-{n}"), "1", &format!("{n}@example.org")), now);
    }

    let more = (0..9).map(|n| guess("mallory", "1", &format!("m{n}@example.org")));
    assert_eq!(tried(&guesses, more, now), 1);
}

#[test]
fn after_an_hour_a_guesser_may_try_again() {
    let guesses = Guesses::default();
    let tries = || (0..9).map(|n| guess("eve", "1", &format!("{n}@example.org")));
    let now = Instant::now();
    assert_eq!(tried(&guesses, tries(), now), 5);

    assert_eq!(tried(&guesses, tries(), now + REMEMBERED), 5);
}
