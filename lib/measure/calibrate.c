/* SPDX-License-Identifier: MIT */
/*
 * calibrate - measures this machine with the SIMD core
 *
 * Method: that of STREAM (first repetition dropped, best reported, bytes of
 * the three arrays counted, no write-allocate) on working sets of 15 KiB (L1),
 * 255 KiB (L2) and memory.  A repetition that was interrupted is slow and
 * loses to one that was not, so wall time serves; each stage also has a limit
 * in time, which a slow machine reaches with fewer repetitions.
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
 * Peak, frequency and latency: core_speed.h.
 *
 * The matrix size is a multiple of every tile, fits L2, and takes 0.13 ms.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/clock.h"
#include "measure/core_speed.h"
#include "simd/cpu.h"
#include "simd/simd.h"

enum work { ADD, ADD_STREAMED, ADD_FLUSHED, MULTIPLY };

struct workload {
	enum work work;
	uint32_t turns;	   /* within one repetition */
	uint32_t repeats;  /* after the first, which is dropped */
	uint64_t limit_ns; /* of the whole stage */
	size_t n;	   /* floats an array, or rows of a matrix */
	float *memory;	   /* three arrays of n, or 3 n x n */
	void *workspace;   /* of MULTIPLY */
};

enum {
	SKEW = 272, /* floats between arrays: keeps them off one L1 set */
	L1_FLOATS = 1280,
	L2_FLOATS = 21760,
	FLUSHED_FLOATS = 1 << 17,
	CAP_FLOATS = 1 << 24, /* 64 MiB */
	MATRIX = 192,
	SCALAR_MATRIX = 64,
	MS = 1000000, /* in ns */
};

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

/* The shortest repetition; there is at least one after the dropped one. */
static double
best_ns(const struct workload *w)
{
	uint64_t start = ps_os_monotonic_ns();
	uint64_t best = UINT64_MAX;

	PS_ASSERT(w->turns > 0 && w->repeats > 0);
	run(w);
	for (uint32_t r = 0; r < w->repeats; r++) {
		uint64_t ns = run(w);

		best = PS_MIN(best, ns);
		if (ps_os_monotonic_ns() - start > w->limit_ns)
			break;
	}
	/* A clock that stood still measured nothing, but is not infinite. */
	return (double)PS_MAX(best, (uint64_t)1);
}

static double
add_bytes_per_s(const struct workload *w)
{
	double bytes = 3.0 * sizeof(float) * (double)w->n * w->turns;

	PS_ASSERT(bytes > 0);
	return bytes / best_ns(w) * 1e9;
}

static double
multiply_flops(const struct workload *w)
{
	double n = (double)w->n;

	PS_ASSERT(w->work == MULTIPLY);
	return 2 * n * n * n * w->turns / best_ns(w) * 1e9;
}

static void
fill(float *memory, size_t floats)
{
	for (size_t i = 0; i < floats; i++)
		memory[i] = 1;
}

/* Of a stage: what its repetitions take, and as much for interruptions. */
static uint64_t
limit_of(uint32_t repeats)
{
	return (uint64_t)repeats * (MS / 10);
}

static double
add_l1(float *memory, uint32_t repeats)
{
	struct workload w = {.work = ADD,
			     .turns = 256,
			     .repeats = repeats,
			     .limit_ns = limit_of(repeats),
			     .n = L1_FLOATS,
			     .memory = memory};

	return add_bytes_per_s(&w);
}

static double
add_l2(float *memory, uint32_t repeats)
{
	struct workload w = {.work = ADD,
			     .turns = 12,
			     .repeats = repeats,
			     .limit_ns = limit_of(repeats),
			     .n = L2_FLOATS,
			     .memory = memory};

	return add_bytes_per_s(&w);
}

/*
 * Twice L2's size would be safer, but fresh pages are what quick costs: half as
 * much again does, because a loop over more than fits an LRU cache finds
 * nothing of it there.
 */
static double
add_l3(float *memory, uint32_t repeats)
{
	size_t third = ps_cpu_cache_bytes(3);
	struct workload w = {.work = ADD,
			     .turns = 4,
			     .repeats = repeats,
			     .limit_ns = limit_of(repeats),
			     .n = FLUSHED_FLOATS,
			     .memory = memory};
	size_t bytes = 3 * w.n * sizeof(float);

	if (third < 2 * bytes || 2 * bytes < 3 * ps_cpu_cache_bytes(2))
		return 0;
	return add_bytes_per_s(&w);
}

static double
add_flushed(float *memory, uint32_t repeats)
{
	struct workload w = {.work = ADD_FLUSHED,
			     .turns = 1,
			     .repeats = repeats,
			     .limit_ns = limit_of(repeats),
			     .n = FLUSHED_FLOATS,
			     .memory = memory};

	return add_bytes_per_s(&w);
}

static double
multiply(float *memory, void *workspace, uint32_t repeats)
{
	bool is_scalar = ps_simd_isa() == PS_SIMD_SCALAR;
	struct workload w = {.work = MULTIPLY,
			     .turns = 1,
			     .repeats = repeats,
			     .limit_ns = 2 * limit_of(repeats),
			     .n = is_scalar ? SCALAR_MATRIX : MATRIX,
			     .memory = memory,
			     .workspace = workspace};

	return multiply_flops(&w);
}

/* One mapping for every stage of quick: fresh pages are what costs. */
enum {
	QUICK_FLOATS = 3 * FLUSHED_FLOATS + 2 * SKEW,
	WORKSPACE_AT = 3 * MATRIX * MATRIX, /* behind the matrices */
};
_Static_assert(WORKSPACE_AT % (PS_CACHE_LINE / sizeof(float)) == 0,
	       "the workspace is aligned");
_Static_assert(WORKSPACE_AT + MATRIX * MATRIX <= QUICK_FLOATS,
	       "matrices and workspace fit");
_Static_assert(3 * L2_FLOATS + 2 * SKEW <= QUICK_FLOATS, "L2 arrays fit");

/* One load in 6 lines: no line is fetched with its neighbour. */
static double
latency_flushed(void *memory)
{
	enum { STRIDE = 6 * PS_CACHE_LINE, HOPS = 512, RUNS = 4 };
	const size_t count = QUICK_FLOATS * sizeof(float) / STRIDE;
	double best = 1e9;

	_Static_assert(QUICK_FLOATS * sizeof(float) / STRIDE > HOPS, "enough");
	ps_chase_init(memory, count, STRIDE);
	for (int r = 0; r < RUNS; r++) {
		void *at = memory;
		double ns;

		ps_cpu_flush(memory, count * STRIDE);
		ns = ps_chase_ns(&at, HOPS);
		best = PS_MIN(best, ns);
	}
	return best;
}

static void
name(char field[16], const char *text)
{
	size_t length = strlen(text);

	PS_ASSERT(length < 16);
	memset(field, 0, 16);
	memcpy(field, text, length + 1);
}

static int
measure_caches(struct ps_calibration *out, uint32_t repeats)
{
	const size_t bytes = QUICK_FLOATS * sizeof(float);
	void *pages;
	float *memory;
	int error = ps_os_map(bytes, &pages);

	if (error != 0)
		return error;
	memory = pages;
	PS_ASSERT(ps_matrix_workspace_bytes(MATRIX, MATRIX) <=
		  bytes - WORKSPACE_AT * sizeof(float));
	fill(memory, QUICK_FLOATS);
	/* First, while the core comes up to speed. */
	out->fma_flops = ps_core_flops(repeats);
	out->core_hz = ps_core_hz(repeats);
	out->vector_add_l1 = add_l1(memory, repeats);
	out->vector_add_l2 = add_l2(memory, repeats);
	out->vector_add_l3 = add_l3(memory, repeats);
	out->matmul_flops = multiply(memory, memory + WORKSPACE_AT, repeats);
	out->vector_add_dram = add_flushed(memory, 2 * repeats);
	out->latency_dram_ns = latency_flushed(memory);
	name(out->dram_method, "flushed");
	ps_os_unmap(pages, bytes);
	return 0;
}

/* Over one of the arrays, TLB misses included, as a program would have them. */
static double
latency_streamed(void *memory, size_t bytes)
{
	enum { STRIDE = 2 * PS_CACHE_LINE, HOPS = 50000, RUNS = 12 };
	void *at = memory;
	double best = 1e9;

	ps_chase_init(memory, bytes / STRIDE, STRIDE);
	for (int r = 0; r < RUNS; r++) {
		double ns = ps_chase_ns(&at, HOPS);

		best = PS_MIN(best, ns);
	}
	return best;
}

/* Better figures for memory, when there is room for them. */
static void
measure_memory(struct ps_calibration *out)
{
	size_t wanted = 4 * ps_cpu_last_cache_bytes() / sizeof(float);
	bool is_capped = wanted == 0 || wanted > CAP_FLOATS;
	size_t n = is_capped ? CAP_FLOATS : wanted;
	size_t bytes = memory_floats(n) * sizeof(float);
	struct workload w = {.work = ADD_STREAMED,
			     .turns = 1,
			     .repeats = 30,
			     .limit_ns = UINT64_C(400) * MS,
			     .n = n};
	void *pages;

	if (ps_os_map(bytes, &pages) != 0)
		return;
	w.memory = pages;
	fill(w.memory, memory_floats(n));
	out->vector_add_dram = add_bytes_per_s(&w);
	out->latency_dram_ns = latency_streamed(pages, n * sizeof(float));
	name(out->dram_method, is_capped ? "capped" : "streamed");
	ps_os_unmap(pages, bytes);
}

static void
measure_rate(struct ps_calibration *out)
{
	ps_ticks ticks;
	uint64_t ns;
	uint64_t width;

	if (ps_clock.kind != PS_CLOCK_TSC)
		return;
	width = ps_clock_pair(&ticks, &ns) + ps_clock.first_width_ns;
	/* A clock that does not move leaves both at "not measured". */
	(void)ps_clock_rate(ticks - ps_clock.first_ticks,
			    ns - ps_clock.first_ns, width, &out->tsc_hz,
			    &out->tsc_ppm);
}

static double
quantum_ns(const struct ps_calibration *c)
{
	double ticks = (double)ps_clock_quantum();

	if (ps_clock.kind != PS_CLOCK_TSC)
		return ticks;
	return c->tsc_hz > 0 ? ticks / c->tsc_hz * 1e9 : 0;
}

int
ps_calibrate(enum ps_calibration_kind kind, struct ps_calibration *out)
{
	bool is_full = kind == PS_CALIBRATION_FULL;
	uint64_t start = ps_os_thread_cpu_ns();
	struct ps_calibration result;
	int error;

	PS_ASSERT(kind == PS_CALIBRATION_QUICK || is_full);
	memset(&result, 0, sizeof(result));
	result.kind = kind;
	name(result.isa, ps_simd_name(ps_simd_isa()));
	name(result.clock, ps_clock_name());
	name(result.clock_trust, ps_clock_trust());
	error = measure_caches(&result, is_full ? 100 : 5);
	if (error != 0)
		return error;
	if (is_full)
		measure_memory(&result);
	result.clock_ns = ps_clock_cost_ns();
	measure_rate(&result);
	result.clock_quantum_ns = quantum_ns(&result);
	result.cost_ns = (double)(ps_os_thread_cpu_ns() - start);
	*out = result;
	return 0;
}

int
ps_calibrate_drift(const struct ps_calibration *start, double *l1, double *core)
{
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
	*core = start->core_hz / ps_core_hz(5) - 1;
	*l1 = start->vector_add_l1 / add_l1(pages, 5) - 1;
	ps_os_unmap(pages, bytes);
	return 0;
}
