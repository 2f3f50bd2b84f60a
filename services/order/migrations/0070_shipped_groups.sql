-- The delivery groups of which units were out when the change was decided, as a JSON list of names: whether their charge
-- comes back is judged by that moment, whatever ships afterwards.
ALTER TABLE change_order ADD COLUMN shipped_groups TEXT NOT NULL DEFAULT '[]';
