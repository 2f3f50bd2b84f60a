-- The way a change came in, and the state of its order at that moment: what reports count by.
ALTER TABLE change_order ADD COLUMN channel TEXT NOT NULL DEFAULT 'api'
  CHECK (channel IN ('details', 'timeline', 'api', 'rule', 'psp', 'batch'));
ALTER TABLE change_order ADD COLUMN stage TEXT NOT NULL DEFAULT 'confirmed'
  CHECK (stage IN ('placing', 'placement_failed', 'pending', 'confirmed', 'processing', 'partially_shipped', 'shipped',
    'out_for_delivery', 'partially_delivered', 'delivered', 'cancelled', 'returned', 'closed_mixed'));
