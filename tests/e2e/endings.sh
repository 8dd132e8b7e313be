#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# However a program ends, perfwrap.sh has a report of it, and its status.
. "$E2E/lib.sh"

# wrapped HOW COMMAND...: under perfwrap.sh as `shim`, report.json and wrap.err.
wrapped()
{
	rm -f report.json
	run shim "$WRAP" --library "$LIB" --sample 64K --json report.json -- "$@"
}

# hazard: P8 Exit paths without destructors
# hazard: P11 Crash in program (SIGSEGV/abort)
declare -A expected=([return]=0 [_exit]=3 [quick_exit]=4 [exec]=6 [pthread_exit]=0
	[term]=143 [abort]=134 [segv]=139 [kill]=137)
ulimit -c 0
for how in "${!expected[@]}"; do
	run_bare "$T/die" "$how"
	wrapped "$T/die" "$how"
	same_output
	equal "${expected[$how]}" "$(<shim.status)" "the status after $how"
	[ "$how" = exec ] && continue # of sh, which took its place
	expect 'heap["allocations"] >= 5000' 'heap["live_bytes"] >= 5000000' \
		'process["exe"].endswith("/die")'
	has "$(<shim.err)" last_will "the report after $how"
	case ${expected[$how]} in
	1[0-9][0-9]) expect "process[\"exit\"] == {\"kind\": \"signal\", \"code\": ${expected[$how]} - 128}" ;;
	*) expect "process[\"exit\"] == {\"kind\": \"exit\", \"code\": ${expected[$how]}}" ;;
	esac
done
# hazard: P7 exec: data lost, env inherited
run_shim PERFSHIM_SAMPLE=64K "$T/die" exec
for file in rec/die."$(<shim.pid)".*.perfshim; do
	"$B/perfreport" --json -o report.json "$file" || fail 'a recording of the image before exec'
	expect 'heap["allocations"] >= 5000' 'sites("last_will")'
done

# The core is written, where the system writes cores to the current directory.
ulimit -S -c unlimited 2>/dev/null
if [ "$(</proc/sys/kernel/core_pattern)" = core ] && [ "$(ulimit -c)" != 0 ]; then
	run_bare "$T/die" segv
	bare_core=$(compgen -G 'core*')
	rm -f -- core*
	# hazard: I12 Huge cores
	run_shim PERFSHIM_SAMPLE=64K "$T/die" segv
	equal "${bare_core:+yes}" "$(compgen -G 'core*' | sed 's/.*/yes/')" 'a core, as without the shim'
	rm -f -- core*
else
	echo 'cores: not tried, core_pattern is not "core" here'
fi
ulimit -S -c 0

# Out of memory, in a control group of our own.
v1=/sys/fs/cgroup/memory/perfshim-$$ v2=/sys/fs/cgroup/perfshim-$$ group=''
if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ] && mkdir "$v1" 2>/dev/null; then
	group=$v1
	{ echo 64M >"$v1/memory.limit_in_bytes"; } 2>/dev/null || group=''
elif grep -qs memory /sys/fs/cgroup/cgroup.subtree_control && mkdir "$v2" 2>/dev/null; then
	group=$v2
	{ echo 64M >"$v2/memory.max" && echo 0 >"$v2/memory.swap.max"; } 2>/dev/null || group=''
fi
trap 'rmdir "$v1" "$v2" 2>/dev/null' EXIT
[ -n "$group" ] || skip 'no control group of our own: the OOM killer was not tried'
# shellcheck disable=SC2016 # the inner shell's
wrapped bash -c 'echo $$ >"$0/cgroup.procs" && exec "$1" oom' "$group" "$T/die"
equal 137 "$(<shim.status)" 'the status after the OOM killer'
equal allocated "$(<shim.out)" 'the stdout before the OOM killer'
expect 'heap["allocations"] >= 5010' 'heap["live_bytes"] >= 20e6' \
	'process["exit"] == {"kind": "signal", "code": 9}'
has "$(<shim.err)" take_all_memory 'the report after the OOM killer'

# _exit waits for nobody, and so does the report: not for a library whose
# constructor does not end.
cat >stuck.c <<'END_C'
#include <unistd.h>
extern volatile int is_inside;
__attribute__((constructor)) static void never_ends(void)
{
	is_inside = 1;
	for (;;)
		pause();
}
END_C
cat >leaves.c <<'END_C'
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
volatile int is_inside;
static void *load(void *path) { return dlopen(path, RTLD_NOW); }
int main(int argc, char **argv)
{
	void *volatile block = malloc(3000000);
	pthread_t thread;
	pthread_create(&thread, NULL, load, argv[1]);
	while (!is_inside)
		usleep(1000);
	_exit(block == NULL ? 1 : 3);
}
END_C
gcc -w -shared -fPIC -o stuck.so stuck.c || fail 'to compile'
gcc -w -rdynamic -pthread -o leaves leaves.c -ldl || fail 'to compile'
run_bare ./leaves "$PWD/stuck.so"
run shim timeout -s KILL 60 env LD_PRELOAD="$LIB" PERFSHIM_REPORT="$PWD/left" ./leaves "$PWD/stuck.so"
same_output
has "$(<left)" 'leaves' 'the report'
