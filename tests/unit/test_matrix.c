/* SPDX-License-Identifier: MIT */
/*
 * test_matrix - matrix multiply of every set against double precision, with the
 * bound that simd.h promises
 */
#include <pthread.h>
#include <stdlib.h>

#include "simd/kernels.h"
#include "tests/unit/simd_cases.h"

enum { GUARD = 32, FLOATS_MAX = 256 << 10 };

static float mat_a[FLOATS_MAX], mat_b[FLOATS_MAX];
static float mat_c[FLOATS_MAX];

struct shape {
	size_t m, n, k;
	size_t pad_a, pad_b, pad_c; /* what ld is above the least */
};

static void
fill_matrices(float scale)
{
	for (size_t i = 0; i < PS_COUNT(mat_a); i++) {
		mat_a[i] = random_float() * scale;
		mat_b[i] = random_float() * scale;
	}
}

/* |c - exact| <= g |A||B| (simd.h), and 1 ulp for the reference's rounding. */
static void
check_element(const struct shape *s, size_t i, size_t j, double tiny)
{
	double exact = 0;
	double sizes = 0;
	double unit = 0x1p-24;
	double bound = (double)s->k * unit / (1 - (double)s->k * unit);
	double got = mat_c[i * (s->n + s->pad_c) + j];

	for (size_t p = 0; p < s->k; p++) {
		double x = mat_a[i * (s->k + s->pad_a) + p];
		double y = mat_b[p * (s->n + s->pad_b) + j];

		exact += x * y;
		sizes += fabs(x * y);
	}
	if (!(fabs(got - exact) <= bound * sizes + tiny))
		ck_abort_msg("%zux%zux%zu (%zu, %zu): %g instead of %g", s->m,
			     s->n, s->k, i, j, got, exact);
}

/* Everything between and behind the rows of C is as it was. */
static void
check_padding(const struct shape *s)
{
	size_t ldc = s->n + s->pad_c;

	for (size_t i = 0; i < s->m; i++) {
		for (size_t j = s->n; j < ldc; j++)
			expect(mat_c[i * ldc + j] == 42, "padding",
			       i * ldc + j);
	}
	for (size_t i = 0; i < GUARD; i++)
		expect(mat_c[s->m * ldc + i] == 42, "written behind", i);
}

static void
check_multiply(const struct shape *s, double tiny)
{
	for (size_t i = 0; i < s->m * (s->n + s->pad_c) + GUARD; i++)
		mat_c[i] = 42;
	ck_assert_int_eq(ps_matrix_multiply(mat_c, s->n + s->pad_c, mat_a,
					    s->k + s->pad_a, mat_b,
					    s->n + s->pad_b, s->m, s->n, s->k),
			 0);
	for (size_t i = 0; i < s->m; i++) {
		for (size_t j = 0; j < s->n; j++)
			check_element(s, i, j, tiny);
	}
	check_padding(s);
}

START_TEST(multiply_is_right_for_all_small_sizes)
{
	if (!is_forced(_i))
		return;
	fill_matrices(1);
	for (size_t m = 0; m <= 40; m += m < 14 ? 1 : 5) {
		for (size_t n = 0; n <= 40; n += n < 10 ? 1 : 3) {
			for (size_t k = 0; k <= 40; k += k < 3 ? 1 : 9) {
				struct shape s = {m, n, k, m % 3, n % 5, k % 4};

				check_multiply(&s, 0);
			}
		}
	}
}
END_TEST

/* Across the borders of tiles, strips and blocks, by each of the plans. */
static const struct shape large[] = {
    {63, 65, 67, 0, 0, 0},
    {1, 250, 280, 3, 0, 1},
    {130, 1, 280, 0, 1, 0},
    {100, 100, 1, 0, 0, 0},
    {36, 96, 256, 0, 0, 0},
    {13, 33, 257, 1, 2, 3},
    {25, 1100, 70, 0, 0, 0},
    {5, 513, 13, 7, 5, 3},
    {3, 20, 1030, 0, 0, 0},
    {48, 544, 140, 0, 0, 16},
    {97, 89, 83, 100, 99, 98},
    /* packed: one block deep, two, one and a strip wide, a half strip */
    {72, 513, 260, 0, 0, 0},
    {75, 300, 700, 1, 2, 3},
    {80, 361, 385, 0, 0, 0},
    {73, 1040, 130, 4, 0, 0},
    /* rows of A that compete for one set of L1, copied */
    {30, 40, 512, 0, 3, 0},
    {9, 33, 1024, 0, 0, 0},
    /* dots, also deeper than they are done at once */
    {11, 1, 1100, 1, 2, 3},
    {7, 2, 2100, 0, 0, 0},
    {6, 3, 50, 0, 1, 0},
    {5, 4, 33, 3, 0, 2},
    {1, 1, 4000, 0, 0, 0},
    {2, 1, 90, 0, 0, 0},
    /* a column or two behind the strips, also deeper than dots at once */
    {20, 66, 1100, 1, 2, 3},
    {67, 33, 90, 0, 4, 1},
    {4, 129, 16, 2, 0, 0},
    /* a vector wide, several panels */
    {30, 5, 300, 0, 1, 2},
    {25, 4, 48, 3, 0, 0},
    {14, 8, 384, 0, 0, 1},
    /* shallow, its C in L1 and not, wider than is done at once */
    {9, 35, 1, 0, 0, 2},
    {30, 40, 2, 1, 1, 0},
    {101, 130, 3, 0, 0, 0},
    {7, 2100, 4, 0, 2, 1},
    {40, 2100, 4, 0, 0, 0},
    /* flat, also wider than is done at once */
    {1, 2100, 15, 0, 1, 0},
    {2, 4100, 9, 2, 0, 1},
    {3, 33, 700, 0, 0, 0},
};

START_TEST(multiply_is_right_across_blocks)
{
	if (!is_forced(_i % PS_SIMD_ISAS))
		return;
	fill_matrices(1);
	check_multiply(&large[_i / PS_SIMD_ISAS], 0);
}
END_TEST

/* Every height of a tile with every rest of a row. */
START_TEST(multiply_is_right_for_every_tile)
{
	if (!is_forced(_i))
		return;
	fill_matrices(1);
	for (size_t m = 1; m <= 14; m++) {
		for (size_t n = 1; n <= 70; n++) {
			struct shape s = {m, n, 13, 1, 2, 3};

			check_multiply(&s, 0);
		}
	}
}
END_TEST

/* This machine's choice between them is one; others choose otherwise. */
START_TEST(a_row_ends_rightly_in_whole_and_in_half_vectors)
{
	if (!is_forced(_i / 2) || ps_simd_kernels()->block == NULL)
		return;
	fill_matrices(1);
	for (size_t n = 1; n <= 80; n++) {
		struct shape s = {17, n, 9, 0, 0, 0};
		struct ps_matrix_block x = {.c = mat_c,
					    .a = mat_a,
					    .b = mat_b,
					    .ldc = n,
					    .lda = s.k,
					    .ldb = n,
					    .strip_step =
						ps_simd_kernels()->tile_columns,
					    .rows = s.m,
					    .columns = n,
					    .depth = s.k,
					    .is_halving = _i % 2 != 0};

		for (size_t i = 0; i < s.m * n + GUARD; i++)
			mat_c[i] = 42;
		ps_simd_kernels()->block(&x);
		for (size_t i = 0; i < s.m; i++) {
			for (size_t j = 0; j < n; j++)
				check_element(&s, i, j, 0);
		}
		check_padding(&s);
	}
}
END_TEST

START_TEST(multiply_is_right_for_huge_and_tiny)
{
	struct shape s = {29, 37, 19, 0, 0, 0};

	if (!is_forced(_i))
		return;
	fill_matrices(1e18f);
	check_multiply(&s, 0);
	/* Products round to multiples of the least denormal. */
	fill_matrices(1e-20f);
	check_multiply(&s, (double)s.k * 0x1p-149);
}
END_TEST

START_TEST(nan_and_infinity_spread_to_their_row_and_column)
{
	enum { N = 21 };

	if (!is_forced(_i))
		return;
	for (size_t i = 0; i < N * N; i++)
		mat_a[i] = mat_b[i] = 1;
	mat_a[3 * N + 20] = NAN;
	mat_a[5 * N + 2] = INFINITY;
	mat_b[7 * N + 20] = -INFINITY;
	ck_assert_int_eq(
	    ps_matrix_multiply(mat_c, N, mat_a, N, mat_b, N, N, N, N), 0);
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < N; j++) {
			float c = mat_c[i * N + j];

			if (i == 3 || (i == 5 && j == 20))
				ck_assert(isnan(c)); /* inf - inf for (5,20) */
			else if (i == 5)
				ck_assert(c == INFINITY);
			else if (j == 20)
				ck_assert(c == -INFINITY);
			else
				ck_assert(c == N);
		}
	}
}
END_TEST

START_TEST(without_depth_the_product_is_zero)
{
	if (!is_forced(_i))
		return;
	for (int i = 0; i < 12; i++)
		mat_c[i] = 42;
	ck_assert_int_eq(
	    ps_matrix_multiply(mat_c, 4, mat_a, 0, mat_b, 3, 3, 3, 0), 0);
	for (int i = 0; i < 12; i++)
		ck_assert(mat_c[i] == (i % 4 == 3 ? 42 : 0));
}
END_TEST

static void *
multiply_in_thread(void *c)
{
	for (int i = 0; i < 20; i++) {
		if (ps_matrix_multiply(c, 64, mat_a, 64, mat_b, 64, 64, 64,
				       64) != 0)
			return NULL;
	}
	return c;
}

/* One has the static workspace, the others their own pages. */
START_TEST(threads_do_not_share_a_workspace)
{
	enum { THREADS = 3, BYTES = 64 * 64 * sizeof(float) };
	static float c[THREADS][64 * 64];
	pthread_t thread[THREADS];
	void *result;

	ps_simd_force(PS_SIMD_ISAS);
	fill_matrices(1);
	multiply_in_thread(mat_c);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&thread[i], NULL, multiply_in_thread, c[i]),
		    0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		ck_assert_ptr_nonnull(result);
		ck_assert_mem_eq(c[i], mat_c, BYTES);
	}
}
END_TEST

START_TEST(workspace_of_the_caller_is_enough)
{
	enum { M = 30, N = 45, K = 50 };
	size_t bytes = ps_matrix_workspace_bytes(N, K);
	unsigned char *workspace = aligned_alloc(64, bytes + 64);

	ck_assert_ptr_nonnull(workspace);
	if (!is_forced(_i)) {
		free(workspace);
		return;
	}
	fill_matrices(1);
	memset(workspace + bytes, 0xa5, 64);
	ps_matrix_multiply_in(workspace, mat_c, N, mat_a, K, mat_b, N, M, N, K);
	for (size_t i = 0; i < 64; i++)
		ck_assert_uint_eq(workspace[bytes + i], 0xa5);
	free(workspace);
}
END_TEST

Suite *matrix_suite(void);

Suite *
matrix_suite(void)
{
	Suite *s = suite_create("matrix");
	TCase *multiply = tcase_create("multiply");

	tcase_set_timeout(multiply, 60);
	tcase_add_loop_test(multiply, multiply_is_right_for_all_small_sizes, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(multiply, multiply_is_right_across_blocks, 0,
			    (int)PS_COUNT(large) * PS_SIMD_ISAS);
	tcase_add_loop_test(multiply, multiply_is_right_for_every_tile, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(multiply,
			    a_row_ends_rightly_in_whole_and_in_half_vectors, 0,
			    2 * PS_SIMD_ISAS);
	tcase_add_loop_test(multiply, multiply_is_right_for_huge_and_tiny, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(multiply,
			    nan_and_infinity_spread_to_their_row_and_column, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(multiply, without_depth_the_product_is_zero, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(multiply, workspace_of_the_caller_is_enough, 0,
			    PS_SIMD_ISAS);
	tcase_add_test(multiply, threads_do_not_share_a_workspace);
	suite_add_tcase(s, multiply);
	return s;
}
