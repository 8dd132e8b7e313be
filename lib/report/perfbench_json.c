/* SPDX-License-Identifier: MIT */
/*
 * perfbench_json - what all files that --save writes have in common
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "report/perfbench_json.h"

enum { JSON_STYLE = JSON_INDENT(1) | JSON_REAL_PRECISION(9) };

json_t *
pb_json_number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

json_t *
pb_json_text(const char *s)
{
	json_t *text = json_string(s);
	size_t bytes = 4 * strlen(s) + 2; /* \xNN for each */
	struct ps_text t;
	char *plain;

	if (text != NULL)
		return text;
	plain = pb_alloc(bytes);
	ps_text_init(&t, plain, bytes, -1);
	ps_text_printable(&t, s);
	PS_ASSERT(t.cut == 0);
	text = json_string(plain);
	free(plain);
	return text;
}

json_t *
pb_json_array(const double *values, size_t n)
{
	json_t *a = json_array();

	PS_ASSERT(values != NULL || n == 0);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, pb_json_number(values[i]));
	return a;
}

static json_t *
calibration_of(const struct pb_machine *m)
{
	const struct ps_calibration *c = &m->calibration;
	json_t *o = json_object();

	if (!m->is_calibrated)
		return json_null();
	json_object_set_new(o, "isa", json_string(c->isa));
	json_object_set_new(o, "clock", json_string(c->clock));
	json_object_set_new(o, "tsc_hz", pb_json_number(c->tsc_hz));
	json_object_set_new(o, "clock_ns", pb_json_number(c->clock_ns));
	json_object_set_new(o, "vector_add_l1_bytes_per_s",
			    pb_json_number(c->vector_add_l1));
	json_object_set_new(o, "vector_add_l2_bytes_per_s",
			    pb_json_number(c->vector_add_l2));
	json_object_set_new(o, "matmul_flops", pb_json_number(c->matmul_flops));
	json_object_set_new(o, "core_hz", pb_json_number(c->core_hz));
	return o;
}

json_t *
pb_json_conditions(const struct pb_session *s)
{
	const struct pb_machine *m = &s->machine;
	json_t *o = json_object();

	PS_ASSERT(m->references.count == m->reference_cpus.count);
	PS_ASSERT(m->cpu[sizeof(m->cpu) - 1] == '\0');
	json_object_set_new(o, "schema", json_string(PB_SCHEMA));
	json_object_set_new(o, "version", json_string(PS_VERSION));
	json_object_set_new(o, "cpu", pb_json_text(m->cpu));
	json_object_set_new(o, "shim", json_boolean(s->options->is_shimmed));
	json_object_set_new(o, "calibration", calibration_of(m));
	json_object_set_new(
	    o, "reference_times",
	    pb_json_array(m->references.values, m->references.count));
	json_object_set_new(
	    o, "reference_cpu_times",
	    pb_json_array(m->reference_cpus.values, m->reference_cpus.count));
	json_object_set_new(o, "reference_drift_fraction",
			    pb_json_number(pb_machine_drift(&m->references)));
	json_object_set_new(o, "vector_add_drift_fraction",
			    pb_json_number(pb_machine_drift(&m->adds)));
	json_object_set_new(o, "cycle_drift_fraction",
			    pb_json_number(pb_machine_drift(&m->cores)));
	json_object_set_new(o, "steal_fraction",
			    (m->end.watched & PS_WATCHED_STEAL) != 0
				? pb_json_number(m->end.steal_fraction)
				: json_null());
	json_object_set_new(o, "pressure_fraction",
			    (m->end.watched & PS_WATCHED_PRESSURE) != 0
				? pb_json_number(m->end.pressure_fraction)
				: json_null());
	return o;
}

int
pb_json_write(json_t *root, const char *path)
{
	bool is_beside = ps_os_may_replace(path);
	char *beside = is_beside ? pb_format("%s.%d", path, (int)getpid())
				 : pb_format("%s", path);
	FILE *file;
	int status = PB_OK;

	/* Its name can be guessed: what others have put there is not written
	 * through. */
	if (is_beside)
		(void)unlink(beside);
	file = fopen(beside, is_beside ? "wxe" : "we");
	if (file == NULL || json_dumpf(root, file, JSON_STYLE) != 0 ||
	    fputc('\n', file) == EOF || fflush(file) != 0)
		status = PB_FAILED;
	if (file != NULL && fclose(file) != 0)
		status = PB_FAILED;
	if (status == PB_OK && is_beside && rename(beside, path) != 0)
		status = PB_FAILED;
	if (status != PB_OK) {
		pb_say("--save %s: %s", path, strerror(errno));
		if (is_beside)
			(void)unlink(beside);
	}
	free(beside);
	return status;
}
