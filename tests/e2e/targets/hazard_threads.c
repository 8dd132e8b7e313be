/* SPDX-License-Identifier: MIT */
/*
 * hazard_threads - threads and signal handlers at bad moments (hazards T)
 */
#include <execinfo.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdint.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hazard.h"

static _Atomic int stop;

static void *
churn(void *unused)
{
	unsigned random = 1;

	while (!stop) {
		random = random * 1103515245 + 12345;
		do_free(do_malloc(random >> 16 & 4095));
	}
	return unused;
}

static void
join(pthread_t *thread, int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

/* ---- ends --------------------------------------------------------------- */

enum { HELD = 200, ROUNDS = 4, MIB = 1 << 20 };

static pthread_key_t ends;
static pthread_key_t lasts;
static _Atomic long rounds_seen;

/* More than one piece of any allocator's, and a block that is none. */
static void
allocate_much(void)
{
	enum { BLOCKS = 3 * MIB / 30000 };
	static void *kept[BLOCKS];
	void *large = do_malloc(3 * MIB);

	for (int i = 0; i < BLOCKS; i++)
		memset(kept[i] = do_malloc(30000), 1, 100);
	for (int i = 0; i < BLOCKS; i++)
		do_free(kept[i]);
	do_free(large);
}

static void
again(void *round)
{
	long n = (long)round;

	rounds_seen++;
	for (int i = 0; i < 100; i++)
		do_free(do_malloc((size_t)i * 20));
	if (n < ROUNDS)
		pthread_setspecific(ends, (void *)(n + 1));
	if (rounds_seen % 64 < ROUNDS)
		allocate_much();
}

static void *
end_late(void *unused)
{
	pthread_setspecific(ends, (void *)1);
	do_free(do_malloc(MIB));
	return unused;
}

struct held {
	void *block[HELD];
	int round;
	int is_allocating;
};

static void
free_in_last(void *arg)
{
	struct held *held = arg;

	if (++held->round < ROUNDS) {
		pthread_setspecific(lasts, held);
		return;
	}
	for (int i = 0; i < HELD; i++)
		do_free(held->block[i]);
	if (held->is_allocating) {
		do_free(do_malloc(100));
		do_free(do_malloc(MIB));
	}
	do_free(held);
}

/* Made by another thread: this one is not seen before its last round. */
static void *
last_only(void *held)
{
	pthread_setspecific(lasts, held);
	return NULL;
}

static struct held *
hold(int is_allocating)
{
	struct held *held = do_malloc(sizeof(*held));

	for (int i = 0; i < HELD; i++)
		held->block[i] = do_malloc((size_t)i * 30);
	held->round = 0;
	held->is_allocating = is_allocating;
	return held;
}

static long
resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0;
	long pages = 0;

	if (f == NULL || fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = -1;
	if (f != NULL)
		fclose(f);
	return pages;
}

static int
thread_ends(long count)
{
	long before = 0;

	pthread_key_create(&ends, again);
	pthread_key_create(&lasts, free_in_last);
	for (long i = 0; i < count; i++) {
		pthread_t thread[3];

		if (i == count / 4)
			before = resident_pages();
		if (pthread_create(&thread[0], NULL, end_late, NULL) != 0 ||
		    pthread_create(&thread[1], NULL, last_only, hold(0)) != 0 ||
		    pthread_create(&thread[2], NULL, last_only, hold(1)) != 0)
			return wrong("pthread_create");
		join(thread, 3);
	}
	if (resident_pages() - before > 16L * MIB / 4096)
		return wrong("threads that ended still hold memory");
	printf("%d\n", rounds_seen == count * ROUNDS);
	return 0;
}

static int
raw_main(void *cell)
{
	atomic_store((_Atomic int *)cell, 42);
	return 0;
}

/* A thread that libc does not know, and that calls nothing. */
static int
raw_clone(long unused)
{
	enum { BYTES = 65536 };
	static _Atomic int cell;
	static _Atomic int
	    tid; /* the kernel clears it when the thread is gone */
	char *stack = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	for (int i = 0; i < 100; i++) {
		cell = 0;
		tid = 1;
		if (clone(raw_main, stack + BYTES,
			  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			      CLONE_THREAD | CLONE_SYSVSEM |
			      CLONE_CHILD_CLEARTID,
			  &cell, NULL, NULL, &tid) < 0)
			return wrong("clone");
		while (cell != 42 || tid != 0)
			do_free(do_malloc(100));
	}
	munmap(stack, BYTES);
	puts("ok");
	return 0;
}

static void *
nothing(void *block)
{
	do_free(block);
	return do_malloc(50);
}

static int
create_join(long count)
{
	for (long i = 0; i < count; i++) {
		pthread_t thread;
		void *block;

		if (pthread_create(&thread, NULL, nothing, do_malloc(100)) != 0)
			return wrong("pthread_create");
		pthread_join(thread, &block);
		do_free(block);
	}
	puts("ok");
	return 0;
}

/* main returns while others are anywhere in malloc. */
static int
exit_meanwhile(long count)
{
	for (long i = 0; i < count; i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			pthread_t thread;

			alarm(30);
			for (int k = 0; k < 4; k++)
				pthread_create(&thread, NULL, churn, NULL);
			usleep((useconds_t)(i * 137 % 2000));
			exit(7);
		}
		if (waitpid(child, &status, 0) != child ||
		    WEXITSTATUS(status) != 7)
			return wrong("an exit while threads allocate");
	}
	puts("ok");
	return 0;
}

/* ---- signals ------------------------------------------------------------ */

static volatile long handled;

static void
tell_time(int signal)
{
	struct timespec now;
	void *frames[10];

	(void)signal;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (handled % 16 == 0)
		(void)backtrace(frames, 10);
	handled++;
}

/* Interrupted at any instruction of malloc, by handlers that do not allocate.
 */
static int
interrupted(long count)
{
	void *frames[4];
	void *kept[64] = {0};

	(void)backtrace(frames, 4); /* loads its library now */
	every(100, tell_time);
	for (long i = 0; handled < count; i++) {
		do_free(kept[i % 64]);
		kept[i % 64] = do_malloc((size_t)(i * 31 % 3000));
	}
	every(0, SIG_IGN);
	puts("ok");
	return 0;
}

static void
take_and_give(int signal)
{
	(void)signal;
	do_free(do_malloc(16));
	handled++;
}

/* By one that allocates: glibc serves it from what the thread has of that
 * size.  So here the sampler is what may not be in its way. */
static int
sampled_meanwhile(long count)
{
	void *kept[200] = {0};

	do_free(do_malloc(16));
	every(100, take_and_give);
	for (long i = 0; handled < count; i++) {
		do_free(kept[i % 200]);
		kept[i % 200] = do_malloc((size_t)(3000 + i % 200));
	}
	every(0, SIG_IGN);
	puts("ok");
	return 0;
}

/* ---- cancelled ---------------------------------------------------------- */

static void *
cancelled(void *unused)
{
	for (;;) {
		for (int i = 0; i < 100; i++)
			do_free(do_malloc((size_t)i * 40));
		pthread_testcancel();
	}
	return unused;
}

/* Within malloc it would be undefined, and glibc hangs, too. */
static int
cancel(long count)
{
	pthread_t other;

	pthread_create(&other, NULL, churn, NULL);
	for (long i = 0; i < count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, cancelled, NULL) != 0)
			return wrong("pthread_create");
		usleep((useconds_t)(i * 37 % 300));
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	stop = 1;
	pthread_join(other, NULL);
	puts("ok");
	return 0;
}

static sigjmp_buf back;
static char *hidden_page;
enum { PAGE = 4096, DEEP = 8 * PAGE };

static void
jump(int signal)
{
	(void)signal;
	mprotect(hidden_page, PAGE, PROT_READ | PROT_WRITE);
	siglongjmp(back, 1);
}

__attribute__((noinline)) static void
allocate_below(volatile char *above)
{
	volatile char room[DEEP];

	room[0] = above[0];
	room[DEEP - 1] = room[0];
	if (sigsetjmp(back, 1) == 0) {
		/* Of a frame that malloc's caller has, but need not read. */
		mprotect(hidden_page, PAGE, PROT_NONE);
		do_free(do_malloc(100));
		mprotect(hidden_page, PAGE, PROT_READ | PROT_WRITE);
	}
}

__attribute__((noinline)) static void
hide_own_frame(void)
{
	volatile char here = 1;

	hidden_page = (char *)((uintptr_t)__builtin_frame_address(0) &
			       ~(uintptr_t)(PAGE - 1));
	allocate_below(&here);
}

/* A handler leaves what it interrupted, which is a walk of the stack, and the
 * thread goes on: 10 000 blocks more. */
static int
fault(long unused)
{
	struct sigaction action = {.sa_handler = jump};

	(void)unused;
	sigaction(SIGSEGV, &action, NULL);
	for (int i = 0; i < 10; i++)
		do_free(do_malloc(100));
	hide_own_frame();
	for (int i = 0; i < 10000; i++)
		do_free(do_malloc(100));
	puts("ok");
	return 0;
}

/* ---- many and small ----------------------------------------------------- */

static void *
allocate_little(void *unused)
{
	for (int i = 0; i < 300; i++)
		do_free(do_malloc((size_t)i * 11));
	return unused;
}

static int
small_stacks(long unused)
{
	static const size_t sizes[] = {0, 1 << 14, 1 << 15, 1 << 16};
	pthread_attr_t attr;

	(void)unused;
	pthread_attr_init(&attr);
	for (int i = 0; i < 4; i++) {
		pthread_t thread;
		size_t bytes =
		    sizes[i] > 0 ? sizes[i] : (size_t)PTHREAD_STACK_MIN;

		if (pthread_attr_setstacksize(&attr, bytes) != 0 ||
		    pthread_create(&thread, &attr, allocate_little, NULL) != 0)
			return wrong("a thread with a small stack");
		pthread_join(thread, NULL);
	}
	puts("ok");
	return 0;
}

static int
all_keys(long unused)
{
	pthread_key_t key;
	int made = 0;
	pthread_t thread;

	(void)unused;
	while (pthread_key_create(&key, NULL) == 0)
		made++;
	pthread_create(&thread, NULL, allocate_little, NULL);
	pthread_join(thread, NULL);
	printf("%d\n", made >= PTHREAD_KEYS_MAX - 2);
	return 0;
}

enum { SLOTS = 4096 };
static void *_Atomic slot[SLOTS];

static void *
hand_over(void *count)
{
	unsigned random = (unsigned)(size_t)&random;

	for (long i = 0; i < (long)count; i++) {
		random = random * 1103515245 + 12345;
		do_free(atomic_exchange(&slot[random >> 16 & (SLOTS - 1)],
					do_malloc(random >> 8 & 1023)));
	}
	return NULL;
}

/* Blocks freed by whoever comes: nothing is left. */
static int
crossed(long count)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, hand_over, (void *)count);
	join(thread, 4);
	for (int i = 0; i < SLOTS; i++)
		do_free(slot[i]);
	puts("ok");
	return 0;
}

static void *
sleep_for_ever(void *done)
{
	for (int i = 0; i < 100; i++)
		do_free(do_malloc((size_t)i));
	atomic_fetch_add((_Atomic int *)done, 1);
	for (;;)
		pause();
	return NULL;
}

/* Killed while they sleep: what they did is known. */
static int
sleepers(long count)
{
	static _Atomic int done;
	pthread_t thread;

	for (long i = 0; i < count; i++)
		if (pthread_create(&thread, NULL, sleep_for_ever,
				   (void *)&done) != 0)
			return wrong("pthread_create");
	while (done < count)
		usleep(1000);
	raise(SIGKILL);
	return 0;
}

static const struct hazard_case cases[] = {
    {"ends", thread_ends},    {"raw", raw_clone},
    {"create", create_join},  {"exit", exit_meanwhile},
    {"signals", interrupted}, {"cancel", cancel},
    {"fault", fault},	      {"small", small_stacks},
    {"keys", all_keys},	      {"sleepers", sleepers},
    {"crossed", crossed},     {"sampled", sampled_meanwhile},
};

HAZARD_MAIN(cases)
