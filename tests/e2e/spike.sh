#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# After a spike, memory goes back: 10 s later no more is held than by jemalloc,
# a fifth and 2 MiB (what is recorded), small blocks and large ones alike.
. "$E2E/lib.sh"

for jemalloc in /usr/lib/*-linux-gnu*/libjemalloc.so.2 /usr/lib*/libjemalloc.so.2; do
	[ -e "$jemalloc" ] && break
done
[ -e "$jemalloc" ] || skip 'libjemalloc.so.2 is not installed'
LD_PRELOAD=$jemalloc "$T/spike" 10 >jemalloc.out &
run_shim "$T/spike" 10
wait
{ read -r peak && read -r left; } <shim.out
{ read -r _ && read -r theirs; } <jemalloc.out
[ "$peak" -gt 200000 ] || fail 'a spike of 200 MiB' "$peak KiB"
[ "$left" -le $((theirs * 6 / 5 + 2048)) ] ||
	fail "at most 1.2 of jemalloc's $theirs KiB and 2048 KiB after 10 s" "$left KiB"
