CREATE TRIGGER role_map_keeps BEFORE UPDATE ON role_map
BEGIN SELECT RAISE(ABORT, 'role_map is append-only'); END;
CREATE TRIGGER role_map_stays BEFORE DELETE ON role_map
BEGIN SELECT RAISE(ABORT, 'role_map is append-only'); END;
