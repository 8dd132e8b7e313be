#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# early allocation: programs that allocate before any constructor of ours.
. "$E2E/lib.sh"

run_both ls -la /usr/bin
plausible
run_both /bin/bash --version
run_both python3 --version
for program in clang psql gcc git; do
	type -P "$program" >/dev/null || continue
	run_both "$program" --version
	json
	expect 'heap["allocations"] > 0'
done
