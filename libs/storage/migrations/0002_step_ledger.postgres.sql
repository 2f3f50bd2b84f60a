CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER step_ledger_settles_once BEFORE UPDATE ON step_ledger
    FOR EACH ROW
    WHEN (NOT (OLD.outcome = 'pending' AND NEW.outcome IN ('applied', 'rejected', 'tombstoned')
        AND NEW.tenant_id = OLD.tenant_id AND NEW.saga_id = OLD.saga_id AND NEW.step = OLD.step
        AND NEW.direction = OLD.direction AND NEW.request_hash = OLD.request_hash
        AND NEW.nothing_to_do = OLD.nothing_to_do AND NEW.completes IS NOT DISTINCT FROM OLD.completes
        AND NEW.epoch = OLD.epoch AND NEW.at = OLD.at))
    EXECUTE FUNCTION append_only();
CREATE TRIGGER step_ledger_stays BEFORE DELETE ON step_ledger
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER saga_fence_rises BEFORE UPDATE ON saga_fence
    FOR EACH ROW WHEN (NEW.max_epoch < OLD.max_epoch) EXECUTE FUNCTION append_only();
CREATE TRIGGER saga_fence_stays BEFORE DELETE ON saga_fence
    FOR EACH ROW EXECUTE FUNCTION append_only();
