/* SPDX-License-Identifier: MIT */
/*
 * perfbench_machine - what the machine can do, and whether it stayed the same
 *
 * Two watches, once a round.  The SIMD core's vector add in L1 (0.1 ms) sees
 * the processor's own speed.  The reference workload, a process of some 5 ms
 * that starts, faults pages in and sorts, sees what any program would: the
 * scheduler, the caches, the neighbours.  Its times are saved beside the
 * samples, so that a later comparison with a baseline knows how the machine
 * itself has changed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/random.h"
#include "measure/calibrate.h"
#include "measure/clock.h"
#include "measure/real.h"
#include "measure/stat.h"
#include "report/perfbench.h"

enum {
	REFERENCE_PAGES_BYTES = 512 << 10,
	REFERENCE_VALUES = 25000,
	HALVES_LEAST = 6
};

/* ---- the reference ---- */

int
pb_reference_workload(void)
{
	static double values[REFERENCE_VALUES];
	uint64_t random = 88172645463325252u;
	void *pages;

	if (ps_os_map(REFERENCE_PAGES_BYTES, &pages) != 0)
		return PB_FAILED;
	for (size_t i = 0; i < REFERENCE_PAGES_BYTES; i += 4096)
		((volatile char *)pages)[i] = 1;
	ps_os_unmap(pages, REFERENCE_PAGES_BYTES);
	for (size_t i = 0; i < REFERENCE_VALUES; i++)
		values[i] = ps_random_unit(&random);
	ps_stat_sort(values, REFERENCE_VALUES);
	return values[0] <= values[REFERENCE_VALUES - 1] ? PB_OK : PB_FAILED;
}

static void
run_reference(struct pb_machine *m)
{
	static char *const argv[] = {"perfbench", "--reference", NULL};
	static char *const envp[] = {NULL};
	const struct ps_process_command c = {
	    .path = "/proc/self/exe", .argv = argv, .envp = envp};
	struct ps_process_outcome outcome;
	double *longer;

	if (ps_process_run(&c, &outcome) != 0 || outcome.exit_code != 0)
		return;
	if (m->reference_count == m->reference_room) {
		m->reference_room = 2 * m->reference_room + 16;
		longer = pb_alloc(m->reference_room * sizeof(*longer));
		if (m->reference_count > 0)
			memcpy(longer, m->references,
			       m->reference_count * sizeof(*longer));
		free(m->references);
		m->references = longer;
	}
	m->references[m->reference_count++] = outcome.wall_s;
}

/* ---- watching ---- */

static void
calibrate(struct pb_machine *m)
{
	struct ps_calibration_key key;
	char path[PS_CALIBRATION_PATH_MAX];
	bool has_cache = ps_calibration_key(&key) == 0 &&
			 ps_calibration_path(environ, path) == 0;

	if (has_cache)
		memcpy(m->cpu, key.cpu_model, sizeof(m->cpu));
	m->cpu[sizeof(m->cpu) - 1] = '\0';
	if (has_cache &&
	    ps_calibration_load(path, &key, &m->calibration) == 0) {
		m->is_calibrated = true;
		return;
	}
	m->is_calibrated =
	    ps_calibrate(PS_CALIBRATION_QUICK, &m->calibration) == 0;
	if (m->is_calibrated && has_cache)
		(void)ps_calibration_save(path, &key, &m->calibration);
}

void
pb_machine_open(struct pb_machine *m)
{
	ps_clock_init(PS_CLOCK_AUTO);
	calibrate(m);
	m->first_drift = m->last_drift = (double)NAN; /* 0 is "no drift" */
	if (m->is_calibrated)
		(void)ps_calibrate_drift(&m->calibration, &m->first_drift);
}

void
pb_machine_watch(struct pb_machine *m)
{
	double drift;

	run_reference(m);
	if (!m->is_calibrated ||
	    ps_calibrate_drift(&m->calibration, &drift) != 0)
		return;
	m->last_drift = (1 + drift) / (1 + m->first_drift) - 1;
	if (fabs(m->last_drift) > fabs(m->worst_drift))
		m->worst_drift = m->last_drift;
}

double
pb_machine_drift(const struct pb_machine *m)
{
	size_t half = m->reference_count / 2;
	struct ps_scratch scratch;
	struct ps_location l;
	int error;

	if (m->reference_count < HALVES_LEAST)
		return (double)NAN;
	ps_scratch_init(&scratch, 0);
	error = ps_compare_location(m->references, half, m->references + half,
				    m->reference_count - half, &scratch, &l);
	ps_scratch_fini(&scratch);
	return error == 0 ? ps_expm1(l.value) : (double)NAN;
}

/* ---- text ---- */

static void
put_percent(struct ps_text *t, double fraction)
{
	PS_ASSERT(!isnan(fraction));
	if (fraction >= 0)
		ps_text_char(t, '+');
	ps_text_fixed(t, 100 * fraction, 1);
	ps_text_str(t, " %");
}

static void
put_rate(struct ps_text *t, const char *what, double per_s, const char *unit)
{
	ps_text_printf(t, "  %s ", what);
	ps_text_fixed(t, per_s * 1e-9, 0);
	ps_text_printf(t, " %s", unit);
}

void
pb_machine_text(const struct pb_machine *m, struct ps_text *t)
{
	const struct ps_calibration *c = &m->calibration;

	ps_text_str(t, "\nmachine  ");
	ps_text_printable(t, m->cpu[0] != '\0' ? m->cpu : "unknown");
	if (m->is_calibrated) {
		ps_text_printf(t, ", %s\n       ", c->isa);
		put_rate(t, "vector add L1", c->vector_add_l1, "GB/s");
		put_rate(t, "L2", c->vector_add_l2, "GB/s");
		put_rate(t, "matrix multiply", c->matmul_flops, "GFLOP/s");
	}
	if (!isnan(m->last_drift)) {
		ps_text_str(t, "\n         drift in these runs: vector add ");
		put_percent(t, m->last_drift);
		ps_text_str(t, ", worst ");
		put_percent(t, m->worst_drift);
	}
	if (!isnan(pb_machine_drift(m))) {
		ps_text_str(t, "; reference ");
		put_percent(t, pb_machine_drift(m));
	}
	ps_text_char(t, '\n');
}
