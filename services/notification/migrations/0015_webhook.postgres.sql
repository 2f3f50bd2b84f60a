CREATE TRIGGER webhook_attempt_keeps BEFORE UPDATE OR DELETE ON webhook_attempt
FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER webhook_endpoint_stays BEFORE DELETE ON webhook_endpoint
FOR EACH ROW EXECUTE FUNCTION append_only();
