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

enum { CHUNK_BYTES = 2048 };

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

/* ---- a thread's ---------------------------------------------------------- */

/* What is read of /proc/self/maps: "START-END ..." a line. */
struct scan {
	uintptr_t number;
	uintptr_t start;
	bool is_rest; /* of a line whose addresses are known */
};

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* true: a line's addresses are complete, start and number. */
static bool
step(struct scan *s, char c)
{
	int digit = digit_of(c);

	if (c == '\n') {
		*s = (struct scan){0};
	} else if (s->is_rest) {
		return false;
	} else if (digit >= 0) {
		s->number = s->number << 4 | (unsigned)digit;
	} else if (c == '-') {
		s->start = s->number;
		s->number = 0;
	} else {
		s->is_rest = true;
		return true;
	}
	return false;
}

static bool
find_mapping(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
	struct scan s = {0};
	char chunk[CHUNK_BYTES];
	ssize_t got = 0;
	bool is_found = false;
	int fd = ps_os_open_read("/proc/self/maps");

	if (fd < 0)
		return false;
	while (!is_found && (got = ps_os_read(fd, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < got && !is_found; i++)
			is_found = step(&s, chunk[i]) && address >= s.start &&
				   address < s.number;
	(void)ps_os_close(fd);
	*start = s.start;
	*end = s.number;
	return is_found;
}

/*
 * From the mapping's start to the thread's control block, which glibc puts at
 * the top of the stack that it makes or is given.  pthread_getattr_np knows
 * it, too, but a thread's first block may be what it allocates in there, with
 * its own lock held: Java's threads begin so (hazards I8).
 */
static bool
thread_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	uintptr_t top = (uintptr_t)pthread_self();
	uintptr_t start;
	uintptr_t end;

	if (sp >= top || !find_mapping(sp, &start, &end) || top >= end)
		return false;
	*low = start;
	*high = top;
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
