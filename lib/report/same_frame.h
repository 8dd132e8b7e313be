/* SPDX-License-Identifier: MIT */
/*
 * same_frame - frames that are the same place in the same file
 *
 * See same_frame.c.
 */
#ifndef PS_REPORT_SAME_FRAME_H
#define PS_REPORT_SAME_FRAME_H

#include "base/scratch.h"
#include "record/reader.h"

/*
 * *number: for each row of PS_TABLE_FRAMES a number, equal for rows that are
 * one place; NULL when no module was unloaded, and every row is a place of its
 * own.  -ENOMEM.
 */
int ps_same_frames(const struct ps_reader *reader, struct ps_scratch *scratch,
		   uint32_t **number);

#endif /* PS_REPORT_SAME_FRAME_H */
