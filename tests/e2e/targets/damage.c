/* SPDX-License-Identifier: MIT */
/*
 * damage - one misuse of the heap, named on the command line
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static char *volatile block[64];
static char *volatile wrong;

__attribute__((noinline)) static char *
make_block(size_t size)
{
	char *made = malloc(size);

	memset(made, 'x', size);
	return made;
}

static void
fill(size_t size)
{
	for (int i = 0; i < 64; i++)
		block[i] = make_block(size);
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
free_twice(size_t size)
{
	(void)size;
	free(block[5]);
	free(block[5]);
}

static void
free_twice_with_others_between(size_t size)
{
	(void)size;
	for (int i = 0; i < 20; i++)
		free(block[i]);
	free(block[7]);
}

/* The same, and the blocks are used again. */
static void
free_twice_and_use(size_t size)
{
	free_twice_with_others_between(size);
	for (int i = 0; i < 64; i++)
		memset(malloc(size), 'y', size);
}

static void
free_inside(size_t size)
{
	(void)size;
	wrong = block[5] + 16;
	free(wrong);
}

static void
free_at_odd(size_t size)
{
	(void)size;
	wrong = block[5] + 1;
	free(wrong);
}

static void
free_page_inside(size_t size)
{
	(void)size;
	wrong = block[5] + 8192;
	free(wrong);
}

static void
realloc_inside(size_t size)
{
	wrong = block[5] + 16;
	block[6] = realloc(wrong, size * 2);
}

static void
free_inside_and_many(size_t size)
{
	wrong = block[5] + 16;
	free(wrong);
	free_many(size, NULL);
}

static void
write_and_free_many(size_t size)
{
	free_many(size, "AAAAAAAA");
}

static void
write_freed(size_t size)
{
	free(block[5]);
	memcpy(block[5], "AAAAAAAA", 8);
	for (int i = 0; i < 3; i++)
		block[i] = malloc(size);
}

static void
overrun_into_freed(size_t size)
{
	/* neighbours, in one order or the other */
	char *low = block[5] < block[6] ? block[5] : block[6];
	char *high = block[5] < block[6] ? block[6] : block[5];
	size_t between = (size_t)(high - low);

	free(high);
	memset(low, 'B', between + 8);
	for (int i = 0; i < 3; i++)
		block[i] = malloc(size);
}

static void
free_on_stack(size_t size)
{
	char here[64];

	memset(here, (int)size, sizeof(here));
	wrong = here;
	free(wrong);
}

static void
free_static(size_t size)
{
	static char there[64];

	(void)size;
	wrong = there;
	free(wrong);
}

static void
free_mapped(size_t size)
{
	(void)size;
	wrong = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	wrong += 4096;
	free(wrong);
}

static void
free_unmapped(size_t size)
{
	(void)size;
	wrong = (char *)(uintptr_t)0x123450;
	free(wrong);
}

static void
misuse_nothing(size_t size)
{
	(void)size;
}

static const struct {
	const char *how;
	void (*misuse)(size_t size);
} ways[] = {
    {"twice", free_twice},
    {"later", free_twice_with_others_between},
    {"later-used", free_twice_and_use},
    {"inside", free_inside},
    {"odd", free_at_odd},
    {"page-inside", free_page_inside},
    {"realloc-inside", realloc_inside},
    {"inside-many", free_inside_and_many},
    {"written-many", write_and_free_many},
    {"written", write_freed},
    {"overrun", overrun_into_freed},
    {"stack", free_on_stack},
    {"static", free_static},
    {"mapped", free_mapped},
    {"unmapped", free_unmapped},
    {"nothing", misuse_nothing},
};

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	printf("before\n");
	fflush(stdout);
	fill(strtoul(argv[2], NULL, 10));
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(argv[1], ways[i].how) == 0)
			ways[i].misuse(strtoul(argv[2], NULL, 10));
	for (int i = 0; i < 64; i++)
		free(block[i]);
	printf("after\n");
	return 0;
}
