-- A change that takes whatever is eligible may find units gone when the inventory holds them. Of such a line the units
-- that are taken stand here: fewer than were accepted, or none.
ALTER TABLE change_order_line ADD COLUMN taken BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0);
UPDATE change_order_line SET taken = quantity;
ALTER TABLE change_order_line DROP COLUMN quantity;
ALTER TABLE change_order_line RENAME COLUMN taken TO quantity;
