/* SPDX-License-Identifier: MIT */
/*
 * filter - what a seccomp filter will do with the system calls of this library
 */
#ifndef PS_BASE_FILTER_H
#define PS_BASE_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "base/base.h"

/*
 * What the filter answers for one call (SECCOMP_RET_*, with its 16 bits of
 * data).  -EINVAL: it is none, as the kernel would say, or it does not end.
 */
int ps_filter_run(const struct sock_fprog *filter,
		  const struct seccomp_data *call, uint32_t *answer);

/*
 * From now on the calls that the filter would punish fail with EPERM in
 * ps_os_*, and are not made; those that were given up before stay so.  Not for
 * the four calls that take and give back memory, which malloc cannot do
 * without.  `filter` is one that the kernel has just taken.
 */
void ps_filter_obey(const struct sock_fprog *filter);

extern _Atomic bool ps_filter_is_on; /* some call was given up */
PS_COLD bool ps_filter_has(long nr);

/* Was the call given up? */
static inline bool
ps_filter_forbids(long nr)
{
	return ps_unlikely(ps_peek(&ps_filter_is_on)) && ps_filter_has(nr);
}

#endif /* PS_BASE_FILTER_H */
