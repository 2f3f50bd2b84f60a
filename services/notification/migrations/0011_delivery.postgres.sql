CREATE FUNCTION delivery_keeps_its_words() RETURNS trigger AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'what was sent is not deleted';
  END IF;
  IF OLD.state IN ('sent', 'suppressed', 'discarded')
    OR (NEW.tenant_id, NEW.delivery_id, NEW.event_id, NEW.channel, NEW.recipient, NEW.audience, NEW.template,
        NEW.locale, NEW.payload, NEW.stream, NEW.created_at, NEW.order_id, NEW.change_order_id)
      IS DISTINCT FROM
       (OLD.tenant_id, OLD.delivery_id, OLD.event_id, OLD.channel, OLD.recipient, OLD.audience, OLD.template,
        OLD.locale, OLD.payload, OLD.stream, OLD.created_at, OLD.order_id, OLD.change_order_id)
  THEN
    RAISE EXCEPTION 'what was sent is not rewritten';
  END IF;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER delivery_keeps_its_words BEFORE UPDATE OR DELETE ON delivery
  FOR EACH ROW EXECUTE FUNCTION delivery_keeps_its_words();
