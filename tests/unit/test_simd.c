/* SPDX-License-Identifier: MIT */
/*
 * test_simd - every instruction set of this machine against the scalar one and
 * against double precision
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "simd/cpu.h"
#include "simd/kernels.h"
#include "simd/simd.h"

enum { ALIGNMENTS = 16, ADD_MAX = 300, GUARD = 32, MATRIX_MAX = 300 };

static uint32_t random_state = 12345;

static uint32_t
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* In [-1, 1). */
static float
random_float(void)
{
	return (float)(int32_t)random_bits() / 2147483648.0f;
}

/* Any bit pattern: infinities, NaNs and denormals too. */
static float
random_pattern(void)
{
	uint32_t bits = random_bits();
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Skips the test's body when this machine lacks the set. */
static bool
is_forced(int isa)
{
	int error = ps_simd_force((enum ps_simd_isa)isa);

	if (error == 0)
		ck_assert_int_eq(ps_simd_isa(), isa);
	else
		ck_assert_int_eq(error, -ENOTSUP);
	return error == 0;
}

/* A passed ck_assert costs a system call: too much for every element. */
static void
expect(bool is_right, const char *what, size_t at)
{
	if (!is_right)
		ck_abort_msg("%s at %zu", what, at);
}

static bool
is_same(float got, float expected)
{
	return isnan(expected) ? isnan(got)
			       : memcmp(&got, &expected, sizeof(got)) == 0;
}

START_TEST(forcing_a_set_holds_until_released)
{
	enum ps_simd_isa widest = ps_simd_isa();

	ck_assert(ps_simd_supports(PS_SIMD_SCALAR));
	ck_assert(ps_simd_supports(PS_SIMD_SSE2));
	ck_assert(ps_simd_supports(widest));
	ck_assert_int_eq(ps_simd_force(PS_SIMD_SCALAR), 0);
	ck_assert_int_eq(ps_simd_isa(), PS_SIMD_SCALAR);
	ck_assert_int_eq(ps_simd_force(PS_SIMD_ISAS), 0);
	ck_assert_int_eq(ps_simd_isa(), widest);
	ck_assert_str_eq(ps_simd_name(PS_SIMD_AVX512), "avx512");
}
END_TEST

/* The compiler's run-time library asks CPUID and XGETBV by itself. */
START_TEST(support_agrees_with_the_compilers_library)
{
	__builtin_cpu_init();
	ck_assert_int_eq(ps_simd_supports(PS_SIMD_AVX2),
			 !!__builtin_cpu_supports("avx2") &&
			     !!__builtin_cpu_supports("fma"));
	ck_assert_int_eq(ps_simd_supports(PS_SIMD_AVX512),
			 !!__builtin_cpu_supports("avx512f") &&
			     !!__builtin_cpu_supports("avx512vl") &&
			     !!__builtin_cpu_supports("avx512dq") &&
			     !!__builtin_cpu_supports("avx512bw"));
}
END_TEST

static float add_a[ADD_MAX + ALIGNMENTS], add_b[ADD_MAX + ALIGNMENTS];
static float add_dst[ADD_MAX + ALIGNMENTS + 2 * GUARD];

static void
fill_operands(void)
{
	for (size_t i = 0; i < PS_COUNT(add_a); i++) {
		add_a[i] = random_pattern();
		add_b[i] = random_pattern();
	}
}

typedef void adder(float *, const float *, const float *, size_t);

static void
check_add(adder *add, size_t dst_at, size_t a_at, size_t b_at, size_t n)
{
	float *dst = add_dst + GUARD + dst_at;

	for (size_t i = 0; i < PS_COUNT(add_dst); i++)
		add_dst[i] = 42;
	add(dst, add_a + a_at, add_b + b_at, n);
	for (size_t i = 0; i < n; i++)
		expect(is_same(dst[i], add_a[a_at + i] + add_b[b_at + i]),
		       "sum", i);
	for (size_t i = 0; i < GUARD; i++) {
		expect(dst[-1 - (ptrdiff_t)i] == 42, "written before", i);
		expect(dst[n + i] == 42, "written behind", i);
	}
}

START_TEST(add_is_exact_at_every_alignment_and_tail)
{
	if (!is_forced(_i))
		return;
	fill_operands();
	for (size_t at = 0; at < ALIGNMENTS; at++) {
		for (size_t n = 0; n <= ADD_MAX; n += n < 150 ? 1 : 37) {
			check_add(ps_vector_add, at, 0, 0, n);
			check_add(ps_vector_add, 0, at, (at * 5) % 16, n);
			check_add(ps_vector_add_streamed, at, 3, at, n);
		}
	}
}
END_TEST

/* The 512-bit adder is not in use on every machine that has AVX-512. */
START_TEST(add_with_the_sets_own_width_is_exact)
{
	const struct ps_simd_kernels *own;

	if (!is_forced(_i))
		return;
	own = ps_simd_kernels();
	fill_operands();
	for (size_t at = 0; at < ALIGNMENTS; at++) {
		for (size_t n = 0; n <= ADD_MAX; n++) {
			check_add(own->add, at, 0, 5, n);
			check_add(own->add_streamed, at, 0, 5, n);
		}
	}
}
END_TEST

START_TEST(add_works_in_place)
{
	float expected[ADD_MAX];

	if (!is_forced(_i))
		return;
	for (size_t at = 0; at < ALIGNMENTS; at++) {
		for (size_t n = 0; n <= ADD_MAX; n += 29) {
			fill_operands();
			for (size_t i = 0; i < n; i++)
				expected[i] = add_a[at + i] + add_b[i];
			if (at % 2 == 0)
				ps_vector_add(add_a + at, add_a + at, add_b, n);
			else
				ps_vector_add(add_a + at, add_b, add_a + at, n);
			for (size_t i = 0; i < n; i++)
				expect(is_same(add_a[at + i], expected[i]),
				       "sum", i);
		}
	}
}
END_TEST

START_TEST(add_of_one_array_to_itself_doubles_it)
{
	if (!is_forced(_i))
		return;
	for (int i = 0; i < ADD_MAX; i++)
		add_a[i] = (float)i;
	ps_vector_add(add_a, add_a, add_a, ADD_MAX);
	for (int i = 0; i < ADD_MAX; i++)
		expect(add_a[i] == 2.0f * (float)i, "sum", (size_t)i);
}
END_TEST

START_TEST(add_of_nothing_does_not_look_at_pointers)
{
	if (!is_forced(_i))
		return;
	ps_vector_add(NULL, NULL, NULL, 0);
	ps_vector_add_streamed(NULL, NULL, NULL, 0);
}
END_TEST

/* Beyond the last cache the other path is taken; the sums are the same. */
START_TEST(add_beyond_the_caches_is_exact)
{
	size_t n = ps_cpu_last_cache_bytes() / (3 * sizeof(float)) + 1001;
	float *memory = malloc(3 * n * sizeof(float));
	float *a = memory + n;
	float *b = a + n;

	ck_assert_ptr_nonnull(memory);
	for (size_t i = 0; i < n; i++) {
		a[i] = (float)(i & 0xffff);
		b[i] = (float)(i >> 16);
	}
	ps_vector_add(memory, a, b, n);
	for (size_t i = 0; i < n; i++) {
		expect(memory[i] == a[i] + b[i], "sum", i);
	}
	free(memory);
}
END_TEST

/* ---- matrices ---- */

static float mat_a[MATRIX_MAX * MATRIX_MAX], mat_b[MATRIX_MAX * MATRIX_MAX];
static float mat_c[MATRIX_MAX * MATRIX_MAX];

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

/* Across the borders of tiles, strips and blocks (256 deep, 512 wide). */
static const struct shape large[] = {
    {63, 65, 67, 0, 0, 0},    {1, 250, 280, 3, 0, 1},	 {130, 1, 280, 0, 1, 0},
    {100, 100, 1, 0, 0, 0},   {36, 96, 256, 0, 0, 0},	 {13, 33, 257, 1, 2, 3},
    {25, 1100, 70, 0, 0, 0},  {5, 513, 13, 7, 5, 3},	 {3, 20, 1030, 0, 0, 0},
    {48, 544, 140, 0, 0, 16}, {97, 89, 83, 100, 99, 98},
};

START_TEST(multiply_is_right_across_blocks)
{
	if (!is_forced(_i % PS_SIMD_ISAS))
		return;
	fill_matrices(1);
	check_multiply(&large[_i / PS_SIMD_ISAS], 0);
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

START_TEST(burning_counts_its_operations)
{
	if (!is_forced(_i))
		return;
	ck_assert_uint_eq(ps_simd_burn(0), 0);
	ck_assert_uint_eq(ps_simd_burn(20), 2 * ps_simd_burn(10));
	ck_assert_uint_gt(ps_simd_burn(1), 0);
}
END_TEST

START_TEST(model_is_printable_and_terminated)
{
	char model[PS_CPU_MODEL_BYTES];

	memset(model, 0x7f, sizeof(model));
	ps_cpu_model(model);
	ck_assert_ptr_nonnull(memchr(model, 0, sizeof(model)));
	ck_assert_uint_gt(strlen(model), 0);
	ck_assert_int_ne(model[0], ' ');
	ck_assert_int_ne(model[strlen(model) - 1], ' ');
}
END_TEST

Suite *simd_suite(void);

Suite *
simd_suite(void)
{
	Suite *s = suite_create("simd");
	TCase *choice = tcase_create("choice");
	TCase *add = tcase_create("add");
	TCase *multiply = tcase_create("multiply");

	tcase_add_test(choice, forcing_a_set_holds_until_released);
	tcase_add_test(choice, support_agrees_with_the_compilers_library);
	tcase_add_test(choice, model_is_printable_and_terminated);
	tcase_add_loop_test(choice, burning_counts_its_operations, 0,
			    PS_SIMD_ISAS);
	suite_add_tcase(s, choice);

	tcase_set_timeout(add, 60);
	tcase_add_loop_test(add, add_is_exact_at_every_alignment_and_tail, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_with_the_sets_own_width_is_exact, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_works_in_place, 0, PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_of_one_array_to_itself_doubles_it, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_of_nothing_does_not_look_at_pointers, 0,
			    PS_SIMD_ISAS);
	tcase_add_test(add, add_beyond_the_caches_is_exact);
	suite_add_tcase(s, add);

	tcase_set_timeout(multiply, 60);
	tcase_add_loop_test(multiply, multiply_is_right_for_all_small_sizes, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(multiply, multiply_is_right_across_blocks, 0,
			    (int)PS_COUNT(large) * PS_SIMD_ISAS);
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
