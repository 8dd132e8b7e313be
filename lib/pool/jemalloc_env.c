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
#include <sys/resource.h>
#include <sys/types.h>

#include "base/os.h"
#include "base/text.h"
#include "measure/real.h"
#include "pool/jemalloc.h"

char *ps_je_getenv(const char *name);
ssize_t ps_je_readlink(const char *path, char *buffer, size_t bytes);
int ps_je_unwind_backtrace(void *step, void *context);
uintptr_t ps_je_unwind_getip(void *context);
double ps_je_exp(double x);
double ps_je_log(double x);
double ps_je_round(double x);
int ps_je_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			 void *(*start)(void *), void *argument);
int ps_je_pthread_key_create(pthread_key_t *key, void (*end)(void *));
int ps_je_pthread_setspecific(pthread_key_t key, const void *value);
int ps_je_pthread_cond_init(pthread_cond_t *condition,
			    const pthread_condattr_t *attributes);
void *ps_je_dlsym(void *handle, const char *name);
void *ps_je_sbrk(intptr_t increment);
int ps_je_atexit(void (*function)(void));
int ps_je_pthread_atfork(void (*prepare)(void), void (*parent)(void),
			 void (*child)(void));

/*
 * A background thread is never started in the host (hazards I10); prof is off
 * because sampling is ours.  Caches of threads: the pool is one, large blocks
 * go round them, and jemalloc 5.3 uses one that found no memory when its thread
 * began, and dies of its null pointers.
 */
const char *je_malloc_conf =
    "background_thread:false,prof:false,abort_conf:false,dss:disabled,"
    "tcache:false,"
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

/*
 * jemalloc makes an arena for some of the threads when they first need one, and
 * takes it for granted: a thread whose arena finds no memory would die of a
 * null pointer.  It has the first arena then, as jemalloc's own first thread
 * has while jemalloc begins, until the next time it looks for one.
 */
void *je_arena_choose_own(void *thread, bool is_internal);
void *je_arena_choose_hard(void *thread, bool is_internal);
extern _Atomic(void *) je_arenas[];

void *
je_arena_choose_hard(void *thread, bool is_internal)
{
	void *arena = je_arena_choose_own(thread, is_internal);

	return arena != NULL ? arena : atomic_load(&je_arenas[0]);
}

/* An arena takes 2 MiB of addresses: where there are few, all threads use the
 * one that is there. */
static bool
is_memory_short(void)
{
	return PS_MIN(ps_os_limit(RLIMIT_AS), ps_os_limit(RLIMIT_DATA)) <
	       (uint64_t)1 << 30;
}

/* Of MALLOC_CONF, when jemalloc begins: its last word is ours. */
char *
ps_je_getenv(const char *name)
{
	static char one_arena[] = "narenas:1";

	(void)name;
	ps_os_jemalloc_starts();
	return is_memory_short() ? one_arena : NULL;
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

/*
 * jemalloc has one key, for what it keeps of a thread, and links that with
 * other threads'. It is set at the thread's first call; when that comes in the
 * last round of a thread's destructors, none follows, and the dead thread's
 * memory stays linked (hazards T1).  So the value is kept for
 * ps_je_thread_end.  Nor may it end before the program's own destructors have
 * run: after its end jemalloc heeds no arena, and no page is had for the pool.
 *
 * glibc goes by the keys' order.  This one is the last that is free of those
 * for which it does not allocate, so that in each round it comes after those of
 * the program.  With none free (libraries' constructors took them all before
 * the first allocation), no value is set: to allocate within jemalloc's start
 * would start it again, and the second start's handlers of fork would wait for
 * the first one's locks.
 */
enum { KEYS = 32 };

static pthread_key_t last_key;
static bool has_key;
static void (*end_of_value)(void *);
static PS_TLS void *value_of_key;
static PS_TLS void (*end_of_round)(void);

static void
round_ends(void *unused)
{
	(void)unused;
	if (end_of_round != NULL)
		end_of_round();
	else
		ps_je_thread_end();
}

static bool
find_key(pthread_key_t *out)
{
	pthread_key_t taken[KEYS + 1];
	unsigned n = 0;

	while (n <= KEYS && pthread_key_create(&taken[n], round_ends) == 0 &&
	       taken[n++] < KEYS)
		;
	PS_ASSERT(n <= PS_COUNT(taken));
	if (n == 0)
		return false;
	if (n > 1 && taken[n - 1] >= KEYS)
		(void)pthread_key_delete(taken[--n]);
	*out = taken[--n];
	while (n-- > 0)
		(void)pthread_key_delete(taken[n]);
	return true;
}

void
ps_je_take_key(void)
{
	if (!has_key)
		has_key = find_key(&last_key);
}

int
ps_je_pthread_key_create(pthread_key_t *key, void (*end)(void *))
{
	ps_je_take_key();
	if (!has_key)
		return EAGAIN;
	*key = last_key;
	end_of_value = end;
	return 0;
}

int
ps_je_pthread_setspecific(pthread_key_t key, const void *value)
{
	PS_DEBUG_ASSERT(has_key && key == last_key);
	value_of_key = (void *)(uintptr_t)value;
	return key < KEYS ? pthread_setspecific(key, value) : 0;
}

void
ps_je_thread_begin(void (*round_ends_)(void))
{
	end_of_round = round_ends_;
	if (has_key && last_key < KEYS)
		(void)pthread_setspecific(last_key, &end_of_round);
}

void
ps_je_thread_end(void)
{
	if (value_of_key != NULL)
		end_of_value(value_of_key);
}

/* Nobody will ever wait for it. */
int
ps_je_pthread_cond_init(pthread_cond_t *condition,
			const pthread_condattr_t *attributes)
{
	(void)condition;
	(void)attributes;
	return 0;
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

int
ps_je_atexit(void (*function)(void))
{
	(void)function;
	return 0;
}

/* ---- fork --------------------------------------------------------------- */

static bool are_forks_owned;
static struct {
	void (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
} at_fork;

int
ps_je_pthread_atfork(void (*prepare)(void), void (*parent)(void),
		     void (*child)(void))
{
	if (!are_forks_owned)
		return pthread_atfork(prepare, parent, child);
	PS_ASSERT(at_fork.prepare == NULL || at_fork.prepare == prepare);
	at_fork.prepare = prepare;
	at_fork.parent = parent;
	at_fork.child = child;
	return 0;
}

void
ps_je_own_forks(void)
{
	are_forks_owned = true;
}

void
ps_je_prefork(void)
{
	if (at_fork.prepare != NULL)
		at_fork.prepare();
}

void
ps_je_postfork_parent(void)
{
	if (at_fork.parent != NULL)
		at_fork.parent();
}

void
ps_je_postfork_child(void)
{
	if (at_fork.child != NULL)
		at_fork.child();
}
