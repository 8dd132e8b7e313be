#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# PERFSHIM_HARDEN=full runs real programs, and finds nothing in them.
. "$E2E/lib.sh"

need python3 gcc sqlite3 redis-server redis-benchmark redis-cli

# same NAME COMMAND...: as without the shim, and no word of ours.
same()
{
	local name=$1
	shift
	run_bare "$@"
	run_shim PERFSHIM_HARDEN=full "$@"
	same_output stderr
	equal 0 "$(<shim.status)" "the status of $name"
	hasnt "$(<shim.err)" 'perfshim:' "stderr of $name"
}

cat >build.py <<'END'
import json, threading
rows = [{"id": i, "name": "item %d" % i, "tags": [str(i % k) for k in range(1, 6)]} for i in range(2000)]
done = []
threads = [threading.Thread(target=lambda: done.append(len(json.dumps(rows)))) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()
print(done, json.loads(json.dumps(rows)) == rows)
END
same python3 python3 build.py
same 'python3 on malloc' env PYTHONMALLOC=malloc python3 build.py

printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts("built"); return 0; }\n' >small.c
same gcc gcc -O2 small.c -o small
equal built "$(./small)" 'what the built program prints'

same sqlite3 sqlite3 :memory: 'create table t(a, b);
	with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
	insert into t select i, hex(i) from n; create index x on t(b); select count(*), max(b) from t;'
same git git -C "$E2E/../.." log --oneline -n 20 --stat

socket=$PWD/s
env LD_PRELOAD="$LIB" PERFSHIM_HARDEN=full PERFSHIM_REPORT=none redis-server --port 0 \
	--unixsocket "$socket" --save '' --appendonly no --dir "$PWD" >server.out 2>&1 &
server=$!
for ((i = 0; i < 200; i++)); do
	redis-cli -s "$socket" ping 2>/dev/null | grep -q PONG && break
	sleep 0.05
done
redis-benchmark -s "$socket" -n 3000 -r 1000 -d 100 -P 8 -t set,get,lpush,hset -q >bench.out 2>&1 ||
	fail 'redis-benchmark to succeed' "$(tail -n 3 bench.out server.out)"
redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1
{ wait "$server"; } 2>/dev/null
equal 0 $? 'the status of redis-server'
hasnt "$(<server.out)" 'perfshim:' 'what redis-server said'
