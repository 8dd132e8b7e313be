/* SPDX-License-Identifier: MIT */
/*
 * strict - programs that gave up system calls, and threads the clock, too
 *
 * Under SECCOMP_MODE_STRICT a thread that calls anything but read, write and
 * exit is killed, and one that reads the TSC gets SIGSEGV, as it does after
 * PR_SET_TSC.  So from that prctl on, its allocations are counted but not
 * sampled, and what needs the clock or the kernel is left to other threads.
 *
 * A filter of the program's own may kill it for any call that its authors did
 * not see it make, and they saw glibc's malloc.  From its installation on we
 * make no other (ps_os_limit_calls): counts and samples go on, code that was
 * not seen before is not unwound through, names of threads and the resident
 * size are not asked for, and the end is left to perfwrap.sh, which knows the
 * status, and to the reader, which has the rest.  What a filter forbids cannot
 * be asked without risking the same.
 *
 * libseccomp installs its filter by syscall(), so that one is ours as well.  It
 * touches no stack, as libc's does not: whoever makes a thread with it returns
 * from it on another.  Who makes the system call by an instruction of his own
 * is not seen.  Marked sections read the clock and are not for strict threads.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/os.h"
#include "shim/strict.h"

/* Named by the assembly below. */
long ps_raw_syscall(long number, ...) __attribute__((naked, used));
long ps_strict_syscall(long number, long a, long b, long c, long d, long e,
		       long f) __attribute__((used));

_Static_assert(SYS_seccomp == 317 && SYS_prctl == 157, "numbers below");

/* libc's syscall(): the result, or -1 and errno. */
long
ps_raw_syscall(long number, ...)
{
	__asm__("movq %rdi, %rax\n\t"
		"movq %rsi, %rdi\n\t"
		"movq %rdx, %rsi\n\t"
		"movq %rcx, %rdx\n\t"
		"movq %r8, %r10\n\t"
		"movq %r9, %r8\n\t"
		"movq 8(%rsp), %r9\n\t"
		"syscall\n\t"
		"cmpq $-4095, %rax\n\t"
		"jae 1f\n\t"
		"ret\n"
		"1:\tnegl %eax\n\t"
		"pushq %rax\n\t" /* calls are made from an aligned stack */
		"call __errno_location@PLT\n\t"
		"popq %rcx\n\t"
		"movl %ecx, (%rax)\n\t"
		"movq $-1, %rax\n\t"
		"ret");
}

PS_EXPORT __attribute__((naked)) long
syscall(long number, ...)
{
	__asm__("endbr64\n\t"
		"cmpq $317, %rdi\n\t"
		"je ps_strict_syscall\n\t"
		"cmpq $157, %rdi\n\t"
		"je ps_strict_syscall\n\t"
		"jmp ps_raw_syscall");
}

static bool
is_giving_up(long option, long value)
{
	return (option == PR_SET_SECCOMP && value == SECCOMP_MODE_STRICT) ||
	       (option == PR_SET_TSC && value == PR_TSC_SIGSEGV);
}

static bool
is_strict(long number, long a, long b)
{
	return number == SYS_seccomp ? a == SECCOMP_SET_MODE_STRICT
				     : is_giving_up(a, b);
}

static bool
is_filter(long number, long a, long b)
{
	return number == SYS_seccomp
		   ? a == SECCOMP_SET_MODE_FILTER
		   : a == PR_SET_SECCOMP && b == SECCOMP_MODE_FILTER;
}

/* Before the call, since nothing may be done after it. */
long
ps_strict_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	uint32_t was_strict = ps_self.is_strict;
	bool were_limited = ps_os_are_calls_limited();
	long result;

	if (is_strict(number, a, b)) {
		if (ps_self.heap != NULL)
			ps_thread_publish(&ps_self);
		ps_self.is_strict = 1;
	}
	if (is_filter(number, a, b))
		ps_os_limit_calls(true);
	result = ps_raw_syscall(number, a, b, c, d, e, f);
	if (result >= 0)
		return result;
	ps_self.is_strict = was_strict;
	if (!were_limited && is_filter(number, a, b))
		ps_os_limit_calls(false);
	return result;
}

/* libc, too, reads four. */
PS_EXPORT int
prctl(int option, ...)
{
	unsigned long argument[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		argument[i] = va_arg(list, unsigned long);
	va_end(list);
	return (int)ps_strict_syscall(SYS_prctl, option, (long)argument[0],
				      (long)argument[1], (long)argument[2],
				      (long)argument[3], 0);
}
