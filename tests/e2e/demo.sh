#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# demo: a stranger's first command.  `make demo`, in a copy of the tree that has
# only the files that belong to it, ends with 0 and prints reports that say
# something.  What is built is taken along, unless DEMO=fresh: then make has to.
. "$E2E/lib.sh"
need git make

root=$(realpath "$E2E/../..")
git -C "$root" ls-files >files 2>/dev/null || skip 'the tree is no checkout'
mkdir -p tree/build
tar -C "$root" -cf - --ignore-failed-read -T files 2>tar.err | tar -C tree -xf - ||
	fail 'a copy of the tree' "$(<tar.err)"
if [ "${DEMO-}" != fresh ]; then
	tar -C "$B" -cf - --exclude=./e2e . | tar -C tree/build -xf - || fail 'a copy of the build'
fi

read -r compiler _ <"$B/flags"
env -u MAKEFLAGS -u MAKELEVEL make -C tree B=build CC="$compiler" demo >out 2>err
equal 0 $? "the status of make demo ($(tail -n 3 err))"
equal '' "$(<err)" 'what make demo says on stderr'

# section NAME: the lines of the first report from that heading to the next.
section()
{
	awk -v name="$1" '/^perfshim / { reports++ }
		/^[A-Z][A-Z]/ { inside = reports == 1 && index($0, name) == 1 }
		inside' out
}

text=$(<out)
report_has $'\nperfshim  index  pid [0-9]+  exit 0\n' 'The heap was .* at its peak, ' \
	'Of the marked sections [a-z]+ takes most time itself'
has "$(section HEAP)" 'allocations +[0-9.]+ [kM] .* peak heap +[0-9.]+ MiB' 'the heap of the first'
has "$(section 'MOST ALLOC')" 'tokenize .*at index.c:[0-9]+' 'the stacks of the first'
for name in read tokenize merge report; do
	has "$(section SECTIONS)" $'\n'"$name +[1-9][0-9]* +[0-9.]+[mun]?s " 'the sections of the first'
done
has "$(section MACHINE)" 'vector add  L1 [0-9.]+ GB/s' 'the machine of the first'
# The compiler, which nobody marked: its driver, or who does the work.
equal 1 "$(grep -cE '^perfshim  (cc1|clang[-0-9]*)  pid [0-9]+  exit 0$' out)" 'reports of the compiler'
report_has 'SECTIONS  none marked'
equal 2 "$(grep -c '^PROCESSES$' out)" 'tables of processes'
