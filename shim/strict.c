/* SPDX-License-Identifier: MIT */
/*
 * strict - threads that gave up system calls and the clock
 *
 * Under SECCOMP_MODE_STRICT a thread that calls anything but read, write and
 * exit is killed, and one that reads the TSC gets SIGSEGV, as it does after
 * PR_SET_TSC.  So from that call on, its allocations are counted but not
 * sampled, and what needs the clock or the kernel is left to other threads.
 * Marked sections read the clock and are not for such threads.
 *
 * A filter allows some calls: those that it would punish we no longer make
 * (base/filter.h), the rest goes on.  It may be installed by prctl, or, as
 * libseccomp does, by libc's syscall(), which for that reason is ours
 * (shim/syscall.c).  What exec starts under a filter does not know of it, and
 * who makes the system call without libc is not seen.
 */
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/os.h"
#include "pool/range.h"
#include "shim/forked.h"
#include "shim/strict.h"

static long
give_up_and_call(long nr, const unsigned long argument[6])
{
	uint32_t before = ps_self.is_strict;
	long result;

	ps_range_begin_jemalloc(); /* it asks the kernel for its settings */
	ps_forked_settle();
	if (ps_self.heap != NULL)
		ps_thread_publish(&ps_self);
	ps_self.is_strict = 1;
	result = ps_os_asked(nr, argument);
	if (result < 0)
		ps_self.is_strict = before;
	return result;
}

/* What the kernel took could be read a moment ago. */
static long
call_and_obey(long nr, const unsigned long argument[6], unsigned long filter)
{
	long result;

	ps_forked_settle(); /* while it may make its calls */
	ps_range_begin_jemalloc();
	result = ps_os_asked(nr, argument);
	if (result >= 0)
		ps_filter_obey((const struct sock_fprog *)filter);
	return result;
}

/* libc, too, reads four. */
PS_EXPORT int
prctl(int option, ...)
{
	unsigned long argument[6] = {(unsigned long)option};
	long result;
	va_list list;

	va_start(list, option);
	for (int i = 1; i < 5; i++)
		argument[i] = va_arg(list, unsigned long);
	va_end(list);
	if ((option == PR_SET_SECCOMP && argument[1] == SECCOMP_MODE_STRICT) ||
	    (option == PR_SET_TSC && argument[1] == PR_TSC_SIGSEGV))
		result = give_up_and_call(SYS_prctl, argument);
	else if (option == PR_SET_SECCOMP && argument[1] == SECCOMP_MODE_FILTER)
		result = call_and_obey(SYS_prctl, argument, argument[2]);
	else
		result = ps_os_asked(SYS_prctl, argument);
	return (int)ps_os_as_libc(result);
}

long
ps_strict_seccomp(long nr, unsigned long operation, unsigned long flags,
		  unsigned long filter)
{
	const unsigned long argument[6] = {operation, flags, filter};
	long result;

	if (operation == SECCOMP_SET_MODE_STRICT)
		result = give_up_and_call(nr, argument);
	else if (operation == SECCOMP_SET_MODE_FILTER)
		result = call_and_obey(nr, argument, filter);
	else
		result = ps_os_asked(nr, argument);
	return ps_os_as_libc(result);
}
