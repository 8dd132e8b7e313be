/* SPDX-License-Identifier: MIT */
/*
 * os - fault injection, clocks and what the kernel knows about this process
 *
 * Reading a clock is not a system call where the vDSO works; the pointer to it
 * is looked up on first use by whoever comes first (all find the same answer,
 * so the race is harmless and needs no order).
 */
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/os_call.h"
#include "base/vdso.h"

enum { COMPLAINT_MAX = 1536 };

_Atomic long ps_os_fail_nth;
static _Atomic long fail_calls;
static _Atomic int fail_error;
static _Atomic int first_error; /* 0: none */

bool
ps_os_must_fail(int *error)
{
	long call =
	    atomic_fetch_add_explicit(&fail_calls, 1, memory_order_relaxed) + 1;

	if (call == 1 && ps_peek(&first_error) != 0) {
		*error = ps_peek(&first_error);
		return true;
	}
	*error = ps_peek(&fail_error);
	return call == ps_peek(&ps_os_fail_nth);
}

long
ps_os_fail_at(long nth, int error)
{
	PS_ASSERT(nth >= 0);
	PS_ASSERT(nth == 0 || error > 0);
	ps_poke(&ps_os_fail_nth, 0);
	ps_poke(&fail_error, error);
	ps_poke(&first_error, 0);
	long calls = atomic_exchange(&fail_calls, 0);
	ps_poke(&ps_os_fail_nth, nth);
	return calls;
}

void
ps_os_fail_first(int error)
{
	PS_ASSERT(ps_peek(&ps_os_fail_nth) != 0 && error > 0);
	ps_poke(&first_error, error);
}

int
ps_os_pid(void)
{
	return (int)CALL0(SYS_getpid);
}

int
ps_os_ppid(void)
{
	return (int)CALL0(SYS_getppid);
}

int
ps_os_tid(void)
{
	return (int)CALL0(SYS_gettid);
}

int
ps_os_usage(struct rusage *out)
{
	return (int)CALL2(SYS_getrusage, RUSAGE_SELF, out);
}

int
ps_os_thread_usage(struct rusage *out)
{
	return (int)CALL2(SYS_getrusage, RUSAGE_THREAD, out);
}

const char *
ps_os_started_path(void)
{
	static _Atomic uintptr_t known; /* so that a fork's child only reads */
	uintptr_t path = ps_peek(&known);
	int saved_errno;

	if (path == 0) {
		saved_errno = errno;
		path = getauxval(AT_EXECFN);
		errno = saved_errno;
		ps_poke(&known, path);
	}
	return (const char *)path;
}

/* getauxval writes errno when the kernel gave no such entry. */
static ps_vdso_clock
find_clock(void)
{
	int saved_errno = errno;
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);

	errno = saved_errno;
	return ps_vdso_find_clock(image);
}

static uint64_t
clock_ns_slow(clockid_t clock)
{
	struct timespec ts = {0, 0};

	if (CALL2(SYS_clock_gettime, clock, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t
clock_ns(clockid_t clock)
{
	enum { UNKNOWN, NONE };
	static _Atomic uintptr_t found; /* UNKNOWN, NONE or the function */
	uintptr_t at = ps_peek(&found);
	struct timespec ts;

	if (ps_unlikely(at == UNKNOWN)) {
		at = (uintptr_t)find_clock();
		at = at != 0 ? at : NONE;
		ps_poke(&found, at);
	}
	if (at == NONE || ((ps_vdso_clock)at)(clock, &ts) != 0)
		return clock_ns_slow(clock);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
ps_os_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
ps_os_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t
ps_os_thread_cpu_ns(void)
{
	return clock_ns_slow(CLOCK_THREAD_CPUTIME_ID);
}

int
ps_os_random(void *buffer, size_t bytes)
{
	enum { NONBLOCK = 1 }; /* GRND_NONBLOCK: early boot has no entropy */
	char *at = buffer;

	while (bytes > 0) {
		long got = CALL3(SYS_getrandom, at, bytes, NONBLOCK);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		PS_ASSERT((size_t)got <= bytes);
		at += got;
		bytes -= (size_t)got;
	}
	return 0;
}

uint64_t
ps_os_limit(int resource)
{
	struct rlimit limit;

	if (CALL4(SYS_prlimit64, 0, resource, NULL, &limit) != 0)
		return UINT64_MAX;
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

void
ps_os_yield(void)
{
	CALL0(SYS_sched_yield);
}

void
ps_os_sleep_ns(uint64_t ns)
{
	struct timespec left = {.tv_sec = (time_t)(ns / 1000000000u),
				.tv_nsec = (long)(ns % 1000000000u)};

	while (CALL2(SYS_nanosleep, &left, &left) == -EINTR)
		;
}

int
ps_os_thread_name(char name[16])
{
	return (int)CALL2(SYS_prctl, PR_GET_NAME, name);
}

bool
ps_os_is_on_signal_stack(void)
{
	stack_t stack = {.ss_flags = SS_DISABLE};

	return CALL2(SYS_sigaltstack, NULL, &stack) != 0 ||
	       (stack.ss_flags & SS_ONSTACK) != 0;
}

int
ps_os_timer_slack(uint64_t ns)
{
	return (int)CALL2(SYS_prctl, PR_SET_TIMERSLACK, ns);
}

long
ps_os_as_libc(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

long
ps_os_asked(long nr, const unsigned long a[6])
{
	int error;

	if (ps_unlikely(ps_peek(&ps_os_fail_nth) != 0) &&
	    ps_os_must_fail(&error))
		return -error;
	return enter_kernel(nr, (long)a[0], (long)a[1], (long)a[2], (long)a[3],
			    (long)a[4], (long)a[5]);
}

void
ps_os_complain(const char *text)
{
	static const char prefix[] = "perfshim: ";
	char line[COMPLAINT_MAX];
	size_t used = sizeof(prefix) - 1;
	size_t length = strlen(text);

	_Static_assert(sizeof(line) > sizeof(prefix), "there is room for text");
	length = PS_MIN(length, sizeof(line) - used - 1);
	memcpy(line, prefix, used);
	/* A terminal obeys control characters, and text may have any bytes. */
	for (size_t i = 0; i < length; i++)
		line[used++] = (unsigned char)text[i] < ' ' || text[i] == 127
				   ? '?'
				   : text[i];
	line[used++] = '\n';
	PS_ASSERT(used <= sizeof(line));
	ps_os_write(2, line, used);
}

int
ps_os_raise(int signal)
{
	return (int)CALL3(SYS_tgkill, ps_os_pid(), ps_os_tid(), signal);
}
