/* SPDX-License-Identifier: MIT */
/*
 * merge - several recordings of one program as one recording
 *
 * The result is read like any other, so every format knows it.  Counts and
 * bytes add up; so do peaks, each process having its own at another time (the
 * timeline, which is laid over real time, tells what there was at once).
 */
#ifndef PS_REPORT_MERGE_H
#define PS_REPORT_MERGE_H

#include "base/scratch.h"
#include "record/reader.h"

/*
 * Merge count (1 or more) recordings, whose clocks must tick alike
 * (ps_merge_fits); memory is the scratch's.  0 or -ENOMEM.
 */
int ps_merge(const struct ps_reader *const *readers, uint32_t count,
	     struct ps_scratch *scratch, struct ps_reader *out);

/* Same executable, and clocks within 1 %. */
bool ps_merge_fits(const struct ps_reader *a, const struct ps_reader *b);

#endif /* PS_REPORT_MERGE_H */
