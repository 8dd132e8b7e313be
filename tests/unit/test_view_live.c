/* SPDX-License-Identifier: MIT */
/*
 * test_view_live - a recording whose references change while it is read
 *
 * Another process sets one word of a shared copy of the example to one value
 * and another, as fast as it can; what is read meanwhile must be the one or the
 * other.  A reader that checks a reference and reads it again goes beyond a
 * table sooner or later, unless its compiler made one reading of the two: most
 * of them do within a quarter of a second.
 */
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "record/plan.h"
#include "record/writer.h"
#include "report/massif.h"
#include "report/merge.h"
#include "report/pprof.h"
#include "report/prometheus.h"
#include "report/report.h"
#include "report/symbol_elf.h"
#include "report/view_section.h"
#include "tests/unit/example.h"

enum { TRIES_NS = 250000000, ROOM = 1 << 16, INDEX = 1 << 30, MANY = 10000 };

static struct ps_reader reader;
static struct ps_scratch scratch;
static struct ps_scratch kept; /* of `whole` */
static struct ps_view view;    /* of each reading */
static struct ps_view whole;   /* of the recording before it changes */
static char *image;	       /* shared with who changes it */
static size_t image_bytes;
static pid_t writer;

/* ---- what is read ---- */

static void
read_view(void)
{
	ck_assert_int_eq(ps_view_build(&reader, NULL, &scratch, &view), 0);
}

static void
read_names(void)
{
	read_view();
	ck_assert_int_eq(ps_view_name_functions(&view, NULL, &scratch), 0);
}

static void
read_peak(void)
{
	read_view();
	ck_assert_uint_ge(view.peak_bytes, view.live_bytes);
}

static void
read_interval(void)
{
	double most = 0;

	for (unsigned i = 0; i < MANY; i++) {
		double bytes = ps_view_interval_widest(&whole);

		most = PS_MAX(most, bytes);
	}
	ck_assert_double_le(most, (double)((512 << 10) << PS_COARSE_MAX));
}

/* No more temporary ones than there are. */
static void
read_row(void)
{
	struct ps_view_site site;
	double most = 0;

	for (unsigned i = 0; i < MANY; i++) {
		ps_view_row(&whole, 0, &site);
		most = PS_MAX(most, site.temporary);
	}
	ck_assert_double_le(most, 100);
}

static void
read_text(void)
{
	static char text[ROOM];
	struct ps_text t;

	ps_text_init(&t, text, sizeof(text), -1);
	ck_assert_int_eq(ps_report_write_view(&whole, NULL, &scratch,
					      PS_REPORT_TEXT, NULL, &t),
			 0);
	ck_assert_int_eq(ps_report_write_view(&whole, NULL, &scratch,
					      PS_REPORT_JSON, NULL, &t),
			 0);
	ck_assert_int_eq(
	    ps_massif(&whole, ps_symbols_none(&scratch, &reader), &scratch, &t),
	    0);
}

static void
read_pprof(void)
{
	static char text[ROOM];
	struct ps_symbols *symbols = ps_symbols_none(&scratch, &reader);
	struct ps_pprof *pprof;
	struct ps_text t;

	ps_text_init(&t, text, sizeof(text), -1);
	pprof = ps_pprof_begin(&scratch, PS_BY_BYTES, &t);
	ck_assert_ptr_nonnull(pprof);
	ck_assert_int_eq(ps_pprof_add(pprof, &whole, symbols, 1), 0);
	ck_assert_int_eq(ps_pprof_end(pprof), 0);
}

static void
read_symbols(void)
{
	struct ps_symbols *symbols =
	    ps_symbols_elf(&scratch, &reader, NULL, NULL);
	struct ps_symbol symbol;

	ck_assert_ptr_nonnull(symbols);
	for (uint32_t i = 0; i < reader.count[PS_TABLE_FRAMES]; i++)
		(void)symbols->resolve(symbols, i, &symbol);
}

static void
read_prometheus(void)
{
	static char text[ROOM];
	const struct ps_reader *readers[] = {&reader};
	struct ps_text t;

	ps_text_init(&t, text, sizeof(text), -1);
	ck_assert_int_eq(ps_report_prometheus(readers, 1, &scratch, &t), 0);
}

static void
read_merged(void)
{
	const struct ps_reader *readers[] = {&reader, &reader};
	struct ps_reader merged;

	ck_assert_int_eq(ps_merge(readers, 2, &scratch, &merged), 0);
}

static void
read_stack(void)
{
	uint32_t frames[PS_STACK_DEPTH_MAX];

	for (unsigned i = 0; i < 200; i++) {
		uint32_t depth = ps_reader_stack(
		    &reader, ps_reader_entry(&reader, PS_TABLE_SITES, 0),
		    frames);

		ck_assert_uint_le(depth, PS_STACK_DEPTH_MAX);
		for (uint32_t k = 0; k < depth; k++)
			ck_assert(!ps_stack_is_link(frames[k]));
	}
}

/* ---- what changes ---- */

/* 4 bytes of a table's row, or of the header, and what they are by turns. */
struct change {
	unsigned table; /* PS_TABLES: the header */
	uint32_t row;
	size_t offset;
	uint32_t values[2];
	void (*read)(void);
};

#define SITE(field) PS_TABLE_SITES, 0, offsetof(struct ps_record_site, field)
#define TIMES(field)                                                           \
	PS_TABLE_SECTION_STATS, 1,                                             \
	    offsetof(struct ps_record_section_stats, field)
#define SECTION(field)                                                         \
	PS_TABLE_SECTIONS, 0, offsetof(struct ps_record_section, field)
#define NODE(field)                                                            \
	PS_TABLE_SECTION_NODES, 0,                                             \
	    offsetof(struct ps_record_section_node, field)
#define FRAME(field) PS_TABLE_FRAMES, 1, offsetof(struct ps_record_frame, field)
#define MODULE(field)                                                          \
	PS_TABLE_MODULES, 0, offsetof(struct ps_record_module, field)
#define ALERT(field) PS_TABLE_ALERTS, 0, offsetof(struct ps_record_alert, field)
#define HEADER(field) PS_TABLES, 0, offsetof(struct ps_record_header, field)

static const struct change changes[] = {
    {TIMES(slowest[0].parent), {0, UINT32_MAX}, read_names},
    {TIMES(section), {1, INDEX}, read_merged},
    {SECTION(function), {1, INDEX}, read_merged},
    {NODE(section), {1, INDEX}, read_view},
    {NODE(section), {1, INDEX}, read_merged},
    {SITE(section), {1, INDEX}, read_view},
    {SITE(section), {1, INDEX}, read_merged},
    {SITE(thread), {1, INDEX}, read_merged},
    {SITE(depth), {3, 0xffff}, read_stack},
    {SITE(depth), {1, PS_STACK_DEPTH_MAX}, read_merged},
    {PS_TABLE_STACK_FRAMES, 0, 0, {1, PS_STACK_LINK | 2}, read_stack},
    {FRAME(module), {0, INDEX}, read_view},
    {FRAME(module), {0, INDEX}, read_symbols},
    {FRAME(module), {0, INDEX}, read_merged},
    {MODULE(build_id_bytes), {20, INDEX}, read_view},
    {MODULE(build_id_bytes), {20, INDEX}, read_merged},
    {MODULE(build_id_bytes), {20, INDEX}, read_pprof},
    {HEADER(timeline.count), {1, INDEX}, read_text},
    {HEADER(timeline.count), {1, INDEX}, read_merged},
    {ALERT(severity), {1, INDEX}, read_prometheus},
    {HEADER(sampling.coarsest), {1, 40}, read_interval},
    {SITE(temporary), {0, 1000 * PS_WEIGHT_ONE}, read_row},
    {HEADER(heap.peak_bytes), {0, UINT32_MAX}, read_peak},
};

static void *
place_of(const struct change *c)
{
	const struct ps_record_header *h = (void *)image;
	const struct ps_record_table *t = &h->table[c->table % PS_TABLES];

	if (c->table == PS_TABLES)
		return image + c->offset;
	ck_assert_uint_lt(c->row, t->capacity);
	return image + t->offset + (size_t)c->row * t->entry_bytes + c->offset;
}

/* The example, and what it has none of. */
static void
set_up(void)
{
	struct ps_record_slow_call *slow;
	struct ps_record_module *module;
	struct ps_record_frame *frame;
	uint32_t *stack;
	char *private;
	void *out;

	ps_example_open();
	ps_record_lock();
	ck_assert_uint_eq(ps_record_append(PS_TABLE_SECTION_NODES, 1, &out), 0);
	((struct ps_record_section_node *)out)->section = 1;
	ps_poke(&((struct ps_record_section_node *)out)->parent, UINT32_MAX);
	ps_record_publish(PS_TABLE_SECTION_NODES);
	ps_record_unlock();
	slow = &ps_example_stats(1)->slowest[0];
	ps_poke(&slow->ticks, 4000);
	module = ps_record_entry(PS_TABLE_MODULES, 0);
	module->build_id_bytes = 20;
	stack = ps_record_entry(PS_TABLE_STACK_FRAMES, 4);
	*stack = PS_STACK_LINK; /* to the first: as deep as one likes */
	frame = ps_record_entry(PS_TABLE_FRAMES, 1);
	frame->generation = 1; /* so that same_frame.c looks */
	ps_poke(&ps_example_site(0)->allocations, 100 * PS_WEIGHT_ONE);
	ps_poke(&ps_example_site(1)->allocations, 0);
	private = ps_example_compact(&image_bytes);
	/* And, behind it, a page that cannot be touched. */
	image = mmap(NULL, image_bytes + PS_RECORD_ALIGN,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(image, MAP_FAILED);
	ck_assert_int_eq(
	    mprotect(image + image_bytes, PS_RECORD_ALIGN, PROT_NONE), 0);
	memcpy(image, private, image_bytes);
	ck_assert_int_eq(ps_reader_attach(&reader, image, image_bytes, NULL),
			 0);
	ps_scratch_init(&kept, 0);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &kept, &whole), 0);
}

static void
tear_down(void)
{
	if (writer > 0) {
		(void)kill(writer, SIGKILL);
		(void)waitpid(writer, NULL, 0);
	}
}

/* A process that changes the place until it is killed. */
static pid_t
start_writer(const struct change *c)
{
	_Atomic uint32_t *at = place_of(c);
	pid_t pid = fork();

	for (unsigned i = 0; pid == 0; i++)
		ps_poke(at, c->values[i % 2]);
	return pid;
}

START_TEST(what_was_checked_is_what_is_used)
{
	uint64_t end = ps_os_monotonic_ns() + TRIES_NS;

	writer = start_writer(&changes[_i]);
	ck_assert_int_gt(writer, 0);
	while (ps_os_monotonic_ns() < end) {
		ps_scratch_init(&scratch, 0);
		changes[_i].read();
		ps_scratch_fini(&scratch);
	}
}
END_TEST

Suite *
view_live_suite(void)
{
	Suite *s = suite_create("view_live");
	TCase *live = tcase_create("live");

	tcase_add_checked_fixture(live, set_up, tear_down);
	tcase_add_loop_test(live, what_was_checked_is_what_is_used, 0,
			    (int)PS_COUNT(changes));
	tcase_set_timeout(live, 20);
	suite_add_tcase(s, live);
	return s;
}
