/* SPDX-License-Identifier: MIT */
/*
 * os_jemalloc - libc's wrappers as the embedded jemalloc calls them
 *
 * Another preload may interpose mmap, open or clock_gettime, allocate in it or
 * not be ready yet; jemalloc calls them inside malloc, and both wait for each
 * other or give up (hazards A9).  scripts/jemalloc.syms redirects its calls to
 * here, through the seam.
 *
 * MAP_NORESERVE is taken off: with it, the kernel would grant what it refuses
 * to glibc, and a program that asks for more than there is would be killed
 * where it now is told ENOMEM (hazards F9).
 */
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/time.h>

#include "base/os_call.h"

void *ps_je_mmap(void *addr, size_t bytes, int prot, int flags, int fd,
		 off_t offset);
int ps_je_munmap(void *addr, size_t bytes);
int ps_je_mprotect(void *addr, size_t bytes, int prot);
int ps_je_madvise(void *addr, size_t bytes, int advice);
int ps_je_open(const char *path, int flags, ...);
int ps_je_creat(const char *path, mode_t mode);
int ps_je_close(int fd);
int ps_je_clock_gettime(clockid_t clock, struct timespec *out);
int ps_je_gettimeofday(struct timeval *out, void *zone);
long ps_je_syscall(long nr, ...);
int ps_je_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set);

/*
 * jemalloc 5.3.0 tries out MADV_DONTNEED on a page as it starts, says so when
 * it gets none, and writes to it all the same.  That is the first request of a
 * start, and where one finds no memory, the next call is another.
 */
static PS_BIG char page[4096] PS_ALIGNED(4096);
static _Atomic bool is_starting;

void
ps_os_jemalloc_starts(void)
{
	ps_poke(&is_starting, true);
}

void *
ps_je_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	bool is_first =
	    ps_peek(&is_starting) && atomic_exchange(&is_starting, false);
	long at = call6(SYS_mmap, (long)addr, (long)bytes, prot,
			flags & ~MAP_NORESERVE, fd, offset);

	if (at < 0 && at > -4096) {
		if (is_first && bytes == sizeof(page))
			return page;
		errno = (int)-at;
		return MAP_FAILED;
	}
	return (void *)at;
}

int
ps_je_munmap(void *addr, size_t bytes)
{
	if (addr == page)
		return 0;
	return (int)ps_os_as_libc(CALL2(SYS_munmap, addr, bytes));
}

int
ps_je_mprotect(void *addr, size_t bytes, int prot)
{
	return (int)ps_os_as_libc(CALL3(SYS_mprotect, addr, bytes, prot));
}

int
ps_je_madvise(void *addr, size_t bytes, int advice)
{
	return (int)ps_os_as_libc(CALL3(SYS_madvise, addr, bytes, advice));
}

/* Of the kernel's settings, for reading. */
int
ps_je_open(const char *path, int flags, ...)
{
	if ((flags & O_ACCMODE) != O_RDONLY)
		return (int)ps_os_as_libc(-EPERM);
	return (int)ps_os_as_libc(ps_os_open_read(path));
}

/* For dumps of a profiler that is off. */
int
ps_je_creat(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return (int)ps_os_as_libc(-EPERM);
}

int
ps_je_close(int fd)
{
	return (int)ps_os_as_libc(ps_os_close(fd));
}

static uint64_t
clock_of(clockid_t clock)
{
	return clock == CLOCK_REALTIME ? ps_os_realtime_ns()
				       : ps_os_monotonic_ns();
}

int
ps_je_clock_gettime(clockid_t clock, struct timespec *out)
{
	uint64_t ns = clock_of(clock);

	out->tv_sec = (time_t)(ns / 1000000000u);
	out->tv_nsec = (long)(ns % 1000000000u);
	return 0;
}

int
ps_je_gettimeofday(struct timeval *out, void *zone)
{
	uint64_t ns = clock_of(CLOCK_REALTIME);

	(void)zone;
	out->tv_sec = (time_t)(ns / 1000000000u);
	out->tv_usec = (suseconds_t)(ns % 1000000000u / 1000);
	return 0;
}

/* open, read and close of the kernel's settings: three arguments at most. */
long
ps_je_syscall(long nr, ...)
{
	long argument[3];
	va_list list;
	long result;

	va_start(list, nr);
	for (unsigned i = 0; i < PS_COUNT(argument); i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	result = call6(nr, argument[0], argument[1], argument[2], 0, 0, 0);
	return ps_os_as_libc(result);
}

int
ps_je_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set)
{
	long got = CALL3(SYS_sched_getaffinity, pid, bytes, set);

	if (got < 0)
		return (int)ps_os_as_libc(got);
	PS_ASSERT((size_t)got <= bytes);
	memset((char *)set + got, 0, bytes - (size_t)got);
	return 0;
}
