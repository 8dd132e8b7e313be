#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each system call of the shim fails in turn, by strace's injection: the program
# goes on as without.  FAULTS=all (check-long): with every plausible error; else
# one of them each.
. "$E2E/lib.sh"

need strace
setarch -R strace -o /dev/null -e inject=close:error=EIO:when=1000 true 2>/dev/null ||
	skip 'strace cannot trace here'
# hazard: P19 Crash or hang inside our constructor/destructor
# hazard: F6 fallocate unsupported / slow
# hazard: F7 EMFILE/ENFILE and every other errno
python3 "$E2E/faults.py" "${FAULTS:-few}" "$B" "$T/die" return ||
	fail 'a program that no failing call of the shim touches'
# was_injected CALL WHEN: a second or third call of some a child makes only now
# and then; the first one is there.
was_injected()
{
	local most
	grep -q INJECTED told.log && return
	most=$(grep -oE "^[0-9]+ +$1\(" told.log | sort | uniq -c | sort -n | tail -n 1 | awk '{ print $1 }')
	case $2 in 1*) return 1 ;; esac
	[ "${most:-0}" -lt "$2" ]
}
# In children: strace counts each one's calls by itself, from where it attaches.
few=(mmap:1 madvise:1+ openat:1+)
[ "${FAULTS:-few}" = few ] || few+=({mmap,madvise,openat,fstat,ftruncate,pwrite64}:{1,2,3})
for fault in "${few[@]}"; do
	rm -rf rec go told.out told.log attached && mkdir rec && mkfifo go
	LD_PRELOAD=$LIB PERFSHIM_OUT=$PWD/rec PERFSHIM_SAMPLE=4K PERFSHIM_REPORT=none \
		"$T/hazard_process" told 3 <go >told.out 2>told.err &
	host=$!
	exec 5>go
	until grep -qs ready told.out; do sleep 0.02; done
	strace -f -o told.log -p $host -e trace="${fault%:*}" \
		-e inject="${fault%:*}:error=ENOMEM:when=${fault#*:}" 2>attached &
	until grep -qs attached attached; do sleep 0.02; done
	echo go >&5
	exec 5>&-
	wait $host
	equal '0 ready 0 bad' "$? $(tr '\n' ' ' <told.out | sed 's/ $//')" "a program whose children have ${fault%:*} fail"
	wait
	was_injected "${fault%:*}" "${fault#*:}" || fail "a call of a child to fail with $fault"
	for file in rec/*.perfshim; do
		"$B/perfreport" --json -o report.json "$file" 2>report.err || fail "a recording after $fault" "$(<report.err)"
	done
done
if [ "${FAULTS:-few}" = all ]; then
	python3 "$E2E/faults.py" few "$B" "$T/sections" ||
		fail 'a program with threads and sections that none touches'
fi
