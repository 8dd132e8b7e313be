/* SPDX-License-Identifier: MIT */
/*
 * main - runs every suite, or the one that is named
 *
 * The Makefile greps the suites out of tests/unit/test_*.c into suites.inc, so
 * that a new file needs no list.  An argument is a suite's name; CK_FORK=no
 * and CK_RUN_CASE work as Check documents them.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define PS_SUITE(function) Suite *function(void);
#include "suites.inc"
#undef PS_SUITE

static Suite *(*const suites[])(void) = {
#define PS_SUITE(function) function,
#include "suites.inc"
#undef PS_SUITE
};

#ifdef __SANITIZE_THREAD__
const char *__tsan_default_suppressions(void);

/* The embedded jemalloc is not instrumented: its atomics are not seen, but its
 * calls of memmove are. */
const char *
__tsan_default_suppressions(void)
{
	return "race:je_\nrace:decay_\nrace:extent_\n";
}
#endif

int
main(int argc, char **argv)
{
	size_t count = sizeof(suites) / sizeof(suites[0]);
	SRunner *runner = srunner_create(NULL);
	const char *only = argc > 1 ? argv[1] : getenv("CK_RUN_SUITE");
	int ran;
	int failed;

	/* Of a test that hangs; four seconds are few on a busy machine. */
	(void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	for (size_t i = 0; i < count; i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run(runner, only, NULL, CK_ENV);
	ran = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (ran == 0)
		fprintf(stderr, "no suite or case of that name\n");
	return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
