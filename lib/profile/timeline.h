/* SPDX-License-Identifier: MIT */
/*
 * timeline - the heap over time, in a fixed number of steps
 *
 * Threads: any; a note that finds another under way is skipped, the next one
 * comes soon.
 */
#ifndef PS_PROFILE_TIMELINE_H
#define PS_PROFILE_TIMELINE_H

#include "record/layout.h"

/* Once a recording, with the length of the first steps. */
void ps_timeline_init(uint64_t step_ticks);

/*
 * Move the second point of the recording's clock on, when the last time is an
 * eighth of the run so far ago, so that a recording of a process that was
 * killed can tell seconds.  About 1 us then, else nothing.
 */
void ps_record_refresh_clock(ps_ticks now);

/* The process has `rss` bytes in memory; goes to the last step. */
void ps_timeline_note_rss(uint64_t rss);

/* The heap holds `live` bytes at `now`. */
void ps_timeline_note(ps_ticks now, uint64_t live);

#endif /* PS_PROFILE_TIMELINE_H */
