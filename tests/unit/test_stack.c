/* SPDX-License-Identifier: MIT */
/*
 * test_stack - interned stacks: frames, modules, full tables, threads
 */
#include <check.h>
#include <unistd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "profile/stack.h"
#include "record/reader.h"
#include "record/writer.h"
#include "sites.h"

static const char *library_path = "/lib/x.so";
static bool is_library_own;

/* Addresses 0x1000 to 0x2000 are the program's, 0x2000 to 0x3000 a library's;
 * above lies what has no module. */
static bool
find_module(uintptr_t pc, struct ps_stack_module *out)
{
	if (pc < 0x1000 || pc >= 0x3000)
		return false;
	out->start = pc & ~(uintptr_t)0xfff;
	out->end = out->start + 0x1000 - 8; /* too short for an ELF header */
	out->bias = 7;
	out->path = pc < 0x2000 ? "" : library_path;
	out->is_own = pc >= 0x2000 && is_library_own;
	return true;
}

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ck_assert_int_eq(ps_stack_init(find_module), 0);
}

static uint32_t
count_of(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].count);
}

static uint32_t
drops(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].dropped);
}

static const struct ps_record_frame *
frame_of(uint32_t row, uint32_t i)
{
	const struct ps_record_site *site =
	    ps_record_entry(PS_TABLE_SITES, row);
	uint32_t frames[PS_STACK_DEPTH_MAX];
	struct ps_reader reader;
	const char *why;

	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why),
	    0);
	ck_assert_uint_lt(i, ps_reader_stack(&reader, site, frames));
	return ps_record_entry(PS_TABLE_FRAMES, frames[i]);
}

static void
assert_stack(uint32_t row, const uintptr_t *pcs, uint32_t depth)
{
	const struct ps_record_site *site =
	    ps_record_entry(PS_TABLE_SITES, row);

	ck_assert_uint_eq(site->depth, depth);
	for (uint32_t i = 0; i < depth; i++)
		ck_assert_uint_eq(frame_of(row, i)->pc, pcs[i]);
}

START_TEST(a_stack_is_recorded_leaf_first_with_its_modules)
{
	const uintptr_t pcs[] = {0x1010, 0x2020, 0x9000, 0x1030, 0x1010};
	uint32_t row = site_of(pcs, 5, PS_SITE_TRUNCATED);
	const struct ps_record_site *site;
	const struct ps_record_module *library;

	ck_assert_uint_ne(row, UINT32_MAX);
	assert_stack(row, pcs, 5);
	site = ps_record_entry(PS_TABLE_SITES, row);
	ck_assert_uint_eq(site->flags, PS_SITE_TRUNCATED);
	ck_assert_uint_eq(count_of(PS_TABLE_FRAMES), 4); /* 0x1010 once */
	ck_assert_uint_eq(count_of(PS_TABLE_MODULES), 2);
	ck_assert_uint_eq(frame_of(row, 0)->module, frame_of(row, 3)->module);
	ck_assert_uint_eq(frame_of(row, 2)->module, UINT32_MAX);
	library = ps_record_entry(PS_TABLE_MODULES, frame_of(row, 1)->module);
	ck_assert_uint_eq(library->start, 0x2000);
	ck_assert_uint_eq(library->bias, 7);
	ck_assert_str_eq(ps_record_entry(PS_TABLE_STRINGS, library->path),
			 "/lib/x.so");
}
END_TEST

START_TEST(what_the_preload_calls_is_left_out)
{
	const uintptr_t pcs[] = {0x1010, 0x2020, 0x2030, 0x1040};
	const uintptr_t only[] = {0x2040};
	uint32_t row;
	uint32_t frames[PS_STACK_DEPTH_MAX];
	struct ps_reader reader;

	is_library_own = true;
	row = site_of(pcs, 4, 0);
	ck_assert_uint_eq(frame_of(row, 0)->pc, 0x1010);
	ck_assert_uint_eq(frame_of(row, 1)->pc, 0x1040);
	row = site_of(only, 1, 0);
	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, NULL),
	    0);
	ck_assert_uint_eq(ps_reader_stack(&reader,
					  ps_record_entry(PS_TABLE_SITES, row),
					  frames),
			  0);
}
END_TEST

/* As for dlopen("./x.so"): where it was when it was first seen. */
START_TEST(a_module_named_relatively_is_told_with_its_directory)
{
	const uintptr_t pcs[] = {0x2020, 0x2030};
	const struct ps_record_module *library;
	uint32_t row;

	library_path = "./x.so";
	ck_assert_int_eq(chdir("/usr"), 0);
	row = site_of(pcs, 1, 0);
	library = ps_record_entry(PS_TABLE_MODULES, frame_of(row, 0)->module);
	ck_assert_str_eq(ps_record_entry(PS_TABLE_STRINGS, library->path),
			 "/usr/x.so");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_uint_ne(site_of(pcs, 2, 0), UINT32_MAX);
	ck_assert_uint_eq(count_of(PS_TABLE_MODULES), 1);
}
END_TEST

START_TEST(order_and_depth_tell_stacks_apart)
{
	const uintptr_t pcs[] = {1, 2, 3, 2, 1};
	uint32_t row[6];

	for (uint32_t depth = 0; depth <= 5; depth++) {
		row[depth] = site_of(pcs, depth, 0);
		for (uint32_t other = 0; other < depth; other++)
			ck_assert_uint_ne(row[depth], row[other]);
	}
	ck_assert_uint_ne(site_of(pcs + 1, 2, 0), row[2]); /* 2 3, 1 2 */
	ck_assert_uint_ne(site_of(pcs + 3, 2, 0), row[2]); /* 2 1 */
	for (uint32_t depth = 0; depth <= 5; depth++)
		ck_assert_uint_eq(site_of(pcs, depth, 0), row[depth]);
	ck_assert_uint_eq(count_of(PS_TABLE_SITES), 8);
}
END_TEST

START_TEST(the_deepest_stack_fits)
{
	uintptr_t pcs[PS_STACK_DEPTH_MAX];

	for (uint32_t i = 0; i < PS_STACK_DEPTH_MAX; i++)
		pcs[i] = 100 + i;
	assert_stack(site_of(pcs, PS_STACK_DEPTH_MAX, 0), pcs,
		     PS_STACK_DEPTH_MAX);
}
END_TEST

START_TEST(an_unload_makes_the_same_addresses_others)
{
	const uintptr_t pcs[] = {0x2010, 0x2020};
	uint32_t before = site_of(pcs, 2, 0);
	uint32_t after;

	ps_stack_modules_changed();
	after = site_of(pcs, 2, 0);
	ck_assert_uint_ne(after, before);
	ck_assert_uint_eq(frame_of(before, 0)->generation, 0);
	ck_assert_uint_eq(frame_of(after, 0)->generation, 1);
	ck_assert_uint_eq(frame_of(after, 0)->pc, 0x2010);
	ck_assert_uint_eq(site_of(pcs, 2, 0), after);
}
END_TEST

START_TEST(a_reset_in_a_child_begins_anew)
{
	const uintptr_t pcs[] = {0x1010, 0x2020};

	for (uintptr_t pc = 0x5000; pc < 0x5100; pc++)
		site_of(&pc, 1, 0);
	site_of(pcs, 2, 0);
	ps_record_postfork_child();
	ps_stack_reset();
	ck_assert_uint_eq(site_of(pcs, 2, 0), 0);
	assert_stack(0, pcs, 2);
	ck_assert_uint_eq(count_of(PS_TABLE_FRAMES), 2);
}
END_TEST

/* Stacks that differ at one frame, as far out as they are told: the fuller the
 * table, the fewer frames a new one has. */
START_TEST(deep_stacks_are_short_when_there_is_little_room)
{
	static const struct {
		uint32_t differs;
		uint32_t depth; /* when that has made too many */
	} levels[] = {{63, 16}, {15, 10}, {9, 8}, {7, 4}, {3, 1}};
	const struct ps_record_site *site;
	uintptr_t pcs[64];
	uint32_t row = 0;

	for (uintptr_t i = 0; i < 64; i++)
		pcs[i] = 0x10000 + 0x100000 * i;
	ck_assert_uint_eq(site_of(pcs, 64, 0), 0);
	for (unsigned i = 0; i < PS_COUNT(levels); i++) {
		do {
			pcs[levels[i].differs]++;
			row = site_of(pcs, 64, 0);
			ck_assert_uint_ne(row, UINT32_MAX);
			site = ps_record_entry(PS_TABLE_SITES, row);
		} while (site->depth == levels[i].differs + 1);
		ck_assert_uint_eq(site->depth, levels[i].depth);
		ck_assert_uint_eq(site->flags, PS_SITE_TRUNCATED);
		assert_stack(row, pcs, levels[i].depth);
		pcs[levels[i].differs]++;
		ck_assert_uint_eq(site_of(pcs, 64, 0), row);
	}
	for (uintptr_t i = 0; i < 64; i++)
		pcs[i] = 0x10000 + 0x100000 * i;
	ck_assert_uint_eq(site_of(pcs, 64, 0), 0);
	ck_assert_uint_eq(drops(PS_TABLE_SITES) + drops(PS_TABLE_STACK_FRAMES),
			  0);
}
END_TEST

/* Any two share their outer frames, a number of them that is no multiple of
 * anything; one may be the end of another. */
START_TEST(stacks_that_share_frames_are_told_whole)
{
	enum { TREE = 2000 };
	static uintptr_t pcs[TREE][40];
	static uint32_t depth[TREE];
	uint64_t in_all = 0;
	unsigned seed = 1;

	for (uint32_t k = 0; k < TREE; k++) {
		uint32_t like = k == 0 ? 0 : (uint32_t)rand_r(&seed) % k;
		uint32_t shared =
		    k == 0 ? 0 : (uint32_t)rand_r(&seed) % (depth[like] + 1);
		uint32_t own = (uint32_t)rand_r(&seed) % 6;

		own = PS_MAX(own, shared == 0 ? 1u : 0u);
		own = PS_MIN(own, 40 - shared);
		depth[k] = shared + own;
		for (uint32_t i = 0; i < own; i++)
			pcs[k][i] = 0x1000 + (uint32_t)rand_r(&seed) % 500;
		for (uint32_t i = 0; i < shared; i++)
			pcs[k][own + i] = pcs[like][depth[like] - shared + i];
		in_all += depth[k];
		site_of(pcs[k], depth[k], 0);
	}
	ck_assert_uint_lt(count_of(PS_TABLE_STACK_FRAMES), in_all);
	for (uint32_t k = 0; k < TREE; k++)
		assert_stack(site_of(pcs[k], depth[k], 0), pcs[k], depth[k]);
}
END_TEST

START_TEST(without_a_place_for_its_site_a_stack_takes_none_for_frames)
{
	uint32_t capacity = ps_record->table[PS_TABLE_SITES].capacity;
	uintptr_t pc = 0x10000;
	uintptr_t known = pc;
	uint32_t frames;

	for (uint32_t i = 0; i < capacity - 1; i++, pc++)
		ck_assert_uint_eq(site_of(&pc, 1, 0), i);
	frames = count_of(PS_TABLE_STACK_FRAMES);
	/* The last is of those that have no stack. */
	for (int i = 0; i < 100; i++, pc++)
		ck_assert_uint_eq(site_of(&pc, 1, 0), capacity - 1);
	ck_assert_uint_eq(drops(PS_TABLE_SITES), 0);
	ck_assert_uint_eq(count_of(PS_TABLE_STACK_FRAMES), frames);
	ck_assert_uint_eq(count_of(PS_TABLE_FRAMES), frames);
	ck_assert_uint_eq(site_of(&known, 1, 0), 0);
}
END_TEST

/* New addresses at every level: the table of frames ends before the others. */
START_TEST(frames_without_a_place_are_unknown_and_counted)
{
	uint32_t capacity = ps_record->table[PS_TABLE_FRAMES].capacity;
	uintptr_t pcs[PS_STACK_DEPTH_MAX];
	uintptr_t pc = 0x10000;
	uint32_t row = 0;

	while (drops(PS_TABLE_FRAMES) == 0) {
		for (uint32_t i = 0; i < PS_STACK_DEPTH_MAX; i++)
			pcs[i] = pc++;
		row = site_of(pcs, PS_STACK_DEPTH_MAX, 0);
		ck_assert_uint_ne(row, UINT32_MAX);
	}
	ck_assert_uint_le(count_of(PS_TABLE_FRAMES), capacity);
	ck_assert_uint_gt(count_of(PS_TABLE_FRAMES), capacity / 100 * 99);
	ck_assert_uint_eq(site_of(pcs, PS_STACK_DEPTH_MAX, 0), row);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

enum {
	THREADS = 4,
	STACKS = 3000,
	DEPTH = 20,
	ENTRIES_MOST = STACKS * DEPTH * 3 / 4, /* since they share some */
};

static uint32_t row_of[THREADS][STACKS];
static pthread_barrier_t together;

/* Stack k shares its outer frames with its neighbours. */
static void
make_stack(uintptr_t *pcs, uint32_t k)
{
	for (uint32_t i = 0; i < DEPTH; i++)
		pcs[i] = 0x1000 + (k >> i / 4) + i * 0x10000;
}

static void *
intern_all(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;
	uintptr_t pcs[DEPTH];

	pthread_barrier_wait(&together);
	for (uint32_t i = 0; i < STACKS; i++) {
		uint32_t k = me % 2 ? i : (i + 5) % STACKS;

		make_stack(pcs, k);
		row_of[me][k] = site_of(pcs, DEPTH, 0);
	}
	return NULL;
}

START_TEST(threads_intern_a_stack_once)
{
	pthread_t threads[THREADS];
	uintptr_t pcs[DEPTH];

	pthread_barrier_init(&together, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, intern_all, (void *)i),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(count_of(PS_TABLE_SITES), STACKS);
	ck_assert_uint_lt(count_of(PS_TABLE_STACK_FRAMES), ENTRIES_MOST);
	for (uint32_t k = 0; k < STACKS; k++) {
		for (int i = 1; i < THREADS; i++)
			ck_assert_uint_eq(row_of[i][k], row_of[0][k]);
		make_stack(pcs, k);
		assert_stack(row_of[0][k], pcs, DEPTH);
	}
}
END_TEST

START_TEST(before_its_start_every_stack_is_dropped)
{
	uintptr_t pc = 1;

	ck_assert_int_eq(ps_record_open(), 0);
	ck_assert_uint_eq(site_of(&pc, 1, 0), UINT32_MAX);
	ps_stack_reset();
}
END_TEST

/* As a handler does that interrupted a mark and allocates. */
START_TEST(who_has_the_lock_already_enters_nothing)
{
	const uintptr_t pcs[] = {0x1100, 0x1200};
	struct ps_stack_key key = {.stack = 77, .depth = 2};
	uint32_t known;

	ps_record_lock();
	ck_assert_uint_eq(ps_stack_enter(&key, pcs), UINT32_MAX);
	ck_assert_uint_eq(ps_stack_find(&key), UINT32_MAX);
	ps_record_unlock();
	known = ps_stack_enter(&key, pcs);
	ck_assert_uint_ne(known, UINT32_MAX);
	ps_record_lock();
	ck_assert_uint_eq(ps_stack_find(&key), known);
	ps_record_unlock();
}
END_TEST

Suite *
stack_suite(void)
{
	Suite *s = suite_create("stack");
	TCase *t = tcase_create("stack");
	TCase *early = tcase_create("early");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_stack_is_recorded_leaf_first_with_its_modules);
	tcase_add_test(t, what_the_preload_calls_is_left_out);
	tcase_add_test(t, a_module_named_relatively_is_told_with_its_directory);
	tcase_add_test(t, order_and_depth_tell_stacks_apart);
	tcase_add_test(t, the_deepest_stack_fits);
	tcase_add_test(t, an_unload_makes_the_same_addresses_others);
	tcase_add_test(t, a_reset_in_a_child_begins_anew);
	tcase_add_test(t, deep_stacks_are_short_when_there_is_little_room);
	tcase_add_test(t, stacks_that_share_frames_are_told_whole);
	tcase_add_test(
	    t, without_a_place_for_its_site_a_stack_takes_none_for_frames);
	tcase_add_test(t, frames_without_a_place_are_unknown_and_counted);
	tcase_add_test(t, threads_intern_a_stack_once);
	tcase_add_test(t, who_has_the_lock_already_enters_nothing);
	suite_add_tcase(s, t);

	tcase_add_test(early, before_its_start_every_stack_is_dropped);
	suite_add_tcase(s, early);
	return s;
}
