/* SPDX-License-Identifier: MIT */
/*
 * damage - one misuse of the heap, named on the command line
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *volatile block[64];
static char *volatile wrong;

static void
fill(size_t size)
{
	for (int i = 0; i < 64; i++)
		block[i] = memset(malloc(size), 'x', size);
}

/* More than a bin holds; `text` goes into one of them after it was freed. */
static void
free_many(size_t size, const char *text)
{
	enum { MANY = 20000 };
	static char *volatile many[MANY];

	for (int i = 0; i < MANY; i++)
		many[i] = malloc(size);
	for (int i = 0; i < MANY; i++) {
		free(many[i]);
		if (i == MANY / 2 && text != NULL)
			memcpy(many[i], text, 8);
	}
}

static void
misuse(const char *how, size_t size)
{
	fill(size);
	if (strcmp(how, "twice") == 0) {
		free(block[5]);
		free(block[5]);
	} else if (strcmp(how, "later") == 0) {
		for (int i = 0; i < 20; i++)
			free(block[i]);
		free(block[7]);
	} else if (strcmp(how, "inside") == 0) {
		wrong = block[5] + 16;
		free(wrong);
	} else if (strcmp(how, "odd") == 0) {
		wrong = block[5] + 1;
		free(wrong);
	} else if (strcmp(how, "inside-many") == 0) {
		wrong = block[5] + 16;
		free(wrong);
		free_many(size, NULL);
	} else if (strcmp(how, "written-many") == 0) {
		free_many(size, "AAAAAAAA");
	}
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	printf("before\n");
	fflush(stdout);
	misuse(argv[1], strtoul(argv[2], NULL, 10));
	for (int i = 0; i < 64; i++)
		free(block[i]);
	printf("after\n");
	return 0;
}
