/* SPDX-License-Identifier: MIT */
/*
 * test_brief - the line of a small process: there and back, hostile, appended
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/brief.h"
#include "record/writer.h"

static const struct ps_brief example = {
    .pid = 4711,
    .ppid = 1,
    .exit_code = -1,
    .start_real_ns = UINT64_MAX,
    .wall_ns = 1,
    .user_ns = 2,
    .system_ns = 3,
    .max_rss_bytes = 4,
    .peak_bytes = 5,
    .allocations = 6,
    .requested_bytes = 7,
    .exe = "/usr/bin/a name",
};
static const char line[] = "1\t4711\t1\t-1\t18446744073709551615\t1\t2\t3\t4\t"
			   "5\t6\t7\t/usr/bin/a name\n";

START_TEST(line_is_read_as_it_was_written)
{
	char buffer[PS_BRIEF_LINE_MAX];
	struct ps_brief back;
	struct ps_text t;

	memset(&back, 0xff, sizeof(back));
	ps_text_init(&t, buffer, sizeof(buffer), -1);
	ps_brief_write(&example, &t);
	ck_assert_str_eq(buffer, line);
	ck_assert_int_eq(ps_brief_parse(buffer, t.length, &back), 0);
	ck_assert_mem_eq(&back, &example, sizeof(back));
	ck_assert_int_eq(ps_brief_parse(buffer, t.length - 1, &back), 0);
}
END_TEST

/* A full disk may cut it anywhere; the path alone may be cut unseen. */
START_TEST(part_of_a_line_is_none)
{
	size_t path = strlen(line) - strlen("/usr/bin/a name\n");
	struct ps_brief out = {.pid = 42};

	for (size_t n = 0; n <= path; n++)
		ck_assert_int_eq(ps_brief_parse(line, n, &out), -EBADMSG);
	ck_assert_int_eq(out.pid, 42);
}
END_TEST

static const char *const bad[] = {
    "",
    "\n",
    "2\t1\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\t/x",
    "1\t-2\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\t/x",
    "1\t2147483648\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\t/x",
    "1\t1\t1\t0\t18446744073709551616\t1\t1\t1\t1\t1\t1\t1\t/x",
    "1\t1\t1\t0\t-1\t1\t1\t1\t1\t1\t1\t1\t/x",
    "1\t1\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\t",
    "1\t1\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\t/x\ty",
    "1\t1\t1\t0\t1\t\t1\t1\t1\t1\t1\t1\t/x",
};

START_TEST(anything_else_is_refused)
{
	struct ps_brief out;

	ck_assert_int_eq(ps_brief_parse(bad[_i], strlen(bad[_i]), &out),
			 -EBADMSG);
}
END_TEST

START_TEST(path_that_does_not_fit_is_refused)
{
	char text[sizeof(line) + PS_BRIEF_EXE_MAX] = "";
	struct ps_brief out;
	size_t length = sizeof(line) - 2; /* without newline */

	memcpy(text, line, length);
	memset(text + length, 'x', PS_BRIEF_EXE_MAX);
	ck_assert_int_eq(ps_brief_parse(text, length + PS_BRIEF_EXE_MAX, &out),
			 -EBADMSG);
}
END_TEST

/* ---- of this process ---- */

static char directory[64];
static char file[128];

static void
open_directory(void)
{
	strcpy(directory, "/tmp/ps-test-brief-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(file, sizeof(file), "%s/" PS_BRIEF_FILE, directory);
}

static void
close_directory(void)
{
	(void)unlink(file);
	ck_assert_int_eq(rmdir(directory), 0);
}

static size_t
read_file(char *out, size_t room)
{
	FILE *f = fopen(file, "re");
	size_t got;

	ck_assert_ptr_nonnull(f);
	got = fread(out, 1, room - 1, f);
	out[got] = '\0';
	fclose(f);
	return got;
}

START_TEST(lines_are_appended)
{
	char text[512];
	char twice[512];

	snprintf(twice, sizeof(twice), "%s%s", line, line);
	ck_assert_int_eq(ps_brief_leave(&example, directory), 0);
	ck_assert_int_eq(ps_brief_leave(&example, directory), 0);
	ck_assert_uint_eq(read_file(text, sizeof(text)), strlen(twice));
	ck_assert_str_eq(text, twice);
}
END_TEST

START_TEST(foreign_file_in_its_place_is_left_alone)
{
	char text[512];

	ck_assert_int_eq(symlink("/dev/null", file), 0);
	ck_assert_int_eq(ps_brief_leave(&example, directory), -ELOOP);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(ps_brief_leave(&example, "/nonexistent"), -ENOENT);
	ck_assert_int_eq(ps_brief_leave(&example, directory), 0);
	ck_assert_uint_eq(read_file(text, sizeof(text)), strlen(line));
}
END_TEST

/* SIGXFSZ would end the host. */
START_TEST(limit_of_file_size_is_kept)
{
	struct rlimit small = {16, RLIM_INFINITY};
	struct rlimit before;
	struct stat st;
	int error;
	int limited;

	/* Check writes to a file at each assertion. */
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	limited = setrlimit(RLIMIT_FSIZE, &small);
	error = ps_brief_leave(&example, directory);
	(void)setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(limited, 0);
	ck_assert_int_eq(error, -EFBIG);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
}
END_TEST

START_TEST(figures_are_those_of_the_recording)
{
	struct ps_record_thread *row;
	struct ps_brief b;

	ck_assert_int_eq(ps_record_open(), 0);
	row = ps_record_entry(PS_TABLE_THREADS, 0);
	ps_poke(&row->allocations, 11);
	ps_poke(&row->issued_bytes, 1000);
	ps_poke(&row->bytes_left, 100);
	ps_record->sampling.mode = PS_SAMPLE_POISSON;
	ps_poke(&ps_record->heap.peak_bytes, 640);
	ps_poke(&ps_record->process.exit_code, 3);
	ps_brief_take(ps_record, &b);
	ck_assert_int_eq(b.pid, getpid());
	ck_assert_int_eq(b.exit_code, 3);
	ck_assert_uint_eq(b.allocations, 11);
	ck_assert_uint_eq(b.requested_bytes, 900);
	ck_assert_uint_eq(b.peak_bytes, 640);
	ck_assert_ptr_nonnull(strstr(b.exe, "/unit"));

	ck_assert(ps_brief_is_small(ps_record, &b));
	b.requested_bytes = PS_BRIEF_BYTES;
	ck_assert(!ps_brief_is_small(ps_record, &b));
	b.requested_bytes--;
	ps_poke(&ps_record->watch.alerts, 1);
	ck_assert(!ps_brief_is_small(ps_record, &b));
	ps_poke(&ps_record->watch.alerts, 0);
	ps_poke(&ps_record->table[PS_TABLE_SECTION_STATS].count, 1);
	ck_assert(!ps_brief_is_small(ps_record, &b));
}
END_TEST

Suite *brief_suite(void);

Suite *
brief_suite(void)
{
	Suite *s = suite_create("brief");
	TCase *lines = tcase_create("lines");
	TCase *files = tcase_create("files");

	tcase_add_test(lines, line_is_read_as_it_was_written);
	tcase_add_test(lines, part_of_a_line_is_none);
	tcase_add_loop_test(lines, anything_else_is_refused, 0,
			    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(lines, path_that_does_not_fit_is_refused);
	suite_add_tcase(s, lines);

	tcase_add_checked_fixture(files, open_directory, close_directory);
	tcase_add_test(files, lines_are_appended);
	tcase_add_test(files, foreign_file_in_its_place_is_left_alone);
	tcase_add_test(files, limit_of_file_size_is_kept);
	tcase_add_test(files, figures_are_those_of_the_recording);
	suite_add_tcase(s, files);
	return s;
}
