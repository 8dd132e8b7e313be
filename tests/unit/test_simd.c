/* SPDX-License-Identifier: MIT */
/*
 * test_simd - the choice of a set, and vector add of every set against plain
 * additions
 */
#include <stdlib.h>

#include "simd/cpu.h"
#include "simd/kernels.h"
#include "tests/unit/simd_cases.h"

enum { ALIGNMENTS = 16, ADD_MAX = 300, GUARD = 32 };

START_TEST(forcing_a_set_holds_until_released)
{
	enum ps_simd_isa widest = ps_simd_isa();

	ck_assert(ps_simd_supports(PS_SIMD_SCALAR));
	ck_assert(ps_simd_supports(widest));
	ck_assert_int_eq(ps_simd_force(PS_SIMD_SCALAR), 0);
	ck_assert_int_eq(ps_simd_isa(), PS_SIMD_SCALAR);
	ck_assert_int_eq(ps_simd_force(PS_SIMD_ISAS), 0);
	ck_assert_int_eq(ps_simd_isa(), widest);
	ck_assert_str_eq(ps_simd_name(PS_SIMD_AVX512), "avx512");
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

static double double_a[ADD_MAX + ALIGNMENTS], double_b[ADD_MAX + ALIGNMENTS];
static double double_dst[ADD_MAX + ALIGNMENTS + 2 * GUARD];

static bool
is_same_double(double got, double expected)
{
	return isnan(expected) ? isnan(got)
			       : memcmp(&got, &expected, sizeof(got)) == 0;
}

typedef void double_adder(double *, const double *, const double *, size_t);

static void
check_add_double(double_adder *add, size_t dst_at, size_t a_at, size_t n)
{
	double *dst = double_dst + GUARD + dst_at;

	for (size_t i = 0; i < PS_COUNT(double_dst); i++)
		double_dst[i] = 42;
	add(dst, double_a + a_at, double_b, n);
	for (size_t i = 0; i < n; i++) {
		double sum = double_a[a_at + i] + double_b[i];

		expect(is_same_double(dst[i], sum), "sum", i);
	}
	for (size_t i = 0; i < GUARD; i++) {
		expect(dst[-1 - (ptrdiff_t)i] == 42, "written before", i);
		expect(dst[n + i] == 42, "written behind", i);
	}
}

START_TEST(add_of_doubles_is_exact_at_every_alignment_and_tail)
{
	if (!is_forced(_i))
		return;
	for (size_t i = 0; i < PS_COUNT(double_a); i++) {
		double_a[i] = (double)random_pattern() * 0x1p-600;
		double_b[i] = (double)random_pattern() * 0x1p600;
	}
	for (size_t at = 0; at < ALIGNMENTS / 2; at++) {
		for (size_t n = 0; n <= ADD_MAX; n += n < 80 ? 1 : 37) {
			const struct ps_simd_kernels *own = ps_simd_kernels();

			check_add_double(ps_vector_add_double, at, 0, n);
			check_add_double(ps_vector_add_double, 0, at, n);
			check_add_double(own->add_double, at, 1, n);
			check_add_double(own->add_double_streamed, at, 1, n);
		}
	}
	for (size_t i = 0; i < ADD_MAX; i++)
		double_a[i] = (double)i;
	ps_vector_add_double(double_a, double_a, double_a, ADD_MAX);
	for (size_t i = 0; i < ADD_MAX; i++)
		expect(double_a[i] == 2.0 * (double)i, "sum in place", i);
	ps_vector_add_double(NULL, NULL, NULL, 0);
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
	memset(memory, 0, n / 2 * sizeof(double));
	ps_vector_add_double((double *)memory, (double *)memory + n / 2,
			     (double *)memory + n, n / 2);
	for (size_t i = 0; i < n / 2; i++) {
		const double *in = (const double *)memory;

		expect(is_same_double(in[i], in[n / 2 + i] + in[n + i]), "sum",
		       i);
	}
	free(memory);
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

Suite *simd_suite(void);

Suite *
simd_suite(void)
{
	Suite *s = suite_create("simd");
	TCase *choice = tcase_create("choice");
	TCase *add = tcase_create("add");

	tcase_add_test(choice, forcing_a_set_holds_until_released);
	tcase_add_loop_test(choice, burning_counts_its_operations, 0,
			    PS_SIMD_ISAS);
	suite_add_tcase(s, choice);

	tcase_set_timeout(add, 60);
	tcase_add_loop_test(add, add_is_exact_at_every_alignment_and_tail, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_with_the_sets_own_width_is_exact, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(add,
			    add_of_doubles_is_exact_at_every_alignment_and_tail,
			    0, PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_works_in_place, 0, PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_of_one_array_to_itself_doubles_it, 0,
			    PS_SIMD_ISAS);
	tcase_add_loop_test(add, add_of_nothing_does_not_look_at_pointers, 0,
			    PS_SIMD_ISAS);
	tcase_add_test(add, add_beyond_the_caches_is_exact);
	suite_add_tcase(s, add);
	return s;
}
