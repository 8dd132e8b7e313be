/* SPDX-License-Identifier: MIT */
/*
 * hazard_sandbox - programs that look at or limit themselves (hazards I, S)
 */
#include <dirent.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hazard.h"

static void
allocate(int n)
{
	for (int i = 0; i < n; i++)
		do_free(do_malloc((size_t)(i % 700)));
}

static int
entries(const char *path)
{
	DIR *directory = opendir(path);
	int n = 0;

	while (directory != NULL && readdir(directory) != NULL)
		n++;
	if (directory != NULL)
		closedir(directory);
	return n;
}

/* Threads, descriptors and signals are what they would be. */
static int
look(long unused)
{
	sigset_t blocked;
	int count = 0;

	(void)unused;
	allocate(20000);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int s = 1; s < 65; s++)
		count += sigismember(&blocked, s) == 1;
	printf("%d threads, %d descriptors, %d signals blocked\n",
	       entries("/proc/self/task") - 2, entries("/proc/self/fd") - 3,
	       count);
	return 0;
}

/* No process may be made, and no file be written. */
static int
limited(long unused)
{
	struct rlimit none = {0, 0};

	(void)unused;
	setrlimit(RLIMIT_NPROC, &none);
	setrlimit(RLIMIT_FSIZE, &none);
	setrlimit(RLIMIT_NOFILE, &none);
	allocate(100000);
	do_free(do_malloc(5 << 20));
	puts("ok");
	return 0;
}

/* What a program with other privileges sees of itself. */
static int
secure(long unused)
{
	(void)unused;
	allocate(100000);
	printf("secure %d\n", getauxval(AT_SECURE) != 0);
	return 0;
}

static int
dump(long unused)
{
	(void)unused;
	allocate(1000);
	memset(do_malloc(1 << 20), 1, 1 << 20);
	prctl(PR_SET_DUMPABLE, 1);
	abort();
}

static const struct hazard_case cases[] = {
    {"look", look},
    {"limited", limited},
    {"secure", secure},
    {"dump", dump},
};

HAZARD_MAIN(cases)
