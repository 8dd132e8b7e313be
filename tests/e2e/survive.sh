#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a long run meets: the directories of recording and metrics are deleted
# and come back, the process is suspended for a while.
. "$E2E/lib.sh"

mkdir rec out
env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT="$PWD/out/report" PERFSHIM_METRICS="$PWD/out/m.prom" \
	PERFSHIM_ALERT_TO="$PWD/alerts" PERFSHIM_ALERT='heap grows > 10G/s over 1s; section(round).p99 > 100s; heap > 2M' \
	"$T/leak" small 50 2>err &
pid=$!
trap 'kill -KILL $pid 2>/dev/null' EXIT
for ((i = 0; i < 400; i++)); do grep -qs 'heap > 2M' alerts && break; sleep 0.02; done
has "$(<alerts)" 'heap > 2M' 'the first alert'

# Suspended: a gap in time is no growth, and no slow call.
kill -STOP $pid
sleep 1.5
kill -CONT $pid
# Deleted, all of it, while it runs.
rm -r rec out
sleep 1
[ -d /proc/$pid ] || fail 'the process to go on' "$(<err)"
equal 1 "$(wc -l <alerts)" "the alerts after a pause ($(<alerts))"
# What comes back is used again, as far as files are opened for the moment.
mkdir out
kill -TERM $pid
wait $pid
equal 143 $? 'the status'
equal '' "$(<err)" 'stderr'

# A program that ends by itself writes its last metrics into the new directory,
# and its report; the recording is gone with its directory.
mkdir rec gone
cat >program.py <<'END'
import os, shutil
blocks = [bytearray(1000) for _ in range(10000)]
shutil.rmtree("rec")
shutil.rmtree("gone")
os.mkdir("gone")
more = [bytearray(1000) for _ in range(10000)]
END
run shim env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT="$PWD/gone/report" \
	PERFSHIM_METRICS="$PWD/gone/m.prom" python3 program.py
equal 0 "$(<shim.status)" 'the status'
equal '' "$(<shim.err)" 'stderr'
has "$(<gone/m.prom)" 'perfshim_heap_allocations_total\{[^}]*\} [0-9]{5,}' 'the metrics in the directory that came back'
has "$(<gone/report)" 'MOST ALLOCATIONS' 'the report in the directory that came back'
[ ! -e rec ] || fail 'no directory that nobody made' "$(ls rec)"
# Nor does it matter when they do not come back.
mkdir rec gone2
sed -i '/mkdir/d; s/gone/gone2/' program.py
run shim env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none \
	PERFSHIM_METRICS="$PWD/gone2/m.prom" python3 program.py
equal 0 "$(<shim.status)" 'the status'
equal 1 "$(grep -c "^perfshim: PERFSHIM_METRICS=$PWD/gone2/m.prom: not written" shim.err)" "the line about it ($(<shim.err))"
equal 1 "$(wc -l <shim.err)" 'lines on stderr'
