-- What a tenant's edition leaves out, as data. A tenant without a row has everything.
CREATE TABLE tenant_edition (
  tenant_id TEXT NOT NULL PRIMARY KEY,
  edition TEXT NOT NULL CHECK (edition <> ''),
  -- Names of capabilities, separated by one blank.
  withheld TEXT NOT NULL
);
