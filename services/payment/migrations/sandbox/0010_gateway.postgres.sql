CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER gateway_effect_stays BEFORE DELETE ON gateway_effect
    FOR EACH ROW EXECUTE FUNCTION append_only();
