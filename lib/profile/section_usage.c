/* SPDX-License-Identifier: MIT */
/*
 * section_usage - CPU time, page faults, waits and heap growth of sections
 *
 * The kernel tells them in two system calls, 0.85 us together where marks cost
 * 0.03, so most calls go without.  Which are read:
 *
 *   - the first call of each path in a thread, because it may be the only one
 *   - a call that begins 1 ms or more after its path was read last
 *   - at its end, any call of 1 ms and more: one that was not read at its begin
 *     is measured from the thread's last reading, less than 1 ms before, on the
 *     assumption that the thread ran in between
 *
 * The first and the long ones (`every`) count as they are; the others (`some`)
 * are a sample, and a reader scales them by their share of the time.  Always
 * reading every N-th call would miss the rare one that waits, and it is that
 * one which people look for.
 *
 * Costs: 1.7 us a millisecond for each level of nesting, 0.2 %.  Nested regions
 * that begin or end within a microsecond share a reading.  What reading costs
 * in CPU time is taken off; rusage is no substitute for the CPU clock, because
 * its times stand still between two ticks of the scheduler.
 */
#include <sys/resource.h>

#include "base/os.h"
#include "measure/clock.h"
#include "profile/section_usage.h"
#include "record/writer.h"

enum { COST_TRIES = 8, SHARED_NS = 1000, READING_NS_MAX = 4000 };

/* CPU time between two readings in a row; 0: not measured yet. */
static _Atomic uint64_t cost_ns;

/* The TSC runs between 1 and 5 GHz, and these limits need not be exact. */
static uint64_t
ticks_of_ns(uint64_t ns)
{
	return ps_clock.kind == PS_CLOCK_TSC ? ns * 5 / 2 : ns;
}

uint64_t
ps_section_long_ticks(void)
{
	return ticks_of_ns(PS_SECTION_LONG_NS);
}

/* Bytes of blocks that the thread allocated and did not free. */
static uint64_t
live_bytes(const struct ps_record_thread *row)
{
	const uint32_t *block_bytes = ps_record->heap.class_bytes;
	uint64_t bytes =
	    ps_peek(&row->large_bytes) - ps_peek(&row->large_freed_bytes);

	for (unsigned c = 0; c < PS_CLASSES; c++)
		bytes += (ps_peek(&row->class_allocations[c]) -
			  ps_peek(&row->class_frees[c])) *
			 block_bytes[c];
	return bytes;
}

static uint64_t
measured_cost_ns(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < COST_TRIES; i++) {
		uint64_t before = ps_os_thread_cpu_ns();
		uint64_t cost = ps_os_thread_cpu_ns() - before;

		best = PS_MIN(best, cost);
	}
	ps_poke(&cost_ns, best);
	return best;
}

/* The CPU clock is read last at a begin and first at an end, next to what is
 * measured. */
static void
read_counters(const struct ps_section_thread *t, struct ps_section_reading *r)
{
	struct rusage usage;

	if (ps_os_thread_usage(&usage) != 0)
		return;
	r->live_bytes = live_bytes(t->row);
	r->minor_faults = (uint64_t)usage.ru_minflt;
	r->major_faults = (uint64_t)usage.ru_majflt;
	r->waits = (uint64_t)usage.ru_nvcsw;
	r->preemptions = (uint64_t)usage.ru_nivcsw;
}

/* A reading that took longer was interrupted: where threads wait for a CPU,
 * they are put aside at system calls, and that is not what a reading costs. */
static void
note_cost(ps_ticks begun, ps_ticks now)
{
	uint64_t most = ticks_of_ns(READING_NS_MAX);

	if (now > begun)
		atomic_fetch_add_explicit(&ps_record->overhead.slow_ticks,
					  PS_MIN(now - begun, most),
					  memory_order_relaxed);
}

/* Of the last microsecond: brought up to date, since the thread ran. */
static void
share_reading(const struct ps_section_thread *t, ps_ticks now,
	      struct ps_section_reading *out)
{
	uint64_t age = now - t->last.at;

	*out = t->last;
	out->cpu_ns += ps_clock.kind == PS_CLOCK_TSC ? age * 2 / 5 : age;
}

static bool
is_shared(const struct ps_section_thread *t, ps_ticks now)
{
	return t->last.at != 0 && now - t->last.at < ticks_of_ns(SHARED_NS);
}

PS_COLD void
ps_section_read(struct ps_section_thread *t, ps_ticks now)
{
	struct ps_section_frame *f = t->top;
	struct ps_section_reading *r = &t->reading[f - t->frame];

	PS_DEBUG_ASSERT(r > t->reading &&
			r < t->reading + PS_COUNT(t->reading));
	f->is_read = 1;
	f->node->due = now + ps_section_long_ticks();
	if (ps_peek(&cost_ns) == 0)
		(void)measured_cost_ns();
	if (is_shared(t, now)) {
		share_reading(t, now, r);
		return;
	}
	read_counters(t, &t->last);
	t->last.cpu_ns = ps_os_thread_cpu_ns();
	t->last.at = ps_clock_now();
	*r = t->last;
	note_cost(now, t->last.at);
}

/* ---- the end ------------------------------------------------------------ */

/* Of the run so far: 35 ns to know it, and right to 1e-4 after a millisecond.
 */
static double
ns_per_tick(void)
{
	const struct ps_record_clock *clock = &ps_record->clock;
	ps_ticks ticks = ps_clock_now();
	uint64_t ns = ps_os_monotonic_ns();

	if (ticks <= clock->start_ticks || ns <= clock->start_ns)
		return 1;
	return (double)(ns - clock->start_ns) /
	       (double)(ticks - clock->start_ticks);
}

static uint64_t
difference(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/*
 * CPU time of the call: no more than it took, which matters for calls that are
 * shorter than a reading.  One that was not read at its begin is measured from
 * the last reading of before.
 */
static uint64_t
cpu_of_call(const struct ps_section_thread *t, const struct ps_section_frame *f,
	    uint64_t cpu_ns, uint64_t elapsed)
{
	double rate = ns_per_tick();
	uint64_t gap = 0;

	if (!f->is_read)
		gap =
		    (uint64_t)((double)difference(t->last.at, f->begun) * rate);
	return PS_MIN(difference(gap, cpu_ns),
		      (uint64_t)((double)elapsed * rate));
}

static void
add_usage(struct ps_record_usage *u, const struct ps_section_reading *from,
	  const struct ps_section_reading *to, uint64_t elapsed,
	  uint64_t cpu_ns)
{
	ps_bump(&u->calls, 1);
	ps_bump(&u->ticks, elapsed);
	ps_bump(&u->cpu_ns, cpu_ns);
	ps_bump(&u->live_bytes, to->live_bytes - from->live_bytes);
	ps_bump(&u->minor_faults,
		difference(from->minor_faults, to->minor_faults));
	ps_bump(&u->major_faults,
		difference(from->major_faults, to->major_faults));
	ps_bump(&u->waits, difference(from->waits, to->waits));
	ps_bump(&u->preemptions,
		difference(from->preemptions, to->preemptions));
}

static void
read_at_end(struct ps_section_thread *t, ps_ticks begun,
	    struct ps_section_reading *out)
{
	out->cpu_ns = ps_os_thread_cpu_ns();
	read_counters(t, out);
	out->at = ps_clock_now();
	note_cost(begun, out->at);
}

PS_COLD void
ps_section_usage_end(struct ps_section_thread *t,
		     const struct ps_section_frame *f, uint64_t elapsed)
{
	const struct ps_section_reading *from =
	    f->is_read ? &t->reading[f - t->frame] : &t->last;
	struct ps_section_node *n = f->node;
	struct ps_section_reading to = {0};
	ps_ticks begun = ps_clock_now();
	bool is_counted = elapsed >= ps_section_long_ticks();
	uint64_t cpu_ns;

	if (from->at == 0)
		return;
	if (is_shared(t, begun) && t->last.at > f->begun)
		share_reading(t, begun, &to);
	else
		read_at_end(t, begun, &to);
	cpu_ns = difference(from->cpu_ns + ps_peek(&cost_ns), to.cpu_ns);
	cpu_ns = cpu_of_call(t, f, cpu_ns, elapsed);
	is_counted |= !n->has_been_read;
	n->has_been_read = 1;
	add_usage(is_counted ? &n->stats->every : &n->stats->some, from, &to,
		  elapsed, cpu_ns);
	if (to.at != t->last.at)
		t->last = to;
}

void
ps_section_usage_merge(struct ps_record_usage *to,
		       const struct ps_record_usage *from)
{
	ps_bump(&to->calls, ps_peek(&from->calls));
	ps_bump(&to->ticks, ps_peek(&from->ticks));
	ps_bump(&to->cpu_ns, ps_peek(&from->cpu_ns));
	ps_bump(&to->live_bytes, ps_peek(&from->live_bytes));
	ps_bump(&to->minor_faults, ps_peek(&from->minor_faults));
	ps_bump(&to->major_faults, ps_peek(&from->major_faults));
	ps_bump(&to->waits, ps_peek(&from->waits));
	ps_bump(&to->preemptions, ps_peek(&from->preemptions));
}
