-- Who acknowledged an item, and with which words; empty where its cause went away by itself.
ALTER TABLE attention ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE attention ADD COLUMN closing_note TEXT NOT NULL DEFAULT '';
