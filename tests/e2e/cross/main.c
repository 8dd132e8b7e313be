/* SPDX-License-Identifier: MIT */
/*
 * main - runs test_simd.c and test_matrix.c on the machine that they were
 * cross-compiled for
 *
 * check.h runs the tests while the suites are made.
 */
#include <check.h>

#include "simd/simd.h"

Suite *simd_suite(void);
Suite *matrix_suite(void);

int
main(void)
{
	int tests = simd_suite()->tests + matrix_suite()->tests;

	printf("%s: %d tests passed\n", ps_simd_name(ps_simd_isa()), tests);
	return EXIT_SUCCESS;
}
