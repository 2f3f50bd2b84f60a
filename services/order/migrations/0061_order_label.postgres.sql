INSERT INTO order_label (tenant_id, order_id, label_id, currency, cost_minor, state, credit)
SELECT h.tenant_id, h.order_id, l->>'label_id', l->>'currency', (l->>'cost_minor')::bigint, l->>'state', l->>'credit'
  FROM order_head AS h CROSS JOIN LATERAL jsonb_array_elements(NULLIF(h.outside, '')::jsonb->'labels') AS l
 WHERE h.outside <> '';
