/* SPDX-License-Identifier: MIT */
/*
 * watch_call - the stack of a call that a rule on sections is about
 *
 * One entry for each of the engine's watches, in its order.  An entry is wanted
 * by a step and taken by one thread, by compare and exchange; the row of the
 * stack and the thread are one word, so that a step which comes between reads
 * both of one call.  What was left stays until another call is: a window of ten
 * seconds may go out of range when its slow calls are over.
 *
 * A rule on errors or on the number of calls is about every call; its stack is
 * that of any.
 */
#include <errno.h>

#include "base/os.h"
#include "record/writer.h"
#include "shim/picked.h"
#include "shim/watch_call.h"

struct wanted_call {
	uint32_t rule;
	uint32_t section;
	_Atomic ps_ticks from; /* UINT64_MAX: none is wanted */
	_Atomic uint64_t left; /* thread, and the row of its stack; 0: none */
};

_Atomic ps_ticks ps_watch_call_from = UINT64_MAX;

static struct wanted_call wanted[PS_WATCHES];
static _Atomic uint32_t wanted_count;

/* Count, not index: whoever sees the count sees what is below it. */
static uint32_t
known(void)
{
	/* acquire: pairs with the release in ps_watch_calls_want */
	return atomic_load_explicit(&wanted_count, memory_order_acquire);
}

/* ---- ends of calls ------------------------------------------------------ */

static bool
take(struct wanted_call *w, uint32_t section, ps_ticks elapsed)
{
	ps_ticks from = ps_peek(&w->from);

	return w->section == section && elapsed >= from && from != UINT64_MAX &&
	       atomic_compare_exchange_strong(&w->from, &from, UINT64_MAX);
}

static void
lower_gate(void)
{
	ps_ticks lowest = UINT64_MAX;

	for (uint32_t i = 0; i < known(); i++)
		lowest = PS_MIN(lowest, ps_peek(&wanted[i].from));
	ps_poke(&ps_watch_call_from, lowest);
}

static uint64_t
stack_of(const struct ps_unwind_context *caller)
{
	struct ps_thread *self = &ps_self;
	uint32_t site = UINT32_MAX;

	if (ps_thread_enter(self)) {
		site = ps_picked_site(self, caller);
		ps_thread_leave(self);
	}
	return site == UINT32_MAX
		   ? 0
		   : (uint64_t)site << 32 | ps_peek(&self->row->tid);
}

bool
ps_watch_call(uint32_t section, ps_ticks elapsed,
	      const struct ps_unwind_context *caller)
{
	int saved_errno = errno;
	uint64_t left = 0;
	bool was_wanted = false;

	for (uint32_t i = 0; i < known(); i++) {
		if (!take(&wanted[i], section, elapsed))
			continue;
		was_wanted = true;
		if (left == 0)
			left = stack_of(caller);
		if (left != 0)
			ps_poke(&wanted[i].left, left);
	}
	if (was_wanted)
		lower_gate();
	errno = saved_errno;
	return was_wanted;
}

/* ---- steps -------------------------------------------------------------- */

static ps_ticks
from_of(const struct ps_rule *r, double tick_s)
{
	if (r->unit != PS_IN_SECONDS || r->is_below)
		return 0;
	PS_ASSERT(r->threshold >= 0 && tick_s > 0);
	return (ps_ticks)PS_MIN(r->threshold / tick_s, 0x1p62);
}

void
ps_watch_calls_want(const struct ps_engine *e, double tick_s)
{
	uint32_t before = known();

	/* Watches are added, never changed: what is known stays as it is. */
	PS_ASSERT(before <= e->watches && e->watches <= PS_WATCHES);
	for (uint32_t i = before; i < e->watches; i++) {
		wanted[i].rule = e->watch[i].rule;
		wanted[i].section = e->watch[i].section;
		ps_poke(&wanted[i].from, UINT64_MAX);
	}
	/* release: pairs with the acquire in known */
	atomic_store_explicit(&wanted_count, e->watches, memory_order_release);
	for (uint32_t i = 0; i < e->watches; i++)
		ps_poke(&wanted[i].from,
			from_of(&e->rules.rule[wanted[i].rule], tick_s));
	lower_gate();
}

bool
ps_watch_call_left(uint32_t rule, uint32_t section, uint32_t *site,
		   uint32_t *thread)
{
	for (uint32_t i = 0; i < known(); i++) {
		uint64_t left = ps_peek(&wanted[i].left);

		if (wanted[i].rule != rule || wanted[i].section != section ||
		    left == 0)
			continue;
		*site = (uint32_t)(left >> 32);
		*thread = (uint32_t)left;
		return true;
	}
	return false;
}

void
ps_watch_calls_postfork_child(void)
{
	for (uint32_t i = 0; i < PS_WATCHES; i++)
		ps_poke(&wanted[i].left, 0);
}
