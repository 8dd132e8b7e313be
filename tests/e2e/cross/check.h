/* SPDX-License-Identifier: MIT */
/*
 * check - as much of the Check library as test_simd.c uses, for a machine that
 * has no Check: neon.sh cross-compiles the suite against this
 *
 * A test runs as soon as it is added, in this process; the first failure ends
 * it.  Suites and cases hold nothing, but are counted.
 */
#ifndef PS_TEST_CROSS_CHECK_H
#define PS_TEST_CROSS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	int tests;
} Suite;
typedef Suite TCase;

static __attribute__((unused)) Suite only_suite;

#define START_TEST(name) static void name(int _i)
#define END_TEST

#define ck_abort_msg(...)                                                      \
	do {                                                                   \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                \
		fprintf(stderr, __VA_ARGS__);                                  \
		fputc('\n', stderr);                                           \
		exit(EXIT_FAILURE);                                            \
	} while (0)
#define ck_assert(condition)                                                   \
	do {                                                                   \
		if (!(condition))                                              \
			ck_abort_msg("%s", #condition);                        \
	} while (0)
#define ck_assert_int_eq(a, b) ck_assert((a) == (b))
#define ck_assert_int_ne(a, b) ck_assert((a) != (b))
#define ck_assert_uint_eq(a, b) ck_assert((a) == (b))
#define ck_assert_uint_gt(a, b) ck_assert((a) > (b))
#define ck_assert_uint_le(a, b) ck_assert((a) <= (b))
#define ck_assert_str_eq(a, b) ck_assert(strcmp(a, b) == 0)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)
#define ck_assert_ptr_nonnull(p) ck_assert((p) != NULL)

#define suite_create(name) (&only_suite)
#define tcase_create(name) (&only_suite)
#define suite_add_tcase(suite, tcase) ((void)(tcase))
#define tcase_set_timeout(tcase, seconds) ((void)(tcase))
#define tcase_add_test(tcase, test) tcase_add_loop_test(tcase, test, 0, 1)

static inline void
tcase_add_loop_test(TCase *tcase, void (*test)(int), int from, int to)
{
	for (int i = from; i < to; i++) {
		test(i);
		tcase->tests++;
	}
}

#endif /* PS_TEST_CROSS_CHECK_H */
