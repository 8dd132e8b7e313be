/* SPDX-License-Identifier: MIT */
/*
 * section_event - the last calls one by one, in a ring of the recording
 *
 * Off unless PERFSHIM_EVENTS asks for it.  Threads: any.
 */
#ifndef PS_PROFILE_SECTION_EVENT_H
#define PS_PROFILE_SECTION_EVENT_H

#include "record/layout.h"

/*
 * Keep the last `count` events, rounded up to a power of two (at most what the
 * table holds); 0: none.  Once a recording, before there are sections; when
 * the table cannot be had, events are off and its `dropped` says so.
 */
void ps_section_events_init(uint32_t count);

/* In a fork child, with its new recording: as many again. */
void ps_section_events_postfork_child(void);

bool ps_section_events_are_on(void);

/* One call; is_span: it was outside the nesting. */
void ps_section_event(uint32_t section, ps_ticks begun, uint64_t ticks,
		      uint32_t tid, bool is_span);

#endif /* PS_PROFILE_SECTION_EVENT_H */
