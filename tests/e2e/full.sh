#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a full recording: read within a second and 300 MiB in every format.  CPU time
# is held to three seconds, since others may use the machine; the figures are
# printed.
. "$E2E/lib.sh"

need gcc

# read_in FORMAT FILE
read_in()
{
	local seconds kib
	read -r seconds kib < <(python3 - "$B/perfreport" "--$1" -o read "$2" <<'END'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.2f %d" % (used.ru_utime + used.ru_stime, used.ru_maxrss))
END
	)
	[ -n "${kib-}" ] || fail "perfreport --$1 to read $2"
	printf '%-10s %-8s %s s of CPU time, %d MiB\n' "$1" "${2%.*}" "$seconds" $((kib / 1024))
	[ "${seconds%.*}" -lt 3 ] || fail "a full recording as $1 in less than 3 s" "$seconds"
	[ "$kib" -lt 307200 ] || fail "a full recording as $1 within 300 MiB" "$kib KiB"
	[ -s read ] || fail "something of a full recording as $1"
}

# Every table at its limit, of a program that is not there.
"$B/fuzz/seed" full limits.perfshim || fail 'a full recording'

# Stacks of 1500 functions in one unit, with lines and inlined functions.
python3 - >deep.c <<'END'
count = 1500
print("#include <stdlib.h>\ntypedef void *f(int); extern f *all[];\n"
      "static unsigned long seed = 1;\n"
      "static unsigned next(void) { return (seed = seed * 6364136223846793005ul + 1442695040888963407ul) >> 33; }\n"
      "__attribute__((always_inline)) static inline void *leaf(int n) { return malloc(16 + n % 64); }")
for i in range(count):
    print("__attribute__((noinline)) void *f%d(int n) { volatile int at = %d;\n"
          "if (n <= 0) return leaf(at);\nvoid *p = all[next() %% %d](n - 1);\nat++;\nreturn p; }" % (i, i, count))
print("f *all[] = {%s};" % ", ".join("f%d" % i for i in range(count)))
print("int main(void) { for (int i = 0; i < 120000; i++) free(all[next() %% %d](next() %% 40)); }" % count)
END
gcc -g -O1 -o deep deep.c || fail 'to compile'
run_shim PERFSHIM_SAMPLE=all ./deep
mv "$(recording)" deep.perfshim
"$B/perfreport" --no-color deep.perfshim >text 2>&1
has "$(<text)" 'dropped 0, .*cut short [0-9.]+ k' 'a recording that is full, without a loss'
has "$(<text)" 'leaf +inlined at deep.c:[0-9]+' 'its names'

# More sites than JSON has room for, unless it is told so.
sites_of()
{
	"$B/perfreport" "--json$1" -o report.json deep.perfshim || fail "--json$1"
	python "$E2E/expect.py" validate report.json || exit 1
	value '"%d %d" % (len(heap["sites"]), heap["sites_not_listed"])'
}
read -r listed rest < <(sites_of '')
equal 1000 "$listed" 'the sites of --json'
[ "$rest" -gt 1000 ] || fail 'many sites that are not listed' "$rest"
equal "7 $((rest + 993))" "$(sites_of '=7')" 'the sites of --json=7'
equal "$((rest + 1000)) 0" "$(sites_of '=all')" 'the sites of --json=all'
for wrong in 0 -1 some 1x; do
	"$B/perfreport" --json=$wrong deep.perfshim >out 2>err
	equal 2 $? "the status of --json=$wrong"
	has "$(<err)" '--json' 'what is said of it'
done

for format in text json json=all pprof callgrind folded massif; do
	read_in "$format" limits.perfshim
	read_in "$format" deep.perfshim
done
