CREATE FUNCTION saga_step_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the saga log is append-only'; END $$;
CREATE TRIGGER saga_step_append_only BEFORE UPDATE OR DELETE ON saga_step
FOR EACH ROW EXECUTE FUNCTION saga_step_append_only();
