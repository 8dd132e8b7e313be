/* SPDX-License-Identifier: MIT */
/*
 * test_room - limits of a made-up system: cgroup v2, v1, hybrid, the machine
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/os.h"
#include "monitor/room.h"

static char root[] = "/tmp/test_room.XXXXXX";
static struct ps_room_source source;
static struct ps_room room;

static void
put(const char *path, const char *text)
{
	char command[1000];

	snprintf(command, sizeof(command),
		 "mkdir -p \"$(dirname '%s%s')\" && printf '%%s' '%s' >'%s%s'",
		 root, path, text, root, path);
	ck_assert_int_eq(system(command), 0);
}

static void
setup(void)
{
	strcpy(root, "/tmp/test_room.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	put("/proc/meminfo",
	    "MemTotal: 16000000 kB\nMemAvailable:    8000000 kB\n"
	    "SwapFree:              1000 kB\n");
}

static void
teardown(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static void
measure(void)
{
	ps_room_find(&source, root);
	ps_room_measure(&source, &room);
}

static void
ck_room(enum ps_room_bound bound, uint64_t bytes)
{
	measure();
	ck_assert_str_eq(ps_room_bound_name(room.bound),
			 ps_room_bound_name(bound));
	ck_assert_uint_eq(room.bytes, bytes);
}

START_TEST(the_machine_bounds_when_nothing_else_does)
{
	ck_room(PS_ROOM_MACHINE, 8001000 * UINT64_C(1024));
}
END_TEST

START_TEST(v2_counts_inactive_pages_as_free)
{
	put("/proc/self/cgroup", "0::/a/b\n");
	put("/sys/fs/cgroup/a/b/memory.max", "1000000\n");
	put("/sys/fs/cgroup/a/b/memory.current", "900000\n");
	put("/sys/fs/cgroup/a/b/memory.stat",
	    "anon 1\ninactive_anon 77\ninactive_file 300000\n");
	ck_room(PS_ROOM_CGROUP, 400000);
}
END_TEST

START_TEST(v2_groups_around_it_count)
{
	put("/proc/self/cgroup", "0::/a/b\n");
	put("/sys/fs/cgroup/a/b/memory.max", "max\n");
	put("/sys/fs/cgroup/a/memory.max", "500000\n");
	put("/sys/fs/cgroup/a/memory.current", "100000\n");
	put("/sys/fs/cgroup/memory.max", "300000\n");
	put("/sys/fs/cgroup/memory.current", "250000\n");
	ck_room(PS_ROOM_CGROUP, 50000);
}
END_TEST

START_TEST(v1_is_read_too)
{
	put("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/box\n0::/\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes",
	    "9223372036854771712\n");
	put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "700000\n");
	put("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "650000\n");
	put("/sys/fs/cgroup/memory/box/memory.stat",
	    "inactive_file 1\ntotal_inactive_file 20000\n");
	ck_room(PS_ROOM_CGROUP, 70000);
}
END_TEST

/* A container that shows only its own group, under a path of the host's. */
START_TEST(a_path_that_is_not_there_leads_to_the_mount)
{
	put("/proc/self/cgroup", "4:memory:/docker/0123\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "700000\n");
	put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "600000\n");
	ck_room(PS_ROOM_CGROUP, 100000);
}
END_TEST

START_TEST(a_group_beyond_its_limit_leaves_no_room)
{
	put("/proc/self/cgroup", "0::/\n");
	put("/sys/fs/cgroup/memory.max", "1000\n");
	put("/sys/fs/cgroup/memory.current", "5000\n");
	ck_room(PS_ROOM_CGROUP, 0);
}
END_TEST

START_TEST(broken_files_bound_nothing)
{
	put("/proc/meminfo", "nonsense");
	put("/proc/self/cgroup", "junk\n:::\n0::\n4:memory\n");
	put("/sys/fs/cgroup/memory.max", "99999999999999999999999\n");
	ck_room(PS_ROOM_UNBOUNDED, UINT64_MAX);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(address_space_is_what_the_process_has_left)
{
	struct ps_process_size size;
	struct rlimit limit;

	ck_assert_int_eq(ps_process_size(&size), 0);
	ck_assert_uint_ge(size.address_bytes, size.resident_bytes);
	limit.rlim_cur = size.address_bytes + (64 << 20);
	limit.rlim_max = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	measure();
	ck_assert_int_eq(room.bound, PS_ROOM_ADDRESS_SPACE);
	ck_assert_uint_le(room.bytes, 64 << 20);
	ck_assert_uint_ge(room.bytes, 32 << 20);
}
END_TEST
#endif

START_TEST(the_real_system_answers)
{
	ps_room_find(&source, "");
	ps_room_measure(&source, &room);
	ck_assert_int_ne(room.bound, PS_ROOM_UNBOUNDED);
	ck_assert_uint_gt(room.bytes, 0);
	ck_assert_uint_lt(room.bytes, UINT64_C(1) << 50);
}
END_TEST

/* Each system call fails in turn: there is an answer, or none, never a crash.
 */
START_TEST(failing_system_calls_are_survived)
{
	struct ps_process_size size;
	long calls;

	put("/proc/self/cgroup", "0::/a\n");
	put("/sys/fs/cgroup/a/memory.max", "1000000\n");
	put("/sys/fs/cgroup/a/memory.current", "400000\n");
	measure();
	ck_assert_uint_eq(room.bytes, 600000);
	(void)ps_os_fail_at(LONG_MAX, EIO);
	measure();
	calls = ps_os_fail_at(0, 0);
	ck_assert_int_gt(calls, 6);
	for (long nth = 1; nth <= calls; nth++) {
		(void)ps_os_fail_at(nth, EMFILE);
		measure();
		(void)ps_process_size(&size);
		(void)ps_os_fail_at(0, 0);
		ck_assert(room.bytes == 600000 ||
			  room.bound == PS_ROOM_MACHINE ||
			  room.bytes >= 600000);
	}
}
END_TEST

Suite *
room_suite(void)
{
	Suite *s = suite_create("room");
	TCase *t = tcase_create("limits");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_machine_bounds_when_nothing_else_does);
	tcase_add_test(t, v2_counts_inactive_pages_as_free);
	tcase_add_test(t, v2_groups_around_it_count);
	tcase_add_test(t, v1_is_read_too);
	tcase_add_test(t, a_path_that_is_not_there_leads_to_the_mount);
	tcase_add_test(t, a_group_beyond_its_limit_leaves_no_room);
	tcase_add_test(t, broken_files_bound_nothing);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(t, address_space_is_what_the_process_has_left);
#endif
	tcase_add_test(t, the_real_system_answers);
	tcase_add_test(t, failing_system_calls_are_survived);
	suite_add_tcase(s, t);
	return s;
}
