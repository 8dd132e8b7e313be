/* SPDX-License-Identifier: MIT */
/*
 * test_heap - the pool against a model: contents, counts, threads, hand-over
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pool/kind.h"
#include "pool/segment.h"
#include "tests/unit/pool_user.h"

enum { SLOTS = 4096, STEPS = 300000 };

/* ---- one thread --------------------------------------------------------- */

struct slot {
	unsigned char *block;
	size_t size;
	unsigned char mark;
};

static void
fill(struct slot *s, struct user *u)
{
	uint64_t r = draw(u);

	s->size = r % 16 == 0 ? (r >> 8) % PS_POOL_SMALL_MAX : (r >> 8) % 600;
	s->mark = (unsigned char)(r >> 40);
	s->block = take(u, s->size);
	if ((uintptr_t)s->block % 16 != 0)
		ck_abort_msg("block %p is not aligned", (void *)s->block);
	memset(s->block, s->mark, s->size);
}

static void
empty(struct slot *s, struct user *u)
{
	size_t i = 0;

	while (i < s->size && s->block[i] == s->mark)
		i++;
	if (i != s->size)
		ck_abort_msg("byte %zu of %zu was overwritten", i, s->size);
	give(u, s->block);
	s->block = NULL;
}

START_TEST(random_lifetimes_keep_contents_and_invariants)
{
	static struct slot slots[SLOTS];
	struct user u;

	start_user(&u, (uint64_t)_i + 1);
	for (int step = 0; step < STEPS; step++) {
		struct slot *s = &slots[draw(&u) % SLOTS];

		if (s->block != NULL)
			empty(s, &u);
		else
			fill(s, &u);
		if (step % 10000 == 0)
			ps_pool_check(u.heap);
	}
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].block != NULL)
			empty(&slots[i], &u);
	ps_pool_check(u.heap);
	ps_heap_detach(u.heap);
	/* nothing is in use: no class keeps a page when its heap waits */
	ck_assert_uint_eq(ps_heap_mapped_bytes(), 0);
}
END_TEST

START_TEST(live_blocks_never_overlap)
{
	static void *blocks[20000];
	struct user u;

	start_user(&u, 7);
	for (size_t i = 0; i < PS_COUNT(blocks); i++) {
		blocks[i] = take(&u, 40);
		memcpy(blocks[i], &i, sizeof(i));
	}
	for (size_t i = 0; i < PS_COUNT(blocks); i++)
		ck_assert_int_eq(memcmp(blocks[i], &i, sizeof(i)), 0);
	ps_pool_check(u.heap);
}
END_TEST

START_TEST(a_freed_spike_gives_its_pages_back)
{
	static void *blocks[50000];
	struct user u;
	uint64_t full;

	start_user(&u, 7);
	for (size_t i = 0; i < PS_COUNT(blocks); i++)
		blocks[i] = take(&u, 1000);
	full = ps_heap_mapped_bytes();
	for (size_t i = 0; i < PS_COUNT(blocks); i++)
		give(&u, blocks[i]);
	ck_assert_uint_lt(ps_heap_mapped_bytes(), full / 20);
	ps_pool_check(u.heap);
}
END_TEST

START_TEST(blocks_lie_on_their_class_boundaries)
{
	struct user u;

	start_user(&u, 3);
	for (unsigned cls = 0; cls < PS_POOL_CLASSES; cls++) {
		char *block = take(&u, ps_class_bytes(cls));
		const struct ps_page *page = ps_page_of(block);

		ck_assert_uint_eq(page->block_bytes, ps_class_bytes(cls));
		ck_assert_ptr_eq(
		    ps_page_block(page->head, block + ps_class_bytes(cls) - 1),
		    block);
	}
}
END_TEST

/* ---- pages of other kinds ----------------------------------------------- */

START_TEST(a_sampled_block_is_not_taken_for_a_plain_one)
{
	struct user u;
	void *block;
	struct ps_page *page;
	unsigned char *mark;

	start_user(&u, 3);
	block = ps_heap_alloc_kind(u.heap, ps_class_of(100), PS_PAGE_SAMPLED);
	page = ps_page_of(block);
	ck_assert_uint_ne(ps_peek(&page->owner), (uintptr_t)u.heap);
	ck_assert_ptr_eq(ps_page_heap(ps_peek(&page->owner)), u.heap);
	mark = ps_page_mark(page, block);
	for (unsigned i = 0; i < PS_MARK_BYTES; i++) {
		ck_assert_uint_eq(mark[i], 0);
		mark[i] = (unsigned char)i;
	}
	ps_pool_check(u.heap);
	ck_assert(ps_heap_free_kind(u.heap, page, block));
	ps_pool_check(u.heap);
}
END_TEST

static void *
share(void *number)
{
	struct user u;
	void *kept[40] = {0};

	start_user(&u, (uintptr_t)number);
	for (int i = 0; i < 20000; i++) {
		size_t at = draw(&u) % PS_COUNT(kept);
		unsigned cls = (unsigned)(at % PS_POOL_CLASSES);

		if (kept[at] != NULL) {
			ck_assert_uint_eq(*(uintptr_t *)kept[at],
					  (uintptr_t)number + at);
			ck_assert(ps_heap_free_kind(
			    u.heap, ps_page_of(kept[at]), kept[at]));
		}
		kept[at] = ps_heap_alloc_shared(cls, PS_PAGE_SAMPLED);
		ck_assert_uint_ge(ps_heap_bin_at(u.heap, ps_bin_of(kept[at])),
				  PS_BINS_END);
		*(uintptr_t *)kept[at] = (uintptr_t)number + at;
	}
	return NULL;
}

START_TEST(shared_pages_serve_all_threads)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < PS_COUNT(threads); i++)
		pthread_create(&threads[i], NULL, share,
			       (void *)(1000 * (i + 1)));
	for (size_t i = 0; i < PS_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static void *mailbox[1024];
static _Atomic unsigned sent;
static _Atomic unsigned received;

static void *
consume(void *arg)
{
	struct user u;
	unsigned total = *(unsigned *)arg;

	start_user(&u, 99);
	while (ps_peek(&received) < total) {
		unsigned at = ps_peek(&received);

		if (atomic_load(&sent) == at)
			continue;
		if (*(unsigned *)mailbox[at % 1024] != at)
			return "a block in flight was overwritten";
		give(&u, mailbox[at % 1024]);
		atomic_store(&received, at + 1);
	}
	ps_pool_check(u.heap);
	ps_heap_detach(u.heap);
	return NULL;
}

START_TEST(what_another_thread_frees_is_used_again)
{
	unsigned total = 200000;
	struct user u;
	pthread_t thread;
	void *problem;

	start_user(&u, 5);
	pthread_create(&thread, NULL, consume, &total);
	for (unsigned i = 0; i < total; i++) {
		unsigned *block = take(&u, 64);

		*block = i;
		while (i - atomic_load(&received) >= 1024)
			;
		mailbox[i % 1024] = block;
		atomic_store(&sent, i + 1);
	}
	pthread_join(thread, &problem);
	ck_assert_ptr_null(problem);
	ps_pool_check(u.heap);
	/* 1024 blocks in flight and what bins may hold, not 200000 */
	ck_assert_uint_le(ps_heap_mapped_bytes(), 8u << 20);
}
END_TEST

static void *left_behind[1000];

static void *
leave_blocks(void *arg)
{
	struct user u;

	(void)arg;
	start_user(&u, 11);
	for (size_t i = 0; i < PS_COUNT(left_behind); i++)
		left_behind[i] = take(&u, 200);
	ps_heap_detach(u.heap);
	return NULL;
}

START_TEST(an_ended_threads_pages_are_handed_on)
{
	uint64_t first = 0;
	struct user u;

	start_user(&u, 1);
	for (int round = 0; round < 50; round++) {
		pthread_t thread;

		pthread_create(&thread, NULL, leave_blocks, NULL);
		pthread_join(thread, NULL);
		for (size_t i = 0; i < PS_COUNT(left_behind); i++)
			give(&u, left_behind[i]);
		if (round == 5)
			first = ps_heap_mapped_bytes();
	}
	ck_assert_uint_le(ps_heap_mapped_bytes(), first);
	ps_pool_check(u.heap);
}
END_TEST

START_TEST(the_counters_may_move)
{
	static void *blocks[100];
	struct user u;
	static _Atomic uint64_t zero_allocations[PS_POOL_CLASSES];
	static _Atomic uint64_t zero_frees[PS_POOL_CLASSES];

	start_user(&u, 1);
	for (size_t i = 0; i < PS_COUNT(blocks); i++)
		blocks[i] = take(&u, 32);
	for (size_t i = 0; i < PS_COUNT(blocks) / 2; i++)
		give(&u, blocks[i]);
	ps_heap_recount(u.heap, zero_allocations, zero_frees, NULL);
	ps_pool_check(u.heap);
}
END_TEST

START_TEST(trimming_gives_pages_back)
{
	static void *blocks[4000];
	struct user u;
	uint64_t before;

	start_user(&u, 5);
	for (size_t i = 0; i < PS_COUNT(blocks); i++)
		blocks[i] = take(&u, 1000);
	for (size_t i = 0; i < PS_COUNT(blocks); i++)
		give(&u, blocks[i]);
	before = ps_heap_mapped_bytes();
	for (int i = 0; i < 12; i++) {
		ps_heap_trim(u.heap);
		ps_pool_check(u.heap);
	}
	ck_assert_uint_lt(ps_heap_mapped_bytes(), before);
	ck_assert_uint_le(ps_heap_mapped_bytes(), 2 * PS_UNIT_BYTES);
}
END_TEST

START_TEST(segments_are_cut_and_returned)
{
	void *pages[100];
	size_t before = ps_segment_units_used();

	for (unsigned i = 0; i < PS_COUNT(pages); i++) {
		pages[i] = ps_segment_take(i % 3 == 0 ? 8 : 1);
		ck_assert_ptr_nonnull(pages[i]);
		ck_assert_uint_eq((uintptr_t)pages[i] % PS_UNIT_BYTES, 0);
		memset(pages[i], 0xaa, PS_UNIT_BYTES);
	}
	for (unsigned i = 0; i < PS_COUNT(pages); i++)
		for (unsigned j = 0; j < i; j++)
			ck_assert_ptr_ne(pages[i], pages[j]);
	for (unsigned i = 0; i < PS_COUNT(pages); i++)
		ps_segment_give(pages[i], i % 3 == 0 ? 8 : 1);
	ck_assert_uint_eq(ps_segment_units_used(), before);
}
END_TEST

/* What a program takes and gives back in turns is not faulted in each time. */
START_TEST(free_segments_keep_their_memory_until_it_is_not_needed)
{
	enum { UNITS = 3 * PS_SEGMENT_UNITS };
	char *units[UNITS];

	for (unsigned i = 0; i < UNITS; i++) {
		units[i] = ps_segment_take(1);
		ck_assert_ptr_nonnull(units[i]);
		memset(units[i], 0xaa, PS_UNIT_BYTES);
	}
	for (unsigned i = 0; i < UNITS; i++)
		ps_segment_give(units[i], 1);
	for (unsigned i = 0; i < UNITS; i++) {
		units[i] = ps_segment_take(1);
		ck_assert_uint_eq((uint8_t)units[i][PS_UNIT_BYTES - 1], 0xaa);
	}
	for (unsigned i = 0; i < UNITS; i++)
		ps_segment_give(units[i], 1);
	for (int steps = 0; steps < 4; steps++)
		(void)ps_segment_decay();
	ck_assert_uint_lt(ps_segment_units_dirty(), PS_SEGMENT_UNITS);
}
END_TEST

Suite *
heap_suite(void)
{
	Suite *s = suite_create("heap");
	TCase *one = tcase_create("one thread");
	TCase *threads = tcase_create("threads");

	tcase_add_checked_fixture(one, start_pool, NULL);
	tcase_set_timeout(one, 60);
	tcase_add_loop_test(one, random_lifetimes_keep_contents_and_invariants,
			    0, 4);
	tcase_add_test(one, live_blocks_never_overlap);
	tcase_add_test(one, a_freed_spike_gives_its_pages_back);
	tcase_add_test(one, blocks_lie_on_their_class_boundaries);
	tcase_add_test(one, a_sampled_block_is_not_taken_for_a_plain_one);
	tcase_add_test(one, the_counters_may_move);
	tcase_add_test(one, trimming_gives_pages_back);
	tcase_add_test(one, segments_are_cut_and_returned);
	tcase_add_test(one,
		       free_segments_keep_their_memory_until_it_is_not_needed);
	tcase_add_test(one, shared_pages_serve_all_threads);
	suite_add_tcase(s, one);
	tcase_add_checked_fixture(threads, start_pool, NULL);
	tcase_set_timeout(threads, 60);
	tcase_add_test(threads, what_another_thread_frees_is_used_again);
	tcase_add_test(threads, an_ended_threads_pages_are_handed_on);
	suite_add_tcase(s, threads);
	return s;
}
