/* SPDX-License-Identifier: MIT */
/*
 * load - a load test: many workers, closed loop or open loop at a rate
 *
 * A scenario is three functions; each worker is a thread with a state of its
 * own.  In a closed loop (rate 0) a worker starts its next step when the last
 * has ended, so a system that stops is asked less while it stands still, and
 * the pause counts as one slow step a worker (coordinated omission).  In an
 * open loop steps are due at fixed times; the corrected latency runs from the
 * time a step was due, the service time from when it was begun.
 */
#ifndef PS_LOAD_H
#define PS_LOAD_H

#include "base/scratch.h"
#include "base/text.h"
#include "measure/hist.h"

enum { PS_LOAD_WORKERS_MOST = 4096 };
/* Begun later than this after it was due: late. */
#define PS_LOAD_LATE_NS UINT64_C(1000000)

struct ps_load_scenario {
	/* Before the clock starts, on the worker's thread; may be NULL.  0, or
	 * an error, and then this worker takes no part. */
	int (*set_up)(void *context, unsigned worker, void **state);
	/* One operation; not 0: an error, counted and timed all the same. */
	int (*step)(void *state);
	void (*tear_down)(void *state); /* may be NULL */
	void *context;
};

/*
 * In a shared object of its own it makes a scenario that perfwrap.sh --load N
 * --scenario FILE.so runs:
 *
 *	PS_LOAD_SCENARIO(.set_up = connect_to, .step = ask, .tear_down = leave);
 */
#define PS_LOAD_SCENARIO(...)                                                  \
	extern const struct ps_load_scenario perfshim_scenario;                \
	PS_EXPORT const struct ps_load_scenario perfshim_scenario = {          \
	    __VA_ARGS__}

/* Latencies in ns, written by one thread. */
struct ps_load_latency {
	_Atomic uint64_t count;
	_Atomic uint64_t over; /* beyond the buckets */
	_Atomic uint64_t min;
	_Atomic uint64_t max;
	_Atomic double sum;
	_Atomic double squares;
	_Atomic uint32_t bucket[PS_HIST_BUCKETS];
};

/* What happened in one interval of the progress, a second by default. */
struct ps_load_second {
	double at_s; /* its end, from the start */
	uint64_t done;
	uint64_t errors;
	uint64_t late;
	double p50_s; /* corrected latency; NAN: nothing was done */
	double p99_s;
	double max_s;	    /* to a bucket's width (3 %) */
	unsigned workers;   /* that are running */
	double remaining_s; /* of the duration; 0: waiting for the last steps */
};

struct ps_load_options {
	struct ps_load_scenario scenario;
	unsigned workers;
	uint64_t duration_ns;
	uint64_t ramp_up_ns; /* closed: workers join over it; open: the rate
				grows from 0 over it; at most duration_ns */
	double rate;	     /* steps a second over all workers; 0: closed */
	/* Set it (in a signal handler, say) to end early; may be NULL. */
	const _Atomic bool *must_stop;
	void (*progress)(void *context, const struct ps_load_second *now);
	void *progress_context;
	uint64_t interval_ns; /* of progress and series; 0: a second */
};

struct ps_load_result {
	bool is_open;
	bool was_stopped;
	unsigned workers;
	unsigned failed_workers; /* whose set_up failed */
	double wall_s;
	double rate;  /* as asked for; 0: closed */
	uint64_t due; /* open loop: steps due before the end */
	uint64_t done;
	uint64_t errors; /* of those done */
	uint64_t late;
	/* Due, and never begun: every worker was busy until the end.  They are
	 * in `corrected` with the time they had waited by then. */
	uint64_t dropped;
	double per_s;			   /* done, by wall_s */
	struct ps_load_latency *corrected; /* closed loop: the service times */
	struct ps_load_latency *service;
	struct ps_load_second *seconds;
	size_t second_count;
};

/*
 * Run it; returns when every worker has ended its last step, which a step
 * that hangs can put off for ever: time-outs are the scenario's.  0; -EINVAL
 * for bad options, -ENOMEM, -EAGAIN when a thread could not be started, the
 * set-up's error when it failed for every worker.  Results are the scratch's.
 */
int ps_load_run(const struct ps_load_options *options,
		struct ps_scratch *scratch, struct ps_load_result *out);

/* ---- the schedule of an open loop ---- */

/* Seconds from the start at which step k (from 0) is due, and how many are due
 * before `s` seconds. */
double ps_load_due_s(double rate, double ramp_up_s, uint64_t k);
uint64_t ps_load_due_before(double rate, double ramp_up_s, double s);

/* ---- latencies ---- */

void ps_load_record(struct ps_load_latency *l, uint64_t ns);
void ps_load_merge(struct ps_load_latency *into,
		   const struct ps_load_latency *from);
/* Seconds; NAN when nothing was recorded.  ps_load_quantile(l, 1) is exact. */
double ps_load_quantile(const struct ps_load_latency *l, double q);
double ps_load_mean(const struct ps_load_latency *l);
double ps_load_deviation(const struct ps_load_latency *l);

/* ---- output ---- */

/* The latency table and the percentile plot, in 80 columns. */
void ps_load_text(const struct ps_load_result *result, struct ps_text *out);
/* HdrHistogram's percentile distribution, in ms: its plotter reads it. */
void ps_load_hgrm(const struct ps_load_latency *l, struct ps_text *out);

#endif /* PS_LOAD_H */
