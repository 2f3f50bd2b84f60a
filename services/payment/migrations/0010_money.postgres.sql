CREATE TRIGGER money_ledger_append_only BEFORE UPDATE OR DELETE ON money_ledger
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER owed_position_append_only BEFORE UPDATE OR DELETE ON owed_position
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER refund_stays BEFORE DELETE ON refund
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER capture_stays BEFORE DELETE ON capture
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER payment_stays BEFORE DELETE ON payment
    FOR EACH ROW EXECUTE FUNCTION append_only();
