#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# postgres PLACE BIN: a server of its own at its own socket; each step that did what
# it should is a line, in words that are the same in every run.
set -u
place=$1 bin=$2
export LC_ALL=C PGHOST=$place PGPORT=54329 PGDATABASE=postgres

did()
{
	local what=$1
	shift
	"$@" >>"$place/log" 2>&1 && echo "did: $what"
}
# shellcheck disable=SC2317 # called by did
sql() { "$bin/psql" -X -A -t -v ON_ERROR_STOP=1 -c "$1"; }
# shellcheck disable=SC2317 # called by did
ready()
{
	for ((i = 0; i < 300; i++)); do
		"$bin/pg_isready" -q && return
		sleep 0.1
	done
	return 1
}
# said WHAT SQL: the answer is part of the line.
said() { echo "did: $1: $(sql "$2" 2>&1 | md5sum)"; }

did initdb "$bin/initdb" -D "$place/db" -A trust
cat >>"$place/db/postgresql.conf" <<END
unix_socket_directories='$place'
port=$PGPORT
listen_addresses=''
shared_buffers=64MB
jit_above_cost=0
max_parallel_workers_per_gather=2
min_parallel_table_scan_size=0
parallel_setup_cost=0
END
did start "$bin/pg_ctl" -D "$place/db" -w -t 120 -l "$place/server.log" start
did 'pgbench -i' "$bin/pgbench" -i -s 3 -q
did 'pgbench, 8 clients' "$bin/pgbench" -c 8 -j 4 -t 150
did 'pgbench, a connection for each' "$bin/pgbench" -C -S -c 4 -j 2 -t 40
said 'sums agree' 'select sum(abalance) = (select sum(tbalance) from pgbench_tellers), count(*) from pgbench_accounts'
said 'a table' 'create table t as select g, md5(g::text) m from generate_series(1, 100000) g'
said 'index and vacuum' 'create index on t(m)'
did vacuum sql 'vacuum analyze t'
said 'a parallel join' 'select count(*), max(a.m) from t a join t b on a.m = b.m'
said 'a long string' "select md5(string_agg(x::text, ',' order by x)) from generate_series(1, 200000) x"
said 'an error that unwinds' "select 1 / (g - 500) from t"
said 'a regular expression' "select count(*) from t where m ~ '(a|b)+c.*[0-9]{2}\$'"
said 'too much memory asked for' "select length(repeat('x', 1100000000))"

# A backend that is killed: the others start anew, in the memory they share.
sql 'select pg_sleep(60)' >/dev/null 2>&1 &
for ((i = 0; i < 100; i++)); do
	backend=$(sql "select pid from pg_stat_activity where query = 'select pg_sleep(60)'")
	[ -n "$backend" ] && break
	sleep 0.1
done
did 'kill of a backend' kill -9 "$backend"
wait
sleep 0.5
did 'ready again' ready
said 'nothing lost' 'select count(*) from t'
did pg_dump "$bin/pg_dump" -f "$place/dump"
did stop "$bin/pg_ctl" -D "$place/db" -w -m fast stop
grep -E 'PANIC|signal (6|11)' "$place/server.log" && exit 1
exit 0
