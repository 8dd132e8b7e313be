#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vfork and posix_spawn: the child borrows our memory and harms nothing.
. "$E2E/lib.sh"

run_both PERFSHIM_SAMPLE=4K PERFSHIM_CHILDREN=all "$T/spawn"
json
expect 'heap["allocations"] >= 2000' 'heap["allocations"] < 2200' 'process["exit"]["code"] in (0, None)'
report
report_has fill
# The two shells are processes of their own; the failed exec is none.
equal 3 "$(find rec -name '*.perfshim' | wc -l)" 'recordings of the program and two shells'
