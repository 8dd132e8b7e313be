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
#include "tests/unit/example.h"

enum { LARGEST = 1 << 20, ROUNDS = 300 };

START_TEST(cases_of_the_fuzzer_are_read)
{
	DIR *directory = opendir("tests/fuzz/found");
	static char bytes[LARGEST];
	struct dirent *entry;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory)) != NULL) {
		char path[512];
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "tests/fuzz/found/%s",
			 entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (file == NULL)
			continue;
		size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		ps_test_formats(bytes, size);
	}
	closedir(directory);
}
END_TEST

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
	tcase_add_test(cases, damaged_recordings_are_told_or_refused);
	suite_add_tcase(s, cases);
	return s;
}
