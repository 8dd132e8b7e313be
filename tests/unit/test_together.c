/* SPDX-License-Identifier: MIT */
/*
 * test_together - many threads on all of lib at once: the pool, with blocks
 * that others free, sections, interned strings and stacks, the recording's
 * tables, threads that end and begin; and one that reads all the while
 *
 * For the thread sanitizer above all (which is spared the reader); totals are
 * exact in any case.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scratch.h"
#include "profile/section.h"
#include "record/reader.h"
#include "record/writer.h"
#include "report/view.h"
#include "tests/unit/pool_user.h"
#include "tests/unit/sites.h"

enum { THREADS = 8, LIVES = 4, ROUNDS = 1500, SHELVES = 256, SECTIONS = 5 };

#ifdef __SANITIZE_THREAD__
enum { MAY_READ = 0 };
#else
enum { MAY_READ = 1 };
#endif

static _Atomic(void *) shelf[SHELVES];
static _Atomic uint64_t allocated;
static _Atomic uint64_t freed;
static _Atomic uint64_t calls;
static _Atomic int is_over;
static _Atomic uint64_t ticks;
static uint32_t section[SECTIONS];

static bool
find_no_module(uintptr_t pc, struct ps_stack_module *out)
{
	(void)pc;
	(void)out;
	return false;
}

static struct ps_record_thread *
new_row(uint32_t *index)
{
	void *memory;

	ps_record_lock();
	*index = ps_record_append(PS_TABLE_THREADS, 1, &memory);
	if (*index != UINT32_MAX)
		ps_record_publish(PS_TABLE_THREADS);
	ps_record_unlock();
	return *index == UINT32_MAX ? NULL : memory;
}

static void
swap(struct user *u)
{
	void *block = take(u, 1 + draw(u) % 500);
	void *old;

	memset(block, 1, 1);
	old = atomic_exchange(&shelf[draw(u) % SHELVES], block);
	atomic_fetch_add(&allocated, 1);
	if (old == NULL)
		return;
	give(u, old);
	atomic_fetch_add(&freed, 1);
}

static void
note(struct user *u)
{
	uintptr_t pcs[3] = {0x1000 + draw(u) % 50, 0x2000 + draw(u) % 3,
			    0x3000};
	char name[32];

	if (site_of(pcs, 3, 0) == UINT32_MAX)
		abort();
	snprintf(name, sizeof(name), "name %u", (unsigned)(draw(u) % 60));
	if (ps_record_string(name) == 0)
		abort();
}

static void
live(struct user *u, struct ps_section_thread *t)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t s = section[draw(u) % SECTIONS];

		ps_section_begin(t, s, 0, (uintptr_t)&t);
		(void)ps_section_started(t, atomic_fetch_add(&ticks, 3));
		swap(u);
		if (i % 16 == 0)
			note(u);
		ps_section_end(t, s, (uintptr_t)&t,
			       atomic_fetch_add(&ticks, 3));
		atomic_fetch_add(&calls, 1);
	}
}

static void *
lives(void *argument)
{
	for (int i = 0; i < LIVES; i++) {
		struct ps_record_thread *row;
		struct ps_section_thread *t;
		struct user u;
		uint32_t index;

		start_user(&u, (uintptr_t)argument * LIVES + (unsigned)i + 1);
		row = new_row(&index);
		t = row == NULL ? NULL : ps_section_thread_open(index, row);
		if (t == NULL)
			abort();
		live(&u, t);
		ps_section_thread_close(t);
		ps_heap_detach(u.heap);
	}
	return NULL;
}

static uint64_t
calls_told(void)
{
	struct ps_scratch scratch;
	struct ps_reader reader;
	struct ps_view view;
	uint64_t sum = 0;

	if (ps_reader_attach(&reader, ps_record, ps_record->file_bytes, NULL) !=
	    0)
		abort();
	ps_scratch_init(&scratch, 0);
	if (ps_view_build(&reader, NULL, &scratch, &view) != 0)
		abort();
	for (uint32_t i = 0; i < view.section_count; i++)
		sum += view.sections[i].calls;
	ps_scratch_fini(&scratch);
	return sum;
}

/*
 * What a reader is told only ever grows.  It sees rows change under it and
 * looks again when they were added to others meanwhile; the thread sanitizer
 * knows no such reader, and is spared it.
 */
static void *
read_all_the_while(void *argument)
{
	uint64_t before = 0;

	while (!atomic_load(&is_over) && MAY_READ) {
		uint64_t now = calls_told();

		if (now < before)
			abort();
		before = now;
	}
	return argument;
}

static void
set_up(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	start_pool();
	ps_section_init(true, "");
	ck_assert_int_eq(ps_stack_init(find_no_module), 0);
	for (unsigned i = 0; i < SECTIONS; i++) {
		char name[] = "section a";

		name[8] += (char)i;
		section[i] = ps_section_intern(name, NULL, 0);
	}
}

START_TEST(nothing_is_lost_between_threads)
{
	pthread_t thread[THREADS];
	pthread_t reader;
	struct user u;
	int kept = 0;

	set_up();
	pthread_create(&reader, NULL, read_all_the_while, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&thread[i], NULL, lives, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	atomic_store(&is_over, 1);
	pthread_join(reader, NULL);
	start_user(&u, 99);
	for (unsigned i = 0; i < SHELVES; i++) {
		void *block = atomic_exchange(&shelf[i], NULL);

		if (block != NULL)
			give(&u, block);
		kept += block != NULL;
	}
	ps_heap_detach(u.heap);
	ck_assert_uint_eq(allocated, THREADS * LIVES * ROUNDS);
	ck_assert_uint_eq(allocated - freed, (uint64_t)kept);
	ck_assert_uint_eq(calls_told(), calls);
	ck_assert_uint_eq(ps_peek(&ps_record->overhead.unbalanced), 0);
	ck_assert_uint_le(ps_peek(&ps_record->table[PS_TABLE_SITES].count),
			  150);
}
END_TEST

/* As of a signal handler that interrupted its thread under the lock. */
START_TEST(under_its_own_lock_a_region_is_dropped_and_counted)
{
	static struct ps_record_thread row;
	struct ps_section_thread *t;
	uint32_t other;

	set_up();
	t = ps_section_thread_open(0, &row);
	ps_section_begin(t, section[0], 0, 1);
	(void)ps_section_started(t, 10);
	other = ps_section_innermost(t);
	ps_record_lock();
	ck_assert_uint_eq(ps_section_intern("new", NULL, 0), UINT32_MAX);
	ps_section_begin(t, section[1], 0, 1);
	ps_section_begin(t, section[2], 0, 1);
	ck_assert_uint_eq(ps_section_innermost(t), other);
	ps_section_span(t, section[3], 20, 1);
	ps_section_end(t, section[2], 1, 30);
	ps_section_end(t, section[1], 1, 30);
	ps_record_unlock();
	ck_assert_uint_eq(ps_section_depth(t), 1);
	ck_assert_uint_eq(
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].dropped), 2);
	ps_section_end(t, section[0], 1, 40);
	ck_assert_uint_eq(ps_peek(&ps_record->overhead.unbalanced), 0);
	/* Later, it is as if nothing had been. */
	ps_section_begin(t, section[1], 0, 1);
	(void)ps_section_started(t, 50);
	ps_section_end(t, section[1], 1, 60);
	ps_section_thread_close(t);
	ck_assert_uint_eq(calls_told(), 2);
}
END_TEST

Suite *
together_suite(void)
{
	Suite *s = suite_create("together");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 120);
	tcase_add_test(all, nothing_is_lost_between_threads);
	tcase_add_test(all, under_its_own_lock_a_region_is_dropped_and_counted);
	suite_add_tcase(s, all);
	return s;
}
