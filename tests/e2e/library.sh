#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libperfcore.a for C programs: a benchmark, its JSON, a load test, linked as
# pkg-config says.
. "$E2E/lib.sh"
need gcc

cat >two.c <<'END'
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/load.h"

static void
sum(void *context)
{
	unsigned long n = *(unsigned long *)context, x = 3;

	for (unsigned long i = 0; i < n; i++)
		x = x * 6364136223846793005u + 1;
	ps_bench_keep(x);
}

static int
step(void *state)
{
	sum(state);
	return 0;
}

int
main(int argc, char **argv)
{
	static char buffer[1 << 16];
	unsigned long n = strtoul(argv[1], NULL, 10);
	struct ps_bench_options bench = {.name = "sum", .function = sum, .context = &n,
					 .samples = 40, .warm_up_ns = 5000000};
	struct ps_load_options load = {.scenario = {.step = step, .context = &n},
				       .workers = 2, .duration_ns = 200000000, .rate = 500};
	struct ps_bench_result b;
	struct ps_load_result l;
	struct ps_scratch scratch;
	struct ps_text out;

	ps_scratch_init(&scratch, 0);
	ps_text_init(&out, buffer, sizeof(buffer), 1);
	if (argc > 2 && ps_load_run(&load, &scratch, &l) == 0)
		ps_load_text(&l, &out);
	else if (argc <= 2 && ps_bench_run(&bench, &scratch, &b) == 0)
		ps_bench_json(&b, 1, NULL, &out);
	ps_text_flush(&out);
	ps_scratch_fini(&scratch);
	return out.error != 0;
}
END
gcc -O2 -I"$E2E/../../lib" -o two two.c "$B/libperfcore.a" -pthread || fail 'it to link with libperfcore.a'
./two 1000 >one.json || fail 'it to run' "$?"
./two 3000 >other.json || fail 'it to run' "$?"
python - <<'END' || exit 1
import json
a, b = (json.load(open(f)) for f in ("one.json", "other.json"))
runs = [x for x in a["benchmarks"] if x["run_type"] == "iteration"]
assert len(runs) == 40 and a["context"]["library_version"].startswith("perfshim"), a["context"]
kinds = {x["aggregate_name"]: x for x in a["benchmarks"] if x["run_type"] == "aggregate"}
assert sorted(kinds) == ["cv", "mean", "median", "stddev"], kinds
mean = sum(x["real_time"] for x in runs) / 40
assert abs(kinds["mean"]["real_time"] / mean - 1) < 1e-6
assert all(x["time_unit"] == "ns" and x["iterations"] > 0 for x in a["benchmarks"])
# What Google Benchmark's compare.py reads, of every entry and of single runs.
for x in a["benchmarks"]:
    for key in ("name", "run_name", "run_type", "time_unit", "real_time", "cpu_time", "family_index",
                "per_family_instance_index", "repetitions", "threads", "iterations"):
        assert key in x, (key, x)
    assert x["name"] == x["run_name"] + ("_" + x["aggregate_name"] if "aggregate_name" in x else ""), x
assert [x["repetition_index"] for x in runs] == list(range(40))
# 1000 dependent multiplications: 3 cycles each at 1 to 6 GHz, or more on a busy machine.
fastest = [min(x["real_time"] for x in f["benchmarks"] if x["run_type"] == "iteration") for f in (a, b)]
assert 400 < fastest[0] < 20000 and 2 < fastest[1] / fastest[0] < 4.5, fastest
END
./two 1000 load >load.txt || fail 'the load test to run' "$?"
has "$(<load.txt)" 'LOAD  2 workers, open loop.*done 100 in' 'the load test'

# ps_bench_keep and ps_bench_clobber: what is worked out for nothing is compiled
# away without them, and is there with them.
cat >kept.c <<'END'
#include "bench/bench.h"

int *place;
void lost(unsigned long x) { for (int i = 0; i < 1000; i++) x = x * 6364136223846793005u + 1; }
void kept(unsigned long x) { for (int i = 0; i < 1000; i++) x = x * 6364136223846793005u + 1; ps_bench_keep(x); }
void once(void) { *place = 1; *place = 2; }
void twice(void) { *place = 1; ps_bench_clobber(); *place = 2; }
END
gcc -O3 -I"$E2E/../../lib" -c kept.c || fail 'the helpers to compile' "$?"
# instructions FUNCTION REGEX: how many of those it has.
instructions()
{
	objdump -d --no-show-raw-insn "--disassemble=$1" kept.o | grep -cE "$2"
}
equal 0 "$(instructions lost imul)" 'multiplications that nobody wants'
[ "$(instructions kept imul)" -gt 0 ] || fail 'multiplications that ps_bench_keep wants' "$(objdump -d kept.o)"
equal 1 "$(instructions once 'movl +\$0x[12],')" 'stores of which the last one counts'
equal 2 "$(instructions twice 'movl +\$0x[12],')" 'stores on both sides of ps_bench_clobber'

# Google Benchmark's own tool, where it is installed.
compare=/usr/share/benchmark/compare.py
if [ -e "$compare" ] && /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
	/usr/bin/python3 "$compare" --no-color benchmarks one.json other.json >compared 2>compare.err ||
		fail 'compare.py to read both' "$(<compare.err)"
	has "$(<compared)" 'sum_pvalue .*0\.0000.*U Test, Repetitions: 40 vs 40' 'what compare.py says'
fi
