/* SPDX-License-Identifier: MIT */
/*
 * test_pool_model - random use of all of the pool by threads that hand blocks
 * to each other, come and go, with every byte of every block known
 *
 * PS_MODEL_STEPS=10000000 makes it long (make check-long); the default is two
 * million steps in all threads together.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "pool/kind.h"
#include "pool/large.h"
#include "pool/range.h"
#include "tests/unit/pool_user.h"

enum { THREADS = 4, ITEMS = 600, BOXES = 64, STEPS = 2000000 };

enum kind { NOTHING, PLAIN, SAMPLED, SHARED, LARGE };

/* A block that is full of one byte. */
struct item {
	unsigned char *block;
	size_t size;
	unsigned char mark;
	enum kind kind;
};

/* Where threads leave blocks for each other. */
static struct box {
	struct ps_lock lock;
	struct item item;
} box[BOXES];

struct player {
	struct user user;
	struct item item[ITEMS];
	const char *problem;
	long steps;
};

static bool
is_whole(const struct item *i)
{
	return i->size == 0 ||
	       (i->block[0] == i->mark &&
		memcmp(i->block, i->block + 1, i->size - 1) == 0);
}

static size_t
any_size(struct user *u)
{
	uint64_t r = draw(u);
	unsigned bits = 3 + (unsigned)(r % 12);

	return ((size_t)1 << bits) + (r >> 8) % ((size_t)1 << bits);
}

static void *
block_of(struct user *u, enum kind kind, size_t *size)
{
	uint64_t r = draw(u);

	*size = any_size(u);
	switch (kind) {
	case SAMPLED:
		return ps_heap_alloc_kind(u->heap, ps_class_of(*size),
					  PS_PAGE_SAMPLED);
	case SHARED:
		return ps_heap_alloc_shared(ps_class_of(*size),
					    PS_PAGE_SAMPLED);
	case LARGE:
		*size *= 8;
		return ps_large_alloc(PS_MAX(*size, (size_t)32768),
				      r % 4 == 0 ? JE_ALIGN((size_t)65536) : 0,
				      (unsigned)r);
	default:
		if (r % 8 == 0) /* an aligned one */
			*size = ps_class_bytes(
			    ps_class_of_aligned(*size, 16u << r / 8 % 8));
		return take(u, *size);
	}
}

static enum kind
any_kind(struct user *u)
{
	static const enum kind kinds[] = {PLAIN, PLAIN, PLAIN,	 PLAIN,
					  PLAIN, PLAIN, SAMPLED, SHARED};
	uint64_t r = draw(u);

	return r % 256 == 0 ? LARGE : kinds[r / 256 % PS_COUNT(kinds)];
}

static void
make(struct player *p, struct item *i)
{
	i->kind = any_kind(&p->user);
	i->block = block_of(&p->user, i->kind, &i->size);
	i->mark = (unsigned char)draw(&p->user);
	if (i->block == NULL || (uintptr_t)i->block % 16 != 0)
		p->problem = "no block, or not aligned";
	else
		memset(i->block, i->mark, i->size);
}

static void
end(struct player *p, struct item *i)
{
	if (!is_whole(i))
		p->problem = "a live block was written to";
	switch (i->kind) {
	case PLAIN:
		give(&p->user, i->block);
		break;
	case SAMPLED:
	case SHARED:
		if (!ps_heap_free_kind(p->user.heap, ps_page_of(i->block),
				       i->block))
			ps_heap_free_remote(ps_page_of(i->block), i->block);
		break;
	case LARGE:
		if (!ps_large_is_start(i->block) || !ps_large_free(i->block))
			p->problem = "a large block is not known";
		break;
	default:
		break;
	}
	i->kind = NOTHING;
}

/* A block of another size with the same contents, as far as they go. */
static void
resize(struct player *p, struct item *i)
{
	struct item old = *i;
	size_t kept;

	make(p, i);
	if (p->problem != NULL)
		return;
	kept = PS_MIN(old.size, i->size);
	memcpy(i->block, old.block, kept);
	i->mark = old.mark;
	if (!is_whole(&(struct item){i->block, kept, old.mark, PLAIN}))
		p->problem = "a copy differs";
	memset(i->block + kept, i->mark, i->size - kept);
	end(p, &old);
}

static void
swap_with_box(struct item *i, struct box *b)
{
	struct item mine = *i;

	ps_lock_take(&b->lock);
	*i = b->item;
	b->item = mine;
	ps_lock_give(&b->lock);
}

/* The thread ends, and a while later another begins with what it had: its pages
 * are for the others to adopt meanwhile. */
static void
be_born_again(struct player *p)
{
	ps_pool_check(p->user.heap);
	ps_heap_detach(p->user.heap);
	ps_os_sleep_ns(1000000);
	p->user.heap = ps_heap_attach(p->user.allocations, p->user.frees);
	ps_pool_check(p->user.heap);
}

static void
step(struct player *p)
{
	uint64_t r = draw(&p->user);
	struct item *i = &p->item[r % ITEMS];

	switch (r >> 40 & 15) {
	case 0:
	case 1:
		swap_with_box(i, &box[(r >> 50) % BOXES]);
		break;
	case 2:
	case 3:
		if (i->kind != NOTHING)
			resize(p, i);
		break;
	default:
		if (i->kind != NOTHING)
			end(p, i);
		else
			make(p, i);
	}
}

static void *
play(void *player)
{
	struct player *p = player;

	for (long n = 0; n < p->steps && p->problem == NULL; n++) {
		step(p);
		if (n % 20000 == 0)
			ps_pool_check(p->user.heap);
		if (n % 8192 == 0)
			ps_heap_trim(p->user.heap);
		if (n % 10000 == 9999)
			be_born_again(p);
	}
	for (size_t i = 0; i < ITEMS && p->problem == NULL; i++)
		if (p->item[i].kind != NOTHING)
			end(p, &p->item[i]);
	ps_pool_check(p->user.heap);
	ps_heap_detach(p->user.heap);
	return NULL;
}

static long
steps_wanted(void)
{
	const char *text = getenv("PS_MODEL_STEPS");

	return text != NULL && atol(text) > 0 ? atol(text) : STEPS;
}

START_TEST(no_block_is_ever_another_ones)
{
	static struct player players[THREADS];
	pthread_t thread[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		start_user(&players[i].user, i + 1);
		players[i].steps = steps_wanted() / THREADS;
		ck_assert_int_eq(
		    pthread_create(&thread[i], NULL, play, &players[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (size_t i = 0; i < THREADS; i++)
		if (players[i].problem != NULL)
			ck_abort_msg("%s", players[i].problem);
	/* what is left in the boxes is whole, too, and can be freed */
	start_user(&players[0].user, 9);
	for (size_t i = 0; i < BOXES; i++)
		if (box[i].item.kind != NOTHING)
			end(&players[0], &box[i].item);
	ck_assert_ptr_null(players[0].problem);
	ps_pool_check(players[0].user.heap);
}
END_TEST

Suite *
pool_model_suite(void)
{
	Suite *s = suite_create("pool_model");
	TCase *model = tcase_create("model");

	tcase_add_checked_fixture(model, start_pool, NULL);
	tcase_set_timeout(model, 600);
	tcase_add_test(model, no_block_is_ever_another_ones);
	suite_add_tcase(s, model);
	return s;
}
