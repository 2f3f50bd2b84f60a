CREATE TRIGGER webhook_attempt_no_update BEFORE UPDATE ON webhook_attempt
BEGIN SELECT RAISE(ABORT, 'the delivery log is append-only'); END;
CREATE TRIGGER webhook_attempt_no_delete BEFORE DELETE ON webhook_attempt
BEGIN SELECT RAISE(ABORT, 'the delivery log is append-only'); END;
CREATE TRIGGER webhook_endpoint_stays BEFORE DELETE ON webhook_endpoint
BEGIN SELECT RAISE(ABORT, 'an endpoint is disabled, not deleted'); END;
