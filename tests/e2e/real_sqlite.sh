#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a real program: sqlite3 inserts 500 000 rows.
. "$E2E/lib.sh"

need sqlite3
cat >insert.sql <<'END'
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000)
INSERT INTO t SELECT i, 'row ' || i, i * 0.5 FROM n;
COMMIT;
CREATE INDEX by_name ON t(name);
SELECT count(*), sum(value), max(name) FROM t;
SELECT name FROM t WHERE name LIKE 'row 12345%' ORDER BY name LIMIT 5;
END
run_bare sqlite3 bare.db '.read insert.sql'
run_shim sqlite3 shim.db '.read insert.sql'
same_output stderr
equal 0 "$(<shim.status)" 'the status of sqlite3'
cmp bare.db shim.db || fail 'the same database file'
plausible 'sqlite3'
expect 'heap["allocations"] > 1000'
