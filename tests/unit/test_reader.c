/* SPDX-License-Identifier: MIT */
/*
 * test_reader - what was written comes back, and no file can hurt a reader
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "record/plan.h"
#include "record/reader.h"
#include "record/writer.h"

static struct ps_reader reader;
static const char *why;
static char *image; /* a compact valid recording, to damage */
static size_t image_bytes;
static volatile uint64_t sink;

static void *
append(enum ps_table_id id, uint32_t entries)
{
	void *out = NULL;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, entries, &out), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return out;
}

/* One of everything. */
static void
fill_recording(void)
{
	struct ps_record_module *module = append(PS_TABLE_MODULES, 1);
	struct ps_record_frame *frame = append(PS_TABLE_FRAMES, 4);
	uint32_t *stack = append(PS_TABLE_STACK_FRAMES, 3);
	struct ps_record_site *site = append(PS_TABLE_SITES, 2);
	struct ps_record_section *section = append(PS_TABLE_SECTIONS, 1);

	module->path = ps_record_string("/lib/libexample.so");
	module->start = 0x1000;
	for (uint32_t i = 0; i < 4; i++)
		frame[i].pc = 0x1000 + i;
	for (uint32_t i = 0; i < 3; i++)
		stack[i] = 3 - i;
	site[0].depth = 3;
	site[1].first_frame = 3; /* an empty stack at the very end */
	ps_poke(&site[0].bytes, 12345);
	section->name = ps_record_string("parse");
	append(PS_TABLE_SECTION_STATS, 1);
	append(PS_TABLE_ALERTS, 1);
	ps_record->clock.kind = PS_CLOCK_TSC;
	ps_record->clock.start_ticks = 1000;
	ps_poke(&ps_record->clock.last_ticks, 1000 + 3000000000u);
	ps_record->clock.start_ns = 77;
	ps_poke(&ps_record->clock.last_ns, 77 + 1000000000u);
}

/*
 * A copy with the tables moved together: capacity = count, so that random
 * damage hits something that matters and a copy is cheap.
 */
static void
make_image(void)
{
	struct ps_record_header *h;
	size_t at = PS_RECORD_HEADER_BYTES;

	ck_assert_int_eq(ps_record_open(), 0);
	fill_recording();
	image_bytes = at + PS_TABLES * 2 * PS_RECORD_ALIGN;
	image = aligned_alloc(4096, image_bytes);
	memset(image, 0, image_bytes);
	memcpy(image, ps_record, PS_RECORD_HEADER_BYTES);
	h = (void *)image;
	for (unsigned i = 0; i < PS_TABLES; i++) {
		struct ps_record_table *t = &h->table[i];
		size_t used = (size_t)ps_peek(&t->count) * t->entry_bytes;

		ck_assert_uint_le(used, 2 * PS_RECORD_ALIGN);
		memcpy(image + at, (const char *)ps_record + t->offset, used);
		t->offset = at;
		t->capacity = ps_peek(&t->count);
		at += PS_ROUND_UP(used, (size_t)PS_RECORD_ALIGN);
	}
	ck_assert_uint_le(at, image_bytes);
	image_bytes = at;
	h->file_bytes = at;
}

static void
drop_image(void)
{
	free(image);
}

static struct ps_record_header *
head(void)
{
	return (struct ps_record_header *)image;
}

static int
attach(void)
{
	why = NULL;
	return ps_reader_attach(&reader, image, image_bytes, &why);
}

static void
check_content(void)
{
	const struct ps_record_site *site =
	    ps_reader_entry(&reader, PS_TABLE_SITES, 0);
	const struct ps_record_module *module =
	    ps_reader_entry(&reader, PS_TABLE_MODULES, 0);
	const struct ps_record_section *section =
	    ps_reader_entry(&reader, PS_TABLE_SECTIONS, 0);
	uint32_t stack[PS_STACK_DEPTH_MAX];

	ck_assert_uint_eq(ps_reader_stack(&reader, site, stack), 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(stack[i], 3 - i);
	ck_assert_uint_eq(ps_peek(&site->bytes), 12345);
	ck_assert_str_eq(ps_reader_string(&reader, module->path),
			 "/lib/libexample.so");
	ck_assert_str_eq(ps_reader_string(&reader, section->name), "parse");
	ck_assert_ptr_null(ps_reader_entry(&reader, PS_TABLE_SITES, 2));
	ck_assert_int_eq(reader.header->process.pid, ps_record->process.pid);
	ck_assert_uint_eq(ps_reader_stack(&reader, site + 1, stack), 0);
}

START_TEST(memory_reads_back)
{
	ck_assert_int_eq(attach(), 0);
	check_content();
	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, NULL),
	    0);
	check_content();
	ps_reader_close(&reader);
	ck_assert_ptr_null(reader.header);
}
END_TEST

/* Through a file, from the process and after its sudden death. */
START_TEST(a_file_reads_back_after_sigkill)
{
	char directory[] = "/tmp/ps-test-reader-XXXXXX";
	char path[200];
	int status;
	pid_t child;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	child = fork();
	if (child == 0) {
		ps_record_postfork_child();
		ps_record->process.start_real_ns = 1;
		if (ps_record_to_file(directory) != 0)
			_exit(1);
		fill_recording();
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	ck_assert_int_eq(attach(), 0);
	snprintf(path, sizeof(path), "%s/%s.%d.1.perfshim", directory,
		 ps_reader_string(&reader, reader.header->process.name), child);
	ck_assert_msg(ps_reader_open(&reader, path, &why) == 0, "%s", why);
	ck_assert_int_eq(reader.header->process.pid, child);
	ps_record->process.pid = child;
	check_content();
	ps_reader_close(&reader);
	ck_assert_int_eq(truncate(path, 1 << 20), 0);
	ck_assert_int_eq(ps_reader_open(&reader, path, &why), -EBADMSG);
	ck_assert_str_eq(why, "damaged: cut short");
	unlink(path);
	ck_assert_int_eq(ps_reader_open(&reader, path, &why), -ENOENT);
	ck_assert_int_eq(ps_reader_open(&reader, directory, &why), -EINVAL);
	ck_assert_int_eq(mkfifo(path, 0600), 0); /* would wait for a writer */
	ck_assert_int_eq(ps_reader_open(&reader, path, &why), -EINVAL);
	ck_assert_str_eq(why, "not a regular file");
	unlink(path);
	close(creat(path, 0600));
	ck_assert_int_eq(ps_reader_open(&reader, path, &why), -ENODATA);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(every_failing_call_is_an_error)
{
	for (long n = 1;; n++) {
		int err;
		long made;

		ps_os_fail_at(n, EIO);
		err = ps_reader_open(&reader, "/proc/self/exe", &why);
		made = ps_os_fail_at(0, 0);
		/* Not a recording, when nothing fails or only the closing. */
		ck_assert(err == -EIO || err == -EINVAL);
		ck_assert_ptr_nonnull(why);
		if (made < n)
			break;
		ck_assert(n > 4 || err == -EIO);
	}
}
END_TEST

/* ---- damage, one kind a row ---- */

static void
damage_magic(void)
{
	head()->magic[0] ^= 1;
}

static void
damage_version(void)
{
	head()->version++;
}

static void
damage_ready(void)
{
	ps_poke(&head()->is_ready, 0);
}

static void
damage_header_bytes(void)
{
	head()->header_bytes -= 4096;
}

static void
damage_file_bytes(void)
{
	head()->file_bytes = image_bytes + 1;
}

static void
damage_entry_bytes(void)
{
	head()->table[PS_TABLE_SITES].entry_bytes--;
}

static void
damage_alignment(void)
{
	head()->table[PS_TABLE_SITES].offset += 8;
}

static void
damage_capacity(void)
{
	head()->table[PS_TABLE_FRAMES].capacity = UINT32_MAX;
}

static void
damage_offset(void)
{
	head()->table[PS_TABLE_FRAMES].offset = UINT64_MAX - 4095;
}

static void
damage_into_header(void)
{
	head()->table[PS_TABLE_STRINGS].offset = 4096;
}

static void
damage_overlap(void)
{
	head()->table[PS_TABLE_FRAMES].offset =
	    head()->table[PS_TABLE_SITES].offset;
}

static const struct {
	void (*damage)(void);
	int error;
} damages[] = {
    {damage_magic, -EINVAL},	   {damage_version, -EPROTO},
    {damage_ready, -EAGAIN},	   {damage_header_bytes, -EBADMSG},
    {damage_file_bytes, -EBADMSG}, {damage_entry_bytes, -EBADMSG},
    {damage_alignment, -EBADMSG},  {damage_capacity, -EBADMSG},
    {damage_offset, -EBADMSG},	   {damage_into_header, -EBADMSG},
    {damage_overlap, -EBADMSG},
};

START_TEST(damage_is_refused_with_a_reason)
{
	ck_assert_int_eq(attach(), 0);
	reader.bytes = 99;
	damages[_i].damage();
	ck_assert_int_eq(attach(), damages[_i].error);
	ck_assert_ptr_nonnull(why);
	ck_assert_uint_eq(reader.bytes, 99); /* left alone */
}
END_TEST

START_TEST(counts_are_clamped)
{
	ps_poke(&head()->table[PS_TABLE_SITES].count, UINT32_MAX);
	ck_assert_int_eq(attach(), 0);
	ck_assert_uint_eq(reader.count[PS_TABLE_SITES], 2);
}
END_TEST

START_TEST(bad_references_are_empty)
{
	struct ps_record_site site = {.first_frame = UINT32_MAX, .depth = 3};
	uint32_t stack[PS_STACK_DEPTH_MAX];
	uint32_t end;

	/* The last string loses its end: nothing is read beyond the table. */
	ck_assert_int_eq(attach(), 0);
	end = reader.count[PS_TABLE_STRINGS];
	image[head()->table[PS_TABLE_STRINGS].offset + end - 1] = 'x';
	ck_assert_str_eq(ps_reader_string(&reader, end - 1), "");
	ck_assert_str_eq(ps_reader_string(&reader, end), "");
	ck_assert_str_eq(ps_reader_string(&reader, UINT32_MAX), "");
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 0);
	site = (struct ps_record_site){.first_frame = 1, .depth = 3};
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 0);
	site.depth = 2;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 2);
	site.depth = UINT16_MAX;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 0);
}
END_TEST

/* A link leads to the rest of a stack; a bad one, or one to a link, to none. */
START_TEST(links_of_stacks_are_followed_with_care)
{
	struct ps_record_site site = {.first_frame = 0, .depth = 3};
	uint32_t stack[PS_STACK_DEPTH_MAX];
	uint32_t *frames;

	ck_assert_int_eq(attach(), 0);
	frames =
	    (uint32_t *)(image + head()->table[PS_TABLE_STACK_FRAMES].offset);
	ck_assert_uint_eq(reader.count[PS_TABLE_STACK_FRAMES], 3);
	frames[1] = PS_STACK_LINK | 2; /* 3, then 1 */
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 0);
	site.depth = 2;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 2);
	ck_assert_uint_eq(stack[0], 3);
	ck_assert_uint_eq(stack[1], 1);
	frames[1] = PS_STACK_LINK | 1;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 0);
	frames[1] = PS_STACK_LINK | 3;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 0);
	frames[1] = PS_STACK_LINK; /* round and round, as deep as it says */
	site.depth = PS_STACK_DEPTH_MAX;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack),
			  PS_STACK_DEPTH_MAX);
	frames[1] = UINT32_MAX; /* a frame that found no place */
	site.depth = 3;
	ck_assert_uint_eq(ps_reader_stack(&reader, &site, stack), 3);
	ck_assert_uint_eq(stack[1], UINT32_MAX);
}
END_TEST

static void
touch(const void *from, size_t bytes)
{
	const unsigned char *at = from;
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum += at[i];
	sink += sum;
}

/* Read all that the accessors give: a sanitizer or a fault tells. */
static void
walk(void)
{
	for (unsigned id = 0; id < PS_TABLES; id++) {
		uint32_t count = reader.count[id];

		if (count == 0)
			continue;
		touch(ps_reader_entry(&reader, id, 0),
		      (size_t)count * ps_record_plan[id].entry_bytes);
		ck_assert_ptr_null(ps_reader_entry(&reader, id, count));
	}
	for (uint32_t i = 0; i <= reader.count[PS_TABLE_STRINGS]; i++) {
		const char *text = ps_reader_string(&reader, i);

		touch(text, strlen(text));
	}
	for (uint32_t i = 0; i < reader.count[PS_TABLE_SITES]; i++) {
		uint32_t stack[PS_STACK_DEPTH_MAX];
		uint32_t depth = ps_reader_stack(
		    &reader, ps_reader_entry(&reader, PS_TABLE_SITES, i),
		    stack);

		touch(stack, depth * sizeof(*stack));
	}
	ps_reader_seconds(&reader, sink);
}

static void
damage_at_random(unsigned *seed)
{
	size_t fields = offsetof(struct ps_record_header, process);
	unsigned hits = 1 + (unsigned)rand_r(seed) % 4;

	while (hits-- > 0) {
		/* Half of them where offsets and counts are. */
		size_t range = rand_r(seed) % 2 ? fields : image_bytes;
		size_t at = (size_t)rand_r(seed) % range;

		if (rand_r(seed) % 2)
			image[at] ^= (char)(1 << rand_r(seed) % 8);
		else
			image[at] = (char)rand_r(seed);
	}
}

/* hazard: S5 malformed recordings */
START_TEST(random_damage_never_hurts)
{
	char *good = malloc(image_bytes);
	unsigned seed = 17;
	unsigned opened = 0;
	unsigned refused = 0;

	memcpy(good, image, image_bytes);
	for (unsigned n = 0; n < 10000; n++) {
		memcpy(image, good, image_bytes);
		damage_at_random(&seed);
		if (attach() == 0) {
			opened++;
			walk();
		} else {
			refused++;
			ck_assert_ptr_nonnull(why);
		}
	}
	ck_assert_uint_gt(opened, 1000);
	ck_assert_uint_gt(refused, 1000);
	free(good);
}
END_TEST

START_TEST(every_shorter_file_is_refused)
{
	for (size_t bytes = 0; bytes < image_bytes; bytes += 97)
		ck_assert_int_lt(ps_reader_attach(&reader, image, bytes, &why),
				 0);
}
END_TEST

START_TEST(ticks_become_seconds)
{
	ck_assert_int_eq(attach(), 0);
	ck_assert_double_eq_tol(ps_reader_tick_seconds(&reader), 1.0 / 3e9,
				1e-20);
	ck_assert_double_eq_tol(ps_reader_seconds(&reader, 1000 + 6000000000u),
				2.0, 1e-9);
	ck_assert(ps_reader_seconds(&reader, 1000) == 0);
	/* Too short a run for two points: what was measured of the clock. */
	ps_poke(&head()->clock.last_ns, head()->clock.start_ns + 100);
	head()->calibration.tsc_hz = 2e9;
	ck_assert_double_eq_tol(ps_reader_tick_seconds(&reader), 5e-10, 1e-20);
	/* Nothing known: said so. */
	head()->calibration.tsc_hz = 0;
	ps_poke(&head()->clock.last_ticks, 0);
	ck_assert(isnan(ps_reader_tick_seconds(&reader)));
	head()->clock.kind = PS_CLOCK_MONOTONIC;
	ck_assert(ps_reader_tick_seconds(&reader) == 1e-9);
}
END_TEST

Suite *
reader_suite(void)
{
	Suite *s = suite_create("reader");
	TCase *good = tcase_create("good");
	TCase *hostile = tcase_create("hostile");

	tcase_add_checked_fixture(good, make_image, drop_image);
	tcase_add_test(good, memory_reads_back);
	tcase_add_test(good, a_file_reads_back_after_sigkill);
	tcase_add_test(good, every_failing_call_is_an_error);
	tcase_add_test(good, ticks_become_seconds);
	suite_add_tcase(s, good);

	tcase_add_checked_fixture(hostile, make_image, drop_image);
	tcase_add_loop_test(hostile, damage_is_refused_with_a_reason, 0,
			    (int)PS_COUNT(damages));
	tcase_add_test(hostile, counts_are_clamped);
	tcase_add_test(hostile, bad_references_are_empty);
	tcase_add_test(hostile, links_of_stacks_are_followed_with_care);
	tcase_add_test(hostile, random_damage_never_hurts);
	tcase_add_test(hostile, every_shorter_file_is_refused);
	tcase_set_timeout(hostile, 30);
	suite_add_tcase(s, hostile);
	return s;
}
