CREATE TRIGGER outbox_keeps BEFORE UPDATE ON outbox
WHEN NOT (OLD.state = 'queued' AND NEW.tenant_id = OLD.tenant_id AND NEW.event_id = OLD.event_id
    AND NEW.aggregate_type = OLD.aggregate_type AND NEW.aggregate_id = OLD.aggregate_id
    AND NEW.aggregate_seq = OLD.aggregate_seq AND NEW.type = OLD.type AND NEW.payload = OLD.payload)
BEGIN SELECT RAISE(ABORT, 'an event never changes'); END;
