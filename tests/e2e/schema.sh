#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# the JSON report of very different programs validates against the schema.
. "$E2E/lib.sh"

for command in true "ls -la /" "$T/exact" "$T/sections" "$T/threads" "$T/die kill" 'bash -c "x=1"'; do
	# shellcheck disable=SC2086 # a command line
	eval run_shim $command
	json
	expect 'r["schema"] == "perfshim-report/1"' 'process["pid"] > 0' \
		"process[\"pid\"] == $(<shim.pid)" 'process["argv"] is None' \
		'set(r) >= {"process", "heap", "sections", "calibration", "alerts", "sampling", "overhead"}'
done
