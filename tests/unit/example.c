/* SPDX-License-Identifier: MIT */
/*
 * example - a small recording whose report can be worked out by hand
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "record/plan.h"
#include "record/writer.h"
#include "tests/unit/example.h"

enum { STATS_ROWS = 5 };

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

struct ps_record_site *
ps_example_site(uint32_t index)
{
	return ps_record_entry(PS_TABLE_SITES, index);
}

struct ps_record_thread *
ps_example_thread(uint32_t index)
{
	return ps_record_entry(PS_TABLE_THREADS, index);
}

struct ps_record_section *
ps_example_section(uint32_t index)
{
	return ps_record_entry(PS_TABLE_SECTIONS, index);
}

struct ps_record_section_stats *
ps_example_stats(uint32_t index)
{
	return ps_record_entry(PS_TABLE_SECTION_STATS, index);
}

/* ---- what is in it ---- */

/* 150 allocations, 110 frees, 7000 bytes; 40 blocks of class 3 live. */
static void
fill_threads(void)
{
	struct ps_record_thread *ended = ps_example_thread(0);
	struct ps_record_thread *live = append(PS_TABLE_THREADS, 1);

	ps_poke(&ended->allocations, 100);
	ps_poke(&ended->issued_bytes, 5000);
	ps_poke(&ended->class_allocations[0], 90);
	ps_poke(&ended->class_frees[0], 80);
	ps_poke(&ended->class_allocations[PS_CLASS_LARGE], 10);
	ps_poke(&ended->class_frees[PS_CLASS_LARGE], 10);
	/* It freed ten blocks of the other one. */
	ps_poke(&live->allocations, 50);
	ps_poke(&live->issued_bytes, 3000);
	ps_poke(&live->bytes_left, 1000);
	ps_poke(&live->class_allocations[0], 10);
	ps_poke(&live->class_frees[0], 20);
	ps_poke(&live->class_allocations[3], 40);
}

static void
fill_heap(void)
{
	struct ps_record_heap *heap = &ps_record->heap;

	ps_poke(&heap->live_bytes, 4000);
	ps_poke(&heap->sampled_live_bytes, 4000);
	ps_poke(&heap->sampled_peak_bytes, 6000);
	ps_poke(&heap->peak_bytes, 6000);
	ps_poke(&heap->peak_ticks, PS_EXAMPLE_START_TICKS + 2000000000u);
	ps_poke(&heap->peak_epoch, PS_EXAMPLE_PEAK_EPOCH);
	ps_poke(&heap->pool_reserved_bytes, 1 << 30);
	heap->class_bytes[0] = 16;
	heap->class_bytes[3] = 64;
	ps_poke(&ps_record->timeline.step_ticks, 1000000000);
	ps_poke(&ps_record->timeline.count, 4);
	for (unsigned i = 0; i < 4; i++)
		ps_poke(&ps_record->timeline.tick[i].live_bytes, 1500 * i);
}

/* Three frames in one module; two sites with a stack, one without. */
static void
fill_stacks(void)
{
	struct ps_record_module *module = append(PS_TABLE_MODULES, 1);
	struct ps_record_frame *frame = append(PS_TABLE_FRAMES, 3);
	uint32_t *stack = append(PS_TABLE_STACK_FRAMES, 5);
	struct ps_record_site *site = append(PS_TABLE_SITES, PS_EXAMPLE_SITES);

	module->path = ps_record_string("/lib/libexample.so");
	module->start = 0x1000;
	module->end = 0x9000;
	for (uint32_t i = 0; i < 3; i++)
		frame[i].pc = 0x1000 + 16 * i;
	for (uint32_t i = 0; i < 5; i++)
		stack[i] = i % 3;
	site[0].depth = 3;
	site[1].first_frame = 3;
	site[1].depth = 2;
}

/* The first has most blocks, the second most bytes, the third nothing. */
static void
fill_sites(void)
{
	struct ps_record_site *site = ps_example_site(0);

	ps_poke(&site[0].allocations, 100 * PS_WEIGHT_ONE);
	ps_poke(&site[0].allocations_variance, 25 * PS_WEIGHT_ONE);
	ps_poke(&site[0].bytes, 5000);
	ps_poke(&site[0].bytes_variance, 10000);
	ps_poke(&site[0].live_allocations, 10 * PS_WEIGHT_ONE);
	ps_poke(&site[0].live_bytes, 1000);
	ps_poke(&site[0].peak_allocations, 20 * PS_WEIGHT_ONE);
	ps_poke(&site[0].peak_bytes, 3000);
	ps_poke(&site[0].peak_epoch, PS_EXAMPLE_PEAK_EPOCH);
	ps_poke(&site[0].temporary, 75 * PS_WEIGHT_ONE);
	/* Not touched since the peak: what is live was live then. */
	ps_poke(&site[1].allocations, 50 * PS_WEIGHT_ONE);
	ps_poke(&site[1].bytes, 9000);
	ps_poke(&site[1].live_allocations, 5 * PS_WEIGHT_ONE);
	ps_poke(&site[1].live_bytes, 4500);
	ps_poke(&site[1].peak_bytes, 1);
	ps_poke(&site[1].peak_epoch, PS_EXAMPLE_PEAK_EPOCH - 1);
}

static void
add_call(struct ps_record_section_stats *s, uint64_t ticks)
{
	uint64_t min = ps_peek(&s->calls) == 0
			   ? ticks
			   : PS_MIN(ps_peek(&s->min_ticks), ticks);

	ps_poke(&s->min_ticks, min);
	ps_poke(&s->max_ticks, PS_MAX(ps_peek(&s->max_ticks), ticks));
	ps_bump(&s->calls, 1);
	ps_bump(&s->total_ticks, ticks);
	ps_bump(&s->self_ticks, ticks);
	ps_poke(&s->squares,
		ps_peek(&s->squares) + (double)ticks * (double)ticks);
	if (ticks >> PS_HIST_MAX_BITS != 0)
		ps_bump(&s->over, 1);
	else
		ps_bump(&s->histogram[ps_hist_bucket(ticks)], 1);
}

void
ps_example_add_section(const char *name, uint64_t ticks)
{
	uint32_t index = ps_peek(&ps_record->table[PS_TABLE_SECTIONS].count);
	struct ps_record_section *section = append(PS_TABLE_SECTIONS, 1);
	struct ps_record_section_stats *s = append(PS_TABLE_SECTION_STATS, 1);

	section->name = ps_record_string(name);
	s->section = index;
	ps_poke(&s->thread, 1);
	add_call(s, ticks);
}

/*
 * "outer": 500, 1000, 1500 ns in three threads that ended, 2000 ns in one that
 * lives, with two pairs of marks inside each time; "inner": 2 calls of 250 ns;
 * a row that is free; "unused": no call.
 */
static void
fill_sections(void)
{
	struct ps_record_section *section = append(PS_TABLE_SECTIONS, 3);
	struct ps_record_section_stats *s =
	    append(PS_TABLE_SECTION_STATS, STATS_ROWS);

	section[0].name = ps_record_string("inner");
	section[1].name = ps_record_string("outer");
	section[1].file = ps_record_string("example.c");
	section[1].line = 42;
	section[2].name = ps_record_string("unused");
	s[0].section = 1;
	ps_poke(&s[0].ended_threads, 3);
	for (uint64_t i = 1; i <= 3; i++)
		add_call(&s[0], 1000 * i);
	ps_poke(&s[0].self_ticks, 5000);
	ps_poke(&s[0].child_calls, 2);
	ps_poke(&s[0].allocations, 8);
	ps_poke(&s[0].bytes, 800);
	s[1].section = 1;
	ps_poke(&s[1].thread, 1);
	add_call(&s[1], 4000);
	ps_poke(&s[1].child_calls, 2);
	ps_poke(&s[1].allocations, 1);
	ps_poke(&s[1].bytes, 100);
	s[2].section = 0;
	ps_poke(&s[2].thread, 1);
	add_call(&s[2], 500);
	add_call(&s[2], 500);
	s[3].section = 1;
	ps_poke(&s[3].thread, UINT32_MAX);
	add_call(&s[3], 1000000);
	s[4].section = 2;
}

void
ps_example_set_samples(uint64_t samples)
{
	struct ps_record_thread *row = ps_record_entry(PS_TABLE_THREADS, 0);

	ps_poke(&row->samples, samples);
}

static void
fill_header(void)
{
	struct ps_record_process *p = &ps_record->process;
	struct ps_calibration *c = &ps_record->calibration;
	struct ps_record_alert *alert = append(PS_TABLE_ALERTS, 1);

	p->pid = 4711;
	p->ppid = 4710;
	p->exe = ps_record_string("/usr/bin/example");
	p->name = ps_record_string("example");
	p->cpu_model = ps_record_string("Example CPU @ 2 GHz");
	ps_poke(&p->user_ns, 1500000000);
	ps_poke(&p->system_ns, 250000000);
	ps_poke(&p->max_rss_bytes, 5 << 20);
	ps_poke(&p->threads_started, 5);
	ps_poke(&p->state, PS_STATE_EXITED);
	ps_poke(&p->exit_code, 3);
	c->kind = PS_CALIBRATION_QUICK;
	memcpy(c->isa, "avx2", 5);
	c->tsc_hz = 2e9;
	c->tsc_ppm = 0.5;
	c->clock_ns = 10;
	c->marker_ns = 30;
	c->marker_inside_ns = 10;
	c->vector_add_l1 = 100e9;
	c->vector_add_l2 = 50e9;
	c->vector_add_dram = 10e9;
	c->matmul_flops = 60e9;
	alert->rule = ps_record_string("heap > 5 KiB");
	alert->ticks = PS_EXAMPLE_START_TICKS + 1000000000u;
	alert->value = 6000;
	alert->threshold = 5120;
	ps_record->sampling.mode = PS_SAMPLE_POISSON;
	ps_record->sampling.interval_bytes = 512 << 10;
	ps_poke(
	    &((struct ps_record_thread *)ps_record_entry(PS_TABLE_THREADS, 0))
		 ->samples,
	    12);
	ps_poke(&ps_record->overhead.slow_ticks, 1500);
	ps_poke(&ps_record->overhead.start_ticks, 500);
	ps_poke(&ps_record->table[PS_TABLE_SITES].dropped, 2);
	ps_poke(&ps_record->table[PS_TABLE_FRAMES].dropped, 1);
}

void
ps_example_open_empty(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_record->clock.kind = PS_CLOCK_TSC;
	ps_record->clock.start_ticks = PS_EXAMPLE_START_TICKS;
	ps_record->clock.start_ns = 77;
}

void
ps_example_open(void)
{
	ps_example_open_empty();
	ps_poke(&ps_record->clock.last_ticks,
		PS_EXAMPLE_START_TICKS + 4000000000u);
	ps_poke(&ps_record->clock.last_ns, 77 + 2000000000u);
	fill_threads();
	fill_header();
	fill_heap();
	fill_stacks();
	fill_sites();
	fill_sections();
}

void
ps_example_attach(struct ps_reader *out)
{
	ck_assert_int_eq(
	    ps_reader_attach(out, ps_record, ps_record->file_bytes, NULL), 0);
}

/* ---- copies, to be damaged ---- */

static size_t
used_bytes(const struct ps_record_table *table)
{
	return (size_t)ps_peek(&table->count) * table->entry_bytes;
}

char *
ps_example_compact(size_t *bytes)
{
	size_t at = PS_RECORD_HEADER_BYTES;
	struct ps_record_header *h;
	char *image;

	for (unsigned i = 0; i < PS_TABLES; i++)
		at += PS_ROUND_UP(used_bytes(&ps_record->table[i]),
				  (size_t)PS_RECORD_ALIGN);
	*bytes = at;
	image = mmap(NULL, at + PS_RECORD_ALIGN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(image, MAP_FAILED);
	ck_assert_int_eq(mprotect(image + at, PS_RECORD_ALIGN, PROT_NONE), 0);
	memcpy(image, ps_record, PS_RECORD_HEADER_BYTES);
	h = (void *)image;
	h->file_bytes = at;
	at = PS_RECORD_HEADER_BYTES;
	for (unsigned i = 0; i < PS_TABLES; i++) {
		struct ps_record_table *t = &h->table[i];
		size_t used = used_bytes(t);

		memcpy(image + at, (const char *)ps_record + t->offset, used);
		t->offset = at;
		t->capacity = ps_peek(&t->count);
		at += PS_ROUND_UP(used, (size_t)PS_RECORD_ALIGN);
	}
	return image;
}

void
ps_example_damage(char *image, size_t bytes, unsigned *seed)
{
	/* Behind the tables' places, which test_reader damages. */
	size_t first = offsetof(struct ps_record_header, process);
	size_t fields = offsetof(struct ps_record_header, timeline) + 64;
	unsigned hits = 1 + (unsigned)rand_r(seed) % 8;

	while (hits-- > 0) {
		size_t end = rand_r(seed) % 2 ? fields : bytes;
		size_t at = first + (size_t)rand_r(seed) % (end - first);
		size_t length = PS_MIN((size_t)rand_r(seed) % 9, bytes - at);
		int byte = rand_r(seed) % 3 == 0 ? 0xff : rand_r(seed);

		memset(image + at, byte, length);
	}
}
