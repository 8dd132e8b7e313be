/* SPDX-License-Identifier: MIT */
/*
 * bench - how long a function takes
 *
 * Warm-up and the search for the batch size are one: batches grow until one
 * takes sample_ns, and go on until the warm-up is over.  By default a sample
 * takes 2000 readings of the clock, so that reading it is 0.1 % of a sample at
 * most.  The batch size then stays: means of batches of different size scatter
 * differently, and comparing two runs would compare that.
 *
 * The fence before the clock lets the work end first, the one after it keeps
 * the work to come from starting early; rdtscp orders only one side.
 */
#include <errno.h>

#include "base/os.h"
#include "bench/bench.h"
#include "measure/clock.h"

enum { CLOCK_READINGS = 2000, LEAST_SAMPLE_NS = 20000, GROWTH_MOST = 10 };
#define DEFAULT_WARM_UP_NS UINT64_C(50000000)
#define BATCH_MOST (UINT64_C(1) << 40)

struct running {
	const struct ps_bench_options *options;
	double tick_s; /* seconds a tick of now() */
	uint64_t sample_ticks;
};

static inline uint64_t
fenced_now(void)
{
	uint64_t now;

	__builtin_ia32_lfence();
	now = ps_clock_now();
	__builtin_ia32_lfence();
	return now;
}

static uint64_t
now(const struct running *r)
{
	return r->options->now != NULL ? r->options->now() : fenced_now();
}

static uint64_t
time_batch(const struct running *r, uint64_t batch)
{
	const struct ps_bench_options *o = r->options;
	uint64_t start;

	if (o->prepare != NULL)
		o->prepare(o->context);
	start = now(r);
	for (uint64_t i = 0; i < batch; i++)
		o->function(o->context);
	return now(r) - start;
}

static void
do_nothing(void *context)
{
	ps_bench_keep(context);
}

/* Nothing is known of a batch that took no time: it grows by the most. */
static uint64_t
grown(uint64_t batch, uint64_t took, uint64_t wanted)
{
	double factor = took == 0 ? (double)GROWTH_MOST
				  : 1.2 * (double)wanted / (double)took;

	factor = PS_MAX(factor, 1.4);
	factor = PS_MIN(factor, (double)GROWTH_MOST);
	return (uint64_t)((double)batch * factor) + 1;
}

/* Returns the batch size to use, or 0 when the clock stands still. */
static uint64_t
warm_up(const struct running *r)
{
	const struct ps_bench_options *o = r->options;
	uint64_t wanted_ns =
	    o->warm_up_ns == 0 ? DEFAULT_WARM_UP_NS : o->warm_up_ns;
	uint64_t batch = o->batch != 0 ? o->batch : 1;
	bool is_large = o->batch != 0;
	double spent_s = 0;

	if (wanted_ns == UINT64_MAX)
		wanted_ns = 0;
	while (!is_large || spent_s * 1e9 < (double)wanted_ns) {
		uint64_t took = time_batch(r, batch);

		spent_s += (double)took * r->tick_s;
		is_large |= took >= r->sample_ticks;
		if (!is_large)
			batch = grown(batch, took, r->sample_ticks);
		if (batch > BATCH_MOST || (took == 0 && o->batch != 0))
			return 0;
	}
	PS_ASSERT(batch > 0);
	return batch;
}

static double
loop_cost(const struct running *r)
{
	struct ps_bench_options empty = {.function = do_nothing,
					 .now = r->options->now};
	struct running loop = {.options = &empty, .tick_s = r->tick_s};
	double best = (double)time_batch(&loop, 1000);

	for (int i = 0; i < 10; i++) {
		double took = (double)time_batch(&loop, 1000);

		best = PS_MIN(best, took);
	}
	return best / 1000 * r->tick_s;
}

/* Ticks are nanoseconds unless the clock is the TSC. */
static double
tick_seconds(const struct ps_bench_options *o)
{
	ps_ticks ticks;
	uint64_t ns;
	uint64_t width;
	double hz;
	double ppm;

	if (o->now != NULL || ps_clock.kind != PS_CLOCK_TSC)
		return 1e-9;
	do {
		width = ps_clock_pair(&ticks, &ns) + ps_clock.first_width_ns;
	} while (ns - ps_clock.first_ns < 10000000);
	if (ps_clock_rate(ticks - ps_clock.first_ticks, ns - ps_clock.first_ns,
			  width, &hz, &ppm) != 0)
		return 0;
	return 1 / hz;
}

static uint64_t
sample_ticks(const struct ps_bench_options *o, double tick_s)
{
	double ns = (double)o->sample_ns;

	if (o->sample_ns == 0)
		ns = PS_MAX(ps_clock_cost_ns() * CLOCK_READINGS,
			    (double)LEAST_SAMPLE_NS);
	return (uint64_t)(ns * 1e-9 / tick_s) + 1;
}

static int
take_samples(const struct running *r, struct ps_bench_result *out)
{
	uint64_t cpu_ns = ps_os_thread_cpu_ns();
	uint64_t total = 0;

	for (size_t i = 0; i < out->count; i++) {
		uint64_t took = time_batch(r, out->batch);

		total += took;
		out->samples[i] = (double)took / (double)out->batch * r->tick_s;
	}
	cpu_ns = ps_os_thread_cpu_ns() - cpu_ns;
	out->cpu_s =
	    (double)cpu_ns * 1e-9 / (double)out->batch / (double)out->count;
	return total > 0 ? 0 : -EDOM;
}

int
ps_bench_run(const struct ps_bench_options *options, struct ps_scratch *scratch,
	     struct ps_bench_result *out)
{
	struct running r = {.options = options};
	struct ps_bench_result result = {
	    .name = options->name != NULL ? options->name : "benchmark",
	    .count = options->samples != 0 ? options->samples
					   : (size_t)PS_BENCH_SAMPLES};
	int error;

	if (options->function == NULL || result.count > PS_BENCH_SAMPLES_MOST)
		return -EINVAL;
	if (options->now == NULL && ps_clock.kind == 0)
		ps_clock_init(PS_CLOCK_AUTO);
	result.samples =
	    ps_scratch_alloc(scratch, result.count * sizeof(double));
	if (result.samples == NULL)
		return -ENOMEM;
	r.tick_s = tick_seconds(options);
	if (!(r.tick_s > 0))
		return -EDOM;
	r.sample_ticks = sample_ticks(options, r.tick_s);
	result.loop_s = loop_cost(&r);
	result.batch = warm_up(&r);
	if (result.batch == 0)
		return -EDOM;
	error = take_samples(&r, &result);
	if (error == 0)
		error = ps_summarize(result.samples, result.count, scratch,
				     &result.summary);
	PS_ASSERT(error != 0 || result.summary.count == result.count);
	if (error == 0)
		*out = result;
	return error;
}
