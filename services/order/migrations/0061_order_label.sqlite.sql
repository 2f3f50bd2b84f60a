INSERT INTO order_label (tenant_id, order_id, label_id, currency, cost_minor, state, credit)
SELECT h.tenant_id, h.order_id, json_extract(l.value, '$.label_id'), json_extract(l.value, '$.currency'),
       json_extract(l.value, '$.cost_minor'), json_extract(l.value, '$.state'), json_extract(l.value, '$.credit')
  FROM order_head AS h, json_each(h.outside, '$.labels') AS l
 WHERE h.outside <> '';
