/* SPDX-License-Identifier: MIT */
/*
 * start - the shim's life: early start, constructor, fork
 *
 * The early start happens at the first malloc or the first registered section,
 * whichever comes first, and needs no constructor, no dlsym and no stdio.  The
 * constructor only adds what cannot be done inside malloc: the file, unwinding,
 * the real functions of libc.
 */
#ifndef PS_SHIM_START_H
#define PS_SHIM_START_H

#include "base/options.h"

/* Read-only after the early start. */
extern struct ps_options ps_options;

/*
 * Make the recording, the pool and the clock exist.  Any thread, any time;
 * false while it is being done further up this very stack, or when it failed
 * for good (then the shim passes everything through).
 */
bool ps_start_early(void);

/* libc's own functions, for pointers that are not ours; NULL until the
 * constructor ran. */
struct ps_real {
	void (*free)(void *);
	void *(*realloc)(void *, size_t);
	size_t (*usable_size)(void *);
	int (*dlclose)(void *);
};
extern struct ps_real ps_real;

/* Move the recording into PERFSHIM_OUT, if that is set and not done yet. */
void ps_start_file(void);

/*
 * A forked child has no file at first, since most execute another program at
 * once.  It gets one when it has asked for PS_BRIEF_BYTES while it has one
 * thread (ps_record_to_file), or else at its end.
 */
extern bool ps_start_owes_file;
void ps_start_owed_file(uint64_t requested_bytes);
/* The recording is new: write down what it says of clock, sampling, pool. */
void ps_start_describe(void);

/* The same of why there are no stacks, if there are none. */
void ps_start_tell_stacks_off(void);

/* In a forked child, which has a recording of its own. */
void ps_start_again(void);

#endif /* PS_SHIM_START_H */
