/* SPDX-License-Identifier: MIT */
/*
 * seed - writes the corpus that the fuzzer starts from, and a full recording
 *
 *   seed corpus DIRECTORY    the example of the unit tests, and variants of it
 *   seed full FILE           every table at its limit
 *   seed damaged DIRECTORY   copies of the example, each damaged in another
 * way: DAMAGED of them (default 40), from DAMAGED_SEED on
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/plan.h"
#include "record/writer.h"
#include "tests/unit/example.h"

/* Of a stack: its own frames and a link to those of another. */
enum { OWN_FRAMES = 32, DEPTH = 64 };
enum { NO_PID = 1 << 23 }; /* more than the kernel gives */

static void
save(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	if (file == NULL || fwrite(bytes, 1, size, file) != size ||
	    fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void
save_compact(const char *directory, const char *name)
{
	char path[4096];
	size_t bytes;
	char *image = ps_example_compact(&bytes);

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	save(path, image, bytes);
}

/* ---- damaged ---- */

static unsigned
number_of(const char *variable, unsigned otherwise)
{
	const char *value = getenv(variable);

	return value == NULL ? otherwise : (unsigned)atoi(value);
}

/* A word of a row or of the header's figures, to what may be its edge. */
static void
damage_word(char *image, size_t bytes, unsigned *seed)
{
	static const uint64_t odd[] = {0,	   1,	       UINT32_MAX,
				       1ull << 40, 1ull << 50, 1ull << 60,
				       INT64_MAX,  1ull << 63, UINT64_MAX};
	size_t first = offsetof(struct ps_record_header, process);
	uint64_t word = 0;
	size_t at = 0;

	/* Most words are of histograms, and zero: rather another one. */
	for (unsigned tries = 0; tries < 20 && word == 0; tries++) {
		at = (first + (size_t)rand_r(seed) % (bytes - first)) / 8 * 8;
		memcpy(&word, image + at, 8);
	}
	memcpy(image + at, &odd[(size_t)rand_r(seed) % PS_COUNT(odd)], 8);
}

static void *
append(enum ps_table_id id, uint32_t rows)
{
	void *out;

	ck_assert_uint_ne(ps_record_append(id, rows, &out), UINT32_MAX);
	ps_record_publish(id);
	return out;
}

/* What the example does without: a call tree, events, an alert. */
static void
add_more(void)
{
	struct ps_record_section_node *node;
	struct ps_record_event *event;

	ps_record_lock();
	node = append(PS_TABLE_SECTION_NODES, 4);
	event = append(PS_TABLE_EVENTS, 4);
	(void)append(PS_TABLE_ALERTS, 2);
	for (uint32_t i = 0; i < 4; i++) {
		node[i].section = i % 2;
		ps_poke(&node[i].parent, i == 0 ? UINT32_MAX : i - 1);
		ps_poke(&node[i].thread, 1);
		ps_poke(&node[i].calls, 3);
		ps_poke(&node[i].self_ticks, 1000);
		ps_poke(&event[i].number, i + 1);
		ps_poke(&event[i].begun, PS_EXAMPLE_START_TICKS + i);
		ps_poke(&event[i].ticks, 100);
	}
	ps_record_unlock();
}

/* Some of them are read as whole; the header's places are left alone, since
 * most damage there is refused. */
static void
save_damaged(const char *directory)
{
	unsigned count = number_of("DAMAGED", 40);
	unsigned first = number_of("DAMAGED_SEED", 200);
	struct ps_record_header *h;
	size_t bytes;
	char *image;
	char *good;
	char path[4096];

	add_more();
	image = ps_example_compact(&bytes);
	h = (void *)image;
	good = malloc(bytes);
	ck_assert_ptr_nonnull(good);
	memcpy(good, image, bytes);
	for (unsigned i = 0; i < count; i++) {
		unsigned seed = first + i;

		memcpy(image, good, bytes);
		/* Images of a process, three at a time, some of them small. */
		h->process.pid = NO_PID + (int32_t)i / 3;
		h->process.start_real_ns += i;
		if (i % 4 > 1)
			ps_poke(&h->process.state, PS_STATE_RUNNING);
		if (i % 4 == 3) {
			ps_poke(&h->watch.alerts, 0);
			ps_poke(&h->table[PS_TABLE_SECTION_STATS].count, 0);
		}
		if (i % 2 == 0)
			ps_example_damage(image, bytes, &seed);
		for (unsigned n = 0; i % 2 != 0 && n < 40; n++)
			damage_word(image, bytes, &seed);
		snprintf(path, sizeof(path), "%s/%u.perfshim", directory, i);
		save(path, image, bytes);
	}
	free(good);
}

/* ---- full ---- */

/* All that is left of a table; 0 when nothing is. */
static uint32_t
fill(enum ps_table_id id, void **out)
{
	uint32_t left =
	    ps_record_plan[id].capacity - ps_peek(&ps_record->table[id].count);

	if (left == 0)
		return 0;
	ck_assert_uint_ne(ps_record_append(id, left, out), UINT32_MAX);
	ps_record_publish(id);
	return left;
}

static void
fill_places(void)
{
	void *rows = NULL;
	uint32_t frames;
	uint32_t count;

	count = fill(PS_TABLE_MODULES, &rows);
	for (uint32_t i = 0; i < count; i++) {
		struct ps_record_module *m =
		    (struct ps_record_module *)rows + i;

		m->start = m->bias = (uint64_t)(i + 1) << 24;
		m->end = m->start + (1 << 24);
	}
	count = fill(PS_TABLE_FRAMES, &rows);
	for (uint32_t i = 0; i < count; i++) {
		struct ps_record_frame *f = (struct ps_record_frame *)rows + i;

		f->module = i % ps_record_plan[PS_TABLE_MODULES].capacity;
		f->pc = ((uint64_t)(f->module + 1) << 24) + i;
	}
	frames = ps_record_plan[PS_TABLE_FRAMES].capacity;
	count = fill(PS_TABLE_STACK_FRAMES, &rows);
	for (uint32_t i = 0; i < count; i++)
		((uint32_t *)rows)[i] =
		    (i + 1) % OWN_FRAMES == 0
			? PS_STACK_LINK | (i / OWN_FRAMES / 2 * OWN_FRAMES)
			: (uint32_t)(i * 2654435761u) % frames;
}

static void
fill_sites(void)
{
	struct ps_record_site *site = NULL;
	void *rows = NULL;
	uint32_t count = fill(PS_TABLE_SITES, &rows);

	for (uint32_t i = 0; i < count; i++) {
		site = (struct ps_record_site *)rows + i;
		site->first_frame = i * OWN_FRAMES;
		site->depth = DEPTH;
		site->section = UINT32_MAX;
		ps_poke(&site->allocations, (i + 1) * PS_WEIGHT_ONE);
		ps_poke(&site->bytes, 100 * (i + 1));
		ps_poke(&site->live_bytes, i + 1);
		ps_poke(&site->live_allocations, PS_WEIGHT_ONE);
		ps_poke(&site->peak_bytes, 50 * (i + 1));
		ps_poke(&site->temporary, PS_WEIGHT_ONE);
		ps_poke(&site->peak_epoch, PS_EXAMPLE_PEAK_EPOCH);
	}
}

static void
fill_stats(void)
{
	void *rows = NULL;
	uint32_t count;
	uint32_t sections = ps_record_plan[PS_TABLE_SECTIONS].capacity;

	(void)fill(PS_TABLE_SECTIONS, &rows);
	(void)fill(PS_TABLE_THREADS, &rows);
	(void)fill(PS_TABLE_ALERTS, &rows);
	count = fill(PS_TABLE_SECTION_STATS, &rows);
	for (uint32_t i = 0; i < count; i++) {
		struct ps_record_section_stats *s =
		    (struct ps_record_section_stats *)rows + i;

		s->section = i % sections;
		ps_poke(&s->calls, 1000);
		ps_poke(&s->total_ticks, 1000000);
		for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++)
			ps_poke(&s->histogram[b], 1);
	}
}

/* Names that share their bytes, as no writer leaves them: where recordings are
 * merged, they need more room than they had. */
static void
share_name(void)
{
	enum { SECTIONS = 16 };
	char name[100] = "";
	struct ps_record_section *section;
	void *rows = NULL;
	uint32_t at;

	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = (char)('a' + i % 26);
	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(PS_TABLE_SECTIONS, SECTIONS, &rows),
			  UINT32_MAX);
	section = rows;
	at = ps_record_string(name);
	for (uint32_t i = 0; i < SECTIONS; i++)
		section[i].name = at + i;
	ps_record_publish(PS_TABLE_SECTIONS);
	ps_record_unlock();
}

static char **arguments;

START_TEST(written)
{
	ps_example_open();
	if (strcmp(arguments[1], "corpus") == 0) {
		save_compact(arguments[2], "example");
		ps_record->sampling.mode = PS_SAMPLE_ALL;
		ps_poke(&ps_record->process.state, PS_STATE_RUNNING);
		save_compact(arguments[2], "running");
		share_name();
		save_compact(arguments[2], "names");
		return;
	}
	if (strcmp(arguments[1], "damaged") == 0) {
		save_damaged(arguments[2]);
		return;
	}
	ps_record_lock();
	fill_places();
	fill_sites();
	fill_stats();
	ps_record_unlock();
	save(arguments[2], ps_record, ps_record->file_bytes);
}
END_TEST

/* The example asserts as tests do, so it is written by one. */
int
main(int argc, char **argv)
{
	Suite *s = suite_create("seed");
	TCase *only = tcase_create("seed");
	SRunner *runner = srunner_create(s);
	int failed;

	if (argc != 3) {
		fputs("usage: seed corpus DIRECTORY | full FILE | damaged "
		      "DIRECTORY\n",
		      stderr);
		return 2;
	}
	arguments = argv;
	tcase_add_test(only, written);
	suite_add_tcase(s, only);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
