-- What the tenders of EXPLICIT give back beyond what exceeds the new total; never beyond what was captured.
ALTER TABLE refund_hold ADD COLUMN over_minor BIGINT NOT NULL DEFAULT 0
    CHECK (over_minor BETWEEN 0 AND 1000000000000000 AND (over_minor = 0 OR store_credit_fallback = 0));
