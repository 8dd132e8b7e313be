/* SPDX-License-Identifier: MIT */
/*
 * model - random calls of all of malloc's family by threads that hand blocks to
 * each other, with every byte of every block known
 *
 *   model STEPS [THREADS]      status 1 and a line: what was wrong
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 16, ITEMS = 800, BOXES = 64 };

struct item {
	unsigned char *block;
	size_t size;
	unsigned char mark;
};

static struct box {
	pthread_mutex_t lock;
	struct item item;
} box[BOXES];

static long steps;

struct player {
	uint64_t random;
	struct item item[ITEMS];
};

static void
wrong(const char *what)
{
	fprintf(stderr, "model: %s\n", what);
	exit(1);
}

static uint64_t
draw(struct player *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random;
}

/* Mostly small, now and then up to 8 MiB. */
static size_t
any_size(struct player *p)
{
	uint64_t r = draw(p);
	unsigned bits = r % 512 == 0  ? 16 + r / 512 % 7
			: r % 16 == 0 ? 9 + r / 16 % 7
				      : 3 + r / 16 % 6;

	return ((size_t)1 << bits) - 1 + (r >> 20) % ((size_t)1 << bits);
}

static int
is_full_of(const unsigned char *at, size_t size, unsigned char mark)
{
	return size == 0 ||
	       (at[0] == mark && memcmp(at, at + 1, size - 1) == 0);
}

static void
fill(struct player *p, struct item *i)
{
	if (i->block == NULL)
		wrong("no memory");
	if ((uintptr_t)i->block % 16 != 0)
		wrong("a block is not aligned");
	if (malloc_usable_size(i->block) < i->size)
		wrong("a block is smaller than asked for");
	i->mark = (unsigned char)(draw(p) | 1);
	memset(i->block, i->mark, i->size);
}

static void
make_aligned(struct player *p, struct item *i)
{
	size_t align = (size_t)16 << draw(p) % 9;
	void *block = NULL;

	switch (draw(p) % 3) {
	case 0:
		block = aligned_alloc(align, i->size);
		break;
	case 1:
		block = memalign(align, i->size);
		break;
	default:
		if (posix_memalign(&block, align, i->size) != 0)
			wrong("posix_memalign");
	}
	if ((uintptr_t)block % align != 0)
		wrong("an aligned block is not");
	i->block = block;
}

static void
make(struct player *p, struct item *i)
{
	uint64_t r = draw(p);

	i->size = any_size(p);
	if (r % 16 == 0) {
		make_aligned(p, i);
	} else if (r % 16 < 4) {
		i->block = calloc(1, i->size);
		if (i->block != NULL && !is_full_of(i->block, i->size, 0))
			wrong("calloc did not clear");
	} else {
		i->block = malloc(i->size);
	}
	fill(p, i);
}

static void
check(const struct item *i)
{
	if (!is_full_of(i->block, i->size, i->mark))
		wrong("a live block was written to");
}

static void
end(struct item *i)
{
	check(i);
	free(i->block);
	i->block = NULL;
}

static void
resize(struct player *p, struct item *i)
{
	size_t size = any_size(p);
	unsigned char *block = realloc(i->block, size);
	size_t kept = size < i->size ? size : i->size;

	if (block == NULL && size > 0)
		wrong("realloc");
	if (!is_full_of(block, kept, i->mark))
		wrong("realloc did not keep the contents");
	i->block = block;
	i->size = size;
	if (block != NULL)
		fill(p, i);
}

static void
swap_with_box(struct player *p, struct item *i)
{
	struct box *b = &box[draw(p) % BOXES];
	struct item mine = *i;

	pthread_mutex_lock(&b->lock);
	*i = b->item;
	b->item = mine;
	pthread_mutex_unlock(&b->lock);
}

static void *
play(void *number)
{
	struct player *p = calloc(1, sizeof(*p));

	p->random = (uintptr_t)number * 2654435761u + 1;
	for (long n = 0; n < steps; n++) {
		uint64_t r = draw(p);
		struct item *i = &p->item[r % ITEMS];

		errno = EDOM;
		if (r >> 40 & 7)
			i->block != NULL ? end(i) : make(p, i);
		else if (r >> 50 & 1)
			swap_with_box(p, i);
		else if (i->block != NULL)
			resize(p, i);
		if (errno != EDOM)
			wrong("errno was changed");
	}
	for (int i = 0; i < ITEMS; i++)
		if (p->item[i].block != NULL)
			end(&p->item[i]);
	free(p);
	return NULL;
}

int
main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 4;
	pthread_t thread[THREADS_MAX];

	steps = argc > 1 ? atol(argv[1]) / threads / 4 : 1000;
	for (int i = 0; i < BOXES; i++)
		pthread_mutex_init(&box[i].lock, NULL);
	/* Four generations, so that the dead leave blocks to the living. */
	for (int round = 0; round < 4; round++) {
		for (long i = 0; i < threads; i++)
			pthread_create(&thread[i], NULL, play,
				       (void *)(round * 100 + i + 1));
		for (int i = 0; i < threads; i++)
			pthread_join(thread[i], NULL);
	}
	for (int i = 0; i < BOXES; i++)
		if (box[i].item.block != NULL)
			end(&box[i].item);
	puts("whole");
	return 0;
}
