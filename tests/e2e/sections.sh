#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sections: nested, recursive, left early, in threads; counts are exact.
. "$E2E/lib.sh"

run_both "$T/sections"
json
expect 'section("outer")["calls"] == 5' 'section("inner")["calls"] == 5' \
	'section("early")["calls"] == 30' 'section("whole_function")["calls"] == 12' \
	'section("recursive")["calls"] == 30' 'section("in_threads")["calls"] == 400'

# 5 x (4 ms + 6 ms) outside, 5 x 6 ms inside; sleeping takes what it is told, or more.
expect 'section("outer")["total_s"] >= 0.050' 'section("inner")["total_s"] >= 0.030' \
	'section("outer")["self_s"] >= 0.019' \
	'section("outer")["self_s"] <= section("outer")["total_s"] - section("inner")["total_s"] + 0.001' \
	'section("inner")["min_s"] >= 0.0059' \
	'section("inner")["min_s"] <= section("inner")["p50_s"] * 1.04' \
	'section("inner")["p50_s"] <= section("inner")["p99_s"]' \
	'section("inner")["p99_s"] <= section("inner")["max_s"] * 1.04'
# Recursion is counted once in the time: 10 x 3 x 2 ms, not 10 x (2 + 4 + 6) ms.
expect '0.060 <= section("recursive")["total_s"]' 'section("recursive")["total_s"] < 0.115'

expect 'section("allocates")["allocations"] == 50' 'section("allocates")["bytes"] == 10000' \
	'section("in_threads")["allocations"] == 400' 'section("in_threads")["bytes"] == 400000' \
	'section("in_threads")["threads"] == 4'
report
report_has SECTIONS outer inner recursive in_threads
hasnt "$text" 'without their begin' 'the report'

# Without the shim nothing is missing, and a glob chooses.
run_shim PERFSHIM_SECTIONS='in*' "$T/sections"
same_output
json
expect '{s["name"] for s in sections} == {"inner", "in_threads"}'
run_shim PERFSHIM_SECTIONS=off "$T/sections"
same_output
json
expect 'sections == []'
