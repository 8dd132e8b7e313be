/* SPDX-License-Identifier: MIT */
/*
 * load - a load test: many workers, closed loop or open loop at a rate
 *
 * The schedule of an open loop is fixed before it starts: step k is due when
 * the integral of the rate reaches k.  Workers draw the next k from one
 * counter, wait until it is due, and begin; who is free takes what is next, so
 * one slow step delays nobody while there is a free worker.  When all are busy,
 * the steps that fall due queue up and are begun one after the other as fast as
 * the system takes them; nothing is skipped to keep up (wrk2 doubles its rate
 * then, vegeta times from the moment a worker is free, and both make the
 * latency look better than it was).  At the end, what was due and not begun is
 * dropped, and counts with the time it had waited.
 *
 * Each worker writes counters and histograms of its own; the thread that called
 * sleeps, and once an interval adds all of them up, for the progress and the
 * series: the difference between two such sums is one interval.
 *
 * Sleeping threads are woken late by the kernel's timer slack, 50 us by
 * default, which would be in every corrected latency: workers ask for 1 ns.
 */
#include <errno.h>
#include <pthread.h>

#include "base/os.h"
#include "bench/load.h"
#include "measure/real.h"

enum { NAP_NS = 50000000 }; /* how long a stop may go unseen */

struct test;

struct PS_ALIGNED(PS_CACHE_LINE) worker {
	struct test *test;
	unsigned index;
	pthread_t thread;
	void *state;
	_Atomic uint64_t errors;
	_Atomic uint64_t late;
	_Atomic uint64_t unbegun;
	_Atomic bool is_running; /* between its start and its last step */
	struct ps_load_latency corrected;
	struct ps_load_latency service;
};

struct test {
	const struct ps_load_options *options;
	struct worker *workers;
	unsigned count;
	_Atomic unsigned ready;	 /* workers that have set up, or failed to */
	_Atomic unsigned failed; /* to set up */
	_Atomic unsigned ended;
	_Atomic int error; /* of the last set-up that failed */
	_Atomic bool has_begun;
	_Atomic bool must_leave; /* a thread could not be started */
	_Atomic uint64_t next;	 /* step of the schedule */
	/* Written before has_begun is: */
	uint64_t start_ns;
	/* When it ends; a stop brings it forward. */
	_Atomic uint64_t end_ns;
};

/* ---- a worker ------------------------------------------------------------ */

static bool
is_over(struct test *t, uint64_t now_ns)
{
	const struct ps_load_options *o = t->options;
	uint64_t end = ps_peek(&t->end_ns);

	if (now_ns < end && o->must_stop != NULL && ps_peek(o->must_stop)) {
		/* The first to see it says when it was. */
		atomic_compare_exchange_strong(&t->end_ns, &end, now_ns);
		return true;
	}
	return now_ns >= end;
}

/* Until then, or the end; returns the time that it is. */
static uint64_t
wait_until(struct test *t, uint64_t due_ns)
{
	uint64_t now = ps_os_monotonic_ns();

	while (now < due_ns && !is_over(t, now)) {
		ps_os_sleep_ns(PS_MIN(due_ns - now, (uint64_t)NAP_NS));
		now = ps_os_monotonic_ns();
	}
	return now;
}

static void
do_step(struct worker *w, uint64_t due_ns, uint64_t begin_ns)
{
	int error = w->test->options->scenario.step(w->state);
	uint64_t end_ns = ps_os_monotonic_ns();

	PS_ASSERT(begin_ns >= due_ns && end_ns >= begin_ns);
	if (error != 0)
		ps_bump(&w->errors, 1);
	if (begin_ns - due_ns > PS_LOAD_LATE_NS)
		ps_bump(&w->late, 1);
	ps_load_record(&w->service, end_ns - begin_ns);
	ps_load_record(&w->corrected, end_ns - due_ns);
}

static void
run_closed(struct worker *w)
{
	struct test *t = w->test;
	uint64_t start =
	    t->start_ns + t->options->ramp_up_ns * w->index / t->count;
	uint64_t now = wait_until(t, start);

	while (!is_over(t, now)) {
		ps_poke(&w->is_running, true);
		do_step(w, now, now);
		now = ps_os_monotonic_ns();
	}
}

static void
run_open(struct worker *w)
{
	struct test *t = w->test;
	const struct ps_load_options *o = t->options;
	double ramp_up_s = (double)o->ramp_up_ns * 1e-9;

	ps_poke(&w->is_running, true);
	for (;;) {
		uint64_t k = atomic_fetch_add_explicit(&t->next, 1,
						       memory_order_relaxed);
		double due_s = ps_load_due_s(o->rate, ramp_up_s, k);
		uint64_t due_ns = t->start_ns + (uint64_t)(due_s * 1e9);
		uint64_t now;

		if (due_ns >= ps_peek(&t->end_ns))
			return;
		now = wait_until(t, due_ns);
		if (is_over(t, now)) {
			uint64_t end_ns = ps_peek(&t->end_ns);

			if (due_ns >= end_ns)
				return;
			ps_load_record(&w->corrected, end_ns - due_ns);
			ps_bump(&w->unbegun, 1);
			return;
		}
		do_step(w, due_ns, now);
	}
}

static int
set_up(struct worker *w)
{
	const struct ps_load_scenario *s = &w->test->options->scenario;
	int error = 0;

	w->state = s->context;
	if (s->set_up != NULL)
		error = s->set_up(s->context, w->index, &w->state);
	if (error != 0) {
		ps_poke(&w->test->error, error);
		atomic_fetch_add(&w->test->failed, 1);
	}
	return error;
}

static void *
work(void *argument)
{
	struct worker *w = argument;
	struct test *t = w->test;
	const struct ps_load_scenario *s = &t->options->scenario;
	int error;

	(void)ps_os_timer_slack(1);
	error = set_up(w);
	atomic_fetch_add(&t->ready, 1);
	/* Pairs with the release in begin(). */
	while (!atomic_load_explicit(&t->has_begun, memory_order_acquire))
		ps_os_sleep_ns(200000);
	if (error == 0 && !ps_peek(&t->must_leave)) {
		if (t->options->rate > 0)
			run_open(w);
		else
			run_closed(w);
		ps_poke(&w->is_running, false);
	}
	if (error == 0 && s->tear_down != NULL)
		s->tear_down(w->state);
	atomic_fetch_add(&t->ended, 1);
	return NULL;
}

/* ---- the thread that called ---------------------------------------------- */

struct totals {
	struct ps_load_latency corrected;
	uint64_t done;
	uint64_t errors;
	uint64_t late;
};

static void
add_up(const struct test *t, struct totals *out)
{
	*out = (struct totals){0};
	for (unsigned i = 0; i < t->count; i++) {
		const struct worker *w = &t->workers[i];

		ps_load_merge(&out->corrected, &w->corrected);
		out->done += ps_peek(&w->service.count);
		out->errors += ps_peek(&w->errors);
		out->late += ps_peek(&w->late);
	}
}

/* What was recorded between two sums, as far as buckets tell. */
static void
take_off(struct ps_load_latency *from, const struct ps_load_latency *before)
{
	uint64_t highest = 0;

	from->over -= ps_peek(&before->over);
	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++) {
		from->bucket[b] -= ps_peek(&before->bucket[b]);
		if (ps_peek(&from->bucket[b]) != 0)
			highest = ps_hist_floor(b) + ps_hist_width(b) - 1;
	}
	from->min = 0;
	if (ps_peek(&from->over) == 0)
		from->max = PS_MIN(ps_peek(&from->max), highest);
}

static unsigned
running(const struct test *t)
{
	unsigned count = 0;

	for (unsigned i = 0; i < t->count; i++)
		count += ps_peek(&t->workers[i].is_running);
	return count;
}

/* One interval: what is there now, less what was there at the last. */
static struct ps_load_second
take_interval(const struct test *t, struct totals sums[3])
{
	struct totals *before = &sums[0];
	struct totals *now = &sums[1];
	struct ps_load_latency *between = &sums[2].corrected;
	uint64_t now_ns = ps_os_monotonic_ns();
	uint64_t end_ns = ps_peek(&t->end_ns);
	struct ps_load_second s;

	add_up(t, now);
	PS_ASSERT(now->done >= before->done && now->errors >= before->errors);
	s = (struct ps_load_second){
	    .at_s = (double)(now_ns - t->start_ns) * 1e-9,
	    .done = now->done - before->done,
	    .errors = now->errors - before->errors,
	    .late = now->late - before->late,
	    .workers = running(t),
	    .remaining_s =
		now_ns < end_ns ? (double)(end_ns - now_ns) * 1e-9 : 0};
	*between = now->corrected;
	take_off(between, &before->corrected);
	s.p50_s = ps_load_quantile(between, 0.50);
	s.p99_s = ps_load_quantile(between, 0.99);
	s.max_s = ps_load_quantile(between, 1);
	*before = *now;
	return s;
}

/* Until every worker has ended; *seconds has room for `most` intervals. */
static size_t
watch(struct test *t, struct totals sums[3], struct ps_load_second *seconds,
      size_t most)
{
	const struct ps_load_options *o = t->options;
	uint64_t interval = o->interval_ns != 0 ? o->interval_ns : 1000000000u;
	uint64_t due = t->start_ns + interval;
	size_t count = 0;

	while (atomic_load(&t->ended) < t->count) {
		uint64_t now = ps_os_monotonic_ns();
		struct ps_load_second second;

		(void)is_over(t, now);
		if (now < due) {
			ps_os_sleep_ns(PS_MIN(due - now, 5000000u));
			continue;
		}
		due += interval;
		second = take_interval(t, sums);
		if (count < most)
			seconds[count++] = second;
		if (o->progress != NULL)
			o->progress(o->progress_context, &second);
	}
	return count;
}

static void
begin(struct test *t)
{
	while (atomic_load(&t->ready) < t->count)
		ps_os_sleep_ns(200000);
	t->start_ns = ps_os_monotonic_ns();
	ps_poke(&t->end_ns, t->start_ns + t->options->duration_ns);
	/* Pairs with the acquire in work(). */
	atomic_store_explicit(&t->has_begun, true, memory_order_release);
}

/* Steps that were due and that nobody drew, at what they waited at least. */
static void
add_undrawn(struct test *t, struct ps_load_result *r)
{
	const struct ps_load_options *o = t->options;
	double ramp_up_s = (double)o->ramp_up_ns * 1e-9;
	uint64_t length_ns = ps_peek(&t->end_ns) - t->start_ns;

	r->due =
	    ps_load_due_before(o->rate, ramp_up_s, (double)length_ns * 1e-9);
	for (uint64_t k = ps_peek(&t->next); k < r->due; k++) {
		double due_ns = ps_load_due_s(o->rate, ramp_up_s, k) * 1e9;
		uint64_t waited = length_ns - (uint64_t)due_ns;

		ps_load_record(r->corrected, PS_MIN(waited, length_ns));
		r->dropped++;
	}
}

static void
finish(struct test *t, struct ps_load_result *r)
{
	uint64_t now_ns = ps_os_monotonic_ns();

	for (unsigned i = 0; i < t->count; i++) {
		struct worker *w = &t->workers[i];

		ps_load_merge(r->corrected, &w->corrected);
		ps_load_merge(r->service, &w->service);
		r->errors += ps_peek(&w->errors);
		r->late += ps_peek(&w->late);
		r->dropped += ps_peek(&w->unbegun);
	}
	r->done = ps_peek(&r->service->count);
	PS_ASSERT(r->errors <= r->done && r->late <= r->done);
	r->failed_workers = ps_peek(&t->failed);
	r->is_open = t->options->rate > 0;
	r->rate = t->options->rate;
	r->workers = t->count;
	r->wall_s = (double)(now_ns - t->start_ns) * 1e-9;
	r->per_s = (double)r->done / r->wall_s;
	r->was_stopped =
	    ps_peek(&t->end_ns) < t->start_ns + t->options->duration_ns;
	if (r->is_open)
		add_undrawn(t, r);
}

/* Returns how many threads there are; fewer than asked for is a failure. */
static unsigned
start_workers(struct test *t)
{
	unsigned started = 0;

	for (; started < t->count; started++) {
		struct worker *w = &t->workers[started];

		w->test = t;
		w->index = started;
		if (pthread_create(&w->thread, NULL, work, w) != 0)
			break;
	}
	return started;
}

static int
run(struct test *t, struct totals *sums, struct ps_load_result *r, size_t most)
{
	unsigned wanted = t->count;

	t->count = start_workers(t);
	ps_poke(&t->must_leave, t->count < wanted);
	begin(t);
	if (!ps_peek(&t->must_leave) && ps_peek(&t->failed) < t->count)
		r->second_count = watch(t, sums, r->seconds, most);
	for (unsigned i = 0; i < t->count; i++)
		pthread_join(t->workers[i].thread, NULL);
	if (t->count < wanted)
		return -EAGAIN;
	if (ps_peek(&t->failed) == t->count)
		return ps_peek(&t->error);
	finish(t, r);
	return 0;
}

static bool
are_valid(const struct ps_load_options *o)
{
	return o->scenario.step != NULL && o->workers > 0 &&
	       o->workers <= PS_LOAD_WORKERS_MOST && o->duration_ns > 0 &&
	       o->ramp_up_ns <= o->duration_ns && o->rate >= 0 &&
	       o->rate <= 1e9;
}

int
ps_load_run(const struct ps_load_options *options, struct ps_scratch *scratch,
	    struct ps_load_result *out)
{
	struct test t = {.options = options, .count = options->workers};
	struct ps_load_result r = {0};
	uint64_t interval;
	struct totals *sums;
	size_t most;
	int error;

	if (!are_valid(options))
		return -EINVAL;
	interval =
	    options->interval_ns != 0 ? options->interval_ns : 1000000000u;
	most = (size_t)(options->duration_ns / interval) + 16;
	t.workers = ps_scratch_alloc(scratch, sizeof(*t.workers) * t.count +
						  PS_CACHE_LINE);
	sums = ps_scratch_alloc(scratch, 3 * sizeof(*sums));
	r.corrected = ps_scratch_alloc(scratch, sizeof(*r.corrected));
	r.service = ps_scratch_alloc(scratch, sizeof(*r.service));
	r.seconds = ps_scratch_alloc(scratch, sizeof(*r.seconds) * most);
	if (t.workers == NULL || sums == NULL || r.corrected == NULL ||
	    r.service == NULL || r.seconds == NULL)
		return -ENOMEM;
	t.workers = (struct worker *)PS_ROUND_UP((uintptr_t)t.workers,
						 (uintptr_t)PS_CACHE_LINE);
	error = run(&t, sums, &r, most);
	if (error == 0)
		*out = r;
	return error;
}
