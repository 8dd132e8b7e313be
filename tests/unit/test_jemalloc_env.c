/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/os.h"
#include "pool/jemalloc.h"

enum { FAILING = 6, BYTES = 1 << 20 };

static void
write_to(char *block)
{
	if (block == NULL)
		return;
	memset(block, 1, BYTES);
	je_dallocx(block, 0);
}

/* NULL: a block when there was memory again. */
static void *
allocate_where_a_call_fails(void *nth)
{
	char *block;

	(void)ps_os_fail_at((long)nth, ENOMEM);
	write_to(je_mallocx(BYTES, 0));
	(void)ps_os_fail_at(0, 0);
	block = je_mallocx(BYTES, 0);
	write_to(block);
	return block == NULL ? nth : NULL;
}

/* The main thread has the first arena, the other one wants its own. */
START_TEST(thread_without_memory_for_an_arena_lives)
{
	pthread_t thread;
	void *result;

	write_to(je_mallocx(BYTES, 0));
	ck_assert_int_eq(pthread_create(&thread, NULL,
					allocate_where_a_call_fails,
					(void *)(_i + 1L)),
			 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_null(result);
}
END_TEST

Suite *
jemalloc_env_suite(void)
{
	Suite *s = suite_create("jemalloc_env");
	TCase *arenas = tcase_create("arenas");

	tcase_add_loop_test(arenas, thread_without_memory_for_an_arena_lives, 0,
			    FAILING);
	suite_add_tcase(s, arenas);
	return s;
}
