/* SPDX-License-Identifier: MIT */
/*
 * unwind_stack - where the stack of the calling thread begins and ends
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "base/os.h"
#include "shim/unwind.h"

enum { LINES_BYTES = 2048, STACK_LEAST_BYTES = 16384 };

/*
 * The kernel puts the name of the executable at the very top of the first
 * thread's stack; it may grow down to the limit.
 */
static bool
main_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
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

/* "7f00-7fff rw-p ...": the end of the number, or NULL. */
static const char *
read_hex(const char *at, uintptr_t *out)
{
	const char *begin = at;
	uintptr_t value = 0;

	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			value = value << 4 | (uintptr_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			value = value << 4 | (uintptr_t)(*at - 'a' + 10);
		else
			break;
	}
	*out = value;
	return at == begin ? NULL : at;
}

/* The line of a mapping that holds an address: where that begins. */
static bool
is_line_of(const char *line, uintptr_t address, uintptr_t *start)
{
	uintptr_t end;
	const char *at = read_hex(line, start);

	return at != NULL && *at == '-' && read_hex(at + 1, &end) != NULL &&
	       address - *start < end - *start;
}

/* The start of the mapping that holds an address; 0: not known. */
static uintptr_t
mapping_of(uintptr_t address)
{
	char lines[LINES_BYTES + 1];
	uintptr_t start = 0;
	bool is_found = false;
	size_t kept = 0;
	ssize_t got;
	int fd = ps_os_open_read("/proc/self/maps");

	if (fd < 0)
		return 0;
	while (!is_found &&
	       (got = ps_os_read(fd, lines + kept, LINES_BYTES - kept)) > 0) {
		char *line = lines;
		char *newline;

		lines[kept + (size_t)got] = '\0';
		while (!is_found && (newline = strchr(line, '\n')) != NULL) {
			is_found = is_line_of(line, address, &start);
			line = newline + 1;
		}
		kept = (size_t)(lines + kept + (size_t)got - line);
		if (kept == LINES_BYTES)
			kept = 0; /* a path without end */
		memmove(lines, line, kept);
	}
	(void)ps_os_close(fd);
	return is_found ? start : 0;
}

/*
 * glibc keeps a thread's descriptor, which pthread_self points to, at the upper
 * end of its stack, also of one that the program made.  The lower end is where
 * the mapping begins: asked once a thread.
 *
 * pthread_getattr_np would tell both, under a lock of the thread under which it
 * allocates; a program that calls it (the JVM does in each thread) comes here
 * from that very allocation and would wait for itself.
 */
static bool
thread_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	static PS_TLS uintptr_t own_low;
	static PS_TLS uintptr_t own_high; /* 0: not asked yet */

	if (own_high == 0) {
		own_high = (uintptr_t)pthread_self();
		own_low = mapping_of(own_high - 1);
		if (own_low == 0) /* no /proc: the least there is */
			own_low = own_high - STACK_LEAST_BYTES;
	}
	if (sp - own_low >= own_high - own_low)
		return false;
	*low = own_low;
	*high = own_high;
	return true;
}

bool
ps_unwind_stack_bounds(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	int saved_errno = errno;
	bool is_known = ps_os_tid() == ps_os_pid()
			    ? main_stack(sp, low, high)
			    : thread_stack(sp, low, high);

	errno = saved_errno;
	return is_known;
}
