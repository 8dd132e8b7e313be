/* SPDX-License-Identifier: MIT */
/*
 * spread - makes a recording grow: thousands of stacks, in two halves
 *
 *   spread HOW [DIRECTORY]
 *
 * What happens between the halves: nothing (go); a line on stdout, and a wait
 * for one on stdin (wait); no descriptors left (nofile); no file may be longer
 * than 4 KiB (fsize); DIRECTORY is the root (chroot).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DEPTH = 11 };

static void *kept[1 << DEPTH];
static unsigned kept_count;

static void left(unsigned depth, unsigned path);
static void right(unsigned depth, unsigned path);

static void
descend(unsigned depth, unsigned path)
{
	char *block;

	if (depth > 0) {
		left(depth - 1, path << 1);
		right(depth - 1, path << 1 | 1);
		return;
	}
	block = malloc(100 + path % 50);
	if (block == NULL)
		abort();
	memset(block, 1, 100);
	free(kept[kept_count % (1 << DEPTH)]);
	kept[kept_count++ % (1 << DEPTH)] = block;
}

__attribute__((noinline)) static void
left(unsigned depth, unsigned path)
{
	descend(depth, path);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void
right(unsigned depth, unsigned path)
{
	descend(depth, path);
	__asm__ volatile("" ::: "memory");
}

static void
limit(int resource, rlim_t value)
{
	struct rlimit l = {value, value};

	if (setrlimit(resource, &l) != 0)
		exit(1);
}

static void
change(const char *how, const char *directory)
{
	char line[16];

	if (strcmp(how, "wait") == 0) {
		if (write(1, "half\n", 5) != 5 || read(0, line, 16) <= 0)
			exit(1);
	} else if (strcmp(how, "nofile") == 0) {
		limit(RLIMIT_NOFILE, 3);
	} else if (strcmp(how, "fsize") == 0) {
		limit(RLIMIT_FSIZE, 4096);
	} else if (strcmp(how, "chroot") == 0) {
		if (chroot(directory) != 0 || chdir("/") != 0)
			exit(1);
	}
}

int
main(int argc, char **argv)
{
	unsigned long sum = 0;

	left(DEPTH, 0);
	change(argc > 1 ? argv[1] : "go", argc > 2 ? argv[2] : "/");
	right(DEPTH, 1);
	for (unsigned i = 0; i < kept_count && i < 1 << DEPTH; i++)
		sum += ((unsigned char *)kept[i])[i % 100];
	dprintf(1, "%u blocks, sum %lu\n", kept_count, sum);
	return 5;
}
