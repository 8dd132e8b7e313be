#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh: its options, its status, its table; stdout is the command's.
. "$E2E/lib.sh"

wrap()
{
	"$WRAP" --library "$LIB" "$@" >out 2>err
}
wrap -- "$T/exact"
equal 0 $? 'the status'
equal '' "$(<out)" 'the stdout of a command that prints nothing'
has "$(<err)" 'MOST ALLOCATIONS' 'the report'

wrap sh -c 'echo hello; exit 7'
equal 7 $? 'the status of the command'
equal hello "$(<out)" 'the stdout of the command'
wrap "$T/die" term
equal 143 $? 'the status of a command that SIGTERM ended'
wrap nosuchcommand
equal 127 $? 'the status when there is no such command'
wrap /etc/passwd
equal 126 $? 'the status when it cannot be executed'
wrap --sample often true
equal 2 $? 'the status of a bad option value'
wrap --nosuch true
equal 2 $? 'the status of an unknown option'
wrap
equal 2 $? 'the status without a command'
# What cannot be is said in a line, before the command runs.
refused()
{
	local wanted=$1
	shift
	wrap "$@" touch ran
	equal 2 $? "the status of $*"
	equal "perfwrap.sh: $wanted" "$(<err)" "stderr of $*"
	[ ! -e ran ] || fail "no run with $*"
}
touch plain
for option in --report --json --html; do
	refused "$option /nonexistent/x: no such directory" "$option" /nonexistent/x
	refused "$option $PWD: is a directory" "$option" "$PWD"
done
refused '-o /proc/nowhere: No such file or directory' -o /proc/nowhere
refused '-o plain: File exists' -o plain
refused '--sample 0: expected a number of bytes, auto, all or off' --sample 0
refused '--on-alert needs --alert or PERFSHIM_ALERT' --on-alert true
refused '--alert-log needs --alert or PERFSHIM_ALERT' --alert-log
wrap --help
equal 0 $? 'the status of --help'
has "$(<out)" '--no-children' 'the help'
wrap --version
has "$(<out)" '^perfwrap.sh [0-9]+\.[0-9]+' 'the version'

wrap --quiet sh -c 'echo to stderr >&2'
equal 'to stderr' "$(<err)" 'stderr with --quiet'
wrap --report report.txt --json report.json --sample all "$T/exact"
equal '' "$(<err)" 'stderr with --report'
has "$(<report.txt)" 'keep_small' 'the report in a file'
python "$E2E/expect.py" validate report.json || exit 1
expect 'site("keep_small", "allocations") == 1000' 'process["exit"]["code"] == 0'

wrap -o 'my dir' --quiet "$T/family"
equal 4 "$(find 'my dir' -name '*.perfshim' | wc -l)" 'recordings in the directory of -o'
wrap "$T/family"
equal 4 "$(grep -cE '^ *[0-9]+ .*family' err)" 'lines of the table of processes'
wrap --no-children -o alone --quiet "$T/family"
equal 1 "$(find alone -name '*.perfshim' | wc -l)" 'recordings with --no-children'

# An existing LD_PRELOAD stays, behind ours; a path with spaces and colons works.
mkdir 'a b:c' && cp "$LIB" "$B/perfreport" 'a b:c/'
LD_PRELOAD=libm.so.6 "$WRAP" --library 'a b:c/libperfshim.so' sh -c 'echo "$LD_PRELOAD"' >out 2>err
equal 0 $? 'the status with a library whose path has spaces and colons'
has "$(<out)" '^[^ :]*libperfshim.so:libm.so.6$' 'LD_PRELOAD of the command'
has "$(<err)" 'MOST ALLOCATIONS' 'the report with such a path'
hasnt "$(<err)" 'ld.so' 'stderr with such a path'

# Signals reach the command, and the report comes all the same.
cat >waits.sh <<'END'
trap 'echo got TERM; exit 4' TERM
echo ready
while :; do sleep 0.05; done
END
"$WRAP" --library "$LIB" bash waits.sh >out 2>err &
for ((i = 0; i < 100; i++)); do [[ $(<out) == ready* ]] && break; sleep 0.05; done
kill -TERM $!
wait $!
equal 4 $? 'the status of a command that caught SIGTERM'
equal $'ready\ngot TERM' "$(<out)" 'the stdout of a command that caught SIGTERM'
has "$(<err)" 'MOST ALLOCATIONS' 'the report after SIGTERM'
equal '' "$(compgen -G "${TMPDIR:-/tmp}/perfwrap.*/out/waits*")" 'files left behind'

# A command that empties the directory of temporary files, or has none.
mkdir temporary
TMPDIR=$PWD/temporary "$WRAP" --library "$LIB" --quiet -- \
	bash -c 'trap "echo told >told" USR1; rm -rf "$TMPDIR"/*; echo >begun; until [ -e told ]; do sleep 0.05; done; exit 7' \
	>out 2>err &
until [ -e begun ]; do sleep 0.05; done
kill -USR1 $!
wait $!
equal 7 $? 'the status of a command that got a signal and has removed our files'
TMPDIR=/nonexistent "$WRAP" --library "$LIB" -- "$T/exact" >out 2>err
equal 0 $? 'the status where TMPDIR is not there'
has "$(<err)" 'MOST ALLOCATIONS' 'the report where TMPDIR is not there'
TMPDIR='/tmp/a b' "$WRAP" --library "$LIB" --quiet -- ls /proc/self/fd >out 2>err
equal "$(ls /proc/self/fd)" "$(<out)" 'the descriptors of a command'
