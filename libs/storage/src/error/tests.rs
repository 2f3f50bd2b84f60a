use super::*;

fn kind(code: &str) -> DbError {
    by_code(code)("test", String::new())
}

#[test]
fn lost_races_may_be_run_again_on_both_engines() {
    // serialization failure, deadlock, lock timeout; SQLITE_BUSY, BUSY_SNAPSHOT, LOCKED
    for code in ["40001", "40P01", "55P03", "5", "517", "6"] {
        assert!(kind(code).is_retryable(), "{code}");
    }
}

#[test]
fn an_unwell_database_is_told_from_a_bad_command() {
    for code in ["08006", "53300", "57P01", "25006", "10", "522", "14"] {
        assert!(matches!(kind(code), DbError::Unavailable { .. }), "{code}");
    }
    for code in ["53100", "13"] {
        assert!(matches!(kind(code), DbError::StorageFull { .. }), "{code}");
    }
    // syntax error, statement timeout, SQLITE_ERROR
    for code in ["42601", "57014", "1", ""] {
        let error = kind(code);
        assert!(matches!(error, DbError::Other { .. }), "{code}");
        assert!(!error.is_of_the_database() && !error.is_retryable(), "{code}");
    }
}

#[test]
fn triggers_refuse_like_checks() {
    for code in ["P0001", "1811"] {
        assert!(matches!(kind(code), DbError::Check { .. }), "{code}");
    }
}

#[test]
fn a_connection_lost_during_commit_leaves_the_outcome_unknown() {
    let lost = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);

    let during_commit = DbError::from_commit(sqlx::Error::Io(lost));
    let before = DbError::from_sqlx("test", sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into()));

    assert!(matches!(during_commit, DbError::OutcomeUnknown { .. }));
    assert!(matches!(before, DbError::Unavailable { .. }));
}
