CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER inbox_position_advances BEFORE UPDATE ON inbox_position
    FOR EACH ROW WHEN (NEW.last_seq < OLD.last_seq) EXECUTE FUNCTION append_only();
