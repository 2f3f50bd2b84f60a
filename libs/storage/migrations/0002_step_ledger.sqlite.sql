CREATE TRIGGER step_ledger_settles_once BEFORE UPDATE ON step_ledger
WHEN NOT (OLD.outcome = 'pending' AND NEW.outcome IN ('applied', 'rejected', 'tombstoned')
    AND NEW.tenant_id = OLD.tenant_id AND NEW.saga_id = OLD.saga_id AND NEW.step = OLD.step
    AND NEW.direction = OLD.direction AND NEW.request_hash = OLD.request_hash
    AND NEW.nothing_to_do = OLD.nothing_to_do AND NEW.completes IS OLD.completes
    AND NEW.epoch = OLD.epoch AND NEW.at = OLD.at)
BEGIN SELECT RAISE(ABORT, 'step_ledger is append-only'); END;
CREATE TRIGGER step_ledger_stays BEFORE DELETE ON step_ledger
BEGIN SELECT RAISE(ABORT, 'step_ledger is append-only'); END;
CREATE TRIGGER saga_fence_rises BEFORE UPDATE ON saga_fence
WHEN NEW.max_epoch < OLD.max_epoch
BEGIN SELECT RAISE(ABORT, 'saga_fence never falls'); END;
CREATE TRIGGER saga_fence_stays BEFORE DELETE ON saga_fence
BEGIN SELECT RAISE(ABORT, 'saga_fence never falls'); END;
