use super::*;

fn sqlite(text: &str) -> String {
    render(Engine::Sqlite, text).unwrap().sql
}

fn postgres(text: &str) -> String {
    render(Engine::Postgres, text).unwrap().sql
}

#[test]
fn portable_text_stays_as_it_is() {
    let text = "SELECT a, 'rows($1: x text) FOR UPDATE db_now()' FROM t WHERE a = $1 ORDER BY a";

    assert_eq!(sqlite(text), text);
    assert_eq!(postgres(text), text);
}

#[test]
fn a_batch_becomes_json_on_sqlite_and_arrays_on_postgres() {
    let text = "SELECT * FROM rows($2: a text, b bigint, c bytea) WHERE d = $1";

    assert_eq!(
        sqlite(text),
        "SELECT * FROM (SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b, \
         unhex(json_extract(value, '$[2]')) AS c FROM json_each($2)) AS batch WHERE d = $1"
    );
    assert_eq!(
        postgres(text),
        "SELECT * FROM (SELECT * FROM UNNEST($2::text[], $3::bigint[], $4::bytea[]) AS r(a, b, c)) AS batch \
         WHERE d = $1"
    );
}

#[test]
fn a_small_batch_becomes_a_list_on_sqlite() {
    let text = "SELECT $1 FROM rows($2: a text, b bigint) AS r WHERE d = $1";

    let rendered = render(Engine::Sqlite, text).unwrap();

    assert_eq!(
        rendered.small(2),
        "SELECT ? FROM (SELECT column1 AS a, column2 AS b FROM (VALUES (?, ?), (?, ?)) LIMIT 0 + ?) AS r WHERE d = ?"
    );
    assert_eq!(crate::row_set::small_size(0), Some(1));
    assert_eq!(crate::row_set::small_size(3), Some(4));
    assert_eq!(crate::row_set::small_size(256), Some(256));
    assert_eq!(crate::row_set::small_size(257), None);
}

#[test]
fn a_batch_keeps_the_name_it_is_given() {
    let text = "SELECT 1 FROM rows($1:\n  a text)\n AS mine";

    assert!(sqlite(text).ends_with("json_each($1))\n AS mine"));
    assert!(postgres(text).ends_with("AS r(a))\n AS mine"));
}

#[test]
fn locks_are_for_postgres() {
    for (text, left) in [
        ("SELECT a FROM t FOR UPDATE", "SELECT a FROM t "),
        ("SELECT a FROM t LIMIT 2 FOR UPDATE SKIP LOCKED", "SELECT a FROM t LIMIT 2 "),
        ("(SELECT a FROM t AS o FOR UPDATE OF o SKIP LOCKED)", "(SELECT a FROM t AS o )"),
        ("(SELECT a FROM t AS o for update of o)", "(SELECT a FROM t AS o )"),
    ] {
        assert_eq!(sqlite(text), left);
        assert_eq!(postgres(text), text);
    }
}

#[test]
fn the_clock_is_each_engines_own() {
    assert_eq!(sqlite("SELECT db_now()"), format!("SELECT {SQLITE_NOW}"));
    assert_eq!(postgres("SELECT db_now()"), format!("SELECT {POSTGRES_NOW}"));
}

#[test]
fn words_that_only_end_like_a_spelling_are_not_touched() {
    let text = "SELECT my_db_now(), arrows FROM arrows";

    assert_eq!(sqlite(text), text);
}

#[test]
fn comments_go() {
    assert_eq!(sqlite("SELECT 1 -- it's one; rows($1: a text)\nFROM t"), "SELECT 1 \nFROM t");
}

#[test]
fn a_spelling_that_is_wrong_is_told() {
    for (text, problem) in [
        ("SELECT 1 FROM rows($1: a text", "not closed"),
        ("SELECT 1 FROM rows($1)", "needs its columns"),
        ("SELECT 1 FROM rows($x: a text)", "needs a number"),
        ("SELECT 1 FROM rows($1: a)", "a name and a type"),
        ("SELECT 1 FROM rows($1: a text null)", "a name and a type"),
        ("SELECT 1 FROM rows($1: a jsonb)", "text, bigint or bytea"),
        ("SELECT $2 FROM rows($1: a text)", "must be the last parameter"),
        ("SELECT 1 FROM rows($1: a text), rows($2: a text)", "one batch"),
        ("SELECT 'a", "quote"),
    ] {
        let told = render(Engine::Sqlite, text).unwrap_err();

        assert!(told.contains(problem), "{text}: {told}");
    }
}

#[test]
fn an_insert_names_each_column_once() {
    let text = "INSERT INTO t rows($2: a text, state = 'new', at = CAST($1 AS BIGINT), b bigint)
                 WHERE true ON CONFLICT (a) DO NOTHING";

    assert_eq!(
        postgres(text),
        "INSERT INTO t (a, state, at, b) SELECT a, 'new', CAST($1 AS BIGINT), b FROM (SELECT * FROM \
         UNNEST($2::text[], $3::bigint[]) AS r(a, b)) AS batch
                 WHERE true ON CONFLICT (a) DO NOTHING"
    );
    assert!(
        sqlite(text)
            .starts_with("INSERT INTO t (a, state, at, b) SELECT a, 'new', CAST($1 AS BIGINT), b FROM (")
    );
}

#[test]
fn an_update_names_its_key_and_then_each_column_once() {
    assert_eq!(
        postgres(
            "UPDATE t SET rows($1: id text, no bigint | b text, tries = 0 | was bigint) AND t.epoch = r.was"
        ),
        "UPDATE t SET b = r.b, tries = 0 FROM (SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::text[], \
         $4::bigint[]) AS r(id, no, b, was)) AS r WHERE t.id = r.id AND t.no = r.no AND t.epoch = r.was"
    );
}

#[test]
fn a_written_row_that_is_spelled_wrong_is_told() {
    for (text, problem) in [
        ("INSERT INTO t rows($1: a text", "not closed"),
        ("INSERT INTO t rows($1)", "needs its columns"),
        ("INSERT INTO t rows($1: a text, )", "needs its columns"),
        ("UPDATE t SET rows($1: a text, b text)", "its key first"),
    ] {
        let told = render(Engine::Postgres, text).unwrap_err();

        assert!(told.contains(problem), "{text}: {told}");
    }
}
