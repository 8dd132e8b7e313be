/* SPDX-License-Identifier: MIT */
/*
 * bench_json - benchmark results in the shape of Google Benchmark's JSON
 *
 * Its compare.py pairs benchmarks of two files by name and tests the
 * repetitions of each (run_type "iteration") for a difference; aggregates are
 * what it shows with --display_aggregates_only.  CPU time is known for all
 * samples together only: each repetition has the mean, without a deviation.
 */
#include "base/os.h"
#include "bench/bench.h"
#include "measure/real.h"

static void
put_key(struct ps_text *t, const char *key)
{
	ps_text_printf(t, ",\n      \"%s\": ", key);
}

static void
put_number(struct ps_text *t, const char *key, double value)
{
	put_key(t, key);
	ps_text_json_number(t, value);
}

static void
put_name(struct ps_text *t, const char *name, const char *suffix)
{
	char buffer[256];
	struct ps_text joined;

	ps_text_init(&joined, buffer, sizeof(buffer), -1);
	ps_text_printf(&joined, "%s%s", name, suffix);
	ps_text_json_string(t, buffer);
}

/* What every entry starts with; `repetition` < 0 for aggregates. */
static void
put_entry(struct ps_text *t, const struct ps_bench_result *r, size_t family,
	  const char *suffix, long repetition)
{
	ps_text_str(t, "    {\n      \"name\": ");
	put_name(t, r->name, suffix);
	put_number(t, "family_index", (double)family);
	put_number(t, "per_family_instance_index", 0);
	put_key(t, "run_name");
	ps_text_json_string(t, r->name);
	put_key(t, "run_type");
	ps_text_json_string(t, repetition < 0 ? "aggregate" : "iteration");
	put_number(t, "repetitions", (double)r->count);
	if (repetition >= 0)
		put_number(t, "repetition_index", (double)repetition);
	put_number(t, "threads", 1);
}

static void
put_times(struct ps_text *t, double real, double cpu)
{
	put_number(t, "real_time", real);
	put_number(t, "cpu_time", cpu);
	put_key(t, "time_unit");
	ps_text_str(t, "\"ns\"\n    }");
}

static void
put_aggregate(struct ps_text *t, const struct ps_bench_result *r, size_t family,
	      const char *name, double value, double cpu)
{
	bool is_share = name[0] == 'c'; /* cv has no unit */
	double scale = is_share ? 1 : 1e9;
	char suffix[16];
	struct ps_text text;

	ps_text_init(&text, suffix, sizeof(suffix), -1);
	ps_text_printf(&text, "_%s", name);
	PS_ASSERT(text.cut == 0);
	ps_text_str(t, ",\n");
	put_entry(t, r, family, suffix, -1);
	put_key(t, "aggregate_name");
	ps_text_json_string(t, name);
	put_key(t, "aggregate_unit");
	ps_text_json_string(t, is_share ? "percentage" : "time");
	put_number(t, "iterations", (double)r->count);
	put_times(t, value * scale, cpu * scale);
}

static void
put_benchmark(struct ps_text *t, const struct ps_bench_result *r, size_t family)
{
	const struct ps_summary *s = &r->summary;

	PS_ASSERT(r->count > 0 && r->batch > 0);
	for (size_t i = 0; i < r->count; i++) {
		ps_text_str(t, i == 0 ? "" : ",\n");
		put_entry(t, r, family, "", (long)i);
		put_number(t, "iterations", (double)r->batch);
		put_times(t, r->samples[i] * 1e9, r->cpu_s * 1e9);
	}
	put_aggregate(t, r, family, "mean", s->mean, r->cpu_s);
	put_aggregate(t, r, family, "median", s->median, r->cpu_s);
	put_aggregate(t, r, family, "stddev", s->deviation, 0);
	put_aggregate(t, r, family, "cv", s->deviation / s->mean, 0);
}

/* Days since 1970 to a date: Hinnant's civil_from_days, for this era. */
static void
put_date(struct ps_text *t, uint64_t seconds)
{
	uint64_t days = seconds / 86400 + 719468;
	uint64_t era = days / 146097;
	uint64_t day_of_era = days % 146097;
	uint64_t year_of_era = (day_of_era - day_of_era / 1460 +
				day_of_era / 36524 - day_of_era / 146096) /
			       365;
	uint64_t day_of_year =
	    day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t shifted = (5 * day_of_year + 2) / 153;
	uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
	uint64_t year = year_of_era + era * 400 + (month <= 2);

	PS_ASSERT(month >= 1 && month <= 12 && day_of_year <= 365);
	ps_text_printf(t, "\"%lu-%02lu-%02luT%02lu:%02lu:%02lu+00:00\"", year,
		       month, day_of_year - (153 * shifted + 2) / 5 + 1,
		       seconds % 86400 / 3600, seconds % 3600 / 60,
		       seconds % 60);
}

static void
put_context(struct ps_text *t, const struct ps_calibration *c)
{
	ps_text_str(t, "  \"context\": {\n      \"date\": ");
	put_date(t, ps_os_realtime_ns() / 1000000000u);
	put_key(t, "library_version");
	ps_text_json_string(t, "perfshim " PS_VERSION);
	put_key(t, "library_build_type");
	ps_text_str(t, "\"release\"");
	put_key(t, "caches");
	ps_text_str(t, "[]");
	if (c != NULL) {
		put_number(t, "mhz_per_cpu",
			   c->tsc_hz > 0 ? c->tsc_hz / 1e6 : __builtin_nan(""));
		put_key(t, "isa");
		ps_text_json_string(t, c->isa);
		put_key(t, "clock");
		ps_text_json_string(t, c->clock);
		put_number(t, "vector_add_l1_bytes_per_s", c->vector_add_l1);
		put_number(t, "matmul_flops", c->matmul_flops);
	}
	ps_text_str(t, "\n  },\n");
}

void
ps_bench_json(const struct ps_bench_result *results, size_t count,
	      const struct ps_calibration *calibration, struct ps_text *out)
{
	ps_text_str(out, "{\n");
	put_context(out, calibration);
	ps_text_str(out, "  \"benchmarks\": [\n");
	for (size_t i = 0; i < count; i++) {
		ps_text_str(out, i == 0 ? "" : ",\n");
		put_benchmark(out, &results[i], i);
	}
	ps_text_str(out, "\n  ]\n}\n");
}
