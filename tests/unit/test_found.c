/* SPDX-License-Identifier: MIT */
/*
 * test_found - what the fuzzer found once stays mended, and random damage of
 * the example is told in every format or refused
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/formats.h"
#include "tests/fuzz/inputs.h"
#include "tests/unit/example.h"

enum { LARGEST = 1 << 20, ROUNDS = 300, INPUTS = 6 };

/* Every file of a directory, if there is one; returns how many. */
static int
each_file(const char *path, void (*take)(const void *bytes, size_t size))
{
	DIR *directory = opendir(path);
	static char bytes[LARGEST];
	struct dirent *entry;
	int count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char name[512];
		FILE *file;
		size_t size;

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(name, "re");
		if (file == NULL)
			continue;
		size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		take(bytes, size);
		count++;
	}
	if (directory != NULL)
		closedir(directory);
	return count;
}

START_TEST(cases_of_the_fuzzer_are_read)
{
	(void)each_file("tests/fuzz/found/report", ps_test_formats);
}
END_TEST

/* hazard: S4 Env parsing */
/* Also what the fuzzer begins with, which is there of those that are text. */
START_TEST(cases_of_other_inputs_are_taken)
{
	const struct ps_test_input *input = ps_test_input_at((unsigned)_i);
	char path[128];
	int seeds;

	ck_assert_ptr_nonnull(input);
	ck_assert_ptr_null(ps_test_input_at(INPUTS)); /* all are taken */
	snprintf(path, sizeof(path), "tests/fuzz/found/%s", input->name);
	(void)each_file(path, input->take);
	snprintf(path, sizeof(path), "tests/fuzz/seeds/%s", input->name);
	seeds = each_file(path, input->take);
	ck_assert_int_eq(seeds > 0,
			 strcmp(input->name, "elf") != 0 &&
			     strcmp(input->name, "calibration") != 0);
	input->take("", 0);
}
END_TEST

/* hazard: S5 Malformed profile given to the reader */
START_TEST(damaged_recordings_are_told_or_refused)
{
	unsigned seed = 4711;
	size_t bytes;
	char *image;

	ps_example_open();
	for (unsigned i = 0; i < ROUNDS; i++) {
		image = ps_example_compact(&bytes);
		if (i > 0)
			ps_example_damage(image, bytes, &seed);
		ps_test_formats(image, bytes);
	}
}
END_TEST

Suite *
found_suite(void)
{
	Suite *s = suite_create("found");
	TCase *cases = tcase_create("cases");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, cases_of_the_fuzzer_are_read);
	tcase_add_loop_test(cases, cases_of_other_inputs_are_taken, 0, INPUTS);
	tcase_add_test(cases, damaged_recordings_are_told_or_refused);
	suite_add_tcase(s, cases);
	return s;
}
