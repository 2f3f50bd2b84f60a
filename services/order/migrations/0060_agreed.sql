-- What both sides agree on beside fewer units.
-- Opened by price adjustments: a JSON list, the last base is in force; empty while the frozen amounts are.
ALTER TABLE order_line ADD COLUMN bases TEXT NOT NULL DEFAULT '';
-- Where the goods go: a JSON object, empty where none was given; personal data.
ALTER TABLE order_head ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- What a proposal says that no auditor and no event shows: payment tokens, an address. A JSON object.
ALTER TABLE change_order ADD COLUMN in_confidence TEXT NOT NULL DEFAULT '';
