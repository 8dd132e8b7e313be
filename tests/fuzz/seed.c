/* SPDX-License-Identifier: MIT */
/*
 * seed - writes the corpus that the fuzzer starts from, and a full recording
 *
 *   seed corpus DIRECTORY    the example of the unit tests, and an empty one
 *   seed full FILE           every table at its limit
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

static char **arguments;

START_TEST(written)
{
	ps_example_open();
	if (strcmp(arguments[1], "corpus") == 0) {
		save_compact(arguments[2], "example");
		ps_record->sampling.mode = PS_SAMPLE_ALL;
		ps_poke(&ps_record->process.state, PS_STATE_RUNNING);
		save_compact(arguments[2], "running");
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
		fputs("usage: seed corpus DIRECTORY | full FILE\n", stderr);
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
