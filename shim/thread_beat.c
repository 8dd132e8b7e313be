/* SPDX-License-Identifier: MIT */
/*
 * thread_beat - when samples look at the clock, and what the shim cost by it
 *
 * Where every block is a sample, a look at the clock each would be a tenth of
 * what a sample costs; mallocs and frees share the beats.
 */
#include "measure/clock.h"
#include "record/writer.h"
#include "shim/thread.h"

enum {
	BEAT = 31, /* odd: a malloc and a free in turn are both met */
	EACH_BEAT = 512,
	LONG_BEAT_TICKS = 1 << 18, /* 0.1 ms */
};

static void
add_cost(uint64_t ticks)
{
	atomic_fetch_add_explicit(&ps_record->overhead.slow_ticks, ticks,
				  memory_order_relaxed);
}

/* Of a thread's first, in which tables are decoded and pages touched, each. */
static bool
is_beat_timed(struct ps_thread *self)
{
	uint32_t number = self->beats++;

	return ps_record->sampling.mode != PS_SAMPLE_ALL ||
	       number < EACH_BEAT || number % BEAT == 0;
}

ps_ticks
ps_thread_beat(struct ps_thread *self)
{
	ps_ticks now;

	self->is_timed =
	    self->heap != NULL && !self->is_strict && is_beat_timed(self);
	if (!self->is_timed)
		return 0;
	ps_thread_publish(self);
	now = ps_clock_now();
	add_cost(now - self->seen); /* stands for itself */
	return now;
}

ps_ticks
ps_thread_beat_of_end(struct ps_thread *self)
{
	if (ps_record->sampling.mode == PS_SAMPLE_ALL)
		return ps_thread_beat(self);
	if (self->heap == NULL || self->is_strict)
		return 0;
	self->seen = ps_clock_now();
	return self->seen;
}

/*
 * A beat stands for all those that had no look at the clock; but not a long
 * one, in which the thread may have had to wait for a CPU.  What a reading of
 * the clock takes, a third of a beat, is measured by a second one and taken
 * off.
 */
void
ps_thread_count_cost(ps_ticks begun)
{
	ps_ticks now;
	uint64_t reading;
	uint64_t ticks;

	if (begun == 0)
		return;
	now = ps_clock_now();
	reading = ps_clock_now() - now;
	ticks = now - begun;
	ticks -= PS_MIN(ticks, reading);
	if (ps_record->sampling.mode == PS_SAMPLE_ALL &&
	    ps_self.beats > EACH_BEAT && ticks < LONG_BEAT_TICKS)
		ticks *= BEAT;
	add_cost(ticks);
}
