/* SPDX-License-Identifier: MIT */
/*
 * hazard_process - forks, ends and limits of processes (hazards P, F)
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hazard.h"

static _Atomic int stop;

static void *
churn(void *unused)
{
	unsigned random = (unsigned)(size_t)&random;
	void *kept[32] = {0};

	while (!stop) {
		random = random * 1103515245 + 12345;
		do_free(kept[random >> 20 & 31]);
		kept[random >> 20 & 31] = do_malloc(random >> 16 & 2047);
	}
	for (int i = 0; i < 32; i++)
		do_free(kept[i]);
	return unused;
}

static void *
load_and_unload(void *unused)
{
	while (!stop) {
		void *module = dlopen("libm.so.6", RTLD_NOW);

		if (module != NULL)
			dlclose(module);
	}
	return unused;
}

static int
allocate(int n)
{
	for (int i = 0; i < n; i++) {
		char *block = do_malloc((size_t)(i % 500) + 1);

		if (block == NULL)
			return 1;
		block[0] = 1;
		do_free(block);
	}
	return 0;
}

/* Streams whose locks are held while they allocate. */
static void *
write_to_memory(void *unused)
{
	while (!stop) {
		char *text = NULL;
		size_t bytes = 0;
		FILE *stream = open_memstream(&text, &bytes);

		for (int i = 0; stream != NULL && i < 200; i++)
			fprintf(stream, "%0*d", i * 7, i);
		if (stream != NULL)
			fclose(stream);
		free(text);
	}
	return unused;
}

static void *
read_long_lines(void *unused)
{
	static char lines[1 << 16];

	memset(lines, 'x', sizeof(lines) - 1);
	while (!stop) {
		FILE *stream = fmemopen(lines, sizeof(lines), "r");
		char *line = NULL;
		size_t room = 0;

		if (stream != NULL && getline(&line, &room, stream) > 0)
			fclose(stream);
		free(line);
	}
	return unused;
}

static void *
flush_all(void *unused)
{
	while (!stop)
		fflush(NULL);
	return unused;
}

static int
ended_well(pid_t child)
{
	int status = -1;

	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* ---- fork --------------------------------------------------------------- */

static int
fork_while_loading(long count)
{
	pthread_t thread[3];
	int bad = 0;

	pthread_create(&thread[0], NULL, churn, NULL);
	pthread_create(&thread[1], NULL, churn, NULL);
	pthread_create(&thread[2], NULL, load_and_unload, NULL);
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			alarm(20);
			_exit(allocate(200));
		}
		bad += !ended_well(child);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("%d bad\n", bad);
	return 0;
}

/*
 * glibc's fork waits for the list of streams after our handlers; who holds that
 * may wait for a stream, and who holds a stream for memory.
 */
static int
fork_while_streaming(long count)
{
	void *(*const work[])(void *) = {write_to_memory, read_long_lines,
					 flush_all, write_to_memory, flush_all};
	enum { WORKERS = sizeof(work) / sizeof(*work) };
	pthread_t thread[WORKERS];
	int bad = 0;

	for (int i = 0; i < WORKERS; i++)
		pthread_create(&thread[i], NULL, work[i], NULL);
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			alarm(20);
			fflush(NULL);
			_exit(allocate(200));
		}
		bad += !ended_well(child);
	}
	stop = 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	printf("%d bad\n", bad);
	return 0;
}

/* Children of a process that somebody has begun to trace meanwhile. */
static int
fork_when_told(long count)
{
	char word;
	int bad = 0;

	puts("ready");
	fflush(stdout);
	if (read(0, &word, 1) != 1)
		return wrong("standard input");
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0) {
			pid_t grandchild = fork();

			if (grandchild == 0)
				_exit(allocate(20000));
			_exit(allocate(20000) + !ended_well(grandchild));
		}
		bad += !ended_well(child);
	}
	printf("%d bad\n", bad);
	return 0;
}

static _Atomic long handlers;

static void
at_fork(void)
{
	handlers++;
	allocate(100);
}

/* Handlers of the program run around ours, and allocate. */
static int
fork_handlers(long unused)
{
	int bad = 0;

	(void)unused;
	for (int i = 0; i < 3; i++)
		pthread_atfork(at_fork, at_fork, at_fork);
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();

		if (child == 0) {
			alarm(20);
			_exit(allocate(100) + (handlers != i * 6 + 6));
		}
		bad += !ended_well(child);
	}
	printf("%d bad, %ld\n", bad, (long)handlers);
	return 0;
}

static volatile long forked;
static volatile long failed;

static void
fork_here(int signal)
{
	pid_t child;

	(void)signal;
	child = fork();
	if (child == 0)
		_exit(0);
	failed += !ended_well(child);
	forked++;
}

/* From a handler that interrupts malloc: glibc allows it. */
static int
fork_in_handler(long count)
{
	every(1000, fork_here);
	while (forked < count)
		allocate(1000);
	every(0, SIG_IGN);
	printf("%ld failed\n", failed);
	return 0;
}

static volatile sig_atomic_t is_child;

/* The child goes on with what the handler interrupted. */
static void
fork_and_return(int signal)
{
	pid_t child;

	(void)signal;
	child = fork();
	is_child = child == 0;
	if (child == 0)
		return;
	failed += !ended_well(child);
	forked++;
}

static int
fork_and_go_on(long count)
{
	every(3000, fork_and_return);
	while (forked < count && !is_child)
		allocate(1000);
	if (is_child)
		_exit(allocate(3000));
	every(0, SIG_IGN);
	printf("%ld failed\n", failed);
	return 0;
}

/* Children that no handler of fork is called for. */
static int
raw_forks(long count)
{
	pthread_t thread[3];
	int bad = 0;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, churn, NULL);
	for (long i = 0; i < count; i++) {
		pid_t child = i % 2 == 0 ? (pid_t)syscall(SYS_fork) : _Fork();

		if (child == 0) {
			syscall(SYS_alarm, 20);
			/* What the thread's own pages serve, with no lock. */
			do_free(do_malloc(40));
			_exit(allocate(1000));
		}
		bad += !ended_well(child);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("%d bad\n", bad);
	return 0;
}

/* ---- ends --------------------------------------------------------------- */

static void
exit_here(int signal)
{
	(void)signal;
	exit(5);
}

static void
exit_at_once_here(int signal)
{
	(void)signal;
	_exit(5);
}

/* Of all sizes: jemalloc's locks are interrupted, too. */
static void
allocate_at_random(unsigned random)
{
	void *kept[64] = {0};

	for (;;) {
		size_t bytes = (size_t)1 << (random >> 27 & 15);

		random = random * 1103515245 + 12345;
		do_free(kept[random >> 20 & 63]);
		kept[random >> 20 & 63] =
		    do_malloc(bytes * (1 + (random >> 16 & 15)));
	}
}

/*
 * Ends of itself with 5.  After more than half a second without a call, the
 * first ones find what is due twice a second still to be done.
 */
static void
end_soon(long i, void (*handler)(int))
{
	struct itimerval timer = {{0, 0}, {0, 20 + i * 7 % 900}};
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGALRM, &action, NULL);
	usleep(550000);
	setitimer(ITIMER_REAL, &timer, NULL);
	allocate_at_random((unsigned)i);
}

/* A hang is killed, and counted. */
static int
ended_with_five(pid_t child)
{
	int status = -1;

	for (int ms = 0; waitpid(child, &status, WNOHANG) == 0; ms++) {
		usleep(1000);
		if (ms == 5000)
			kill(child, SIGKILL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 5;
}

/* The end from a handler that interrupts malloc, in some children at a time. */
static int
end_in_handler(long count, void (*handler)(int))
{
	enum { AT_ONCE = 50 };
	pid_t child[AT_ONCE];
	int bad = 0;

	for (long i = 0; i < count; i++) {
		child[i % AT_ONCE] = fork();
		if (child[i % AT_ONCE] == 0)
			end_soon(i, handler);
		if (i % AT_ONCE == AT_ONCE - 1 || i == count - 1)
			for (long k = 0; k <= i % AT_ONCE; k++)
				bad += !ended_with_five(child[k]);
	}
	printf("%d bad\n", bad);
	return 0;
}

static int
exit_in_handler(long count)
{
	return end_in_handler(count, exit_here);
}

static int
exit_at_once_in_handler(long count)
{
	return end_in_handler(count, exit_at_once_here);
}

static int
handlers_untouched(long unused)
{
	struct sigaction now;
	int changed = 0;

	(void)unused;
	for (int s = 1; s < 32; s++)
		if (sigaction(s, NULL, &now) == 0)
			changed += now.sa_handler != SIG_DFL &&
				   now.sa_handler != SIG_IGN;
	printf("%d\n", changed);
	return 0;
}

/* ---- daemons ------------------------------------------------------------ */

static int
become_daemon(long unused)
{
	int ready[2];
	char word[16] = "";

	(void)unused;
	if (pipe(ready) != 0)
		return wrong("pipe");
	if (fork() == 0) {
		umask(0);
		setsid();
		if (fork() != 0)
			_exit(0);
		if (chdir("/") != 0)
			_exit(1);
		for (int fd = 0; fd < 1024; fd++)
			if (fd != ready[1])
				close(fd);
		allocate(20000);
		(void)!write(ready[1], "served", 6);
		exit(0);
	}
	close(ready[1]);
	(void)!read(ready[0], word, sizeof(word) - 1);
	/* Its end is the end of the pipe. */
	while (read(ready[0], word + 8, 1) > 0)
		;
	puts(word);
	return 0;
}

/* ---- modules ------------------------------------------------------------ */

/* The title of the process over what were its arguments and environment. */
static int
clobber(long unused)
{
	extern char **environ;
	char *from = environ[0];
	char *to = from;

	(void)unused;
	for (char **e = environ; *e != NULL; e++)
		to = *e + strlen(*e);
	memset(from, 'Z', (size_t)(to - from));
	environ = NULL;
	clearenv();
	allocate(10000);
	puts("ok");
	return 0;
}

/* ---- exec --------------------------------------------------------------- */

static void *
become_next(void *left)
{
	char count[32];
	char *const next[] = {"hazard_process", "images", count, NULL};

	snprintf(count, sizeof(count), "%ld", (long)left - 1);
	for (int i = 0; i < 20; i++)
		(void)execv("/nonexistent", next);
	allocate(1000); /* a failed one changes nothing */
	execv("/proc/self/exe", next);
	return NULL;
}

/* Images of one process, each while a thread of it allocates; every second one
 * is called for by a thread that is not the first. */
static int
images(long left)
{
	static char kept[4000][16];
	pthread_t thread;

	for (int i = 0; i < 4000; i++) {
		char *block = do_malloc(1000 + (unsigned)i % 7);

		memset(block, (int)left, 1000);
		memcpy(kept[i], &block, sizeof(block));
	}
	if (left == 0) {
		puts("the last image");
		return 0;
	}
	if (pthread_create(&thread, NULL, churn, NULL) != 0)
		return 1;
	if (left % 2 == 0)
		become_next((void *)left);
	else if (pthread_create(&thread, NULL, become_next, (void *)left) == 0)
		pthread_join(thread, NULL);
	return 1;
}

static const struct hazard_case cases[] = {
    {"loading", fork_while_loading},
    {"streams", fork_while_streaming},
    {"handlers", fork_handlers},
    {"told", fork_when_told},
    {"in-handler", fork_in_handler},
    {"go-on", fork_and_go_on},
    {"raw", raw_forks},
    {"exit", exit_in_handler},
    {"_exit", exit_at_once_in_handler},
    {"signals", handlers_untouched},
    {"daemon", become_daemon},
    {"clobber", clobber},
    {"images", images},
};

HAZARD_MAIN(cases)
