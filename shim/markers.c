/* SPDX-License-Identifier: MIT */
/*
 * markers - what the marks in programs call
 *
 * A site's slot is its section's number plus 2; 1 means off.  Registration
 * works as soon as malloc does, before our own constructor, because that of a
 * library may come first; and it goes on working after the exit report.
 *
 * The clock is read as late as possible in begin and as early as possible in
 * end, so that most of a mark's cost lies outside the interval it measures.
 */
#define PERFSHIM_NO_MARKS
#include "shim/perfshim.h"

#include <errno.h>

#include "base/os.h"
#include "measure/clock.h"
#include "profile/section_cost.h"
#include "profile/section_fast.h"
#include "record/writer.h"
#include "shim/custom.h"
#include "shim/forked.h"
#include "shim/markers.h"
#include "shim/start.h"
#include "shim/thread.h"
#include "shim/watch.h"
#include "shim/watch_call.h"

static PS_COLD struct ps_section_thread *
open_sections(struct ps_thread *self)
{
	int saved_errno = errno;

	/* A handler that interrupted us has to do without; the end of a thread
	 * is one such moment. */
	ps_forked_settle();
	if (self->depth == 0 &&
	    (self->heap != NULL || ps_thread_register(self)))
		self->sections =
		    ps_section_thread_open(self->row_index, self->row);
	errno = saved_errno;
	return self->sections;
}

/* This thread's sections; NULL when it cannot have any. */
PS_INLINE struct ps_section_thread *
my_sections(void)
{
	struct ps_thread *self = &ps_self;

	return ps_likely(self->sections != NULL) ? self->sections
						 : open_sections(self);
}

/* Where the caller's frame ends: what lies below is gone or a callee's. */
#define STACK_POINTER() ((uintptr_t)__builtin_dwarf_cfa())

PS_INLINE uint32_t
section_of(uintptr_t slot)
{
	return (uint32_t)(slot - PS_SLOT_FIRST);
}

/*
 * Now and then a region reads what it uses before it begins; that is when rules
 * are looked at too, outside of what is measured.
 */
static PS_COLD void
start_again(struct ps_section_thread *t)
{
	ps_ticks now = ps_clock_now();

	if (now >= ps_peek(&ps_watch_gate.next))
		ps_watch_section(now);
	(void)ps_section_started(t, ps_clock_now());
}

PS_NOINLINE void
ps_marker_begin(uintptr_t slot, uintptr_t scope, uintptr_t sp)
{
	struct ps_section_thread *t = my_sections();

	if (t == NULL || slot < PS_SLOT_FIRST)
		return;
	ps_section_begin(t, section_of(slot), scope, sp);
	if (ps_section_started(t, ps_clock_now()))
		start_again(t);
}

/* A rule waits for a call as long as this one, whose stack is now kept.  Not in
 * a handler that interrupted us: it takes locks. */
PS_INLINE bool
is_wanted(uint32_t section, ps_ticks elapsed,
	  const struct ps_unwind_context *caller)
{
	return ps_unlikely(elapsed >= ps_peek(&ps_watch_call_from)) &&
	       (int64_t)elapsed >= 0 && ps_self.depth == 0 &&
	       !ps_record_is_locked_by_me() &&
	       ps_watch_call(section, elapsed, caller);
}

static PS_COLD void
step_if_due(ps_ticks now)
{
	if (now >= ps_peek(&ps_watch_gate.next))
		ps_watch_section(now);
}

/*
 * The end of a call that is out of the ordinary.  When a rule waited for it,
 * the rules are looked at, now that it counts.
 */
static void
end_slow(struct ps_section_thread *t, uint32_t section, uintptr_t sp,
	 ps_ticks now, const struct ps_unwind_context *caller)
{
	bool is_kept = t->top->node->section == section &&
		       is_wanted(section, now - t->top->begun, caller);

	ps_section_end(t, section, sp, now);
	if (is_kept)
		step_if_due(now);
}

PS_NOINLINE void
ps_marker_end(uintptr_t slot, uintptr_t sp, ps_ticks now)
{
	struct ps_section_thread *t = my_sections();
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	if (t != NULL && slot >= PS_SLOT_FIRST)
		end_slow(t, section_of(slot), sp, now, &caller);
}

/* With the TSC, which is an instruction, nothing warm is called. */
static void
begin_tsc(uintptr_t slot, const void *scope)
{
	struct ps_section_thread *t = ps_self.sections;

	if (ps_unlikely(t == NULL) ||
	    !ps_section_begin_fast(t, section_of(slot), (uintptr_t)scope,
				   STACK_POINTER()))
		ps_marker_begin(slot, (uintptr_t)scope, STACK_POINTER());
	else if (ps_unlikely(ps_section_started(t, __builtin_ia32_rdtsc())))
		start_again(t);
}

static void
end_tsc(uintptr_t slot)
{
	ps_ticks now = __builtin_ia32_rdtsc();
	struct ps_section_thread *t = ps_self.sections;

	if (ps_unlikely(t == NULL) ||
	    !ps_section_end_fast(t, section_of(slot), STACK_POINTER(), now))
		ps_marker_end(slot, STACK_POINTER(), now);
}

static void
begin_monotonic(uintptr_t slot, const void *scope)
{
	ps_marker_begin(slot, (uintptr_t)scope, STACK_POINTER());
}

static void
end_monotonic(uintptr_t slot)
{
	ps_marker_end(slot, STACK_POINTER(), ps_clock_now());
}

static void
span_begin(uintptr_t slot, perfshim_span *span)
{
	ps_ticks now = ps_clock_now();

	(void)slot;
	if (ps_unlikely(now >= ps_peek(&ps_watch_gate.next))) {
		ps_watch_section(now);
		now = ps_clock_now();
	}
	span->begun = now;
}

static void
span_end(perfshim_span *span)
{
	ps_ticks now = ps_clock_now();
	struct ps_section_thread *t = my_sections();
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	if (t == NULL || span->begun == 0 || span->slot < PS_SLOT_FIRST)
		return;
	if (now < span->begun) {
		atomic_fetch_add(&ps_record->clock.backwards, 1);
		now = span->begun;
	}
	ps_section_span(t, section_of(span->slot), span->begun,
			now - span->begun);
	if (ps_unlikely(
		is_wanted(section_of(span->slot), now - span->begun, &caller)))
		step_if_due(now);
	span->begun = 0;
}

/* ---- registration ------------------------------------------------------- */

static uintptr_t
slot_of(const char *name, const char *file, uint32_t line)
{
	uint32_t section;

	ps_forked_settle();
	section = ps_section_intern(name, file, line);
	if (section == UINT32_MAX || !ps_section_is_on(section))
		return PS_SLOT_OFF;
	return section + PS_SLOT_FIRST;
}

static void
resolve(struct perfshim_site *site)
{
	uintptr_t slot = PS_SLOT_OFF;

	/* In a signal handler, at a bad moment: it asks again next time. */
	if (ps_record != NULL && ps_record_is_locked_by_me())
		return;
	if (site->abi == PERFSHIM_ABI && site->name != NULL && ps_start_early())
		slot = slot_of(site->name, site->file, site->line);
	*(volatile uintptr_t *)&site->slot = slot;
}

static void
add(uint32_t what, uint64_t n)
{
	struct ps_section_thread *t = ps_self.sections;

	if (t != NULL && what < PS_SECTION_VALUES)
		ps_section_add(t, what, n);
}

_Static_assert((int)PERFSHIM_BYTES_ == (int)PS_VALUE_BYTES &&
		   (int)PERFSHIM_ITEMS_ == (int)PS_VALUE_ITEMS &&
		   (int)PERFSHIM_FLOPS_ == (int)PS_VALUE_FLOPS,
	       "one set of values");

/* A program may be older than we are, and its link shorter. */
static void
fill_link(struct perfshim_link *link)
{
	bool is_tsc = ps_clock.kind == PS_CLOCK_TSC;

	link->resolve = resolve;
	link->begin = is_tsc ? begin_tsc : begin_monotonic;
	link->end = is_tsc ? end_tsc : end_monotonic;
	link->span_begin = span_begin;
	link->span_end = span_end;
	if (link->size < sizeof(*link))
		return;
	link->add = add;
	link->allocated = ps_custom_allocated;
	link->freed = ps_custom_freed;
	link->pool_enter = ps_custom_pool_enter;
	link->pool_leave = ps_custom_pool_leave;
}

PS_EXPORT uint32_t
perfshim_register_v1(struct perfshim_link *link,
		     struct perfshim_site *const *start,
		     struct perfshim_site *const *stop)
{
	if (link->size < offsetof(struct perfshim_link, add) ||
	    !ps_start_early())
		return 1;
	fill_link(link);
	for (; start < stop; start++)
		if (*start != NULL)
			resolve(*start);
	return 2;
}

/* ---- for other languages ------------------------------------------------ */

PS_EXPORT void
perfshim_begin(const char *name)
{
	uintptr_t slot = PS_SLOT_OFF;

	if (name != NULL && ps_start_early())
		slot = slot_of(name, NULL, 0);
	if (slot != PS_SLOT_OFF)
		ps_marker_begin(slot, 0, STACK_POINTER());
}

PS_EXPORT void
perfshim_end(const char *name)
{
	ps_ticks now = ps_clock_now();
	struct ps_unwind_context caller;
	struct ps_section_thread *t;
	uint32_t section;

	if (name == NULL || !ps_start_early())
		return;
	section = ps_section_find(name);
	if (section != UINT32_MAX && !ps_section_is_on(section))
		return;
	t = my_sections();
	PS_UNWIND_CALLER(&caller);
	if (t != NULL)
		end_slow(t, PS_MIN(section, (uint32_t)PS_SECTIONS_MAX),
			 STACK_POINTER(), now, &caller);
}

PS_EXPORT void
perfshim_add(uint32_t what, uint64_t n)
{
	add(what, n);
}

PS_EXPORT void
perfshim_allocated(const void *block, size_t bytes)
{
	ps_custom_allocated(block, bytes);
}

PS_EXPORT void
perfshim_freed(const void *block, size_t bytes)
{
	ps_custom_freed(block, bytes);
}

PS_EXPORT int
perfshim_pool_enter(void)
{
	return ps_custom_pool_enter();
}

PS_EXPORT void
perfshim_pool_leave(void)
{
	ps_custom_pool_leave();
}

/* ---- what it costs ------------------------------------------------------ */

void
ps_markers_calibrate(double *pair_ns, double *inside_ns)
{
	const struct ps_record_clock *clock = &ps_record->clock;
	ps_ticks ticks;
	uint64_t ns;

	(void)ps_clock_pair(&ticks, &ns);
	if (ticks > clock->start_ticks && ns > clock->start_ns)
		(void)ps_section_cost((double)(ns - clock->start_ns) /
					  (double)(ticks - clock->start_ticks),
				      pair_ns, inside_ns);
}
