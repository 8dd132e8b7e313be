#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# small: what a process costs that does little: a shell starts thousands of them.
. "$E2E/lib.sh"
need strace python3

# ---- jemalloc begins when it is wanted --------------------------------------
# Its first act is to ask for this file.
asked()
{
	rm -rf rec
	run_shim strace -f -o trace -e trace=open,openat "$@"
	equal 0 "$(<shim.status)" "the status of $1"
	grep -c overcommit_memory trace
}
equal 0 "$(asked sh -c 'true; echo; (exit 0); cat /dev/null; grep x </dev/null; true')" 'processes that began jemalloc'
equal 1 "$(asked dd if=/dev/zero of=/dev/null bs=32M count=1)" 'processes that began jemalloc'

# ---- a recording takes what it holds ----------------------------------------
rm -rf rec
run_shim bash -c 'x=$(true); exit 0'
recorded
kib=$(du -k "$(recording)" | cut -f 1)
[ "$kib" -lt 100 ] || fail 'less than 100 KiB on disk for a small program' "$kib KiB"

# ---- fork of a process with one thread touches few pages --------------------
# 2 to 9 more, by how much of the preload's text the kernel maps at one fault.
cat >faults.py <<'END'
import os, resource
least = 10 ** 9
for _ in range(20):
    r, w = os.pipe()
    if os.fork() == 0:
        os.write(w, b"%d" % resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        os._exit(0)
    os.wait()
    least = min(least, int(os.read(r, 20)))
    os.close(r), os.close(w)
print(least)
END
run_bare python3 faults.py
run_shim python3 faults.py
equal 0 "$(<shim.status)" 'the status of python3'
more=$(($(<shim.out) - $(<bare.out)))
[ "$more" -lt 12 ] || fail 'a forked child to have less than 12 page faults more than without the shim' "$more"
