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
#include "measure/calibration_settle.h"
#include "measure/clock.h"
#include "measure/real.h"
#include "measure/stat.h"
#include "report/perfbench.h"

enum { REFERENCE_PAGES_BYTES = 512 << 10, REFERENCE_VALUES = 25000 };
_Static_assert(REFERENCE_PAGES_BYTES % 4096 == 0, "whole pages");

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
add(struct pb_list *list, double value)
{
	double *longer;

	if (list->count == list->room) {
		list->room = 2 * list->room + 16;
		longer = pb_alloc(list->room * sizeof(*longer));
		if (list->count > 0)
			memcpy(longer, list->values,
			       list->count * sizeof(*longer));
		free(list->values);
		list->values = longer;
	}
	PS_ASSERT(list->count < list->room);
	list->values[list->count++] = value;
}

static void
run_reference(struct pb_machine *m)
{
	static char *const argv[] = {"perfbench", "--reference", NULL};
	static char *const envp[] = {NULL};
	const struct ps_process_command c = {
	    .path = "/proc/self/exe", .argv = argv, .envp = envp};
	struct ps_process_outcome outcome;

	if (ps_process_run(&c, &outcome) != 0 || outcome.exit_code != 0)
		return;
	add(&m->references, outcome.wall_s);
	add(&m->reference_cpus, outcome.user_s + outcome.system_s);
}

/* ---- watching ---- */

static void
calibrate(struct pb_machine *m)
{
	struct ps_calibration_key key;
	char path[PS_CALIBRATION_PATH_MAX];
	bool has_cache = ps_calibration_key(&key) == 0 &&
			 ps_calibration_path(environ, path) == 0;

	_Static_assert(sizeof(m->cpu) == sizeof(key.cpu_model), "a whole name");
	if (has_cache)
		memcpy(m->cpu, key.cpu_model, sizeof(m->cpu));
	m->cpu[sizeof(m->cpu) - 1] = '\0';
	(void)ps_calibration_settle(PS_CALIBRATION_QUICK,
				    has_cache ? path : NULL, &key,
				    ps_os_monotonic_ns(), &m->calibration);
	m->is_calibrated = m->calibration.kind != PS_CALIBRATION_NONE;
}

static void
time_core(struct pb_machine *m)
{
	double l1;
	double core;

	if (!m->is_calibrated ||
	    ps_calibrate_drift(&m->calibration, &l1, &core) != 0)
		return;
	add(&m->adds, 1 + l1);
	add(&m->cores, 1 + core);
	PS_ASSERT(m->adds.count == m->cores.count);
}

void
pb_machine_open(struct pb_machine *m)
{
	ps_clock_init(PS_CLOCK_AUTO);
	calibrate(m);
	time_core(m);
	ps_watch_read(&m->start);
}

void
pb_machine_watch(struct pb_machine *m)
{
	run_reference(m);
	time_core(m);
}

void
pb_machine_close(struct pb_machine *m)
{
	struct ps_watch end;

	ps_watch_read(&end);
	PS_ASSERT(end.ns >= m->start.ns);
	ps_watch_between(&m->start, &end, &m->end);
}

double
pb_machine_drift(const struct pb_list *list)
{
	struct ps_scratch scratch;
	double drift = (double)NAN;

	ps_scratch_init(&scratch, 0);
	(void)ps_compare_drift(list->values, list->count, &scratch, &drift);
	ps_scratch_fini(&scratch);
	return drift;
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
put_share(struct ps_text *t, double fraction)
{
	ps_text_fixed(t, 100 * fraction, 1);
	ps_text_str(t, " %");
}

static void
put_drift(const struct pb_machine *m, struct ps_text *t)
{
	if (isnan(pb_machine_drift(&m->adds)))
		return;
	ps_text_str(t, "\n         drift: vector add ");
	put_percent(t, pb_machine_drift(&m->adds));
	ps_text_str(t, ", core clock ");
	/* A longer cycle is a slower clock. */
	put_percent(t, 1 / (1 + pb_machine_drift(&m->cores)) - 1);
	if (isnan(pb_machine_drift(&m->references)))
		return;
	ps_text_str(t, ", reference workload ");
	put_percent(t, pb_machine_drift(&m->references));
}

/* What others took of the machine. */
static void
put_others(const struct pb_machine *m, struct ps_text *t)
{
	bool is_steal_known = (m->end.watched & PS_WATCHED_STEAL) != 0;

	if (is_steal_known) {
		ps_text_str(t, "\n         stolen by the hypervisor ");
		put_share(t, m->end.steal_fraction);
	}
	if ((m->end.watched & PS_WATCHED_PRESSURE) != 0) {
		ps_text_str(t, is_steal_known ? ", " : "\n         ");
		ps_text_str(t, "some task waited for a CPU ");
		put_share(t, m->end.pressure_fraction);
	}
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
	put_drift(m, t);
	put_others(m, t);
	ps_text_char(t, '\n');
}
