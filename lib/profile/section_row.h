/* SPDX-License-Identifier: MIT */
/*
 * section_row - the recording's rows of sections, one a thread and section
 *
 * Inside lib/profile only.
 */
#ifndef PS_PROFILE_SECTION_ROW_H
#define PS_PROFILE_SECTION_ROW_H

#include "profile/section.h"

/* Counts what found no room in a table; nobody reads it. */
extern struct ps_record_section_stats ps_section_nowhere;

/* The thread's row of the section, new or known; never NULL. */
struct ps_record_section_stats *ps_section_row(struct ps_section_thread *t,
					       uint32_t section);

/* The thread ends: its rows go to the ended threads'.  Under the lock. */
void ps_section_rows_retire_locked(struct ps_section_thread *t);

/* One of the slowest so far, or longer than any before: cold. */
void ps_section_row_slow(struct ps_record_section_stats *s, ps_ticks begun,
			 uint64_t ticks, uint32_t parent, uint32_t tid);

/* The recording is empty again (fork child). */
void ps_section_rows_reset(void);

#endif /* PS_PROFILE_SECTION_ROW_H */
