use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[test]
fn a_refused_command_leaves_nothing_and_what_was_before_stays() {
    let mut table = Table::new();
    table.load("a", 1);
    table.mark();
    table.insert("b", 2);
    assert_eq!(table.update(&"a", |value| *value = 10), Some(()));

    table.mark();
    table.insert("c", 3);
    assert_eq!(table.update(&"a", |value| *value = 100), Some(()));
    assert_eq!(table.update(&"a", |value| *value = 101), Some(()));
    assert_eq!(table.update(&"b", |value| *value = 200), Some(()));
    table.rollback();

    assert_eq!(table.iter().collect::<Vec<_>>(), [(&"a", &10), (&"b", &2)]);
    assert_eq!(table.inserted(), [(&"b", &2)]);
    assert_eq!(table.updated(), [(&"a", &10)]);
    assert_eq!(table.loaded(&"a"), Some(&1));
}

#[test]
fn a_row_changed_back_is_not_written() {
    let mut table = Table::new();
    table.load("a", 1);

    table.update(&"a", |value| *value += 1).unwrap();
    table.update(&"a", |value| *value -= 1).unwrap();

    assert!(table.updated().is_empty());
    assert_eq!(table.update(&"absent", |value| *value += 1), None);
}

#[test]
fn a_row_read_twice_keeps_what_was_done_to_it() {
    let mut table = Table::new();
    table.load("a", 1);
    table.update(&"a", |value| *value = 2).unwrap();

    table.load("a", 1);

    assert_eq!(table.get(&"a"), Some(&2));
}

#[test]
#[should_panic(expected = "a new row has the key of an existing one")]
fn a_key_minted_twice_is_a_bug() {
    let mut table = Table::new();
    table.load("a", 1);

    table.insert("a", 2);
}

#[derive(Debug, Clone)]
enum Op {
    Put(u8, i8),
    Mark,
    Rollback,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (0..6_u8, any::<i8>()).prop_map(|(key, value)| Op::Put(key, value)),
        2 => Just(Op::Mark),
        1 => Just(Op::Rollback),
    ];
    prop::collection::vec(op, 0..60)
}

proptest! {
    /// Against a model that copies the whole map at each mark.
    #[test]
    fn rollback_is_the_state_at_the_mark(loaded in prop::collection::btree_map(0..4_u8, any::<i8>(), 0..4), ops in ops()) {
        let mut table = Table::new();
        for (key, value) in &loaded {
            table.load(*key, *value);
        }
        let mut model = loaded.clone();
        let mut marked = model.clone();
        for op in ops {
            match op {
                Op::Put(key, value) => {
                    if table.update(&key, |now| *now = value).is_none() {
                        table.insert(key, value);
                    }
                    model.insert(key, value);
                }
                Op::Mark => {
                    table.mark();
                    marked.clone_from(&model);
                }
                Op::Rollback => {
                    table.rollback();
                    model.clone_from(&marked);
                }
            }
        }

        let now: BTreeMap<u8, i8> = table.iter().map(|(key, value)| (*key, *value)).collect();
        prop_assert_eq!(&now, &model);
        let inserted: Vec<u8> = table.inserted().into_iter().map(|(key, _)| *key).collect();
        let expected: Vec<u8> = model.keys().filter(|key| !loaded.contains_key(*key)).copied().collect();
        prop_assert_eq!(inserted, expected);
        let updated: Vec<u8> = table.updated().into_iter().map(|(key, _)| *key).collect();
        let expected: Vec<u8> = loaded.iter().filter(|(key, value)| model[key] != **value).map(|(key, _)| *key).collect();
        prop_assert_eq!(updated, expected);
    }
}
