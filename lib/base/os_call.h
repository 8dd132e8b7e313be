/* SPDX-License-Identifier: MIT */
/*
 * os_call - the one door that every system call goes through
 *
 * For lib/base/os*.c only.  A raw instruction on x86-64, libc's syscall() with
 * errno put back elsewhere.  While a test has armed ps_os_fail_at, the door
 * counts calls and turns the N-th one into -error; while calls are limited
 * (ps_os_limit_calls) it lets few through.  Else that is one predictable test
 * of a word that nobody writes.
 */
#ifndef PS_OS_CALL_H
#define PS_OS_CALL_H

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/os.h"

extern _Atomic long ps_os_fail_nth; /* 0: not armed */

/* Count this call; true when it is the one to fail, with *error. */
PS_COLD bool ps_os_must_fail(long nr, int *error);

static inline long
call6(long nr, long a, long b, long c, long d, long e, long f)
{
	int error;

	if (ps_unlikely(ps_peek(&ps_os_fail_nth) != 0) &&
	    ps_os_must_fail(nr, &error))
		return -error;
#ifdef __SANITIZE_THREAD__
	/* It must see memory come and go, or takes one page at two times for
	 * one piece of memory. */
	if (nr == SYS_mmap || nr == SYS_munmap) {
		int saved = errno;
		long at = nr == SYS_munmap
			      ? munmap((void *)a, (size_t)b)
			      : (long)mmap((void *)a, (size_t)b, (int)c, (int)d,
					   (int)e, f);

		at = at == -1 ? -errno : at;
		errno = saved;
		return at;
	}
#endif
#if defined(__x86_64__) && defined(__LP64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
	int saved_errno = errno;
	long result = syscall(nr, a, b, c, d, e, f);

	if (result == -1)
		result = -errno;
	errno = saved_errno;
	return result;
#endif
}

#define CALL0(nr) call6(nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a) call6(nr, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) call6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) call6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d)                                                  \
	call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

#endif /* PS_OS_CALL_H */
