#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a bare LD_PRELOAD: one report, on stderr; descendants are silent.
. "$E2E/lib.sh"

LD_PRELOAD=$LIB PERFSHIM_SAMPLE=16K "$T/family" >out 2>err
equal 0 $? 'the status'
"$T/family" | diff - out || fail 'the same stdout as without the shim'
has "$(<err)" 'MOST ALLOCATIONS' 'the report on stderr'
equal 1 "$(grep -c 'MOST ALLOCATIONS' err)" 'the number of reports for four processes'
has "$(<err)" parent_allocate 'the report'

LD_PRELOAD=$LIB sh -c 'ls / >/dev/null; "$0" >/dev/null' "$T/exact" 2>err
equal 1 "$(grep -c 'MOST ALLOCATIONS' err)" 'the number of reports for a shell and its commands'

LD_PRELOAD=$LIB PERFSHIM_REPORT=none "$T/exact" 2>err
equal '' "$(<err)" 'stderr with PERFSHIM_REPORT=none'

LD_PRELOAD=$LIB PERFSHIM_REPORT="$PWD/r.%p.%e" "$T/exact" 2>err
equal '' "$(<err)" 'stderr with PERFSHIM_REPORT=path'
file=$(compgen -G 'r.[0-9]*.exact') || fail 'a report named r.PID.exact' "$(ls)"
has "$(<"$file")" 'MOST ALLOCATIONS' 'the report in a file'

LD_PRELOAD=$LIB PERFSHIM_FORMAT=json PERFSHIM_REPORT="$PWD/report.json" "$T/exact" 2>err
python "$E2E/expect.py" validate report.json || exit 1
expect 'heap["allocations"] >= 1500' 'r["schema"] == "perfshim-report/1"'

# A bad value is one line with the name, the value and what is allowed.
LD_PRELOAD=$LIB PERFSHIM_REPORT=none PERFSHIM_SAMPLE=often "$T/exact" 2>err
equal 0 $? 'the status with a bad value'
equal 1 "$(wc -l <err)" 'the lines about one bad value'
has "$(<err)" 'PERFSHIM_SAMPLE.*often.*all' 'the line about a bad value'
LD_PRELOAD=$LIB PERFSHIM_OUT=/nonexistent/dir PERFSHIM_REPORT=none "$T/exact" 2>err
equal 0 $? 'the status when the directory does not exist'
equal 1 "$(wc -l <err)" 'the lines about a directory that does not exist'

# A recording comes in place of the report; both, if both are asked for; where
# there can be none, one line says so and the report comes, as without PERFSHIM_OUT.
mkdir rec
LD_PRELOAD=$LIB PERFSHIM_OUT=$PWD/rec "$T/exact" 2>err
equal '' "$(<err)" 'stderr with PERFSHIM_OUT'
equal 1 "$(find rec -name 'exact.*.perfshim' -size +15k -perm 600 | wc -l)" 'recordings with PERFSHIM_OUT'
LD_PRELOAD=$LIB PERFSHIM_OUT=rec PERFSHIM_REPORT=stderr "$T/exact" 2>err
has "$(<err)" 'MOST ALLOCATIONS' 'the report beside a recording'
equal 2 "$(find rec -name 'exact.*.perfshim' | wc -l)" 'recordings with a relative PERFSHIM_OUT'
for where in /nonexistent/dir /proc "$T/exact"; do
	LD_PRELOAD=$LIB PERFSHIM_OUT=$where sh -c 'cd / && "$0"; true' "$T/exact" 2>err
	has "$(head -n 1 err)" "^perfshim: PERFSHIM_OUT=$where: no recording there .*in memory$" 'the first line'
	equal 1 "$(grep -c 'MOST ALLOCATIONS' err)" "the reports of a shell and its command without $where"
done
LD_PRELOAD=$LIB PERFSHIM_OUT='' "$T/exact" 2>err
has "$(<err)" 'MOST ALLOCATIONS' 'the report with an empty PERFSHIM_OUT'
