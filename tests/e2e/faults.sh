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
if [ "${FAULTS:-few}" = all ]; then
	python3 "$E2E/faults.py" few "$B" "$T/sections" ||
		fail 'a program with threads and sections that none touches'
fi
