/* SPDX-License-Identifier: MIT */
/*
 * perfbench_load_file - what a load test found, as JSON
 *
 * Latencies are in seconds; `seconds` is the series, one entry an interval.
 */
#include "bench/load.h"
#include "report/perfbench_json.h"

static void
put(json_t *o, const char *name, double value)
{
	json_object_set_new(o, name, pb_json_number(value));
}

static void
put_count(json_t *o, const char *name, uint64_t count)
{
	PS_ASSERT(count <= INT64_MAX); /* JSON's are signed here */
	json_object_set_new(o, name, json_integer((json_int_t)count));
}

/* [quantile, seconds] where HdrHistogram's iterator has them: PARTS a half of
 * what is left to 1; the last one is the maximum. */
static json_t *
percentiles_of(const struct ps_load_latency *l)
{
	enum { PARTS = 5 };
	double count = (double)ps_peek(&l->count);
	json_t *all = json_array();

	for (double left = 1; count > 0 && left * count >= 0.5; left /= 2)
		for (unsigned i = 0; i < PARTS; i++) {
			double q = 1 - left + i * left / (2 * PARTS);

			PS_ASSERT(q >= 0 && q < 1);
			json_array_append_new(
			    all, pb_json_array(
				     (double[]){q, ps_load_quantile(
						       l, PS_MAX(q, 1e-12))},
				     2));
		}
	if (count > 0)
		json_array_append_new(
		    all,
		    pb_json_array((double[]){1, ps_load_quantile(l, 1)}, 2));
	return all;
}

static json_t *
latency_of(const struct ps_load_latency *l)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = {{"p50", 0.5},	{"p90", 0.9},	  {"p95", 0.95},
			 {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999},
			 {"max", 1}};
	json_t *o = json_object();

	put_count(o, "count", ps_peek(&l->count));
	put(o, "mean", ps_load_mean(l));
	put(o, "stddev", ps_load_deviation(l));
	for (size_t i = 0; i < PS_COUNT(quantiles); i++)
		put(o, quantiles[i].name, ps_load_quantile(l, quantiles[i].q));
	json_object_set_new(o, "percentiles", percentiles_of(l));
	return o;
}

static json_t *
series_of(const struct ps_load_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->second_count; i++) {
		const struct ps_load_second *x = &r->seconds[i];
		json_t *o = json_object();

		PS_ASSERT(i == 0 || x[-1].at_s <= x->at_s);
		put(o, "at", x->at_s);
		put_count(o, "done", x->done);
		put_count(o, "errors", x->errors);
		put_count(o, "late", x->late);
		put_count(o, "workers", x->workers);
		put(o, "p50", x->p50_s);
		put(o, "p99", x->p99_s);
		put(o, "max", x->max_s);
		json_array_append_new(all, o);
	}
	return all;
}

int
pb_save_load(const struct pb_session *s, const struct ps_load_result *r,
	     const char *path)
{
	json_t *root = json_object();
	json_t *load = json_object();
	int status;

	put_count(load, "workers", r->workers);
	put_count(load, "failed_workers", r->failed_workers);
	json_object_set_new(load, "rate",
			    r->is_open ? json_real(r->rate) : json_null());
	put(load, "wall", r->wall_s);
	put(load, "per_second", r->per_s);
	put_count(load, "due", r->due);
	put_count(load, "done", r->done);
	put_count(load, "errors", r->errors);
	put_count(load, "late", r->late);
	put_count(load, "dropped", r->dropped);
	json_object_set_new(load, "was_stopped", json_boolean(r->was_stopped));
	if (r->is_open)
		json_object_set_new(load, "corrected",
				    latency_of(r->corrected));
	json_object_set_new(load, "service", latency_of(r->service));
	json_object_set_new(load, "seconds", series_of(r));
	json_object_set_new(root, "load", load);
	json_object_set_new(root, "perfshim", pb_json_conditions(s));
	status = pb_json_write(root, path);
	json_decref(root);
	return status;
}
