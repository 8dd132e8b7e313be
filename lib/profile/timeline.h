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

/* The heap holds `live` bytes at `now`. */
void ps_timeline_note(ps_ticks now, uint64_t live);

#endif /* PS_PROFILE_TIMELINE_H */
