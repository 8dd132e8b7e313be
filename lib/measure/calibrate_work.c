/* SPDX-License-Identifier: MIT */
/*
 * calibrate_work - repetitions of vector add or matrix multiply, of which the
 * best counts
 */
#include "measure/calibrate_work.h"
#include "base/os.h"
#include "simd/cpu.h"
#include "simd/simd.h"

size_t
ps_work_floats(size_t n)
{
	return 3 * n + (size_t)2 * PS_WORK_SKEW;
}

static void
add_once(const struct ps_work *w)
{
	const float *a = w->memory + w->n + PS_WORK_SKEW;
	const float *b = a + w->n + PS_WORK_SKEW;

	PS_ASSERT(w->kind != PS_WORK_MULTIPLY);
	if (w->kind == PS_WORK_ADD)
		ps_vector_add_cached(w->memory, a, b, w->n);
	else
		ps_vector_add_streamed(w->memory, a, b, w->n);
}

static void
multiply_once(const struct ps_work *w)
{
	size_t n = w->n;
	const float *a = w->memory + n * n;

	PS_ASSERT(w->workspace != NULL);
	ps_matrix_multiply_in(w->workspace, w->memory, n, a, n, a + n * n, n, n,
			      n, n);
}

static uint64_t
run(const struct ps_work *w)
{
	uint64_t start;

	if (w->kind == PS_WORK_ADD_FLUSHED)
		ps_cpu_flush(w->memory, ps_work_floats(w->n) * sizeof(float));
	start = ps_os_monotonic_ns();
	for (uint32_t t = 0; t < w->turns; t++) {
		if (w->kind == PS_WORK_MULTIPLY)
			multiply_once(w);
		else
			add_once(w);
	}
	return ps_os_monotonic_ns() - start;
}

bool
ps_effort_is_over(const struct ps_effort *effort)
{
	return ps_os_thread_cpu_ns() >= effort->until_cpu_ns;
}

/* The shortest repetition; there is at least one after the dropped one. */
static double
best_ns(const struct ps_work *w, const struct ps_effort *effort)
{
	uint64_t best = UINT64_MAX;

	PS_ASSERT(w->turns > 0 && effort->repeats > 0);
	run(w);
	for (uint32_t r = 0; r < effort->repeats; r++) {
		uint64_t ns = run(w);

		best = PS_MIN(best, ns);
		if (ps_effort_is_over(effort))
			break;
	}
	/* A clock that stood still measured nothing, but is not infinite. */
	return (double)PS_MAX(best, (uint64_t)1);
}

double
ps_work_bytes_per_s(const struct ps_work *w, const struct ps_effort *effort)
{
	double bytes = 3.0 * sizeof(float) * (double)w->n * w->turns;

	PS_ASSERT(bytes > 0);
	return bytes / best_ns(w, effort) * 1e9;
}

double
ps_work_flops(const struct ps_work *w, const struct ps_effort *effort)
{
	double n = (double)w->n;

	PS_ASSERT(w->kind == PS_WORK_MULTIPLY);
	return 2 * n * n * n * w->turns / best_ns(w, effort) * 1e9;
}
