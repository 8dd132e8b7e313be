/* SPDX-License-Identifier: MIT */
/*
 * test_os_message - nobody is waited for: pipes and sockets, full, gone, absent
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/os.h"

static char directory[64];
static char path[100];

static void
setup(void)
{
	strcpy(directory, "/tmp/test_os_message.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/it", directory);
}

static void
teardown(void)
{
	unlink(path);
	rmdir(directory);
}

START_TEST(a_file_is_created_and_appended_to)
{
	struct stat st;

	for (int i = 0; i < 2; i++) {
		int fd = ps_os_open_append(path);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(ps_os_write(fd, "line\n", 5), 5);
		close(fd);
	}
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 10);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_pipe_without_a_reader_is_not_waited_for)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(ps_os_open_append(path), -ENXIO);
}
END_TEST

START_TEST(a_full_pipe_is_not_waited_for)
{
	char block[4096] = {0};
	int reader;
	int fd;
	ssize_t put;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	fd = ps_os_open_append(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(ps_os_is_writable(fd));
	do
		put = ps_os_write(fd, block, sizeof(block));
	while (put > 0);
	ck_assert_int_eq(put, -EAGAIN);
	ck_assert(!ps_os_is_writable(fd));
	close(reader);
	ck_assert(!ps_os_is_writable(fd)); /* nobody reads any more */
	close(fd);
	ck_assert(!ps_os_is_writable(fd)); /* no descriptor */
}
END_TEST

START_TEST(who_does_not_read_is_given_up)
{
	static const char much[1 << 20];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(ps_os_write_patiently(ends[1], much, 1000, 1), 0);
	ck_assert_int_eq(ps_os_write_patiently(ends[1], much, sizeof(much), 1),
			 -ETIMEDOUT);
	close(ends[0]);
	ck_assert_int_eq(ps_os_write_patiently(ends[1], much, 1, 1), -EPIPE);
	close(ends[1]);
	ck_assert_int_eq(ps_os_write_patiently(ends[1], much, 1, 1), -EBADF);
}
END_TEST

static int
bind_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	return fd;
}

START_TEST(a_socket_gets_a_datagram)
{
	char got[16];
	int fd = bind_socket();

	ck_assert_int_eq(ps_os_send(path, "hello", 5), 0);
	ck_assert_int_eq(recv(fd, got, sizeof(got), MSG_DONTWAIT), 5);
	ck_assert_mem_eq(got, "hello", 5);
	close(fd);
}
END_TEST

START_TEST(a_socket_that_does_not_listen_is_not_waited_for)
{
	char long_path[200];
	int status = 0;
	int fd = bind_socket();

	for (int i = 0; i < 100000 && status == 0; i++)
		status = ps_os_send(path, "x", 1);
	ck_assert_int_eq(status, -EAGAIN);
	close(fd);
	ck_assert_int_eq(ps_os_send(path, "x", 1), -ECONNREFUSED);
	unlink(path);
	ck_assert_int_eq(ps_os_send(path, "x", 1), -ENOENT);
	memset(long_path, 'p', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	ck_assert_int_eq(ps_os_send(long_path, "x", 1), -ENAMETOOLONG);
}
END_TEST

static long
bytes_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? (long)st.st_size : -1;
}

/* With the file at `path` as descriptor 2, which was remembered before. */
START_TEST(nothing_is_mentioned_in_a_file_that_took_the_place_of_stderr)
{
	int kept = dup(2);
	int file = creat(path, 0600);

	ps_os_remember_stderr();
	ck_assert(ps_os_is_stderr_unchanged());
	dup2(file, 2);
	ck_assert(!ps_os_is_stderr_unchanged());
	ps_os_mention("not here");
	ck_assert_int_eq(bytes_of(path), 0);
	ps_os_remember_stderr();
	ps_os_mention("here");
	ck_assert_int_eq(bytes_of(path), 15);
	close(2);
	ps_os_remember_stderr();
	dup2(file, 2);
	ps_os_mention("not here, where there was none");
	ck_assert_int_eq(bytes_of(path), 15);
	dup2(kept, 2);
	close(kept);
	close(file);
}
END_TEST

/* Whatever fails, no descriptor is left. */
START_TEST(failures_leave_nothing_open)
{
	int next = dup(0);
	int fd = bind_socket();
	long calls;

	(void)ps_os_fail_at(LONG_MAX, EIO);
	(void)ps_os_send(path, "x", 1);
	calls = ps_os_fail_at(0, 0);
	ck_assert_int_ge(calls, 3);
	close(fd);
	close(next);
	for (long nth = 1; nth < calls; nth++) { /* the last one closes */
		(void)ps_os_fail_at(nth, EMFILE);
		ck_assert_int_eq(ps_os_send(path, "x", 1), -EMFILE);
		(void)ps_os_fail_at(0, 0);
	}
	ck_assert_int_eq(dup(0), next);
	close(next);
}
END_TEST

Suite *
os_message_suite(void)
{
	Suite *s = suite_create("os_message");
	TCase *t = tcase_create("message");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_file_is_created_and_appended_to);
	tcase_add_test(t, a_pipe_without_a_reader_is_not_waited_for);
	tcase_add_test(t, a_full_pipe_is_not_waited_for);
	tcase_add_test(t, who_does_not_read_is_given_up);
	tcase_add_test(t, a_socket_gets_a_datagram);
	tcase_add_test(t, a_socket_that_does_not_listen_is_not_waited_for);
	tcase_add_test(
	    t, nothing_is_mentioned_in_a_file_that_took_the_place_of_stderr);
	tcase_add_test(t, failures_leave_nothing_open);
	suite_add_tcase(s, t);
	return s;
}
