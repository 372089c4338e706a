-- The api section's peer inserts into this.
CREATE TABLE bench_row (id uuid PRIMARY KEY, amount numeric(78, 0) NOT NULL, destination_address varchar(128) NOT NULL,
    network varchar(16) NOT NULL, created_at timestamptz NOT NULL);
GRANT SELECT, INSERT ON bench_row TO PUBLIC;
