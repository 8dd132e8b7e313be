/* SPDX-License-Identifier: MIT */
/*
 * strict - threads that gave up system calls and the clock
 *
 * Under SECCOMP_MODE_STRICT a thread that calls anything but read, write and
 * exit is killed, and one that reads the TSC gets SIGSEGV, as it does after
 * PR_SET_TSC.  So from that prctl on, its allocations are counted but not
 * sampled, and what needs the clock or the kernel is left to other threads.
 *
 * Who makes the system call without libc is not seen.  Marked sections read the
 * clock and are not for such threads.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "base/os.h"
#include "shim/strict.h"

static bool
is_giving_up(int option, unsigned long value)
{
	return (option == PR_SET_SECCOMP && value == SECCOMP_MODE_STRICT) ||
	       (option == PR_SET_TSC && value == PR_TSC_SIGSEGV);
}

/* libc, too, reads four. */
PS_EXPORT int
prctl(int option, ...)
{
	unsigned long argument[4];
	uint32_t before = ps_self.is_strict;
	va_list list;
	int result;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		argument[i] = va_arg(list, unsigned long);
	va_end(list);
	if (is_giving_up(option, argument[0])) {
		if (ps_self.heap != NULL)
			ps_thread_publish(&ps_self);
		ps_self.is_strict = 1;
	}
	result = ps_os_prctl(option, argument);
	if (result >= 0)
		return result;
	ps_self.is_strict = before;
	errno = -result;
	return -1;
}
