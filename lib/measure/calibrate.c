/* SPDX-License-Identifier: MIT */
/*
 * calibrate - measures this machine with the SIMD core
 *
 * Method: that of STREAM (first repetition dropped, best reported, bytes of
 * the three arrays counted, no write-allocate) on working sets of 15 KiB (L1),
 * 255 KiB (L2) and memory.  A repetition that was interrupted is slow and
 * loses to one that was not, so wall time serves.
 *
 * Memory within 5 ms: STREAM wants arrays of four times the last cache, but
 * every fresh page costs 1.4 us in a guest, 64 MiB 22 ms.  Quick therefore
 * takes 1.5 MiB that it has written already and flushes every line out of all
 * caches (CLFLUSH reaches the last one too); the following pass reads from
 * memory and writes around the caches: "flushed".  Its pages are within reach
 * of the TLB, those of larger arrays are not: 50 against 36 GB/s in a guest
 * that walks two page tables.  Full streams over arrays of min(4 x last cache,
 * 64 MiB) each: "streamed", or "capped" when the 64 MiB decided.  The method is
 * part of the result, because figures of two methods do not compare.
 *
 * Full streams in huge pages, where the kernel gives them: otherwise a guest's
 * page tables are measured (33 GB/s against 48, 190 ns against 132), which
 * depend on where its pages happen to lie.
 *
 * Quick's budget is kept by a limit in CPU time, after which each stage that is
 * left repeats itself once: 3.0 to 3.3 ms in a guest, a third of it for fresh
 * pages, and 5 beside a busy neighbour.
 *
 * Neighbours on the same core or the same memory slow a guest by a third for
 * milliseconds at a time.  Quick is over before such a phase is; full goes
 * round all stages again and again, so that each is tried all over its half
 * second, and keeps the best of each.
 *
 * Peak, frequency and latency: core_speed.h.
 *
 * The matrix size is a multiple of every tile, fits L2, and takes 0.13 ms.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/calibrate_clock.h"
#include "measure/core_speed.h"
#include "simd/cpu.h"
#include "simd/simd.h"

enum work { ADD, ADD_STREAMED, ADD_FLUSHED, MULTIPLY };

struct workload {
	enum work work;
	uint32_t turns;	 /* within one repetition */
	size_t n;	 /* floats an array, or rows of a matrix */
	float *memory;	 /* three arrays of n, or 3 n x n */
	void *workspace; /* of MULTIPLY */
};

/* What a stage may take. */
struct effort {
	uint32_t repeats;      /* after the first, which is dropped */
	uint64_t until_cpu_ns; /* of this thread; one repetition is made */
};

enum {
	SKEW = 272, /* floats between arrays: keeps them off one L1 set */
	L1_FLOATS = 1280,
	L2_FLOATS = 21760,
	FLUSHED_FLOATS = 1 << 17,
	CAP_FLOATS = 1 << 24, /* 64 MiB */
	MATRIX = 192,
	SCALAR_MATRIX = 64,
	US = 1000, /* in ns */
	MS = 1000 * US,
	QUICK_REPEATS = 4,
	QUICK_CPU_US = 3200,  /* then every stage repeats itself once */
	ROUNDS = 32,	      /* of full */
	ROUND_REPEATS = 8,    /* in each, of what fits caches */
	STREAMED_REPEATS = 3, /* in each, of memory: 4 ms each */
	FULL_CPU_MS = 700,    /* no round begins after that */
	HUGE_PAGE = 2 << 20,
};

/* One mapping for every stage of quick: fresh pages are what costs. */
enum {
	QUICK_FLOATS = 3 * FLUSHED_FLOATS + 2 * SKEW,
	WORKSPACE_AT = 3 * MATRIX * MATRIX, /* behind the matrices */
	WORKSPACE_FLOATS = QUICK_FLOATS - WORKSPACE_AT,
};
_Static_assert(WORKSPACE_AT % (PS_CACHE_LINE / sizeof(float)) == 0,
	       "the workspace is aligned");
_Static_assert(WORKSPACE_FLOATS >= MATRIX * MATRIX, "the workspace fits");
_Static_assert(3 * L2_FLOATS + 2 * SKEW <= QUICK_FLOATS, "L2 arrays fit");

static size_t
memory_floats(size_t n)
{
	return 3 * n + (size_t)2 * SKEW;
}

static void
add_once(const struct workload *w)
{
	const float *a = w->memory + w->n + SKEW;
	const float *b = a + w->n + SKEW;

	PS_ASSERT(w->work != MULTIPLY);
	if (w->work == ADD)
		ps_vector_add_cached(w->memory, a, b, w->n);
	else
		ps_vector_add_streamed(w->memory, a, b, w->n);
}

static void
multiply_once(const struct workload *w)
{
	size_t n = w->n;
	const float *a = w->memory + n * n;

	PS_ASSERT(w->workspace != NULL);
	ps_matrix_multiply_in(w->workspace, w->memory, n, a, n, a + n * n, n, n,
			      n, n);
}

static uint64_t
run(const struct workload *w)
{
	uint64_t start;

	if (w->work == ADD_FLUSHED)
		ps_cpu_flush(w->memory, memory_floats(w->n) * sizeof(float));
	start = ps_os_monotonic_ns();
	for (uint32_t t = 0; t < w->turns; t++) {
		if (w->work == MULTIPLY)
			multiply_once(w);
		else
			add_once(w);
	}
	return ps_os_monotonic_ns() - start;
}

static bool
is_over(const struct effort *effort)
{
	return ps_os_thread_cpu_ns() >= effort->until_cpu_ns;
}

/* The shortest repetition; there is at least one after the dropped one. */
static double
best_ns(const struct workload *w, const struct effort *effort)
{
	uint64_t best = UINT64_MAX;

	PS_ASSERT(w->turns > 0 && effort->repeats > 0);
	run(w);
	for (uint32_t r = 0; r < effort->repeats; r++) {
		uint64_t ns = run(w);

		best = PS_MIN(best, ns);
		if (is_over(effort))
			break;
	}
	/* A clock that stood still measured nothing, but is not infinite. */
	return (double)PS_MAX(best, (uint64_t)1);
}

static double
add_bytes_per_s(const struct workload *w, const struct effort *effort)
{
	double bytes = 3.0 * sizeof(float) * (double)w->n * w->turns;

	PS_ASSERT(bytes > 0);
	return bytes / best_ns(w, effort) * 1e9;
}

static double
multiply_flops(const struct workload *w, const struct effort *effort)
{
	double n = (double)w->n;

	PS_ASSERT(w->work == MULTIPLY);
	PS_ASSERT(ps_matrix_workspace_bytes(w->n, w->n) <=
		  WORKSPACE_FLOATS * sizeof(float));
	return 2 * n * n * n * w->turns / best_ns(w, effort) * 1e9;
}

static void
fill(float *memory, size_t floats)
{
	for (size_t i = 0; i < floats; i++)
		memory[i] = 1;
}

static double
add_l1(float *memory, const struct effort *effort)
{
	struct workload w = {
	    .work = ADD, .turns = 256, .n = L1_FLOATS, .memory = memory};

	return add_bytes_per_s(&w, effort);
}

static double
add_l2(float *memory, const struct effort *effort)
{
	struct workload w = {
	    .work = ADD, .turns = 12, .n = L2_FLOATS, .memory = memory};

	return add_bytes_per_s(&w, effort);
}

/*
 * Twice L2's size would be safer, but fresh pages are what quick costs: half as
 * much again does, because a loop over more than fits an LRU cache finds
 * nothing of it there.
 */
static double
add_l3(float *memory, const struct effort *effort)
{
	size_t third = ps_cpu_cache_bytes(3);
	struct workload w = {
	    .work = ADD, .turns = 2, .n = FLUSHED_FLOATS, .memory = memory};
	size_t bytes = 3 * w.n * sizeof(float);

	if (third < 2 * bytes || 2 * bytes < 3 * ps_cpu_cache_bytes(2))
		return 0;
	return add_bytes_per_s(&w, effort);
}

static double
add_flushed(float *memory, const struct effort *effort)
{
	struct workload w = {.work = ADD_FLUSHED,
			     .turns = 1,
			     .n = FLUSHED_FLOATS,
			     .memory = memory};

	return add_bytes_per_s(&w, effort);
}

static double
multiply(float *memory, void *workspace, const struct effort *effort)
{
	bool is_scalar = ps_simd_isa() == PS_SIMD_SCALAR;
	struct workload w = {.work = MULTIPLY,
			     .turns = 1,
			     .n = is_scalar ? SCALAR_MATRIX : MATRIX,
			     .memory = memory,
			     .workspace = workspace};

	return multiply_flops(&w, effort);
}

/* One load in 6 lines: no line is fetched with its neighbour. */
static double
latency_flushed(void *memory, const struct effort *effort)
{
	enum { STRIDE = 6 * PS_CACHE_LINE, HOPS = 512 };
	const size_t count = QUICK_FLOATS * sizeof(float) / STRIDE;
	double best = 1e9;

	_Static_assert(QUICK_FLOATS * sizeof(float) / STRIDE > HOPS, "enough");
	ps_chase_init(memory, count, STRIDE);
	for (uint32_t r = 0; r < effort->repeats; r++) {
		void *at = memory;
		double ns;

		ps_cpu_flush(memory, count * STRIDE);
		ns = ps_chase_ns(&at, HOPS);
		best = PS_MIN(best, ns);
		if (is_over(effort))
			break;
	}
	return best;
}

static void
raise_to(double *best, double value)
{
	*best = PS_MAX(*best, value);
}

/* Every stage once; what is better than before is kept. */
static void
measure_caches(struct ps_calibration *out, float *memory,
	       const struct effort *effort)
{
	/* First, while the core comes up to speed. */
	raise_to(&out->fma_flops, ps_core_flops(effort->repeats));
	raise_to(&out->core_hz, ps_core_hz(effort->repeats));
	raise_to(&out->vector_add_l1, add_l1(memory, effort));
	raise_to(&out->vector_add_l2, add_l2(memory, effort));
	raise_to(&out->vector_add_l3, add_l3(memory, effort));
	raise_to(&out->matmul_flops,
		 multiply(memory, memory + WORKSPACE_AT, effort));
}

static void
measure_flushed(struct ps_calibration *out, float *memory,
		const struct effort *effort)
{
	out->vector_add_dram = add_flushed(memory, effort);
	out->latency_dram_ns = latency_flushed(memory, effort);
	ps_calibrate_word(out->dram_method, "flushed");
}

/* What full streams over: two arrays of numbers, and one that is chased. */
struct streamed {
	void *pages;
	size_t bytes; /* of pages */
	struct workload add;
	void *at; /* of the chase */
	bool is_capped;
};

enum { CHASE_STRIDE = 2 * PS_CACHE_LINE, CHASE_HOPS = 20000 };

/* -ENOMEM, and there are no better figures for memory than the flushed ones. */
static int
open_streamed(struct streamed *s)
{
	size_t wanted = 4 * ps_cpu_last_cache_bytes() / sizeof(float);
	size_t n;
	char *memory;
	int error;

	s->is_capped = wanted == 0 || wanted > CAP_FLOATS;
	n = s->is_capped ? CAP_FLOATS : wanted;
	s->bytes = 4 * n * sizeof(float) + HUGE_PAGE;
	error = ps_os_map(s->bytes, &s->pages);
	if (error != 0)
		return error;
	(void)ps_os_huge(s->pages, s->bytes);
	memory = (char *)PS_ROUND_UP((uintptr_t)s->pages, (uintptr_t)HUGE_PAGE);
	s->add = (struct workload){.work = ADD_STREAMED,
				   .turns = 1,
				   .n = n - SKEW,
				   .memory = (float *)memory};
	fill(s->add.memory, memory_floats(s->add.n));
	s->at = memory + 3 * n * sizeof(float);
	ps_chase_init(s->at, n * sizeof(float) / CHASE_STRIDE, CHASE_STRIDE);
	return 0;
}

static void
measure_streamed(struct ps_calibration *out, struct streamed *s,
		 uint64_t until_cpu_ns)
{
	const struct effort effort = {STREAMED_REPEATS, until_cpu_ns};
	double ns;

	raise_to(&out->vector_add_dram, add_bytes_per_s(&s->add, &effort));
	/* Now that the arrays have driven the chase out of the caches. */
	ns = ps_chase_ns(&s->at, CHASE_HOPS);
	if (out->latency_dram_ns <= 0 || ns < out->latency_dram_ns)
		out->latency_dram_ns = ns;
	ps_calibrate_word(out->dram_method,
			  s->is_capped ? "capped" : "streamed");
}

static void
measure_full(struct ps_calibration *out, float *memory, uint64_t until_cpu_ns)
{
	const struct effort effort = {ROUND_REPEATS, until_cpu_ns};
	struct streamed s;
	bool is_open = open_streamed(&s) == 0;

	if (!is_open)
		measure_flushed(out, memory, &effort);
	for (int i = 0; i < ROUNDS; i++) {
		measure_caches(out, memory, &effort);
		if (is_open)
			measure_streamed(out, &s, until_cpu_ns);
		if (is_over(&effort))
			break;
	}
	if (is_open)
		ps_os_unmap(s.pages, s.bytes);
}

int
ps_calibrate(enum ps_calibration_kind kind, struct ps_calibration *out)
{
	bool is_full = kind == PS_CALIBRATION_FULL;
	const size_t bytes = QUICK_FLOATS * sizeof(float);
	uint64_t start = ps_os_thread_cpu_ns();
	struct ps_calibration result;
	void *pages;
	int error;

	PS_ASSERT(kind == PS_CALIBRATION_QUICK || is_full);
	memset(&result, 0, sizeof(result));
	result.kind = kind;
	ps_calibrate_word(result.isa, ps_simd_name(ps_simd_isa()));
	error = ps_os_map(bytes, &pages);
	if (error != 0)
		return error;
	fill(pages, QUICK_FLOATS);
	if (is_full) {
		measure_full(&result, pages, start + FULL_CPU_MS * MS);
	} else {
		const struct effort effort = {QUICK_REPEATS,
					      start + QUICK_CPU_US * US};

		measure_caches(&result, pages, &effort);
		measure_flushed(&result, pages, &effort);
	}
	ps_os_unmap(pages, bytes);
	ps_calibrate_clock(&result);
	result.cost_ns = (double)(ps_os_thread_cpu_ns() - start);
	*out = result;
	return 0;
}

int
ps_calibrate_drift(const struct ps_calibration *start, double *l1, double *core)
{
	const struct effort effort = {5, UINT64_MAX};
	const size_t bytes =
	    PS_ROUND_UP((3 * L1_FLOATS + 2 * SKEW) * sizeof(float), 4096);
	void *pages;
	int error;

	if (!(start->vector_add_l1 > 0) || !(start->core_hz > 0))
		return -ENODATA;
	error = ps_os_map(bytes, &pages);
	if (error != 0)
		return error;
	fill(pages, bytes / sizeof(float));
	*core = start->core_hz / ps_core_hz(effort.repeats) - 1;
	*l1 = start->vector_add_l1 / add_l1(pages, &effort) - 1;
	ps_os_unmap(pages, bytes);
	return 0;
}
