/* SPDX-License-Identifier: MIT */
/*
 * test_os - the seam: what each call promises, and that the N-th can fail
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"

static char directory[64];
static char path[96];

static void
make_directory(void)
{
	strcpy(directory, "/tmp/ps-test-os-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
}

static void
drop_directory(void)
{
	ps_os_fail_at(0, 0);
	unlink(path);
	rmdir(directory);
}

/* ---- one row a call: each must report the error that is injected ---- */

static long
call_map(void)
{
	void *out;

	return ps_os_map(4096, &out);
}

static long
call_reserve(void)
{
	void *out;

	return ps_os_reserve(4096, &out);
}

static char page[8192] __attribute__((aligned(4096)));

static long
call_commit(void)
{
	return ps_os_commit(page, 4096);
}

static long
call_discard(void)
{
	return ps_os_discard(page, 4096);
}

static long
call_discard_lazy(void)
{
	return ps_os_discard_lazy(page, 4096);
}

static long
call_no_huge(void)
{
	return ps_os_no_huge(page, 4096);
}

static long
call_unmap(void)
{
	return ps_os_unmap(page, 4096);
}

static long
call_map_over(void)
{
	return ps_os_map_over(page, 4096);
}

static long
call_map_file(void)
{
	void *out;

	return ps_os_map_file(0, 4096, NULL, &out);
}

static long
call_map_read(void)
{
	const void *out;

	return ps_os_map_read(0, 4096, &out);
}

static long
call_open_read(void)
{
	return ps_os_open_read("/dev/null");
}

static long
call_open_rw(void)
{
	return ps_os_open_rw("/dev/null");
}

static long
call_open_append(void)
{
	return ps_os_open_append("/dev/null");
}

static long
call_create(void)
{
	return ps_os_create(path);
}

static long
call_read(void)
{
	char byte;

	return ps_os_read(0, &byte, 1);
}

static long
call_pwrite(void)
{
	return ps_os_pwrite(-1, "x", 1, 0);
}

static long
call_rename(void)
{
	return ps_os_rename("/nonexistent/a", "/nonexistent/b");
}

static long
call_unlink(void)
{
	return ps_os_unlink("/nonexistent/a");
}

static long
call_mkdir(void)
{
	return ps_os_mkdir(directory);
}

static long
call_stat(void)
{
	struct stat st;

	return ps_os_stat("/", &st);
}

static long
call_fstat(void)
{
	struct stat st;

	return ps_os_fstat(0, &st);
}

static long
call_readlink(void)
{
	char target[16];

	return ps_os_readlink("/proc/self", target, sizeof(target));
}

static long
call_slurp(void)
{
	char text[16];

	return ps_os_slurp("/proc/self/comm", text, sizeof(text));
}

static long
call_usage(void)
{
	struct rusage usage;

	return ps_os_usage(&usage);
}

static long
call_random(void)
{
	char bytes[8];

	return ps_os_random(bytes, sizeof(bytes));
}

static long
call_close(void)
{
	return ps_os_close(1000);
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
    {"map", call_map},
    {"reserve", call_reserve},
    {"commit", call_commit},
    {"discard", call_discard},
    {"discard_lazy", call_discard_lazy},
    {"no_huge", call_no_huge},
    {"unmap", call_unmap},
    {"map_over", call_map_over},
    {"map_file", call_map_file},
    {"map_read", call_map_read},
    {"open_read", call_open_read},
    {"open_rw", call_open_rw},
    {"open_append", call_open_append},
    {"create", call_create},
    {"read", call_read},
    {"pwrite", call_pwrite},
    {"rename", call_rename},
    {"unlink", call_unlink},
    {"mkdir", call_mkdir},
    {"stat", call_stat},
    {"fstat", call_fstat},
    {"readlink", call_readlink},
    {"slurp", call_slurp},
    {"usage", call_usage},
    {"random", call_random},
    {"close", call_close},
};

START_TEST(each_call_reports_the_injected_error)
{
	long got;

	ps_os_fail_at(1, EOWNERDEAD); /* an error none of them gives */
	got = calls[_i].call();
	ck_assert_int_ge(ps_os_fail_at(0, 0), 1);
	ck_assert_msg(got == -EOWNERDEAD, "%s: %ld", calls[_i].name, got);
}
END_TEST

START_TEST(only_the_nth_call_fails_and_once)
{
	struct stat st;

	ps_os_fail_at(3, EIO);
	ck_assert_int_eq(ps_os_stat("/", &st), 0);
	ck_assert_int_eq(ps_os_stat("/", &st), 0);
	ck_assert_int_eq(ps_os_stat("/", &st), -EIO);
	ck_assert_int_eq(ps_os_stat("/", &st), 0);
	ck_assert_int_eq(ps_os_fail_at(0, 0), 4);
	ps_os_stat("/", &st);
	ck_assert_int_eq(ps_os_fail_at(0, 0), 0); /* not counted unarmed */
}
END_TEST

START_TEST(create_refuses_what_exists_and_is_private)
{
	mode_t old = umask(0);
	struct stat st;
	int fd = ps_os_create(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ps_os_fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(ps_os_create(path), -EEXIST);
	ck_assert_int_eq(ps_os_close(fd), 0);
	ck_assert_int_eq(ps_os_unlink(path), 0);
	umask(0777); /* takes nothing away either */
	fd = ps_os_create(path);
	ck_assert_int_eq(ps_os_fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ps_os_close(fd);
	umask(old);
}
END_TEST

START_TEST(create_leaves_no_file_when_it_fails)
{
	struct stat st;

	mode_t old = umask(0777);

	/* open succeeds; then what asks for the mode fails, or sets it */
	for (long nth = 2; nth <= 3; nth++) {
		ps_os_fail_at(nth, EPERM);
		ck_assert_int_eq(ps_os_create(path), -EPERM);
		ps_os_fail_at(0, 0);
		ck_assert_int_eq(ps_os_stat(path, &st), -ENOENT);
	}
	umask(old);
}
END_TEST

START_TEST(open_rw_does_not_follow_a_link)
{
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(ps_os_open_rw(path), -ELOOP);
}
END_TEST

START_TEST(mkdir_accepts_a_directory_but_not_a_file)
{
	int fd = ps_os_create(path);

	ck_assert_int_eq(ps_os_mkdir(directory), 0);
	ck_assert_int_eq(ps_os_mkdir(path), -ENOTDIR);
	ps_os_close(fd);
}
END_TEST

START_TEST(slurp_is_exact_at_the_edge)
{
	char text[8] = "";
	int fd = ps_os_create(path);

	ck_assert_int_eq(ps_os_write_all(fd, "1234567", 7), 0);
	ck_assert_int_eq(ps_os_slurp(path, text, 8), 7);
	ck_assert_str_eq(text, "1234567");
	ck_assert_int_eq(ps_os_slurp(path, text, 7), -EFBIG);
	ps_os_close(fd);
}
END_TEST

START_TEST(file_limit_is_an_error_not_a_signal)
{
	struct rlimit limit = {8192, 8192};
	int fd = ps_os_create(path);

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(ps_os_truncate(fd, 8192), 0);
	ck_assert_int_eq(ps_os_truncate(fd, 8193), -EFBIG);
	ck_assert_int_eq(ps_os_allocate(fd, 4096, 4097), -EFBIG);
	ck_assert_uint_eq(ps_os_limit(RLIMIT_FSIZE), 8192);
	ps_os_close(fd);
}
END_TEST

static volatile sig_atomic_t pipe_signals;

static void
count_signal(int number)
{
	pipe_signals++;
}

START_TEST(writing_to_a_closed_pipe_raises_no_signal)
{
	int ends[2];
	sigset_t pending;
	sigset_t blocked;

	pipe_signals = 0;
	signal(SIGPIPE, count_signal);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	ck_assert_int_eq(ps_os_write(ends[1], "x", 1), -EPIPE);
	ck_assert_int_eq(pipe_signals, 0);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	ck_assert_int_eq(sigismember(&blocked, SIGPIPE), 0);
	/* One that was pending before is the program's: it stays. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGPIPE);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGPIPE);
	ck_assert_int_eq(ps_os_write(ends[1], "x", 1), -EPIPE);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	ck_assert_int_eq(pipe_signals, 1);
	signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
}
END_TEST

/* As when a report goes to a file and the program has a limit for those. */
START_TEST(writing_beyond_the_file_limit_raises_no_signal)
{
	static const char much[8193];
	struct rlimit limit = {8192, 8192};
	int fd = ps_os_create(path);
	sigset_t pending;

	signal(SIGXFSZ, SIG_DFL);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(ps_os_write(fd, much, sizeof(much)), 8192);
	ck_assert_int_eq(ps_os_write(fd, "5", 1), -EFBIG);
	ck_assert_int_eq(ps_os_write_all(fd, "5", 1), -EFBIG);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGXFSZ), 0);
	ps_os_close(fd);
}
END_TEST

START_TEST(append_takes_no_file_with_two_names_and_no_strange_link)
{
	char second[100];
	int fd = ps_os_create(path);

	snprintf(second, sizeof(second), "%s/second", directory);
	ps_os_close(fd);
	ck_assert_int_eq(symlink(path, second), 0);
	fd = ps_os_open_append(second); /* our own */
	ck_assert_int_ge(fd, 0);
	ps_os_close(fd);
	ck_assert_int_eq(ps_os_open_lines(second), -ELOOP);
	if (geteuid() == 0) {
		ck_assert_int_eq(lchown(second, 1, 1), 0);
		ck_assert_int_eq(ps_os_open_append(second), -ELOOP);
	}
	unlink(second);
	ck_assert_int_eq(link(path, second), 0);
	ck_assert_int_eq(ps_os_open_append(second), -EMLINK);
	ck_assert_int_eq(ps_os_open_lines(second), -EMLINK);
	unlink(second);
	/* Somebody may give a link of ours a name where we look for none. */
	unlink(path);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(link(path, second), 0);
	ck_assert_int_eq(ps_os_open_append(second), -ELOOP);
	unlink(second);
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(ps_os_open_append(path), -ENXIO);
	ck_assert_int_eq(ps_os_open_lines(path), -ENXIO);
}
END_TEST

START_TEST(clocks_agree_with_libc_and_make_no_call)
{
	struct timespec before;
	struct timespec after;
	uint64_t ns;
	long counted;

	ps_os_monotonic_ns(); /* looks the vDSO up */
	clock_gettime(CLOCK_MONOTONIC, &before);
	ps_os_fail_at(LONG_MAX, EIO);
	ns = ps_os_monotonic_ns();
	counted = ps_os_fail_at(0, 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_uint_ge(ns, (uint64_t)before.tv_sec * 1000000000u +
				  (uint64_t)before.tv_nsec);
	ck_assert_uint_le(ns, (uint64_t)after.tv_sec * 1000000000u +
				  (uint64_t)after.tv_nsec);
	ck_assert_int_eq(counted, 0);
	clock_gettime(CLOCK_REALTIME, &before);
	ns = ps_os_realtime_ns();
	ck_assert_uint_ge(ns / 1000000000u, (uint64_t)before.tv_sec);
	ck_assert_uint_gt(ps_os_thread_cpu_ns(), 0);
}
END_TEST

START_TEST(errno_is_left_alone)
{
	struct stat st;

	errno = EDOM;
	ck_assert_int_eq(ps_os_stat("/nonexistent", &st), -ENOENT);
	ps_os_monotonic_ns();
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(complaint_is_one_capped_line)
{
	char text[2000];
	char line[2048];
	int ends[2];
	ssize_t got;
	int saved = dup(2);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], 2);
	ps_os_complain(text);
	dup2(saved, 2);
	got = read(ends[0], line, sizeof(line));
	ck_assert_int_eq(got, 1536);
	ck_assert_int_eq(memcmp(line, "perfshim: xxx", 13), 0);
	ck_assert_int_eq(line[1535], '\n');
	close(saved);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(identity_and_pages)
{
	void *a;
	uint64_t random[2] = {0, 0};

	ck_assert_int_eq(ps_os_pid(), getpid());
	ck_assert_int_eq(ps_os_ppid(), getppid());
	ck_assert_int_eq(ps_os_tid(), gettid());
	ck_assert_int_eq(ps_os_random(random, sizeof(random)), 0);
	ck_assert(random[0] != random[1]);
	ck_assert_int_eq(ps_os_reserve(8192, &a), 0);
	ck_assert_int_eq(ps_os_commit(a, 4096), 0);
	memset(a, 1, 4096);
	ck_assert_int_eq(ps_os_discard(a, 4096), 0);
	ck_assert_int_eq(*(char *)a, 0);
	ck_assert_int_eq(ps_os_map_over(a, 8192), 0);
	((char *)a)[8191] = 1;
	ck_assert_int_eq(ps_os_unmap(a, 8192), 0);
}
END_TEST

START_TEST(a_failed_assert_traps)
{
	close(2);
	PS_ASSERT(_i != 0);
}
END_TEST

Suite *
os_suite(void)
{
	Suite *s = suite_create("os");
	TCase *inject = tcase_create("inject");
	TCase *files = tcase_create("files");
	TCase *rest = tcase_create("rest");

	tcase_add_checked_fixture(inject, make_directory, drop_directory);
	tcase_add_loop_test(inject, each_call_reports_the_injected_error, 0,
			    (int)PS_COUNT(calls));
	tcase_add_test(inject, only_the_nth_call_fails_and_once);
	suite_add_tcase(s, inject);

	tcase_add_checked_fixture(files, make_directory, drop_directory);
	tcase_add_test(files, create_refuses_what_exists_and_is_private);
	tcase_add_test(files, create_leaves_no_file_when_it_fails);
	tcase_add_test(files, open_rw_does_not_follow_a_link);
	tcase_add_test(files, mkdir_accepts_a_directory_but_not_a_file);
	tcase_add_test(files, slurp_is_exact_at_the_edge);
	tcase_add_test(files, writing_beyond_the_file_limit_raises_no_signal);
	tcase_add_test(files,
		       append_takes_no_file_with_two_names_and_no_strange_link);
	tcase_add_test(files, file_limit_is_an_error_not_a_signal);
	suite_add_tcase(s, files);

	tcase_add_test(rest, writing_to_a_closed_pipe_raises_no_signal);
	tcase_add_test(rest, clocks_agree_with_libc_and_make_no_call);
	tcase_add_test(rest, errno_is_left_alone);
	tcase_add_test(rest, complaint_is_one_capped_line);
	tcase_add_test(rest, identity_and_pages);
	tcase_add_test_raise_signal(rest, a_failed_assert_traps, SIGILL);
	suite_add_tcase(s, rest);
	return s;
}
