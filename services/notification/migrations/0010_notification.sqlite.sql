CREATE TRIGGER notification_keeps_its_words BEFORE UPDATE ON notification
WHEN OLD.state = 'sent'
  OR NEW.tenant_id <> OLD.tenant_id OR NEW.notification_id <> OLD.notification_id OR NEW.event_id <> OLD.event_id
  OR NEW.template <> OLD.template OR NEW.audience <> OLD.audience OR NEW.channel <> OLD.channel
  OR NEW.subject <> OLD.subject OR NEW.body <> OLD.body OR NEW.created_at <> OLD.created_at
  OR NEW.order_id IS NOT OLD.order_id OR NEW.change_order_id IS NOT OLD.change_order_id
BEGIN SELECT RAISE(ABORT, 'what was told is not rewritten'); END;
CREATE TRIGGER notification_stays BEFORE DELETE ON notification
BEGIN SELECT RAISE(ABORT, 'what was told is not deleted'); END;
