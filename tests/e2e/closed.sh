#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# closed, full and broken streams: status and stdout stay what they are.
. "$E2E/lib.sh"

preloaded()
{
	LD_PRELOAD=$LIB "$@"
}
ls / >expected
# (ls itself closes its stderr before it ends, so it never shows a report.)
preloaded "$T/die" return >got 2>err
has "$(<err)" 'MOST ALLOCATIONS' 'the report, while stderr is open'
for close in '2>&-' '2>/dev/full' '</dev/null' '<&-' '2>/dev/null'; do
	eval "preloaded ls / $close" >got
	equal 0 $? "the status of ls with $close"
	cmp -s expected got || fail "the stdout of ls with $close unchanged" "$(<got)"
	eval "preloaded \"\$T/die\" return $close" >got
	equal 0 $? "the status of a program with $close"
	equal allocated "$(<got)" "the stdout of a program with $close"
done
preloaded sh -c 'exit 7' >&- 2>&-
equal 7 $? 'the status with stdout and stderr closed'
eval 'preloaded "$T/die" return >&- 2>err'
equal 0 $? 'the status of a program with stdout closed'

# A reader that goes away must not turn success into SIGPIPE.
preloaded sh -c 'exit 3' 2> >(head -c 1 >/dev/null)
equal 3 $? 'the status when the reader of stderr has gone'
{ preloaded sh -c 'exit 4' 2>&1; echo "status $?" >&3; } 3>status | true
equal 'status 4' "$(<status)" 'the status when nobody reads'

# Descriptor 2 that became a file of the program's has no line of ours in it: of
# a child without a place for its recording, of a report and of metrics.
mkdir out
LD_PRELOAD=$LIB PERFSHIM_OUT=$PWD/out PERFSHIM_METRICS=$PWD/out/m PERFSHIM_REPORT=$PWD/out/r.%p \
	PERFSHIM_ALERT='info: heap > 1K' bash -c 'exec 2>own; echo user >&2; mv out gone
	(for i in {1..20000}; do x[i]=$i; done; exit 3); exit $?' 2>err
equal 3 $? 'the status of a program whose descriptor 2 is a file of its own'
equal user "$(<own)" 'that file'

# A parent that reads when its child has ended, of a report that no pipe holds.
timeout -s KILL 60 python3 - "$LIB" <<'END_PY' || fail 'a child to end before its stderr is read'
import os, subprocess, sys
env = dict(os.environ, LD_PRELOAD=sys.argv[1], PERFSHIM_SAMPLE="all", PERFSHIM_FORMAT="json")
child = subprocess.Popen([sys.executable, "-c", "import json, re, subprocess; raise SystemExit(6)"], env=env,
                         stderr=subprocess.PIPE)
assert child.wait() == 6
assert len(child.stderr.read()) >= 60000
END_PY
