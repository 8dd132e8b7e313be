/* SPDX-License-Identifier: MIT */
/*
 * test_sample - draws, weights, the table of samples, sites and the peak
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profile/sample.h"
#include "profile/site.h"
#include "profile/stack.h"
#include "profile/timeline.h"
#include "record/writer.h"
#include "sites.h"

static void
open_recording(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_record->sampling.mode = PS_SAMPLE_POISSON;
	ps_record->sampling.interval_bytes = 1000;
}

static bool
no_module(uintptr_t pc, struct ps_stack_module *out)
{
	(void)pc;
	(void)out;
	return false;
}

static uint32_t
new_site(uintptr_t pc)
{
	static bool is_ready;
	uint32_t site;

	if (!is_ready)
		ck_assert_int_eq(ps_stack_init(no_module), 0);
	is_ready = true;
	site = site_of(&pc, 1, 0);
	ck_assert_uint_ne(site, UINT32_MAX);
	return site;
}

START_TEST(draws_have_the_mean_asked_for)
{
	uint64_t random = 42;
	double sum = 0;
	int n = 200000;

	for (int i = 0; i < n; i++)
		sum += (double)ps_sample_draw(&random, 1000.0);
	/* the mean of n exponentials has a deviation of mean / sqrt(n): 2.2 */
	ck_assert_double_gt(sum / n, 1000.5 - 10);
	ck_assert_double_lt(sum / n, 1000.5 + 10);
}
END_TEST

/* Sum of the weights of what a countdown picks = what was allocated. */
START_TEST(estimates_are_unbiased_for_mixed_sizes)
{
	static const uint64_t sizes[] = {16, 100, 700, 5000};
	double counted[4] = {0};
	uint64_t random = 4711;
	uint64_t left = ps_sample_draw(&random, 1000.0);
	int rounds = 400000;

	for (int i = 0; i < rounds; i++) {
		int k = i % 4;
		struct ps_weight w;

		if (sizes[k] < left) {
			left -= sizes[k];
			continue;
		}
		ps_site_weigh(sizes[k], 0, &w);
		counted[k] += (double)w.allocations / PS_WEIGHT_ONE;
		left = ps_sample_draw(&random, 1000.0);
	}
	for (int k = 0; k < 4; k++) {
		ck_assert_double_gt(counted[k], rounds / 4 * 0.93);
		ck_assert_double_lt(counted[k], rounds / 4 * 1.07);
	}
}
END_TEST

START_TEST(all_mode_weighs_exactly)
{
	struct ps_weight w;

	ps_record->sampling.mode = PS_SAMPLE_ALL;
	ps_site_weigh(123, 0, &w);
	ck_assert_uint_eq(w.allocations, PS_WEIGHT_ONE);
	ck_assert_uint_eq(w.bytes, 123);
	ck_assert_uint_eq(w.bytes_variance, 0);
	ps_site_weigh(0, 0, &w);
	ck_assert_uint_eq(w.allocations, PS_WEIGHT_ONE);
}
END_TEST

START_TEST(a_mark_keeps_a_birth_until_it_is_taken)
{
	struct ps_birth birth = {
	    .size = 32768,
	    .site = 65535,
	    .row = 2047,
	    .sequence = PS_SEQUENCE_MASK,
	    .cls = 39,
	    .time = 77,
	    .epoch = 255,
	    .coarse = PS_COARSE_MAX,
	};
	struct ps_birth got = {0};
	struct ps_mark mark = {0};

	ck_assert(!ps_mark_take(&mark, &got));
	ps_mark_set(&mark, &birth);
	ck_assert(ps_mark_take(&mark, &got));
	ck_assert_uint_eq(got.size, birth.size);
	ck_assert_uint_eq(got.site, birth.site);
	ck_assert_uint_eq(got.row, birth.row);
	ck_assert_uint_eq(got.sequence, birth.sequence);
	ck_assert_uint_eq(got.cls, birth.cls);
	ck_assert_uint_eq(got.time, birth.time);
	ck_assert_uint_eq(got.epoch, birth.epoch);
	ck_assert_uint_eq(got.coarse, birth.coarse);
	ck_assert(!ps_mark_take(&mark, &got));
	birth.site = birth.epoch = 0; /* the lowest of all is a mark, too */
	ps_mark_set(&mark, &birth);
	ck_assert(ps_mark_take(&mark, &got));
	ck_assert_uint_eq(got.site, 0);
}
END_TEST

START_TEST(kept_samples_are_found_once)
{
	struct ps_birth birth = {.site = 7};
	struct ps_birth got;

	ck_assert(!ps_sample_take(4096, &got));
	for (int round = 0; round < 2; round++) {
		for (uintptr_t i = 1; i <= 300000; i++) {
			birth.size = i;
			ck_assert(ps_sample_keep(i * 4096, &birth));
		}
		for (uintptr_t i = 300000; i >= 1; i--) {
			ck_assert(ps_sample_take(i * 4096, &got));
			ck_assert_uint_eq(got.size, i);
			ck_assert_uint_eq(got.site, 7);
			ck_assert(!ps_sample_take(i * 4096, &got));
		}
	}
}
END_TEST

static void *
churn(void *arg)
{
	uintptr_t base = (uintptr_t)arg << 32;

	for (uintptr_t i = 0; i < 100000; i++) {
		uintptr_t block = base + (i % 97) * 16;
		struct ps_birth birth = {.size = block, .site = (uint32_t)i};
		struct ps_birth got;

		if (!ps_sample_keep(block, &birth) ||
		    !ps_sample_take(block, &got) || got.size != block ||
		    got.site != birth.site)
			return "another thread has the same sample";
	}
	return NULL;
}

START_TEST(threads_never_share_a_sample)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		void *problem;

		pthread_join(threads[i], &problem);
		ck_assert_ptr_null(problem);
	}
}
END_TEST

/* A sanitizer wants memory of its own. */
#ifdef PS_DEBUG
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif
enum { SHORT_THREADS = 4, SHORT_BLOCKS = 100000 };
static bool is_kept[SHORT_THREADS][SHORT_BLOCKS];
static _Atomic bool may_begin;
static _Atomic int threads_done;

static uintptr_t
short_block(uintptr_t thread, uintptr_t i)
{
	return (thread + 1) << 32 | i << 4;
}

static void *
keep_what_there_is_memory_for(void *arg)
{
	uintptr_t thread = (uintptr_t)arg;

	while (!may_begin)
		usleep(10);
	for (uintptr_t i = 0; i < SHORT_BLOCKS; i++) {
		uintptr_t block = short_block(thread, i);
		struct ps_birth birth = {.size = block};

		is_kept[thread][i] = ps_sample_keep(block, &birth);
	}
	atomic_fetch_add(&threads_done, 1);
	return NULL;
}

static rlim_t
mapped_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	ck_assert(f != NULL && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* One finds no room for more samples, and the next one does. */
START_TEST(threads_never_share_a_sample_where_memory_comes_and_goes)
{
	pthread_t threads[SHORT_THREADS];
	struct rlimit limit;
	struct ps_birth got;
	unsigned refused = 0;

	if (IS_SANITIZED)
		return;
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
	for (uintptr_t i = 0; i < SHORT_THREADS; i++)
		pthread_create(&threads[i], NULL, keep_what_there_is_memory_for,
			       (void *)i);
	limit.rlim_cur = mapped_bytes();
	while (threads_done < SHORT_THREADS) {
		setrlimit(RLIMIT_AS, &limit);
		may_begin = true;
		usleep(20);
		limit.rlim_cur += 1 << 18;
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
	for (int i = 0; i < SHORT_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uintptr_t t = 0; t < SHORT_THREADS; t++) {
		for (uintptr_t i = 0; i < SHORT_BLOCKS; i++) {
			refused += !is_kept[t][i];
			ck_assert(ps_sample_take(short_block(t, i), &got) ==
				  is_kept[t][i]);
			ck_assert(!is_kept[t][i] ||
				  got.size == short_block(t, i));
		}
	}
	ck_assert_uint_gt(refused, 0);
}
END_TEST

/* ---- the peak, kept lazily ---------------------------------------------- */

static uint64_t
peak_bytes_of(uint32_t row)
{
	const struct ps_record_site *site =
	    ps_record_entry(PS_TABLE_SITES, row);

	return ps_peek(&site->peak_epoch) ==
		       ps_peek(&ps_record->heap.peak_epoch)
		   ? ps_peek(&site->peak_bytes)
		   : ps_peek(&site->live_bytes);
}

START_TEST(sites_are_as_they_were_at_the_peak)
{
	uint32_t a = new_site(1);
	uint32_t b = new_site(2);
	uint32_t c = new_site(3);

	ps_record->sampling.mode = PS_SAMPLE_ALL;
	site_allocated(a, 100);
	site_allocated(b, 50);
	site_allocated(a, 200); /* peak: 350 */
	ps_heap_tick(3);
	site_freed(a, 100, false);
	site_freed(b, 50, false);
	site_allocated(c, 90); /* 290: no peak */
	ck_assert_uint_eq(peak_bytes_of(a), 300);
	ck_assert_uint_eq(peak_bytes_of(b), 50);
	ck_assert_uint_eq(peak_bytes_of(c), 0);
	ps_heap_tick(4);
	ck_assert_uint_eq(ps_record->heap.sampled_peak_bytes, 350);
	ck_assert_uint_eq(ps_record->heap.peak_ticks, 3);
	site_allocated(b, 500); /* peak: 790 */
	site_freed(c, 90, true);
	ck_assert_uint_eq(peak_bytes_of(a), 200);
	ck_assert_uint_eq(peak_bytes_of(b), 500);
	ck_assert_uint_eq(peak_bytes_of(c), 90);
}
END_TEST

/* Against a model that copies everything at each new maximum. */
START_TEST(the_lazy_peak_equals_a_copied_one)
{
	enum { SITES = 20 };
	uint64_t live[SITES] = {0};
	uint64_t copy[SITES] = {0};
	uint64_t sum = 0;
	uint64_t best = 0;
	uint32_t row[SITES];

	ps_record->sampling.mode = PS_SAMPLE_ALL;
	srand(5);
	for (int i = 0; i < SITES; i++)
		row[i] = new_site((uintptr_t)i + 10);
	for (int step = 0; step < 20000; step++) {
		int i = rand() % SITES;

		if (rand() % 2 == 0 || live[i] < 64) {
			site_allocated(row[i], 64);
			live[i] += 64;
			sum += 64;
		} else {
			site_freed(row[i], 64, false);
			live[i] -= 64;
			sum -= 64;
		}
		for (int k = 0; sum > best && k < SITES; k++)
			copy[k] = live[k];
		best = PS_MAX(best, sum);
	}
	for (int i = 0; i < SITES; i++)
		ck_assert_uint_eq(peak_bytes_of(row[i]), copy[i]);
	ck_assert_uint_eq(ps_record->heap.sampled_peak_bytes, best);
}
END_TEST

/* ---- stacks ------------------------------------------------------------- */

START_TEST(equal_stacks_are_one_site_and_others_are_not)
{
	uintptr_t stack[3] = {1, 2, 3};
	uint32_t first = new_site(99);
	uint32_t a = site_of(stack, 3, 0);
	uint32_t b = site_of(stack, 2, 0);

	ck_assert_uint_ne(a, first);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(site_of(stack, 3, 0), a);
	stack[0] = 4;
	ck_assert_uint_ne(site_of(stack, 3, 0), a);
	stack[0] = 1;
	ps_stack_modules_changed();
	ck_assert_uint_ne(site_of(stack, 3, 0), a);
}
END_TEST

/* Its last row is of all stacks that found none of their own. */
START_TEST(a_full_site_table_has_a_site_for_the_rest)
{
	uint32_t capacity = ps_record->table[PS_TABLE_SITES].capacity;
	uint32_t last;

	for (uintptr_t pc = 1; pc <= capacity + 100; pc++) {
		static bool is_ready;

		if (!is_ready)
			ck_assert_int_eq(ps_stack_init(no_module), 0);
		is_ready = true;
		last = site_of(&pc, 1, 0);
		ck_assert_uint_eq(last, PS_MIN(pc, (uintptr_t)capacity) - 1);
	}
	ck_assert_uint_eq(ps_record->table[PS_TABLE_SITES].dropped, 0);
}
END_TEST

/* ---- timeline ----------------------------------------------------------- */

START_TEST(the_timeline_coarsens_and_keeps_the_maximum)
{
	const struct ps_record_timeline *t = &ps_record->timeline;
	uint64_t highest = 0;

	ps_record->clock.start_ticks = 1000;
	ps_timeline_init(10);
	for (uint64_t i = 0; i < 100000; i++)
		ps_timeline_note(1000 + i, i == 77777 ? 5000 : i % 100);
	ck_assert_uint_le(ps_peek(&t->count), PS_TIMELINE_SLOTS);
	ck_assert_uint_gt(ps_peek(&t->count), PS_TIMELINE_SLOTS / 4);
	for (uint32_t i = 0; i < ps_peek(&t->count); i++)
		highest = PS_MAX(highest, ps_peek(&t->tick[i].live_bytes));
	ck_assert_uint_eq(highest, 5000);
	ck_assert_uint_eq(
	    ps_peek(&t->tick[77777 / ps_peek(&t->step_ticks)].live_bytes),
	    5000);
}
END_TEST

/* Marks of the first would pass for those of the 256th. */
START_TEST(epochs_do_not_begin_again)
{
	for (uint32_t i = 1; i <= 300; i++) {
		ps_sample_postfork_child();
		ck_assert_uint_eq(ps_sample_epoch(),
				  PS_MIN(i, (uint32_t)PS_EPOCH_LAST));
	}
}
END_TEST

Suite *
sample_suite(void)
{
	Suite *s = suite_create("sample");
	TCase *t = tcase_create("sample");

	tcase_add_checked_fixture(t, open_recording, NULL);
	tcase_add_test(t, draws_have_the_mean_asked_for);
	tcase_add_test(t, estimates_are_unbiased_for_mixed_sizes);
	tcase_add_test(t, all_mode_weighs_exactly);
	tcase_add_test(t, a_mark_keeps_a_birth_until_it_is_taken);
	tcase_add_test(t, kept_samples_are_found_once);
	tcase_add_test(t, threads_never_share_a_sample);
	tcase_add_test(
	    t, threads_never_share_a_sample_where_memory_comes_and_goes);
	tcase_add_test(t, sites_are_as_they_were_at_the_peak);
	tcase_add_test(t, the_lazy_peak_equals_a_copied_one);
	tcase_add_test(t, equal_stacks_are_one_site_and_others_are_not);
	tcase_add_test(t, a_full_site_table_has_a_site_for_the_rest);
	tcase_add_test(t, the_timeline_coarsens_and_keeps_the_maximum);
	tcase_add_test(t, epochs_do_not_begin_again);
	suite_add_tcase(s, t);
	return s;
}
