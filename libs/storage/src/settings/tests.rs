use super::*;

fn setting(name: &'static str, value: &str, safe: &'static [&'static str]) -> Setting {
    Setting { name, value: value.to_owned(), safe }
}

#[test]
fn a_database_that_keeps_what_it_commits_is_taken() {
    let settings = [
        setting("fsync", "on", &["on"]),
        setting("synchronous_commit", "remote_apply", &["on", "remote_apply"]),
    ];

    assert_eq!(judge(&settings, false), Ok(()));
}

#[test]
fn one_that_may_lose_commits_is_refused_by_name_unless_the_loss_is_accepted() {
    let settings = [
        setting("fsync", "off", &["on"]),
        setting("full_page_writes", "on", &["on"]),
        setting("synchronous_commit", "local", &["on", "remote_apply"]),
    ];

    let refused = judge(&settings, false).unwrap_err().to_string();

    assert!(refused.contains("fsync is off instead of on"), "{refused}");
    assert!(refused.contains("synchronous_commit is local instead of on or remote_apply"), "{refused}");
    assert!(!refused.contains("full_page_writes"), "{refused}");
    assert_eq!(judge(&settings, true), Ok(()));
}

#[test]
fn urls_name_their_engine() {
    assert_eq!(place("postgres://a@b/c"), Ok(Place::Postgres));
    assert_eq!(place("postgresql://a@b/c"), Ok(Place::Postgres));
    assert_eq!(place("sqlite::memory:"), Ok(Place::SqlitePrivate));
    assert_eq!(place("sqlite:orders.db"), Ok(Place::SqliteFile("orders.db".into())));
    assert_eq!(place("sqlite:/var/orders.db"), Ok(Place::SqliteFile("/var/orders.db".into())));
    assert_eq!(place("sqlite:///var/orders.db"), Ok(Place::SqliteFile("/var/orders.db".into())));
    assert!(place("sqlite://").is_err());
    assert!(place("orders.db").is_err());
}
