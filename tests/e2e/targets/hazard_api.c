/* SPDX-License-Identifier: MIT */
/*
 * hazard_api - what programs may expect of malloc and its kin (hazards B)
 */
#include <malloc.h>
#include <obstack.h>
#include <dirent.h>
#include <limits.h>
#include <regex.h>
#include <stdint.h>
#include <unistd.h>

#include "hazard.h"

/* As in hazard.h; clang 14 dies of an alignment that it knows to be none. */
static void *(*volatile do_aligned_alloc)(size_t, size_t) = aligned_alloc;
static void *(*volatile do_memalign)(size_t, size_t) = memalign;

static const char *
name_of(const void *block, int error)
{
	return block != NULL	 ? "block"
	       : error == ENOMEM ? "ENOMEM"
	       : error == EINVAL ? "EINVAL"
	       : error == 0	 ? "NULL"
				 : "other";
}

#define SHOW(call)                                                             \
	do {                                                                   \
		errno = 0;                                                     \
		void *shown = call;                                            \
		printf(#call " %s\n", name_of(shown, errno));                  \
		do_free(shown);                                                \
	} while (0)

/* The calls of the matrix in hazards B0, whose answers are glibc's. */
static int
matrix(long unused)
{
	const volatile size_t max = SIZE_MAX;
	const volatile size_t half = PTRDIFF_MAX;
	void *kept = &kept;

	(void)unused;
	SHOW(do_malloc(0));
	SHOW(do_malloc(half + 1));
	SHOW(do_malloc(max));
	SHOW(do_calloc(max / 2, 3));
	SHOW(do_calloc(0, 0));
	SHOW(do_realloc(NULL, 0));
	SHOW(do_realloc(do_malloc(5), 0));
	SHOW(reallocarray(NULL, max / 2, 3));
	SHOW(reallocarray(do_malloc(5), 0, 5));
	SHOW(do_aligned_alloc(3, 9));
	SHOW(do_aligned_alloc(0, 16));
	SHOW(do_aligned_alloc(8, 10));
	SHOW(do_aligned_alloc(64, 100));
	SHOW(do_memalign(24, 16));
	SHOW(do_memalign(max, 16));
	SHOW(do_memalign(4096, max - 100));
	SHOW(valloc(100));
	SHOW(valloc(max));
	SHOW(pvalloc(1));
	SHOW(pvalloc(max));
	for (size_t align = 0; align < 32; align++)
		printf("posix_memalign %zu: %d %d\n", align,
		       posix_memalign(&kept, align, 1), kept != &kept);
	errno = 0;
	printf("%d", posix_memalign(&kept, 16, max - 8) == ENOMEM);
	printf(" %d\n", errno == ENOMEM);
	return 0;
}

/* Sizes and alignments near the ends of size_t: NULL, never a small block. */
static int
overflow(long unused)
{
	(void)unused;
	for (int bit = 48; bit < 64; bit++) {
		for (long near = -5000; near < 5000; near += 7) {
			volatile size_t size =
			    ((size_t)1 << bit) + (size_t)near;

			errno = 0;
			if (do_malloc(size) != NULL || errno != ENOMEM ||
			    do_calloc(1, size) != NULL ||
			    do_calloc(size, size) != NULL ||
			    do_memalign(64, size) != NULL ||
			    do_memalign((size_t)1 << 40, size) != NULL ||
			    reallocarray(NULL, size, 1 << 18) != NULL)
				return wrong("a block of absurd size");
		}
	}
	puts("ok");
	return 0;
}

/* What the kernel grants and refuses is for it to say. */
static int
overcommit(long unused)
{
	(void)unused;
	for (int bit = 28; bit < 48; bit++) {
		void *a = do_malloc((size_t)1 << bit);
		void *b = do_calloc(1, (size_t)1 << bit);

		printf("%d %d %d\n", bit, a != NULL, b != NULL);
		do_free(a);
		do_free(b);
	}
	return 0;
}

static int
alignment(long unused)
{
	(void)unused;
	for (size_t size = 0; size < 5000; size++) {
		void *block[4] = {
		    do_malloc(size), do_calloc(1, size), do_realloc(NULL, size),
		    do_realloc(do_malloc(size / 2 + 1), size + 1)};

		for (int i = 0; i < 4; i++) {
			if ((uintptr_t)block[i] % 16 != 0)
				return wrong("not aligned to 16");
			do_free(block[i]);
		}
	}
	puts("ok");
	return 0;
}

static int
zero_sizes(long unused)
{
	void *a = do_malloc(0);
	void *b = do_malloc(0);
	int saved;

	(void)unused;
	if (a == NULL || a == b)
		return wrong("malloc(0)");
	memset(a, 1, malloc_usable_size(a));
	errno = 77;
	if (do_realloc(a, 0) != NULL || errno != 77)
		return wrong("realloc to 0");
	do_free(b);
	do_free(do_malloc((size_t)64 << 20));
	do_free(NULL);
	saved = errno;
	printf("ok %d\n", saved);
	return saved != 77;
}

enum { KEPT = 1000 };

/* The slack belongs to the program, and its size stays. */
static int
usable(long unused)
{
	static unsigned char *block[KEPT];
	static size_t bytes[KEPT];

	(void)unused;
	for (int i = 0; i < KEPT; i++) {
		size_t size = (size_t)i * (size_t)i / 3;

		block[i] = do_malloc(size);
		bytes[i] = malloc_usable_size(block[i]);
		if (bytes[i] < size)
			return wrong("usable size below what was asked for");
		memset(block[i], i & 255, bytes[i]);
	}
	for (int i = 0; i < 20000; i++)
		do_free(do_malloc((size_t)(i * 37 % 5000)));
	for (int i = 0; i < KEPT; i++) {
		if (malloc_usable_size(block[i]) != bytes[i])
			return wrong("usable size changed");
		for (size_t at = 0; at < bytes[i]; at++)
			if (block[i][at] != (i & 255))
				return wrong("the slack changed");
		do_free(block[i]);
	}
	printf("ok %zu\n", malloc_usable_size(NULL));
	return 0;
}

/* Statistics and tuning are of the heap that the program uses. */
static int
statistics(long unused)
{
	struct mallinfo2 before = mallinfo2();
	char *block = do_malloc(30 << 20);
	struct mallinfo2 after;
	char *xml = NULL;
	size_t bytes = 0;
	FILE *f;
	int result;

	(void)unused;
	memset(block, 1, 30 << 20);
	after = mallinfo2();
	/* glibc maps a block of that size, and counts it apart. */
	if (after.uordblks + after.hblkhd <
	    before.uordblks + before.hblkhd + (30 << 20))
		return wrong("mallinfo2 does not know of 30 MiB");
	do_free(block);
	result = malloc_trim(0);
	if (result != 0 && result != 1)
		return wrong("malloc_trim");
	f = open_memstream(&xml, &bytes);
	result = malloc_info(0, f);
	fclose(f);
	if (result != 0 || strstr(xml, "<malloc") == NULL ||
	    strstr(xml, "</malloc>") == NULL)
		return wrong("malloc_info");
	do_free(xml);
	printf("ok %d %d\n", mallopt(M_MMAP_THRESHOLD, 1 << 20),
	       malloc_info(1, stdout) != 0);
	return 0;
}

/* libc makes these; the program frees them. */
static int
from_libc(long unused)
{
	static const char text[] = "one\ntwo\nthree\n";
	struct dirent **entries;
	char *line = NULL;
	char *made = NULL;
	size_t size = 0;
	regex_t regex;
	FILE *f;
	int n;

	(void)unused;
	f = fmemopen((void *)text, sizeof(text) - 1, "r");
	for (n = 0; getline(&line, &size, f) > 0; n++)
		;
	fclose(f);
	do_free(line);
	line = NULL;
	if (asprintf(&made, "%d lines %2000d", n, 5) != 2008)
		return wrong("asprintf");
	do_free(made);
	do_free(realpath("/proc/self/cwd", NULL));
	do_free(getcwd(NULL, 0));
	do_free(strdup("a"));
	do_free(strndup("abc", 2));
	n = scandir("/", &entries, NULL, alphasort);
	for (int i = 0; i < n; i++)
		do_free(entries[i]);
	do_free(entries);
	if (regcomp(&regex, "^(a|b)*c$", REG_EXTENDED) != 0 ||
	    regexec(&regex, "abac", 0, NULL, 0) != 0)
		return wrong("regcomp");
	regfree(&regex);
	puts("ok");
	return 0;
}

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static int
obstacks(long unused)
{
	struct obstack stack;
	long sum = 0;

	(void)unused;
	obstack_init(&stack);
	for (int i = 1; i < 20000; i++) {
		int *at =
		    obstack_alloc(&stack, sizeof(int) * (size_t)(i % 50 + 1));

		*at = i;
		sum += *at;
	}
	obstack_free(&stack, NULL);
	printf("ok %ld\n", sum);
	return 0;
}

static int
large_alignments(long unused)
{
	(void)unused;
	for (size_t align = 1 << 12; align <= (size_t)1 << 30; align *= 2) {
		for (size_t size = 0; size < 3 << 20; size = size * 7 + 1) {
			char *block = do_memalign(align, size);

			if (block == NULL || (uintptr_t)block % align != 0 ||
			    malloc_usable_size(block) < size)
				return wrong("a large alignment");
			if (size > 0)
				block[0] = block[size - 1] = 1;
			do_free(block);
		}
	}
	puts("ok");
	return 0;
}

/* Zero also where it was used before, purged and taken again. */
static int
zeroed(long unused)
{
	(void)unused;
	for (int round = 0; round < 3000; round++) {
		size_t size = (size_t)(round * 7919 % 300000);
		unsigned char *dirty = do_malloc(size);
		unsigned char *block;

		memset(dirty, 0xee, malloc_usable_size(dirty));
		do_free(dirty);
		if (round % 500 == 0)
			malloc_trim(0);
		block = do_calloc(size + 1, 1);
		for (size_t at = 0; at <= size; at += size / 50 + 1)
			if (block[at] != 0)
				return wrong("calloc that is not zero");
		do_free(block);
	}
	puts("ok");
	return 0;
}

enum { PIECES = 40000 };

/* Every other block goes: the address space stays in few pieces. */
static int
mappings(long unused)
{
	static void *piece[PIECES];
	FILE *f;
	int lines = 0;

	(void)unused;
	for (int i = 0; i < PIECES; i++)
		piece[i] = do_malloc((size_t)(i * 7919 % 20000 + 1));
	for (int i = 0; i < PIECES; i += 2)
		do_free(piece[i]);
	malloc_trim(0);
	f = fopen("/proc/self/maps", "r");
	for (int c; (c = getc(f)) != EOF;)
		lines += c == '\n';
	fclose(f);
	for (int i = 1; i < PIECES; i += 2)
		do_free(piece[i]);
	printf("%d\n", lines < 2000);
	return 0;
}

void old_cfree(void *block);
__asm__(".symver old_cfree, cfree@GLIBC_2.2.5");
void free_sized(void *block, size_t size) __attribute__((weak));
void free_aligned_sized(void *block, size_t align, size_t size)
    __attribute__((weak));

static int
other_frees(long unused)
{
	(void)unused;
	old_cfree(do_malloc(100));
	if (free_sized != NULL)
		free_sized(do_malloc(50), 50);
	if (free_aligned_sized != NULL)
		free_aligned_sized(do_aligned_alloc(64, 640), 64, 640);
	puts("ok");
	return 0;
}

/* The largest calloc below a small stack: no call of itself. */
static int
small_stack(long unused)
{
	(void)unused;
	for (int i = 0; i < 100; i++)
		do_free(do_calloc(1, (size_t)1 << (i % 24)));
	puts("ok");
	return 0;
}

static const struct hazard_case cases[] = {
    {"matrix", matrix},		{"overflow", overflow},
    {"overcommit", overcommit}, {"alignment", alignment},
    {"zero", zero_sizes},	{"usable", usable},
    {"statistics", statistics}, {"libc", from_libc},
    {"obstack", obstacks},	{"large", large_alignments},
    {"zeroed", zeroed},		{"frees", other_frees},
    {"mappings", mappings},	{"stack", small_stack},
};

HAZARD_MAIN(cases)
