CREATE TRIGGER inbox_position_advances BEFORE UPDATE ON inbox_position
WHEN NEW.last_seq < OLD.last_seq
BEGIN SELECT RAISE(ABORT, 'inbox_position never falls'); END;
