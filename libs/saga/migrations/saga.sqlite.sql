CREATE TRIGGER saga_step_no_update BEFORE UPDATE ON saga_step
BEGIN SELECT RAISE(ABORT, 'the saga log is append-only'); END;
CREATE TRIGGER saga_step_no_delete BEFORE DELETE ON saga_step
BEGIN SELECT RAISE(ABORT, 'the saga log is append-only'); END;
