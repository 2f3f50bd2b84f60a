-- One more kind of change: what is missing of a restored order is paid. A column's own check goes with the column.
ALTER TABLE change_order ADD COLUMN kind TEXT NOT NULL DEFAULT 'cancel_order' CHECK (kind IN ('cancel_order',
  'cancel_items', 'all_eligible', 'edit_quantity', 'add_item', 'replace_item', 'address', 'price_adjust',
  'shipping_adjust', 'refund_only', 'short_ship', 'return', 'withdrawal', 'restore', 'reissue', 'expire',
  'late_capture_reversal', 'payment'));
UPDATE change_order SET kind = type;
ALTER TABLE change_order DROP COLUMN type;
ALTER TABLE change_order RENAME COLUMN kind TO type;
