/* SPDX-License-Identifier: MIT */
/*
 * watch - PERFSHIM_ALERT and PERFSHIM_METRICS, from the slow paths
 *
 * No thread, no timer, no descriptor that stays open: whoever comes by a slow
 * path of the heap, or the one on which a section reads what it uses, looks at
 * the clock and at the heap's level, both at hand there, and one thread at a
 * time takes a step.
 *
 * What is not seen so: anything that happens while no thread of the program
 * allocates beyond its bins, frees much or begins a section.  A program that
 * only maps memory by itself from then on raises no alert; `perfreport --watch`
 * and --serve see it from outside.
 */
#ifndef PS_SHIM_WATCH_H
#define PS_SHIM_WATCH_H

#include "monitor/recording_source.h"
#include "record/writer.h"
#include "shim/thread.h"
#include "shim/unwind.h"

/* Written at each step, read on slow paths; a line of their own. */
struct ps_watch_gate {
	_Atomic ps_ticks next;	  /* UINT64_MAX: there is nothing to watch */
	_Atomic int64_t level;	  /* of the heap; INT64_MAX: none */
	_Atomic uint32_t is_busy; /* a step is under way */
} PS_ALIGNED(PS_CACHE_LINE);
extern struct ps_watch_gate ps_watch_gate;

static inline bool
ps_watch_is_on(void)
{
	return ps_peek(&ps_watch_gate.next) != UINT64_MAX;
}

static inline bool
ps_watch_is_due(ps_ticks now)
{
	return now >= ps_peek(&ps_watch_gate.next) ||
	       (int64_t)ps_recording_live_bytes(ps_record) >=
		   ps_peek(&ps_watch_gate.level);
}

/* From the constructor: read the rules, say what is wrong with them. */
void ps_watch_init(void);

/*
 * Evaluate the rules, tell of alerts, write metrics when it is time.  Returns
 * at once when another thread is at it, or this one further up.  Preserves
 * errno.  100 us at most 1/200 of the time (the next step waits as long).
 */
PS_COLD void ps_watch_step(struct ps_thread *self, ps_ticks now);

/* A section begins and the time has come. */
PS_COLD void ps_watch_section(ps_ticks now);

/* An allocation is about to return NULL. */
PS_COLD void ps_watch_failed(const struct ps_unwind_context *caller);

/* The last step, and the last metrics. */
void ps_watch_finish(struct ps_thread *self);

void ps_watch_postfork_child(void);

#endif /* PS_SHIM_WATCH_H */
