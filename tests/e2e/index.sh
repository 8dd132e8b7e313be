#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# the example: same words as without the shim, its sections and names in the report.
. "$E2E/lib.sh"

run_both "$T/index" /usr/share/doc 400 4
json
expect 'section("read")["calls"] >= 1' 'section("tokenize")["calls"] == section("read")["calls"]' \
	'section("merge")["calls"] == 4' 'section("report")["calls"] == 1' \
	'section("tokenize")["threads"] == 4' 'section("tokenize")["self_s"] > 0' \
	'section("read")["allocations"] >= 2 * section("read")["calls"]'
report
report_has 'MOST ALLOCATIONS' SECTIONS tokenize merge MACHINE
