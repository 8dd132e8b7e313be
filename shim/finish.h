/* SPDX-License-Identifier: MIT */
/*
 * finish - how the process ends: the last figures and the exit report
 */
#ifndef PS_SHIM_FINISH_H
#define PS_SHIM_FINISH_H

#include "base/base.h"

/* From the constructor, after the file: decide who will speak.  A recording in
 * a file stands in place of the report, unless PERFSHIM_REPORT wants it. */
void ps_finish_init(void);
/* Whether this process may speak on standard error: it is not a child of one
 * under the shim, and descriptor 2 is still what it was. */
bool ps_finish_is_stderr_ours(void);
/* Whether a process under the shim started it; known when there are rules,
 * metrics or a report. */
bool ps_finish_is_child(void);
/* A forked child is silent and has not finished yet. */
void ps_finish_postfork_child(void);

/*
 * The process ends now, with this status when it is known (-1: not): complete
 * the recording and write the report.  Once; later calls return at once.  No
 * malloc and no lock that another thread may hold.
 */
void ps_finish(int status);

#endif /* PS_SHIM_FINISH_H */
