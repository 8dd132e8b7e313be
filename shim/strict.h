/* SPDX-License-Identifier: MIT */
/*
 * strict - threads that gave up system calls and the clock
 */
#ifndef PS_SHIM_STRICT_H
#define PS_SHIM_STRICT_H

#include "record/writer.h"
#include "shim/thread.h"

/* Such a thread takes no sample: the one that is due is dropped, and counted.
 */
static inline bool
ps_strict_drops(const struct ps_thread *self)
{
	if (ps_likely(!self->is_strict))
		return false;
	atomic_fetch_add(&ps_record->sampling.dropped, 1);
	return true;
}

/* seccomp(2) by libc's syscall(): what that returns, errno set. */
long ps_strict_seccomp(long nr, unsigned long operation, unsigned long flags,
		       unsigned long filter);

#endif /* PS_SHIM_STRICT_H */
