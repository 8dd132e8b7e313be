/* SPDX-License-Identifier: MIT */
/*
 * timeline - the heap over time, in a fixed number of steps
 *
 * Slot i covers [start + i x step, start + (i + 1) x step) and holds the
 * highest level within it.  When time runs past the last slot, neighbours merge
 * and the step doubles, so a run of any length has 256 to 512 steps.  Slots in
 * which nothing was noted take the level of the one before.
 */
#include "measure/clock.h"
#include "profile/timeline.h"
#include "record/writer.h"

static PS_FORKED atomic_flag is_busy = ATOMIC_FLAG_INIT;
_Static_assert(PS_TIMELINE_SLOTS % 2 == 0, "neighbours merge");

void
ps_timeline_init(uint64_t step_ticks)
{
	PS_ASSERT(step_ticks > 0);
	atomic_flag_clear(&is_busy);
	ps_poke(&ps_record->timeline.count, 0);
	ps_poke(&ps_record->timeline.step_ticks, step_ticks);
}

static void
merge_ticks(struct ps_record_tick *to, struct ps_record_tick *a,
	    struct ps_record_tick *b)
{
	uint64_t live =
	    PS_MAX(ps_peek(&a->live_bytes), ps_peek(&b->live_bytes));
	uint64_t rss = PS_MAX(ps_peek(&a->rss_bytes), ps_peek(&b->rss_bytes));

	ps_poke(&to->live_bytes, live);
	ps_poke(&to->rss_bytes, rss);
}

static void
merge_neighbours(struct ps_record_timeline *t)
{
	uint32_t count = ps_peek(&t->count);

	for (uint32_t i = 0; i < (count + 1) / 2; i++)
		merge_ticks(&t->tick[i], &t->tick[2 * i],
			    &t->tick[PS_MIN(2 * i + 1, count - 1)]);
	ps_poke(&t->count, (count + 1) / 2);
	ps_poke(&t->step_ticks, ps_peek(&t->step_ticks) * 2);
	for (uint32_t i = 0; i < (count + 1) / 2; i++)
		ps_poke(&t->tick[i].ticks, ps_record->clock.start_ticks +
					       i * ps_peek(&t->step_ticks));
}

/* Slots up to `slot` exist, at the level of the last one. */
static void
extend_to(struct ps_record_timeline *t, uint32_t slot)
{
	uint32_t count = ps_peek(&t->count);
	uint64_t level =
	    count == 0 ? 0 : ps_peek(&t->tick[count - 1].live_bytes);

	PS_ASSERT(slot < PS_TIMELINE_SLOTS);
	for (; count <= slot; count++) {
		ps_poke(&t->tick[count].live_bytes, level);
		ps_poke(&t->tick[count].rss_bytes, 0);
		ps_poke(&t->tick[count].ticks,
			ps_record->clock.start_ticks +
			    count * ps_peek(&t->step_ticks));
		ps_poke(&t->count, count + 1);
	}
}

static void
note_locked(struct ps_record_timeline *t, uint64_t since, uint64_t live)
{
	uint64_t slot;
	bool is_new;

	while ((slot = since / ps_peek(&t->step_ticks)) >= PS_TIMELINE_SLOTS)
		merge_neighbours(t);
	is_new = slot >= ps_peek(&t->count);
	extend_to(t, (uint32_t)slot);
	if (is_new || live > ps_peek(&t->tick[slot].live_bytes))
		ps_poke(&t->tick[slot].live_bytes, live);
}

void
ps_record_refresh_clock(ps_ticks now)
{
	struct ps_record_clock *clock = &ps_record->clock;
	ps_ticks last = ps_peek(&clock->last_ticks);
	uint64_t ns;
	ps_ticks ticks;

	if (now < last || now - last < (last - clock->start_ticks) / 8)
		return;
	(void)ps_clock_pair(&ticks, &ns);
	ps_poke(&clock->last_ns, ns);
	ps_poke(&clock->last_ticks, ticks);
}

void
ps_timeline_note_rss(uint64_t rss)
{
	struct ps_record_timeline *t = &ps_record->timeline;
	uint32_t count;

	if (atomic_flag_test_and_set_explicit(&is_busy, memory_order_acquire))
		return;
	count = ps_peek(&t->count);
	if (count > 0 && rss > ps_peek(&t->tick[count - 1].rss_bytes))
		ps_poke(&t->tick[count - 1].rss_bytes, rss);
	atomic_flag_clear_explicit(&is_busy, memory_order_release);
}

void
ps_timeline_note(ps_ticks now, uint64_t live)
{
	struct ps_record_timeline *t = &ps_record->timeline;
	uint64_t start = ps_record->clock.start_ticks;

	if (now < start || ps_peek(&t->step_ticks) == 0)
		return;
	if (atomic_flag_test_and_set_explicit(&is_busy, memory_order_acquire))
		return;
	note_locked(t, now - start, live);
	ps_record_refresh_clock(now);
	atomic_flag_clear_explicit(&is_busy, memory_order_release);
}
