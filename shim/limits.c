/* SPDX-License-Identifier: MIT */
/*
 * limits - a process that gives itself a limit of address space, or locks it
 *
 * The pool reserves more than a terabyte, which counts against RLIMIT_AS.  Set
 * before the start, the limit makes it reserve less.  Set by the process itself
 * (ulimit -v in a shell, Python's resource) it left no room for a thread, a
 * mapping, or a page of the stack.  So once the limit is set, what is reserved
 * beyond it is given back.  A limit that came in another way, from outside or
 * by the bare system call, is seen when the pool next looks (decay.c).
 *
 * mlockall wants all that is mapped to fit in RLIMIT_MEMLOCK, what is only
 * reserved too.  Refused, it is tried again without.
 *
 * A vfork child has a limit of its own, but its parent's memory: it goes on to
 * exec, and nothing is given back.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/os.h"
#include "pool/range.h"
#include "record/writer.h"
#include "shim/forked.h"

static bool
is_own_memory(void)
{
	return ps_record != NULL && ps_record->process.pid == ps_os_pid();
}

static void
obey(pid_t pid, int resource, const struct rlimit *limit)
{
	if (resource != RLIMIT_AS || limit == NULL ||
	    limit->rlim_cur == RLIM_INFINITY || !is_own_memory() ||
	    (pid != 0 && pid != ps_os_pid()))
		return;
	ps_range_trim(limit->rlim_cur);
}

static int
set(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old)
{
	const unsigned long argument[6] = {
	    (unsigned long)pid, (unsigned long)resource, (unsigned long)limit,
	    (unsigned long)old};
	long result;

	ps_forked_settle(); /* while there is room */
	result = ps_os_asked(SYS_prlimit64, argument);
	if (result >= 0)
		obey(pid, resource, limit);
	return (int)ps_os_as_libc(result);
}

PS_EXPORT int
setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return set(0, (int)resource, limit, NULL);
}

PS_EXPORT int
prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit,
	struct rlimit *old)
{
	return set(pid, (int)resource, limit, old);
}

PS_EXPORT int
mlockall(int flags)
{
	const unsigned long argument[6] = {(unsigned long)flags};
	long result;

	ps_forked_settle();
	result = ps_os_asked(SYS_mlockall, argument);
	if (result == -ENOMEM && is_own_memory()) {
		ps_range_trim(ps_os_limit(RLIMIT_MEMLOCK));
		result = ps_os_asked(SYS_mlockall, argument);
	}
	return (int)ps_os_as_libc(result);
}

/* There, the two kinds of struct are one. */
_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "LP64");
PS_EXPORT int setrlimit64(__rlimit_resource_t resource,
			  const struct rlimit64 *limit)
    __attribute__((alias("setrlimit")));
PS_EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource,
			const struct rlimit64 *limit, struct rlimit64 *old)
    __attribute__((alias("prlimit")));
