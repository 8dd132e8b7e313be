/* SPDX-License-Identifier: MIT */
/*
 * perfbench_file - results as JSON, and baselines read back
 *
 * The shape is hyperfine's: results[] with command, mean, stddev, median, user,
 * system, min, max, times[], memory_usage_byte[], exit_codes[]; so its plotting
 * scripts work.  Beside that each result has `series`, all samples by name,
 * which is what is read back, and the file has `comparisons` and `perfshim`:
 * schema, conditions, calibration, reference times.
 *
 * What is read is checked whole before a single command is run: a gate that
 * passes because its baseline was broken would be worse than none.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/perfbench_json.h"

enum { FILE_MOST = 64 << 20 };

static const char *const unit_names[] = {
    [PB_SECONDS] = "s", [PB_BYTES] = "byte", [PB_COUNT] = "1"};
_Static_assert(PS_COUNT(unit_names) == PB_COUNT + 1, "one name each");

/* ---- writing ---- */

static json_t *
series_of(const struct pb_subject *s)
{
	json_t *all = json_object();

	for (size_t i = 0; i < s->series_count; i++) {
		const struct pb_series *x = &s->series[i];
		json_t *one = json_object();

		PS_ASSERT((unsigned)x->unit < PS_COUNT(unit_names));
		PS_ASSERT(x->room >= s->runs);
		json_object_set_new(one, "unit",
				    json_string(unit_names[x->unit]));
		json_object_set_new(one, "values",
				    pb_json_array(x->values, s->runs));
		json_object_set_new(all, x->name, one);
	}
	return all;
}

static double
mean_of(const struct pb_subject *s, const char *name)
{
	const struct pb_series *x = pb_series_find(s, name);
	double sum = 0;

	for (size_t i = 0; x != NULL && i < s->runs; i++)
		sum += x->values[i];
	return x != NULL ? sum / (double)s->runs : (double)NAN;
}

static void
put_summary(json_t *result, const struct pb_subject *s)
{
	const double *times = pb_series_find(s, "time")->values;
	struct ps_scratch scratch;
	struct ps_summary x;

	ps_scratch_init(&scratch, 0);
	if (ps_summarize(times, s->runs, &scratch, &x) == 0) {
		json_object_set_new(result, "mean", pb_json_number(x.mean));
		json_object_set_new(result, "stddev",
				    pb_json_number(x.deviation));
		json_object_set_new(result, "median", pb_json_number(x.median));
		json_object_set_new(result, "user",
				    pb_json_number(mean_of(s, "user")));
		json_object_set_new(result, "system",
				    pb_json_number(mean_of(s, "system")));
		json_object_set_new(result, "min", pb_json_number(x.min));
		json_object_set_new(result, "max", pb_json_number(x.max));
		json_object_set_new(
		    result, "mean_interval",
		    pb_json_array(
			(double[]){x.mean_interval.low, x.mean_interval.high},
			2));
	}
	ps_scratch_fini(&scratch);
}

/* A whole number for each value, as hyperfine has its bytes. */
static json_t *
whole_numbers(const struct pb_series *x, size_t n)
{
	json_t *a = json_array();

	PS_ASSERT(x->unit == PB_BYTES && x->room >= n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
		    a, isfinite(x->values[i])
			   ? json_integer((json_int_t)x->values[i])
			   : json_null());
	return a;
}

static json_t *
result_of(const struct pb_subject *s)
{
	json_t *result = json_object();
	json_t *codes = json_array();

	PS_ASSERT(s->runs > 0 && s->exit_codes != NULL);
	json_object_set_new(result, "command", pb_json_text(s->text));
	put_summary(result, s);
	json_object_set_new(
	    result, "times",
	    pb_json_array(pb_series_find(s, "time")->values, s->runs));
	json_object_set_new(
	    result, "memory_usage_byte",
	    whole_numbers(pb_series_find(s, "peak-rss"), s->runs));
	for (size_t i = 0; i < s->runs; i++)
		json_array_append_new(codes, json_integer(s->exit_codes[i]));
	json_object_set_new(result, "exit_codes", codes);
	json_object_set_new(result, "parameters", json_object());
	json_object_set_new(result, "is_recorded",
			    json_boolean(s->is_recorded));
	json_object_set_new(result, "series", series_of(s));
	return result;
}

static void
put_comparison(json_t *all, const struct pb_subject *a,
	       const struct pb_subject *b, const struct pb_series *x)
{
	const struct pb_series *y = pb_series_find(b, x->name);
	struct ps_scratch scratch;
	struct ps_comparison c;
	json_t *o;

	PS_ASSERT(a->runs == b->runs); /* they are paired */
	if (y == NULL || a->runs < 2)
		return;
	ps_scratch_init(&scratch, 0);
	if (ps_compare_pairs(x->values, y->values, a->runs, &scratch, &c) ==
	    0) {
		o = json_object();
		json_object_set_new(o, "metric", json_string(x->name));
		json_object_set_new(o, "command", json_string(b->label));
		json_object_set_new(o, "reference", json_string(a->label));
		json_object_set_new(o, "ratio", pb_json_number(c.ratio));
		json_object_set_new(o, "low", pb_json_number(c.interval.low));
		json_object_set_new(o, "high", pb_json_number(c.interval.high));
		json_object_set_new(o, "pairs",
				    json_integer((json_int_t)c.pairs));
		json_array_append_new(all, o);
	}
	ps_scratch_fini(&scratch);
}

/* Of the subjects after the first one: how many times its value. */
static json_t *
comparisons_of(const struct pb_session *s)
{
	const struct pb_subject *a = &s->subjects[0];
	json_t *all = json_array();

	for (size_t i = 1; i < s->subject_count; i++)
		for (size_t k = 0; k < a->series_count; k++)
			put_comparison(all, a, &s->subjects[i], &a->series[k]);
	return all;
}

int
pb_save(const struct pb_session *s, const char *path)
{
	json_t *root = json_object();
	json_t *results = json_array();
	int status;

	PS_ASSERT(s->subject_count > 0 && s->rounds > 0);
	for (size_t i = 0; i < s->subject_count; i++)
		if (s->subjects[i].runs > 0)
			json_array_append_new(results,
					      result_of(&s->subjects[i]));
	json_object_set_new(root, "results", results);
	json_object_set_new(root, "comparisons", comparisons_of(s));
	json_object_set_new(root, "perfshim", pb_json_conditions(s));
	status = pb_json_write(root, path);
	json_decref(root);
	return status;
}

/* ---- reading ---- */

static _Noreturn void
refuse(const char *path, const char *why)
{
	pb_usage_error("--baseline %s: %s", path, why);
}

/* All numbers of an array, at least `least`, none negative; or refused. */
static double *
numbers_of(const char *path, const json_t *a, size_t least, size_t *count)
{
	size_t n = json_array_size(a);
	double *values = pb_alloc(n * sizeof(*values));

	if (!json_is_array(a) || n < least || n > PB_RUNS_MOST)
		refuse(path, "too few or too many samples in it");
	for (size_t i = 0; i < n; i++) {
		const json_t *x = json_array_get(a, i);

		values[i] =
		    json_is_null(x) ? (double)NAN : json_number_value(x);
		if ((!json_is_null(x) && !json_is_number(x)) || values[i] < 0)
			refuse(path, "a sample in it is not a number above 0");
	}
	*count = n;
	return values;
}

static enum pb_unit
unit_of(const char *path, const json_t *series)
{
	const char *name = json_string_value(json_object_get(series, "unit"));

	for (size_t i = 0; name != NULL && i < PS_COUNT(unit_names); i++)
		if (strcmp(name, unit_names[i]) == 0)
			return (enum pb_unit)i;
	refuse(path, "a series in it has no known unit");
}

static void
read_series(const char *path, json_t *all, struct pb_subject *s)
{
	const char *name;
	json_t *one;

	json_object_foreach(all, name, one)
	{
		enum pb_unit unit = unit_of(path, one);
		size_t count;
		double *values =
		    numbers_of(path, json_object_get(one, "values"), 2, &count);

		if (s->runs != 0 && s->runs != count)
			refuse(path, "its series are of different length");
		if (strlen(name) >= PB_NAME)
			refuse(path, "a name in it is too long");
		s->runs = count;
		for (size_t i = count; i-- > 0;)
			pb_series_put(s, i, name, unit, values[i]);
		free(values);
	}
	if (pb_series_find(s, "time") == NULL)
		refuse(path, "no times in it");
	PS_ASSERT(s->runs >= 2);
}

/* The result for our command; of several, one must have its text. */
static json_t *
pick_result(const struct pb_session *s, const char *path, json_t *results)
{
	json_t *ours = pb_json_text(s->subjects[0].text);
	json_t *only = json_array_get(results, 0);
	const char *text;

	PS_ASSERT(s->subject_count > 0 && ours != NULL);
	if (!json_is_array(results) || only == NULL)
		refuse(path, "no results in it");
	for (size_t i = 0; i < json_array_size(results); i++) {
		json_t *one = json_array_get(results, i);

		if (json_equal(json_object_get(one, "command"), ours)) {
			json_decref(ours);
			return one;
		}
	}
	json_decref(ours);
	if (json_array_size(results) > 1)
		refuse(path, "it has several commands, and none is this one");
	text = json_string_value(json_object_get(only, "command"));
	if (text == NULL)
		refuse(path, "a result in it has no command");
	pb_say("the baseline is of another command: %s", text);
	return only;
}

static json_t *
load_file(const char *path)
{
	json_error_t error;
	struct stat st;
	json_t *root;

	if (stat(path, &st) != 0)
		refuse(path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST)
		refuse(path, "not a file of results");
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL)
		refuse(path, pb_format("line %d: %s", error.line, error.text));
	return root;
}

static void
read_list(const char *path, json_t *o, const char *name, struct pb_list *out)
{
	out->values =
	    numbers_of(path, json_object_get(o, name), 0, &out->count);
}

static void
read_conditions(const struct pb_session *s, const char *path, json_t *root,
		struct pb_machine *m)
{
	json_t *o = json_object_get(root, "perfshim");
	const char *schema = json_string_value(json_object_get(o, "schema"));
	const char *cpu = json_string_value(json_object_get(o, "cpu"));
	json_t *shim = json_object_get(o, "shim");

	if (schema == NULL)
		refuse(path, "not written by perfwrap.sh --save");
	if (strcmp(schema, PB_SCHEMA) != 0)
		refuse(path,
		       pb_format("schema %s, expected " PB_SCHEMA, schema));
	if (!json_is_boolean(shim) || cpu == NULL)
		refuse(path, "its conditions are missing");
	if (json_is_true(shim) != s->options->is_shimmed)
		refuse(path, json_is_true(shim)
				 ? "made under perfshim, and this is --no-shim"
				 : "made with --no-shim, and this is not");
	snprintf(m->cpu, sizeof(m->cpu), "%s", cpu);
	read_list(path, o, "reference_times", &m->references);
	read_list(path, o, "reference_cpu_times", &m->reference_cpus);
}

void
pb_baseline_read(const struct pb_session *s, const char *path,
		 struct pb_baseline *out)
{
	json_t *root = load_file(path);
	json_t *result;

	read_conditions(s, path, root, &out->machine);
	result = pick_result(s, path, json_object_get(root, "results"));
	out->subject.text = "baseline";
	read_series(path, json_object_get(result, "series"), &out->subject);
	json_decref(root);
}
