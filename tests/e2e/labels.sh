#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# who allocated, and where: threads and sections as labels and as filters; leaks
# that are suppressed.
. "$E2E/lib.sh"

run_shim PERFSHIM_SAMPLE=all "$T/labels"
file=$(recording)
# told OPTION...: the report as JSON.
told()
{
	"$B/perfreport" --json -o report.json "$@" "$file" 2>err || fail "perfreport $*" "$(<err)"
	python "$E2E/expect.py" validate report.json || exit 1
}
kept='site("keep", "bytes")'
told
expect "$kept == 190e3" '[l["bytes"] for l in heap["by_section"] if l["name"] == "parse"] == [110e3]' \
	'[l["live_bytes"] for l in heap["by_section"] if l["name"] == "build"] == [30e3]' \
	'[l["bytes"] for l in heap["by_thread"] if l["name"] == "writer"] == [30e3]' \
	'[l["peak_bytes"] for l in heap["by_thread"] if l["name"] == "reader"] == [150e3]' \
	'heap["left_out"]["rows"] == 0' 'heap["suppressed"]["sites"] == 0'
told --thread reader
expect "$kept == 150e3" 'heap["left_out"]["bytes"] >= 40e3'
told --thread 'read*,writer'
expect "$kept == 180e3"
told --section parse
expect "$kept == 110e3"
told --section 'b*' --thread reader
expect "$kept == 0"
told --section parse --thread reader --function keep
expect "$kept == 100e3"
told --section parse --function main
expect "$kept == 10e3"
text=$("$B/perfreport" --no-color "$file")
report_has 'HEAP BY THREAD.*reader #[0-9]+ +146 KiB +146 KiB +146 KiB' 'HEAP BY SECTION.*parse +107 KiB'

# In pprof they are labels of the samples.
if type -P node >/dev/null; then
	"$B/perfreport" --pprof -o p.pb.gz "$file" || fail 'perfreport --pprof'
	node "$E2E/../npm/read.js" pprof p.pb.gz alloc_space >found || fail 'pprof-format to read it'
	for label in process=labels thread=reader thread=writer section=parse section=build; do
		grep -q "^labels .*$label" found || fail "samples with $label" "$(grep ^labels found)"
	done
fi

# Suppressed leaks are told apart, in JSON as in text.
echo 'leak:keep' >known
told --leak-suppressions known
expect 'heap["suppressed"]["sites"] == 4' 'heap["suppressed"]["bytes"] == 190e3' \
	'heap["suppressed"]["blocks"] == 190' "$kept == 190e3" 'site("keep", "live_bytes") == 0'

text=$("$B/perfreport" --no-color --leak-suppressions known "$file")
report_has 'suppressed: 4 stacks with 186 KiB in 190 blocks'

# 63 threads have a label; what later ones have allocated is told as one, and is
# in no other's figures, also when a row is used again.
run_shim PERFSHIM_SAMPLE=all "$T/labels" 80
file=$(recording)
told
expect 'len(heap["by_thread"]) == 64' 'sum(l["bytes"] for l in heap["by_thread"]) == heap["requested_bytes"]' \
	'[l["bytes"] for l in heap["by_thread"] if l["name"] == "worker"] == [10e3] * 62' \
	'sum(l["bytes"] for l in heap["by_thread"] if l["name"] is None) == 190e3' \
	'[l["bytes"] for l in heap["by_section"] if l["name"] == "work"] == [810e3]' \
	'section("work")["calls"] == 81' 'section("work")["threads"] == 81'
told --thread worker
expect "$kept == 620e3"
# One stack of all of them.
told --leak-suppressions known
expect 'heap["suppressed"]["sites"] == 1' 'heap["suppressed"]["blocks"] == 810'
text=$("$B/perfreport" --no-color --top 3 "$file")
report_has 'HEAP BY THREAD[^:]*threads not told apart +186 KiB +[0-9]+ KiB +186 KiB'
