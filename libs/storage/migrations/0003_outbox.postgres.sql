CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER outbox_keeps BEFORE UPDATE ON outbox
    FOR EACH ROW
    WHEN (NOT (OLD.state = 'queued' AND NEW.tenant_id = OLD.tenant_id AND NEW.event_id = OLD.event_id
        AND NEW.aggregate_type = OLD.aggregate_type AND NEW.aggregate_id = OLD.aggregate_id
        AND NEW.aggregate_seq = OLD.aggregate_seq AND NEW.type = OLD.type AND NEW.payload = OLD.payload))
    EXECUTE FUNCTION append_only();
