-- One row: the secret that signs what the service hands out and wants back unchanged. It is in no book.
CREATE TABLE sealing_key (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    secret BYTEA NOT NULL
);
