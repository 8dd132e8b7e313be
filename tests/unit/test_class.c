/* SPDX-License-Identifier: MIT */
/*
 * test_class - sizes to classes, by the definition
 */
#include <check.h>

#include "pool/class.h"

/* The smallest class that is large enough, found the slow way. */
static unsigned
smallest_class(size_t size)
{
	unsigned cls = 0;

	while (ps_class_bytes(cls) < size)
		cls++;
	return cls;
}

START_TEST(every_size_gets_the_smallest_class_that_holds_it)
{
	for (size_t size = 0; size <= PS_POOL_SMALL_MAX; size++)
		ck_assert_uint_eq(ps_class_of(size), smallest_class(size));
}
END_TEST

START_TEST(classes_grow_by_a_quarter_at_most)
{
	for (unsigned cls = 8; cls < PS_POOL_CLASSES; cls++)
		ck_assert_uint_le(ps_class_bytes(cls) * 4,
				  ps_class_bytes(cls - 1) * 5);
	for (unsigned cls = 0; cls < PS_POOL_CLASSES; cls++)
		ck_assert_uint_eq(ps_class_bytes(cls) % 16, 0);
}
END_TEST

START_TEST(aligned_classes_are_multiples_and_minimal)
{
	for (size_t align = 16; align <= PS_POOL_SMALL_MAX; align *= 2) {
		for (size_t size = 0; size <= PS_POOL_SMALL_MAX; size += 7) {
			unsigned cls = ps_class_of_aligned(size, align);

			ck_assert_uint_lt(cls, PS_POOL_CLASSES);
			ck_assert_uint_ge(ps_class_bytes(cls), size);
			ck_assert_uint_eq(ps_class_bytes(cls) % align, 0);
			for (unsigned c = ps_class_of(size); c < cls; c++)
				ck_assert_uint_ne(ps_class_bytes(c) % align, 0);
		}
	}
}
END_TEST

START_TEST(what_the_pool_cannot_serve_has_no_class)
{
	ck_assert_uint_eq(ps_class_of_aligned(PS_POOL_SMALL_MAX + 1, 16),
			  PS_POOL_CLASSES);
	ck_assert_uint_eq(ps_class_of_aligned(1, PS_POOL_SMALL_MAX * 2),
			  PS_POOL_CLASSES);
}
END_TEST

Suite *
class_suite(void)
{
	Suite *s = suite_create("class");
	TCase *t = tcase_create("class");

	tcase_add_unchecked_fixture(t, ps_class_init, NULL);
	tcase_add_test(t, every_size_gets_the_smallest_class_that_holds_it);
	tcase_add_test(t, classes_grow_by_a_quarter_at_most);
	tcase_add_test(t, aligned_classes_are_multiples_and_minimal);
	tcase_add_test(t, what_the_pool_cannot_serve_has_no_class);
	suite_add_tcase(s, t);
	return s;
}
