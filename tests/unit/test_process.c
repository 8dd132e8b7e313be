/* SPDX-License-Identifier: MIT */
/*
 * test_process - one command, what it took and how it ended
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "bench/process.h"

static int
run_shell(const char *script, struct ps_process_outcome *out)
{
	char *const argv[] = {"sh", "-c", (char *)script, NULL};
	struct ps_process_command c = {
	    .path = "/bin/sh", .argv = argv, .envp = environ};

	return ps_process_run(&c, out);
}

START_TEST(how_it_ended)
{
	struct ps_process_outcome o;

	ck_assert_int_eq(run_shell("exit 7", &o), 0);
	ck_assert_int_eq(o.exit_code, 7);
	ck_assert_int_eq(o.signal, 0);
	ck_assert_int_eq(run_shell("kill -TERM $$", &o), 0);
	ck_assert_int_eq(o.exit_code, -1);
	ck_assert_int_eq(o.signal, SIGTERM);
}
END_TEST

START_TEST(what_it_took)
{
	struct ps_process_outcome o;

	ck_assert_int_eq(run_shell("sleep 0.05", &o), 0);
	ck_assert_double_ge(o.wall_s, 0.05);
	ck_assert_double_lt(o.wall_s, 5);
	ck_assert_double_lt(o.user_s + o.system_s, o.wall_s);
}
END_TEST

START_TEST(what_cannot_be_started_is_said)
{
	char *const argv[] = {"x", NULL};
	struct ps_process_command none = {
	    .path = "/nonexistent/x", .argv = argv, .envp = environ};
	struct ps_process_command input = {.path = "/bin/sh",
					   .argv = argv,
					   .envp = environ,
					   .input = "/nonexistent/input"};
	struct ps_process_outcome o = {.pid = 42};

	ck_assert_int_eq(ps_process_run(&none, &o), -ENOENT);
	ck_assert_int_eq(ps_process_run(&input, &o), -ENOENT);
	ck_assert_int_eq(o.pid, 42);
}
END_TEST

/* A small command after a large one has its own peak.  What a fork of the
 * runner holds is its floor, which the address sanitizer's shadow raises. */
START_TEST(peak_memory_is_its_own)
{
	struct ps_process_outcome large, small;

#ifdef __SANITIZE_ADDRESS__
	return;
#endif
	ck_assert_int_eq(run_shell("head -c 60000000 /dev/zero | "
				   "tail -c 60000000 >/dev/null",
				   &large),
			 0);
	ck_assert_int_eq(run_shell(":", &small), 0);
	ck_assert_double_gt(large.max_rss_bytes, 60e6);
	ck_assert_double_lt(small.max_rss_bytes, 50e6);
	ck_assert_double_gt(small.max_rss_bytes, 100e3);
}
END_TEST

START_TEST(input_comes_from_a_file)
{
	char *const argv[] = {"sh", "-c", "read x && test \"$x\" != ''", NULL};
	struct ps_process_command c = {.path = "/bin/sh",
				       .argv = argv,
				       .envp = environ,
				       .input = "/proc/cpuinfo"};
	struct ps_process_outcome o;

	ck_assert_int_eq(ps_process_run(&c, &o), 0);
	ck_assert_int_eq(o.exit_code, 0);
	/* And from nowhere: read fails at once. */
	c.input = NULL;
	ck_assert_int_eq(ps_process_run(&c, &o), 0);
	ck_assert_int_eq(o.exit_code, 1);
}
END_TEST

Suite *process_suite(void);

Suite *
process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *c = tcase_create("process");

	tcase_add_test(c, how_it_ended);
	tcase_add_test(c, what_it_took);
	tcase_add_test(c, what_cannot_be_started_is_said);
	tcase_add_test(c, peak_memory_is_its_own);
	tcase_add_test(c, input_comes_from_a_file);
	suite_add_tcase(s, c);
	return s;
}
