CREATE TRIGGER gateway_effect_stays BEFORE DELETE ON gateway_effect
BEGIN SELECT RAISE(ABORT, 'a gateway forgets nothing'); END;
