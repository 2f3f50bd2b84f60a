ALTER TABLE money_ledger DROP CONSTRAINT money_ledger_kind_check;
ALTER TABLE money_ledger ADD CONSTRAINT money_ledger_kind_check
    CHECK (kind IN ('capture', 'refund', 'reversal', 'dispute', 'by_hand'));
CREATE TRIGGER store_credit_append_only BEFORE UPDATE OR DELETE ON store_credit
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER dispute_stays BEFORE DELETE ON dispute
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER gateway_event_stays BEFORE DELETE ON gateway_event
    FOR EACH ROW EXECUTE FUNCTION append_only();
-- The cap, beside the account's lock and the captures' CHECK: what is disputed is not there to be refunded. A refund
-- that was made elsewhere is a fact and is not asked.
CREATE FUNCTION refund_within_cap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM capture AS c
                WHERE c.tenant_id = NEW.tenant_id AND c.order_id = NEW.order_id AND c.capture_id = NEW.capture_id
                  AND c.refunded_minor + c.disputed_minor > c.amount_minor) THEN
        RAISE EXCEPTION 'more than is refundable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_cap BEFORE INSERT ON refund
    FOR EACH ROW WHEN (NEW.capture_id <> '' AND NEW.state NOT IN ('external', 'awaiting_capture', 'declined'))
    EXECUTE FUNCTION refund_within_cap();
