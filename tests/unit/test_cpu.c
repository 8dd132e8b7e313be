/* SPDX-License-Identifier: MIT */
/*
 * test_cpu - what the processor says, against the compiler's own library
 */
#include <check.h>
#include <string.h>

#include "simd/cpu.h"
#include "simd/simd.h"

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

START_TEST(the_last_cache_is_of_a_credible_size)
{
	size_t bytes = ps_cpu_last_cache_bytes();

	ck_assert_uint_ge(bytes, 256 << 10);
	ck_assert_uint_le(bytes, (size_t)4 << 30);
}
END_TEST

Suite *cpu_suite(void);

Suite *
cpu_suite(void)
{
	Suite *s = suite_create("cpu");
	TCase *cpu = tcase_create("cpu");

	tcase_add_test(cpu, support_agrees_with_the_compilers_library);
	tcase_add_test(cpu, model_is_printable_and_terminated);
	tcase_add_test(cpu, the_last_cache_is_of_a_credible_size);
	suite_add_tcase(s, cpu);
	return s;
}
