/* SPDX-License-Identifier: MIT */
/*
 * section_usage - CPU time, page faults, waits and heap growth of sections
 *
 * Inside lib/profile only.  The rule, which the report names: the first call of
 * a path in a thread and all calls of 1 ms and more are measured; of the others
 * one a millisecond, for each path, and those stand for the rest.
 */
#ifndef PS_PROFILE_SECTION_USAGE_H
#define PS_PROFILE_SECTION_USAGE_H

#include "profile/section.h"

enum { PS_SECTION_LONG_NS = 1000000 };

/* Ticks of the above, as near as the clock's kind tells. */
uint64_t ps_section_long_ticks(void);

/* A region that was not read at its begin or was, and ended just now. */
void ps_section_usage_end(struct ps_section_thread *t,
			  const struct ps_section_frame *f, uint64_t elapsed);

void ps_section_usage_merge(struct ps_record_usage *to,
			    const struct ps_record_usage *from);

#endif /* PS_PROFILE_SECTION_USAGE_H */
