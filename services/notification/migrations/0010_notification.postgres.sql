CREATE FUNCTION notification_keeps_its_words() RETURNS trigger AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'what was told is not deleted';
  END IF;
  IF OLD.state = 'sent'
    OR (NEW.tenant_id, NEW.notification_id, NEW.event_id, NEW.template, NEW.audience, NEW.channel, NEW.subject,
        NEW.body, NEW.created_at, NEW.order_id, NEW.change_order_id)
      IS DISTINCT FROM
       (OLD.tenant_id, OLD.notification_id, OLD.event_id, OLD.template, OLD.audience, OLD.channel, OLD.subject,
        OLD.body, OLD.created_at, OLD.order_id, OLD.change_order_id)
  THEN
    RAISE EXCEPTION 'what was told is not rewritten';
  END IF;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER notification_keeps_its_words BEFORE UPDATE OR DELETE ON notification
  FOR EACH ROW EXECUTE FUNCTION notification_keeps_its_words();
