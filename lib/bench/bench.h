/* SPDX-License-Identifier: MIT */
/*
 * bench - how long a function takes
 *
 *	static void step(void *context) { ps_bench_keep(sum(context)); }
 *
 *	struct ps_bench_options options = {.function = step, .context = array};
 *	struct ps_bench_result result;
 *	if (ps_bench_run(&options, &scratch, &result) == 0)
 *		... result.summary.median ... result.samples[i] ...
 *
 * A sample is the mean of one batch of calls: the batch is large enough for
 * the clock not to matter.  Time is read between fences, so that work does not
 * move over the edge of a batch.
 */
#ifndef PS_BENCH_H
#define PS_BENCH_H

#include "base/scratch.h"
#include "base/text.h"
#include "bench/summary.h"
#include "measure/calibration.h"

/*
 * The compiler must have the value ready and may not know what is done with
 * it: a computation whose result goes here is not removed.
 */
#define ps_bench_keep(value)                                                   \
	do {                                                                   \
		__typeof__(value) ps_kept_ = (value);                          \
		__asm__ volatile("" : : "g"(ps_kept_) : "memory");             \
	} while (0)

/* All memory may have been read and written: stores before it are made. */
#define ps_bench_clobber() __asm__ volatile("" : : : "memory")

enum { PS_BENCH_SAMPLES = 100, PS_BENCH_SAMPLES_MOST = 1000000 };

struct ps_bench_options {
	const char *name;		 /* for the JSON; NULL: "benchmark" */
	void (*function)(void *context); /* one iteration */
	void (*prepare)(void *context);	 /* before each batch, not timed */
	void *context;
	size_t samples;	     /* 0: PS_BENCH_SAMPLES */
	uint64_t batch;	     /* calls a sample; 0: found automatically */
	uint64_t warm_up_ns; /* 0: 50 ms; UINT64_MAX: none */
	uint64_t sample_ns;  /* a batch's least time; 0: by the clock's cost */
	uint64_t (*now)(void); /* nanoseconds; NULL: the fenced clock */
};

struct ps_bench_result {
	const char *name;
	double *samples; /* seconds an iteration, in the order of time */
	size_t count;
	uint64_t batch;
	double cpu_s;  /* of this thread, an iteration, all samples' mean */
	double loop_s; /* what calling an empty function costs: it is in
			  each sample, and not taken off */
	struct ps_summary summary;
};

/*
 * Run it on this thread.  0; -EINVAL without a function or with more than
 * PS_BENCH_SAMPLES_MOST samples, -ENOMEM, -EDOM when the clock stands still.
 * Samples are the scratch's.  Sets the clock up (ps_clock_init) when nobody
 * has: call it before there are other threads then.
 */
int ps_bench_run(const struct ps_bench_options *options,
		 struct ps_scratch *scratch, struct ps_bench_result *out);

/*
 * The results as Google Benchmark's JSON: each sample is one repetition, mean,
 * median, stddev and cv are the aggregates; times in ns.  Its compare.py reads
 * it.  The calibration (may be NULL) goes into the context.
 */
void ps_bench_json(const struct ps_bench_result *results, size_t count,
		   const struct ps_calibration *calibration,
		   struct ps_text *out);

#endif /* PS_BENCH_H */
