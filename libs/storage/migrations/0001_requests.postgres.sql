CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER request_key_keeps BEFORE UPDATE OR DELETE ON request_key
    FOR EACH ROW EXECUTE FUNCTION append_only();
