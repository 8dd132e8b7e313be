/* SPDX-License-Identifier: MIT */
/*
 * test_section_name - interning by many threads, what is on, a full table
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/section.h"
#include "record/writer.h"

enum { THREADS = 8 };

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_section_init(true, "");
}

static uint32_t
table_count(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].count);
}

static uint32_t
drops(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].dropped);
}

static void
run_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	void *problem;

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, body, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &problem);
		if (problem != NULL)
			ck_abort_msg("%s", (const char *)problem);
	}
}

enum { NAMES = 200 };

static uint32_t number_of[THREADS][NAMES];
static pthread_barrier_t together;

/* Each thread starts with another name. */
static void *
intern_all(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	char name[16];

	pthread_barrier_wait(&together);
	for (uintptr_t i = 0; i < NAMES; i++) {
		uintptr_t k = (i + me % 2 * 3) % NAMES;

		snprintf(name, sizeof(name), "name %zu", (size_t)k);
		number_of[me][k] = ps_section_intern(name, "x.c", 1);
		if (ps_section_find(name) != number_of[me][k])
			return "a name just interned is not found";
	}
	return NULL;
}

START_TEST(many_threads_get_one_number_for_a_name)
{
	bool is_used[NAMES] = {false};

	pthread_barrier_init(&together, NULL, THREADS);
	run_threads(intern_all);
	ck_assert_uint_eq(table_count(PS_TABLE_SECTIONS), NAMES);
	for (int i = 0; i < NAMES; i++) {
		uint32_t number = number_of[0][i];

		ck_assert_uint_lt(number, NAMES);
		ck_assert(!is_used[number]);
		is_used[number] = true;
		for (int k = 1; k < THREADS; k++)
			ck_assert_uint_eq(number_of[k][i], number);
	}
}
END_TEST

static const char *
recorded_name(uint32_t section)
{
	const struct ps_record_section *s =
	    ps_record_entry(PS_TABLE_SECTIONS, section);

	return ps_record_entry(PS_TABLE_STRINGS, s->name);
}

START_TEST(a_long_name_is_cut_and_found)
{
	char name[300];
	uint32_t section;

	memset(name, 'x', sizeof(name));
	name[299] = '\0';
	section = ps_section_intern(name, NULL, 0);
	ck_assert_uint_ne(section, UINT32_MAX);
	ck_assert_uint_eq(ps_section_intern(name, NULL, 0), section);
	ck_assert_uint_eq(strspn(recorded_name(section), "x"), 119);
	name[118] = 'y'; /* differs in what is kept */
	ck_assert_uint_ne(ps_section_intern(name, NULL, 0), section);
}
END_TEST

static const struct {
	const char *globs, *name;
	bool are_on, is_on;
} glob_case[] = {
    {"", "anything", true, true},      {"", "anything", false, false},
    {"db_*", "db_read", true, true},   {"db_*", "net_read", true, false},
    {"db_*,net?", "net1", true, true}, {"db_*", "db_read", false, false},
};

START_TEST(globs_say_which_sections_are_on)
{
	uint32_t section;

	ps_section_init(glob_case[_i].are_on, glob_case[_i].globs);
	section = ps_section_intern(glob_case[_i].name, NULL, 0);
	ck_assert_uint_ne(section, UINT32_MAX);
	ck_assert(ps_section_is_on(section) == glob_case[_i].is_on);
	ck_assert(!ps_section_is_on(section + 1)); /* not known */
	ck_assert(!ps_section_is_on(UINT32_MAX));
}
END_TEST

START_TEST(a_full_table_of_names_drops_and_counts)
{
	char name[16];

	for (uint32_t i = 0; i < PS_SECTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "name %u", i);
		ck_assert_uint_eq(ps_section_intern(name, NULL, 0), i);
	}
	ck_assert_uint_eq(drops(PS_TABLE_SECTIONS), 0);
	ck_assert_uint_eq(ps_section_intern("more", NULL, 0), UINT32_MAX);
	ck_assert_uint_eq(drops(PS_TABLE_SECTIONS), 1);
	ck_assert_uint_eq(table_count(PS_TABLE_SECTIONS), PS_SECTIONS_MAX);
	ck_assert_uint_eq(ps_section_intern("name 1", NULL, 0), 1);
}
END_TEST

Suite *
section_name_suite(void)
{
	Suite *s = suite_create("section_name");
	TCase *names = tcase_create("names");

	tcase_add_checked_fixture(names, setup, NULL);
	tcase_add_test(names, many_threads_get_one_number_for_a_name);
	tcase_add_test(names, a_long_name_is_cut_and_found);
	tcase_add_loop_test(names, globs_say_which_sections_are_on, 0,
			    (int)PS_COUNT(glob_case));
	tcase_add_test(names, a_full_table_of_names_drops_and_counts);
	suite_add_tcase(s, names);
	return s;
}
