/* SPDX-License-Identifier: MIT */
/*
 * calibrate - measures this machine with the SIMD core
 *
 * Method: that of STREAM (first repetition dropped, best reported, bytes of
 * the three arrays counted, no write-allocate) on working sets of 15 KiB (L1),
 * 255 KiB (L2), three times L2 (L3; quick has 1.5 MiB, and no figure where that
 * is too little) and memory.  A repetition that was interrupted is slow and
 * loses to one that was not, so wall time serves.
 *
 * Memory within 5 ms: STREAM wants arrays of four times the last cache, but
 * every fresh page costs 1.4 us in a guest, 64 MiB 22 ms.  Quick therefore
 * takes 1.5 MiB that it has written already and flushes every line out of all
 * caches (CLFLUSH reaches the last one too); the following pass reads from
 * memory and writes around the caches: "flushed".  Its pages are within reach
 * of the TLB, those of larger arrays are not: 50 against 36 GB/s in a guest
 * that walks two page tables.  Full streams over arrays of min(4 x last cache,
 * 64 MiB) each: "streamed", or "capped" when the 64 MiB decided; where even
 * those would half fit the last cache, 4 MiB each are flushed: "flushed-huge".
 * The method is part of the result, because figures of two methods do not
 * compare.
 *
 * Full streams in huge pages, where the kernel gives them: otherwise a guest's
 * page tables are measured (33 GB/s against 48, 190 ns against 132), which
 * depend on where its pages happen to lie; and its caches are measured in the
 * same huge pages, for which sets of them 4 KiB ones share is chance.
 *
 * Quick's budget is kept by a limit in CPU time, after which each stage that is
 * left repeats itself once: 3.3 to 3.5 ms in a guest with any instruction set,
 * a third of it for fresh pages, and 5 beside a busy neighbour.
 *
 * Neighbours on the same core or the same memory slow a guest by a third for
 * milliseconds at a time.  Quick is over before such a phase is, so that later
 * processes measure it again (calibration_settle.h); full goes
 * round all stages again and again, so that each is tried all over its half
 * second (calibrate_rounds.h).
 *
 * The widest vectors come up slowly (AVX-512 on Emerald Rapids: for some 0.2 ms
 * L1 gives 357 GB/s instead of 468) and at a clock of their own, so that some
 * multiplications come before everything else, also when the drift is measured.
 *
 * Peak, frequency and latency: core_speed.h.
 *
 * The matrix size is a multiple of every tile, fits L2, and takes 0.13 ms.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/calibrate_clock.h"
#include "measure/calibrate_rounds.h"
#include "measure/calibrate_work.h"
#include "measure/core_speed.h"
#include "simd/cpu.h"
#include "simd/simd.h"

enum {
	SKEW = PS_WORK_SKEW,
	L1_FLOATS = 1280,
	L2_FLOATS = 21760,
	FLUSHED_FLOATS = 1 << 17,
	CAP_FLOATS = 1 << 24, /* 64 MiB */
	FULL_FLUSHED_FLOATS = 1 << 20,
	MATRIX = 192,
	MATRIX_SSE2 = 96, /* four times as slow as AVX-512 */
	MATRIX_SCALAR = 64,
	US = 1000, /* in ns */
	MS = 1000 * US,
	QUICK_REPEATS = 4,
	QUICK_CPU_US = 3200,  /* then every stage repeats itself once */
	ROUND_REPEATS = 8,    /* in each, of what fits caches */
	STREAMED_REPEATS = 3, /* in each, of memory: 4 ms each */
	FULL_CPU_MS = 700,    /* no round begins after that */
	FULL_CPU_MS_MAX = 900,
	ROUNDS_CPU_MS_MIN = 200,
	POWER_UP_REPEATS = 6, /* 0.25 ms */
	DRIFT_FLOATS = 1 << 15,
	DRIFT_REPEATS = 5,
	DRIFT_TRIES = 4, /* when it seems to be more than credible */
	HUGE_PAGE = 2 << 20,
};

#define DRIFT_CREDIBLE 0.03

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
_Static_assert(MATRIX_SSE2 <= MATRIX && MATRIX_SCALAR <= MATRIX, "they fit");

static void
fill(float *memory, size_t floats)
{
	for (size_t i = 0; i < floats; i++)
		memory[i] = 1;
}

static double
add_l1(float *memory, const struct ps_effort *effort)
{
	struct ps_work w = {.kind = PS_WORK_ADD,
			    .turns = 256,
			    .n = L1_FLOATS,
			    .memory = memory};

	return ps_work_bytes_per_s(&w, effort);
}

static double
add_l2(float *memory, const struct ps_effort *effort)
{
	struct ps_work w = {
	    .kind = PS_WORK_ADD, .turns = 12, .n = L2_FLOATS, .memory = memory};

	return ps_work_bytes_per_s(&w, effort);
}

/*
 * Three arrays of L2's size, or as much of that as there is memory for: half as
 * much again as L2 does, because a loop over more than fits an LRU cache finds
 * nothing of it there.  Fresh pages are what quick costs.
 */
static double
add_l3(float *memory, size_t floats_max, const struct ps_effort *effort)
{
	size_t second = ps_cpu_cache_bytes(2);
	struct ps_work w = {.kind = PS_WORK_ADD,
			    .turns = 2,
			    .n = PS_MIN(second / sizeof(float), floats_max),
			    .memory = memory};
	size_t bytes = 3 * w.n * sizeof(float);

	if (bytes == 0 || ps_cpu_cache_bytes(3) < 2 * bytes ||
	    2 * bytes < 3 * second)
		return 0;
	return ps_work_bytes_per_s(&w, effort);
}

static double
add_flushed(float *memory, const struct ps_effort *effort)
{
	struct ps_work w = {.kind = PS_WORK_ADD_FLUSHED,
			    .turns = 1,
			    .n = FLUSHED_FLOATS,
			    .memory = memory};

	return ps_work_bytes_per_s(&w, effort);
}

static size_t
matrix_rows(void)
{
	switch (ps_simd_isa()) {
	case PS_SIMD_SCALAR:
		return MATRIX_SCALAR;
	case PS_SIMD_SSE2:
		return MATRIX_SSE2;
	default:
		return MATRIX;
	}
}

static double
multiply(float *memory, void *workspace, const struct ps_effort *effort)
{
	struct ps_work w = {.kind = PS_WORK_MULTIPLY,
			    .turns = 1,
			    .n = matrix_rows(),
			    .memory = memory,
			    .workspace = workspace};

	PS_ASSERT(ps_matrix_workspace_bytes(w.n, w.n) <=
		  WORKSPACE_FLOATS * sizeof(float));
	return ps_work_flops(&w, effort);
}

/* One load in 6 lines: no line is fetched with its neighbour. */
static double
latency_flushed(void *memory, const struct ps_effort *effort)
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
		if (ps_effort_is_over(effort))
			break;
	}
	return best;
}

/*
 * Every stage once.  `memory` has room for QUICK_FLOATS and for three arrays of
 * floats_max.
 */
static void
measure_caches(struct ps_calibration *out, float *memory, size_t floats_max,
	       const struct ps_effort *effort)
{
	PS_ASSERT(floats_max >= FLUSHED_FLOATS);
	/* First, while the core comes up to speed. */
	out->core_hz = ps_core_hz(effort->repeats);
	(void)ps_core_flops(POWER_UP_REPEATS);
	out->matmul_flops = multiply(memory, memory + WORKSPACE_AT, effort);
	out->fma_flops = ps_core_flops(effort->repeats);
	out->vector_add_l1 = add_l1(memory, effort);
	out->vector_add_l2 = add_l2(memory, effort);
	out->vector_add_l3 = add_l3(memory, floats_max, effort);
}

static void
measure_flushed(struct ps_calibration *out, float *memory,
		const struct ps_effort *effort)
{
	out->vector_add_dram = add_flushed(memory, effort);
	out->latency_dram_ns = latency_flushed(memory, effort);
	ps_calibrate_word(out->dram_method, "flushed");
}

/* What full streams over: two arrays of numbers, and one that is chased. */
struct streamed {
	void *pages;
	size_t bytes; /* of pages */
	struct ps_work add;
	void *chase;
	size_t chase_bytes;
	void *at; /* of the chase */
	const char *method;
};

enum { CHASE_STRIDE = 2 * PS_CACHE_LINE, CHASE_HOPS = 20000 };

/*
 * Floats an array.  A cache that the largest arrays would half fit into is not
 * memory: what was flushed out of it is (Emerald Rapids, 260 MiB of L3, shared:
 * streams ran at 5 to 21 GB/s within a minute, flushed ones at 24 to 26).
 */
static size_t
choose_method(struct streamed *s)
{
	size_t last = ps_cpu_last_cache_bytes();
	size_t wanted = 4 * last / sizeof(float);

	s->add.kind = PS_WORK_ADD_STREAMED;
	s->method = "streamed";
	if (wanted != 0 && wanted <= CAP_FLOATS)
		return PS_MAX(wanted, (size_t)FLUSHED_FLOATS);
	s->method = "capped";
	if (2 * last <= (size_t)3 * CAP_FLOATS * sizeof(float))
		return CAP_FLOATS;
	s->add.kind = PS_WORK_ADD_FLUSHED;
	s->method = "flushed-huge";
	return FULL_FLUSHED_FLOATS;
}

/* -ENOMEM, and there are no better figures for memory than the flushed ones. */
static int
open_streamed(struct streamed *s)
{
	size_t n = choose_method(s);
	char *memory;
	int error;

	s->chase_bytes = n * sizeof(float);
	s->bytes = 4 * n * sizeof(float) + HUGE_PAGE;
	error = ps_os_map(s->bytes, &s->pages);
	if (error != 0)
		return error;
	(void)ps_os_huge(s->pages, s->bytes);
	memory = (char *)PS_ROUND_UP((uintptr_t)s->pages, (uintptr_t)HUGE_PAGE);
	s->add.turns = 1;
	s->add.n = n - SKEW;
	s->add.memory = (float *)memory;
	fill(s->add.memory, ps_work_floats(s->add.n));
	s->chase = memory + 3 * n * sizeof(float);
	s->at = s->chase;
	ps_chase_init(s->at, s->chase_bytes / CHASE_STRIDE, CHASE_STRIDE);
	return 0;
}

static void
measure_streamed(struct ps_calibration *round, struct streamed *s,
		 uint64_t until_cpu_ns)
{
	const struct ps_effort effort = {STREAMED_REPEATS, until_cpu_ns};

	round->vector_add_dram = ps_work_bytes_per_s(&s->add, &effort);
	/* Streamed arrays have driven the chase out of the caches. */
	if (s->add.kind == PS_WORK_ADD_FLUSHED)
		ps_cpu_flush(s->chase, s->chase_bytes);
	round->latency_dram_ns = ps_chase_ns(&s->at, CHASE_HOPS);
}

/* Fresh pages alone may take 0.8 s where the host has none at hand. */
static uint64_t
until_after_opening(uint64_t start)
{
	uint64_t until = ps_os_thread_cpu_ns() + ROUNDS_CPU_MS_MIN * MS;

	until = PS_MIN(until, start + FULL_CPU_MS_MAX * MS);
	return PS_MAX(until, start + FULL_CPU_MS * MS);
}

static void
measure_full(struct ps_calibration *out, float *memory, uint64_t start)
{
	struct streamed s = {0};
	struct ps_rounds rounds = {.count = 0};
	bool is_open = open_streamed(&s) == 0;
	const struct ps_effort effort = {ROUND_REPEATS,
					 until_after_opening(start)};

	if (!is_open)
		measure_flushed(out, memory, &effort);
	while (rounds.count < PS_ROUNDS_MAX) {
		struct ps_calibration round = {0};

		/* Where 4 KiB pages lie, and so which sets of the caches they
		 * fall on, differs by run. */
		if (is_open)
			measure_caches(&round, s.add.memory, s.add.n, &effort);
		else
			measure_caches(&round, memory, FLUSHED_FLOATS, &effort);
		if (is_open)
			measure_streamed(&round, &s, effort.until_cpu_ns);
		ps_rounds_keep(&rounds, &round);
		if (ps_effort_is_over(&effort))
			break;
	}
	ps_rounds_settle(&rounds, PS_ROUNDS_UPPER, out);
	if (is_open)
		ps_calibrate_word(out->dram_method, s.method);
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
		measure_full(&result, pages, start);
	} else {
		const struct ps_effort effort = {QUICK_REPEATS,
						 start + QUICK_CPU_US * US};

		measure_caches(&result, pages, FLUSHED_FLOATS, &effort);
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
	const struct ps_effort effort = {5, UINT64_MAX};
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
	*l1 = INFINITY;
	for (int i = 0; i<DRIFT_TRIES && * l1> DRIFT_CREDIBLE; i++) {
		double now;

		(void)ps_core_flops(POWER_UP_REPEATS);
		now = start->vector_add_l1 / add_l1(pages, &effort) - 1;
		*l1 = PS_MIN(*l1, now);
	}
	ps_os_unmap(pages, bytes);
	return 0;
}

int
ps_calibrate_memory_drift(const struct ps_calibration *start, double *slower)
{
	static const char flushed[] = "flushed"; /* or flushed-huge */
	const struct ps_effort effort = {DRIFT_REPEATS, UINT64_MAX};
	struct ps_work w = {
	    .kind = PS_WORK_ADD_FLUSHED, .turns = 1, .n = DRIFT_FLOATS};
	const size_t bytes =
	    PS_ROUND_UP(ps_work_floats(w.n) * sizeof(float), (size_t)4096);
	void *pages;
	int error;

	_Static_assert(sizeof(flushed) <= sizeof(start->dram_method), "fits");
	if (!(start->vector_add_dram > 0) ||
	    memcmp(start->dram_method, flushed, sizeof(flushed) - 1) != 0)
		return -ENODATA;
	error = ps_os_map(bytes, &pages);
	if (error != 0)
		return error;
	fill(pages, bytes / sizeof(float));
	w.memory = pages;
	*slower = start->vector_add_dram / ps_work_bytes_per_s(&w, &effort) - 1;
	ps_os_unmap(pages, bytes);
	return 0;
}
