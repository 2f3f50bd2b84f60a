-- What its gateway gives back of it is a multiple of this, in minor units: card networks carry three-decimal currencies with a
-- last digit of 0.
ALTER TABLE payment ADD COLUMN step_minor BIGINT NOT NULL DEFAULT 1 CHECK (step_minor >= 1);
