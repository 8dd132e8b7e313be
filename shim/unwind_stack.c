/* SPDX-License-Identifier: MIT */
/*
 * unwind_stack - where the stack of the calling thread begins and ends
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/os.h"
#include "shim/unwind.h"

PS_TLS volatile uint32_t ps_unwind_stack_is_asked;

/*
 * The kernel puts the name of the executable at the very top of the first
 * thread's stack; it may grow down to the limit.
 */
bool
ps_unwind_main_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	const char *name = ps_os_started_path();
	uint64_t limit = ps_os_limit(RLIMIT_STACK);
	uintptr_t top;

	if (name == NULL)
		return false;
	limit = PS_MIN(limit, UINT64_C(1) << 30);
	top = ((uintptr_t)name + strlen(name) + 1) & ~(uintptr_t)7;
	if (sp >= top || top - sp > limit)
		return false;
	*high = top;
	*low = top - limit;
	return true;
}

/*
 * glibc knows the stacks it made.  The call allocates, inside the shim, where
 * allocations are not sampled; only the first sample of a thread comes here.
 */
static bool
thread_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	pthread_attr_t attributes;
	void *start;
	size_t bytes;
	bool is_known;

	/* glibc asks for the processors, too, and a filter may punish that. */
	if (ps_unwind_stack_is_asked > 0 ||
	    ps_filter_forbids(SYS_sched_getaffinity) ||
	    pthread_getattr_np(pthread_self(), &attributes) != 0)
		return false;
	is_known = pthread_attr_getstack(&attributes, &start, &bytes) == 0 &&
		   sp - (uintptr_t)start < bytes;
	(void)pthread_attr_destroy(&attributes);
	if (!is_known)
		return false;
	*low = (uintptr_t)start;
	*high = (uintptr_t)start + bytes;
	return true;
}

bool
ps_unwind_stack_bounds(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	int saved_errno = errno;
	bool is_known = ps_os_tid() == ps_os_pid()
			    ? ps_unwind_main_stack(sp, low, high)
			    : thread_stack(sp, low, high);

	errno = saved_errno;
	return is_known;
}
