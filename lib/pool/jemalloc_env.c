/* SPDX-License-Identifier: MIT */
/*
 * jemalloc_env - what the embedded jemalloc sees of its surroundings
 *
 * The archive is renamed, not rebuilt, so it would still read MALLOC_CONF and
 * /etc/malloc.conf, which belong to the program's own jemalloc if it has one;
 * look up pthread_create; and pull in libm and libgcc for a heap profiler that
 * is off.  scripts/jemalloc.syms redirects those references to here.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "base/os.h"
#include "base/text.h"
#include "measure/real.h"

char *ps_je_getenv(const char *name);
ssize_t ps_je_readlink(const char *path, char *buffer, size_t bytes);
int ps_je_unwind_backtrace(void *step, void *context);
uintptr_t ps_je_unwind_getip(void *context);
double ps_je_exp(double x);
double ps_je_log(double x);
double ps_je_round(double x);
int ps_je_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			 void *(*start)(void *), void *argument);
void *ps_je_dlsym(void *handle, const char *name);
void *ps_je_sbrk(intptr_t increment);
int ps_je_atexit(void (*function)(void));
void *ps_je_mmap(void *at, size_t bytes, int protection, int flags, int fd,
		 off_t offset);

/*
 * A background thread is never started in the host (hazards I10); prof is off
 * because sampling is ours.
 */
const char *je_malloc_conf =
    "background_thread:false,prof:false,abort_conf:false,dss:disabled,"
    "dirty_decay_ms:5000,muzzy_decay_ms:0,"
    "oversize_threshold:0,lg_extent_max_active_fit:6";

/*
 * Off: it adds a page to each large block, against conflicts between blocks
 * that all start on a page boundary.  jemalloc 5.3 has no setting for it, so
 * embed-jemalloc.sh makes its variable weak and this one wins.
 */
extern bool je_opt_cache_oblivious;
bool je_opt_cache_oblivious = false;

/* One line in our name, not pieces in jemalloc's. */
static void
message(void *unused, const char *text)
{
	char line[256];
	struct ps_text t;

	(void)unused;
	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_str(&t, text);
	while (t.length > 0 && line[t.length - 1] == '\n')
		t.length--;
	line[t.length] = '\0';
	ps_os_complain(line);
}
extern void (*je_malloc_message)(void *, const char *);
void (*je_malloc_message)(void *, const char *) = message;

char *
ps_je_getenv(const char *name)
{
	(void)name;
	return NULL;
}

ssize_t
ps_je_readlink(const char *path, char *buffer, size_t bytes)
{
	(void)path;
	(void)buffer;
	(void)bytes;
	errno = ENOENT;
	return -1;
}

/* 5 is _URC_END_OF_STACK: nothing walked. */
int
ps_je_unwind_backtrace(void *step, void *context)
{
	(void)step;
	(void)context;
	return 5;
}

uintptr_t
ps_je_unwind_getip(void *context)
{
	(void)context;
	return 0;
}

double
ps_je_exp(double x)
{
	return ps_exp(x);
}

double
ps_je_log(double x)
{
	return ps_log(x);
}

double
ps_je_round(double x)
{
	return x < 0 ? (double)(int64_t)(x - 0.5) : (double)(int64_t)(x + 0.5);
}

int
ps_je_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		     void *(*start)(void *), void *argument)
{
	(void)thread;
	(void)attributes;
	(void)start;
	(void)argument;
	return EAGAIN;
}

void *
ps_je_dlsym(void *handle, const char *name)
{
	(void)handle;
	(void)name;
	return (void *)ps_je_pthread_create;
}

void *
ps_je_sbrk(intptr_t increment)
{
	(void)increment;
	return (void *)-1;
}

/*
 * jemalloc 5.3.0 tries out MADV_DONTNEED on a page as it starts, says so when
 * it gets none, and writes to it all the same.  That is its first request.
 */
void *
ps_je_mmap(void *at, size_t bytes, int protection, int flags, int fd,
	   off_t offset)
{
	static char page[4096] __attribute__((aligned(4096)));
	static _Atomic bool has_started;
	bool is_first = !atomic_exchange(&has_started, true);
	void *got = mmap(at, bytes, protection, flags, fd, offset);

	if (got == MAP_FAILED && is_first && bytes == sizeof(page))
		return page;
	return got;
}

int
ps_je_atexit(void (*function)(void))
{
	(void)function;
	return 0;
}
