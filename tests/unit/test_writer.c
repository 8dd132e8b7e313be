/* SPDX-License-Identifier: MIT */
/*
 * test_writer - the recording from the inside: tables, strings, file, fork
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "record/plan.h"
#include "record/reader.h"
#include "record/writer.h"
#include "simd/cpu.h"

static char directory[64];

static void
open_recording(void)
{
	strcpy(directory, "/tmp/ps-test-writer-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(ps_record_open(), 0);
}

/* Calls `visit` with each path in the directory; how many there were. */
static unsigned
each_file(void (*visit)(const char *path))
{
	DIR *d = opendir(directory);
	struct dirent *entry;
	unsigned count = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)) != NULL) {
		char path[400];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		count++;
		if (visit != NULL)
			visit(path);
	}
	closedir(d);
	return count;
}

static char seen_path[400];

static void
remember_path(const char *path)
{
	strcpy(seen_path, path);
}

static void
remove_path(const char *path)
{
	unlink(path);
}

static void
close_recording(void)
{
	ps_os_fail_at(0, 0);
	each_file(remove_path);
	rmdir(directory);
}

/* Every invariant of the whole recording that can be stated from outside. */
static void
check_recording(void)
{
	struct ps_reader r;
	const char *why = "";

	ck_assert_msg(
	    ps_reader_attach(&r, ps_record, ps_record->file_bytes, &why) == 0,
	    "%s", why);
	for (unsigned i = 0; i < PS_TABLES; i++) {
		const struct ps_record_table *t = &ps_record->table[i];

		ck_assert_uint_le(ps_peek(&t->count), t->capacity);
		ck_assert_uint_le((uint64_t)ps_peek(&t->count) * t->entry_bytes,
				  ps_peek(&t->backed_bytes));
		ck_assert_uint_le(ps_peek(&t->backed_bytes),
				  ps_record_plan_bytes(i));
	}
	ck_assert_str_eq(ps_reader_string(&r, 0), "");
	ck_assert_uint_ge(r.count[PS_TABLE_THREADS], 1);
}

static uint32_t
append(enum ps_table_id id, uint32_t entries, void **out)
{
	uint32_t first;

	ps_record_lock();
	first = ps_record_append(id, entries, out);
	ps_record_publish(id);
	ps_record_unlock();
	return first;
}

START_TEST(a_new_recording_says_who_it_is)
{
	const struct ps_record_process *p = &ps_record->process;
	const char *strings =
	    (const char *)ps_record + ps_record->table[PS_TABLE_STRINGS].offset;
	char exe[4096] = "";
	char model[PS_CPU_MODEL_BYTES];

	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
	ck_assert_int_eq(p->pid, getpid());
	ck_assert_int_eq(p->ppid, getppid());
	ck_assert_str_eq(strings + p->exe, exe);
	ck_assert_str_eq(strings + p->name, strrchr(exe, '/') + 1);
	ck_assert_str_eq(strings + p->library, PS_VERSION);
	ck_assert_uint_eq(p->cpu_model, 0);
	ps_record_describe_machine();
	ps_cpu_model(model);
	ck_assert_str_eq(strings + p->cpu_model, model);
	ck_assert_uint_eq(strlen(p->boot_id), 36);
	ck_assert_int_eq(ps_peek(&p->exit_code), -1);
	ck_assert_uint_eq(ps_peek(&p->is_forked_child), 0);
	ck_assert_uint_le(ps_record->file_bytes, 64 << 20);
	ck_assert_int_eq(ps_record_open(), -EALREADY);
	check_recording();
}
END_TEST

START_TEST(entries_show_after_publishing)
{
	struct ps_record_table *t = &ps_record->table[PS_TABLE_SITES];
	struct ps_record_site *site;
	void *out;
	uint32_t first;

	ps_record_lock();
	first = ps_record_append(PS_TABLE_SITES, 3, &out);
	ck_assert_uint_eq(first, 0);
	ck_assert_uint_eq(ps_peek(&t->count), 0);
	site = out;
	site[2].hash = 42;
	ps_record_publish(PS_TABLE_SITES);
	ps_record_unlock();
	ck_assert_uint_eq(ps_peek(&t->count), 3);
	site = ps_record_entry(PS_TABLE_SITES, 2);
	ck_assert_uint_eq(site->hash, 42);
	check_recording();
}
END_TEST

/* One test a table, in memory and in a file. */
START_TEST(a_full_table_drops_and_counts)
{
	enum ps_table_id id = (enum ps_table_id)(_i % PS_TABLES);
	struct ps_record_table *t = &ps_record->table[id];
	static const char zeros[8192];
	uint32_t step;
	uint32_t had;
	uint32_t got;
	void *out;

	if (_i >= PS_TABLES)
		ck_assert_int_eq(ps_record_to_file(directory), 0);
	had = ps_peek(&t->count);
	got = had;
	step = PS_MAX(t->capacity / 1000, 1u);
	while (append(id, step, &out) != UINT32_MAX) {
		uint64_t bytes =
		    PS_MIN((uint64_t)step * t->entry_bytes, sizeof(zeros));

		ck_assert_mem_eq(out, zeros, bytes);
		memset(out, 0x55, (size_t)step * t->entry_bytes);
		got += step;
	}
	ck_assert_uint_eq(ps_peek(&t->count), got);
	ck_assert_uint_gt(got + step, t->capacity);
	ck_assert_uint_eq(ps_peek(&t->dropped), step);
	ck_assert_uint_eq(append(id, UINT32_MAX, &out), UINT32_MAX);
	ck_assert_uint_eq(ps_peek(&t->dropped), UINT32_MAX);
	ck_assert_uint_eq(ps_peek(&ps_record->no_space), 0);
	if (t->capacity - got > 0)
		ck_assert_uint_eq(append(id, t->capacity - got, &out), got);
	ck_assert_uint_eq(ps_peek(&t->count), t->capacity);
}
END_TEST

START_TEST(a_string_is_kept_once)
{
	const char *strings =
	    (const char *)ps_record + ps_record->table[PS_TABLE_STRINGS].offset;
	static char big[6000];
	uint32_t a = ps_record_string("alpha");

	ck_assert_uint_gt(a, 0);
	ck_assert_str_eq(strings + a, "alpha");
	ck_assert_uint_eq(ps_record_string("alpha"), a);
	ck_assert_str_eq(strings + ps_record_string_once("alphabet", 5),
			 "alpha");
	ck_assert_uint_eq(ps_record_string("alpha"), a);
	ck_assert_uint_ne(ps_record_string("alph"), a);
	ck_assert_uint_eq(ps_record_string(""), 0);
	memset(big, 'b', sizeof(big) - 1);
	a = ps_record_string(big);
	ck_assert_uint_eq(strlen(strings + a), 4095);
	ps_record_lock(); /* callers may hold the lock */
	ck_assert_uint_eq(ps_record_string(big), a);
	ps_record_unlock();
	check_recording();
}
END_TEST

START_TEST(too_many_strings_are_dropped_not_mixed_up)
{
	const char *strings =
	    (const char *)ps_record + ps_record->table[PS_TABLE_STRINGS].offset;
	unsigned none = 0;

	for (unsigned i = 0; i < 150000; i++) {
		char text[40];
		uint32_t at;

		snprintf(text, sizeof(text), "string-%u-of-many", i);
		at = ps_record_string(text);
		none += at == 0;
		if (at != 0 && strcmp(strings + at, text) != 0)
			ck_abort_msg("%s is %s", text, strings + at);
	}
	ck_assert_uint_gt(none, 0);
	ck_assert_uint_gt(ps_peek(&ps_record->table[PS_TABLE_STRINGS].dropped),
			  0);
	check_recording();
}
END_TEST

START_TEST(a_file_takes_the_memorys_place)
{
	uint32_t before = ps_record_string("before the file");
	struct stat st;
	struct ps_reader r;
	char expected[400];
	const char *why = "";
	int fd = open("/dev/null", O_RDONLY);
	int next = open("/dev/null", O_RDONLY);
	struct ps_record_header *was = ps_record;

	close(fd);
	close(next);
	ck_assert_int_eq(ps_record_to_file(directory), 0);
	ck_assert_ptr_eq(ps_record, was);
	ck_assert_uint_eq(ps_record->is_file, 1);
	ck_assert_int_eq(open("/dev/null", O_RDONLY), fd); /* none is kept */
	ck_assert_uint_eq(each_file(remember_path), 1);
	ck_assert_int_eq(stat(seen_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(ps_reader_open(&r, seen_path, &why), 0);
	ck_assert_str_eq(ps_reader_string(&r, before), "before the file");
	snprintf(expected, sizeof(expected), "%s/%s.%d.%lx.perfshim", directory,
		 ps_reader_string(&r, r.header->process.name), getpid(),
		 r.header->process.start_real_ns);
	ck_assert_str_eq(seen_path, expected);
	ps_reader_close(&r);
	before = ps_record_string("after it");
	ck_assert_int_eq(ps_reader_open(&r, seen_path, &why), 0);
	ck_assert_str_eq(ps_reader_string(&r, before), "after it");
	ps_reader_close(&r);
	check_recording();
	ck_assert_uint_lt((uint64_t)st.st_blocks * 512, 2 << 20);
}
END_TEST

START_TEST(a_taken_name_gets_a_number)
{
	char taken[400];
	struct stat st;

	ps_record->process.start_real_ns = 0x5eed;
	ck_assert_int_eq(ps_record_to_file(directory), 0);
	each_file(remember_path);
	strcpy(taken, seen_path);
	ps_record_postfork_child();
	ps_record->process.start_real_ns = 0x5eed;
	ck_assert_int_eq(ps_record_to_file(directory), 0);
	strcpy(strrchr(taken, '.'), "-1.perfshim");
	ck_assert_int_eq(stat(taken, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)ps_record->file_bytes);
	ck_assert_uint_eq(each_file(NULL), 2);
}
END_TEST

START_TEST(a_bad_directory_leaves_the_memory)
{
	static char longest[5000];

	memset(longest, 'd', sizeof(longest) - 1);
	longest[0] = '/';
	ck_assert_int_eq(ps_record_to_file("/nonexistent"), -ENOENT);
	ck_assert_int_eq(ps_record_to_file("relative"), -EINVAL);
	ck_assert_int_eq(ps_record_to_file(longest), -ENAMETOOLONG);
	ck_assert_uint_eq(ps_record->is_file, 0);
	check_recording();
}
END_TEST

START_TEST(a_file_limit_leaves_the_memory)
{
	struct rlimit limit = {1 << 20, 1 << 20};

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(ps_record_to_file(directory), -EFBIG);
	ck_assert_uint_eq(each_file(NULL), 0);
	check_recording();
}
END_TEST

/* The disk gives nothing at the N-th call, for each N there is. */
START_TEST(no_space_at_any_call_leaves_the_memory)
{
	uint32_t kept = ps_record_string("kept through all of this");
	long failed = 0;
	long made;
	int err;

	for (long n = 1;; n++) {
		ps_os_fail_at(n, ENOSPC);
		err = ps_record_to_file(directory);
		made = ps_os_fail_at(0, 0);
		if (err == 0)
			ck_assert_uint_eq(ps_record->is_file, 1);
		else
			ck_assert_uint_eq(ps_record->is_file, 0);
		ck_assert_uint_eq(each_file(NULL), err == 0);
		ck_assert_uint_eq(ps_record_string("kept through all of this"),
				  kept);
		check_recording();
		failed += err != 0;
		if (made < n)
			break;
		if (err == 0) { /* a call that may fail; start over */
			ps_record_postfork_child();
			kept = ps_record_string("kept through all of this");
			each_file(remove_path);
		}
	}
	ck_assert_int_eq(err, 0);
	/* Open, chmod, stat, size, map; header, strings and threads. */
	ck_assert_int_ge(failed, 7);
}
END_TEST

/* Without fallocate, blocks are written instead. */
START_TEST(file_systems_without_fallocate_work)
{
	void *out;

	for (long n = 1;; n++) {
		long made;

		ps_os_fail_at(n, EOPNOTSUPP);
		int err = ps_record_to_file(directory);
		made = ps_os_fail_at(0, 0);
		if (err == 0) {
			ck_assert_uint_eq(append(PS_TABLE_FRAMES, 1, &out), 0);
			check_recording();
			ps_record_postfork_child();
		}
		each_file(remove_path);
		if (made < n)
			break;
	}
}
END_TEST

START_TEST(a_full_disk_stops_growth_and_is_counted)
{
	struct ps_record_table *t = &ps_record->table[PS_TABLE_FRAMES];
	const uint32_t room = 4096 / sizeof(struct ps_record_frame);
	uint32_t appended = 0;
	void *out;

	ck_assert_int_eq(ps_record_to_file(directory), 0);
	while (appended < room && append(PS_TABLE_FRAMES, 1, &out) == appended)
		appended++;
	/* Calls: populate, and then open, fstat, limit, fallocate. */
	ps_os_fail_at(_i, ENOSPC);
	ps_os_fail_first(EFAULT);
	while (append(PS_TABLE_FRAMES, 1, &out) != UINT32_MAX) {
		memset(out, 1, sizeof(struct ps_record_frame));
		if (++appended == room + 1)
			break;
	}
	ps_os_fail_at(0, 0);
	if (_i == 4 || _i == 6) { /* the limit is unknown; closing */
		ck_assert_uint_eq(ps_peek(&ps_record->no_space), 0);
		return;
	}
	ck_assert_uint_eq(appended, room);
	ck_assert_uint_eq(ps_peek(&ps_record->no_space), 1);
	ck_assert_uint_eq(ps_peek(&ps_record->no_space_error), ENOSPC);
	ck_assert_uint_eq(ps_peek(&t->dropped), 1);
	ps_os_fail_at(LONG_MAX, EIO);
	ck_assert_uint_eq(append(PS_TABLE_FRAMES, 5, &out), UINT32_MAX);
	ck_assert_int_eq(ps_os_fail_at(0, 0), 0); /* not tried again */
	ck_assert_uint_eq(ps_peek(&t->dropped), 6);
	check_recording();
}
END_TEST

START_TEST(another_file_at_the_path_is_left_alone)
{
	char other[] = "precious";
	char content[16] = "";
	void *out;
	FILE *f;

	ck_assert_int_eq(ps_record_to_file(directory), 0);
	each_file(remember_path);
	each_file(remove_path);
	f = fopen(seen_path, "w");
	fputs(other, f);
	fclose(f);
	/* Before Linux 5.14, which knows of no way but by the path. */
	ps_os_fail_at(LONG_MAX, EIO);
	ps_os_fail_first(EINVAL);
	ck_assert_uint_eq(append(PS_TABLE_FRAMES, 8192, &out), UINT32_MAX);
	ps_os_fail_at(0, 0);
	ck_assert_uint_eq(ps_peek(&ps_record->no_space), 1);
	ck_assert_uint_eq(ps_peek(&ps_record->no_space_error), ESTALE);
	/* The file without a name grows on, if asked directly. */
	ck_assert_uint_ne(append(PS_TABLE_SITES, 8192, &out), UINT32_MAX);
	f = fopen(seen_path, "r");
	ck_assert_uint_eq(fread(content, 1, sizeof(content) - 1, f), 8);
	fclose(f);
	ck_assert_str_eq(content, other);
}
END_TEST

static char *
whole_file(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "r");
	struct stat st;
	char *content;

	ck_assert_ptr_nonnull(f);
	fstat(fileno(f), &st);
	content = malloc((size_t)st.st_size);
	*bytes = fread(content, 1, (size_t)st.st_size, f);
	ck_assert_uint_eq(*bytes, (size_t)st.st_size);
	fclose(f);
	return content;
}

/* In the fork child, with the lock held by a thread that is not there. */
static void
child_story(const void *entry)
{
	void *out;

	ps_record_postfork_child();
	if (ps_record->is_file ||
	    ps_peek(&ps_record->process.is_forked_child) != 1)
		_exit(2);
	if (ps_record->process.pid != getpid())
		_exit(3);
	if (ps_peek(&ps_record->table[PS_TABLE_SITES].count) != 0)
		_exit(4);
	if (ps_record_string("only in the child") == 0)
		_exit(5);
	if (append(PS_TABLE_SITES, 1, &out) != 0 || out != entry)
		_exit(6);
	memset(out, 0x77, sizeof(struct ps_record_site));
	if (ps_record_to_file(directory) != 0 || !ps_record->is_file)
		_exit(7);
	if (append(PS_TABLE_FRAMES, 10000, &out) != 0)
		_exit(8);
	memset(out, 0x77, 10000 * sizeof(struct ps_record_frame));
	_exit(0);
}

START_TEST(a_fork_child_leaves_the_parents_file)
{
	size_t before_bytes;
	size_t after_bytes;
	char path[400];
	void *entry;
	int status;

	ck_assert_int_eq(ps_record_to_file(directory), 0);
	append(PS_TABLE_SITES, 1, &entry);
	each_file(remember_path);
	strcpy(path, seen_path);
	ps_record_lock();
	char *before = whole_file(path, &before_bytes);
	pid_t child = fork();
	if (child == 0)
		child_story(entry);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	char *after = whole_file(path, &after_bytes);
	ps_record_unlock();
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(before_bytes, after_bytes);
	ck_assert(memcmp(before, after, before_bytes) == 0);
	ck_assert_uint_eq(each_file(NULL), 2);
	free(before);
	free(after);
}
END_TEST

/* Its parent's is not written to, and whatever it does counts somewhere. */
START_TEST(a_child_that_cannot_map_goes_on_in_a_spare_recording)
{
	struct ps_reader reader;
	const char *why = "";
	void *out;

	ps_os_fail_at(1, ENOMEM);
	ps_record_postfork_child();
	ps_os_fail_at(0, 0);
	for (int i = 0; i < 2; i++) { /* the second time, a child of it */
		ck_assert(ps_record_is_spare());
		ck_assert_uint_eq(ps_record->is_file, 0);
		ck_assert_uint_gt(ps_record_string("here"), 0);
		ps_record_lock();
		for (unsigned id = 0; id < PS_TABLES; id++)
			if (id != PS_TABLE_STRINGS && id != PS_TABLE_THREADS)
				ck_assert_uint_eq(ps_record_append(id, 1, &out),
						  UINT32_MAX);
		ps_record_unlock();
		ck_assert_int_eq(ps_record_to_file(directory), -ENOMEM);
		ck_assert_int_eq(ps_reader_attach(&reader, ps_record,
						  ps_record->file_bytes, &why),
				 0);
		ck_assert_int_eq(reader.header->process.pid, getpid());
		ps_record_postfork_child();
	}
}
END_TEST

enum { THREADS = 4, ROUNDS = 5000 };

static void *
append_many(void *start)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		char text[32];
		void *out;

		ps_record_lock();
		if (ps_record_append(PS_TABLE_STACK_FRAMES, 2, &out) !=
		    UINT32_MAX) {
			((uint32_t *)out)[0] = i;
			((uint32_t *)out)[1] = ~i;
		}
		ps_record_publish(PS_TABLE_STACK_FRAMES);
		ps_record_unlock();
		snprintf(text, sizeof(text), "shared %u", i % 100);
		ps_record_string(text);
	}
	return start;
}

START_TEST(threads_share_the_tables)
{
	pthread_t thread[THREADS];
	struct ps_record_table *t = &ps_record->table[PS_TABLE_STACK_FRAMES];
	uint32_t strings;

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, append_many, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_uint_eq(ps_peek(&t->count), THREADS * ROUNDS * 2);
	for (uint32_t i = 0; i < THREADS * ROUNDS; i++) {
		uint32_t *pair = ps_record_entry(PS_TABLE_STACK_FRAMES, i * 2);

		if (pair[0] != ~pair[1])
			ck_abort_msg("pair %u is torn", i);
	}
	strings = ps_peek(&ps_record->table[PS_TABLE_STRINGS].count);
	append_many(NULL); /* knows them all */
	ck_assert_uint_eq(ps_peek(&ps_record->table[PS_TABLE_STRINGS].count),
			  strings);
}
END_TEST

START_TEST(without_memory_there_is_no_recording)
{
	ps_os_fail_at(1, ENOMEM);
	ck_assert_int_eq(ps_record_open(), -ENOMEM);
	ps_os_fail_at(0, 0);
	ck_assert_ptr_null(ps_record);
	/* Any later call may fail: less is known, the recording stands. */
	ps_os_fail_at(_i + 2, ENOMEM);
	ck_assert_int_eq(ps_record_open(), 0);
	ps_os_fail_at(0, 0);
	ck_assert_uint_gt(ps_record_string("text"), 0);
	check_recording();
}
END_TEST

Suite *
writer_suite(void)
{
	Suite *s = suite_create("writer");
	TCase *tables = tcase_create("tables");
	TCase *files = tcase_create("files");
	TCase *start = tcase_create("start");

	tcase_add_checked_fixture(tables, open_recording, close_recording);
	tcase_add_test(tables, a_new_recording_says_who_it_is);
	tcase_add_test(tables, entries_show_after_publishing);
	tcase_add_loop_test(tables, a_full_table_drops_and_counts, 0,
			    2 * PS_TABLES);
	tcase_add_test(tables, a_string_is_kept_once);
	tcase_add_test(tables, too_many_strings_are_dropped_not_mixed_up);
	tcase_add_test(tables, threads_share_the_tables);
	tcase_set_timeout(tables, 30);
	suite_add_tcase(s, tables);

	tcase_add_checked_fixture(files, open_recording, close_recording);
	tcase_add_test(files, a_file_takes_the_memorys_place);
	tcase_add_test(files, a_taken_name_gets_a_number);
	tcase_add_test(files, a_bad_directory_leaves_the_memory);
	tcase_add_test(files, a_file_limit_leaves_the_memory);
	tcase_add_test(files, no_space_at_any_call_leaves_the_memory);
	tcase_add_test(files, file_systems_without_fallocate_work);
	tcase_add_loop_test(files, a_full_disk_stops_growth_and_is_counted, 2,
			    7);
	tcase_add_test(files, another_file_at_the_path_is_left_alone);
	tcase_add_test(files, a_fork_child_leaves_the_parents_file);
	tcase_add_test(files,
		       a_child_that_cannot_map_goes_on_in_a_spare_recording);
	tcase_set_timeout(files, 30);
	suite_add_tcase(s, files);

	tcase_add_loop_test(start, without_memory_there_is_no_recording, 0, 10);
	suite_add_tcase(s, start);
	return s;
}
