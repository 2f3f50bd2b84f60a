CREATE TRIGGER delivery_keeps_its_words BEFORE UPDATE ON delivery
WHEN OLD.state IN ('sent', 'suppressed', 'discarded')
  OR NEW.tenant_id <> OLD.tenant_id OR NEW.delivery_id <> OLD.delivery_id OR NEW.event_id <> OLD.event_id
  OR NEW.channel <> OLD.channel OR NEW.recipient <> OLD.recipient OR NEW.audience <> OLD.audience
  OR NEW.template <> OLD.template OR NEW.locale <> OLD.locale OR NEW.payload <> OLD.payload
  OR NEW.stream <> OLD.stream OR NEW.created_at <> OLD.created_at
  OR NEW.order_id IS NOT OLD.order_id OR NEW.change_order_id IS NOT OLD.change_order_id
BEGIN SELECT RAISE(ABORT, 'what was sent is not rewritten'); END;
CREATE TRIGGER delivery_stays BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'what was sent is not deleted'); END;
