#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a real program: redis-server under redis-benchmark, ended by shutdown and by SIGKILL.
. "$E2E/lib.sh"

need redis-server redis-benchmark redis-cli
serve()
{
	local how=$1 socket=$PWD/$1.sock server
	mkdir -p rec
	env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none redis-server \
		--port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$PWD" \
		>server.out 2>&1 &
	server=$!
	echo "$server" >shim.pid
	for ((i = 0; i < 200; i++)); do
		redis-cli -s "$socket" ping 2>/dev/null | grep -q PONG && break
		sleep 0.05
	done
	redis-benchmark -s "$socket" -n 20000 -r 10000 -d 100 -P 8 -t set,get,lpush,hset -q \
		>bench.out 2>&1 || fail 'redis-benchmark to succeed' "$(tail -n 3 bench.out server.out)"
	equal 4 "$(tr '\r' '\n' <bench.out | grep -c 'requests per second')" 'tests that redis-benchmark ran'
	redis-cli -s "$socket" set story told >/dev/null
	equal told "$(redis-cli -s "$socket" get story)" 'the value that was set'
	case $how in
	shutdown) redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1 ;;
	kill) kill -KILL "$server" ;;
	esac
	{ wait "$server"; } 2>/dev/null
}
serve shutdown
equal 0 $? 'the status of redis-server after shutdown'
# Redis brings its own jemalloc calls, or libc's: either way the heap is ours.
plausible
expect 'heap["allocations"] > 10000' 'process["threads"] >= 1'
rm -r rec
serve kill
equal 137 $? 'the status of redis-server after SIGKILL'
plausible
expect 'heap["allocations"] > 10000' 'heap["live_bytes"] > 1e6'
