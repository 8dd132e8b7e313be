/* SPDX-License-Identifier: MIT */
/*
 * test_typed - perfshim_pool_* against a model: which slots are out, what is in
 * them, how many there are
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool/typed.h"
#include "tests/unit/ending.h"

static uint64_t
draw(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static struct perfshim_pool_stats
stats_of(struct perfshim_pool *pool)
{
	struct perfshim_pool_stats stats;

	perfshim_pool_snapshot(pool, &stats);
	return stats;
}

/* ---- shapes ------------------------------------------------------------- */

static const struct {
	size_t bytes;
	size_t align;
	size_t per_chunk;
} shape[] = {
    {1, 0, 0},	  {8, 8, 1},	    {16, 16, 1000}, {24, 0, 0},
    {24, 8, 7},	  {40, 64, 100},    {100, 0, 3},    {1000, 256, 0},
    {4096, 0, 0}, {4096, 4096, 16}, {70000, 0, 0},  {1 << 20, 4096, 1},
    {33, 1, 50},  {64, 65536, 1},   {3, 2, 100000},
};

/* The model: an open hash of the slots that are out, each full of a mark. */
struct model {
	struct perfshim_pool pool;
	size_t bytes;
	unsigned char *out[512];
	size_t count;
	uint64_t random;
};

static void
fill(unsigned char *object, size_t bytes)
{
	memset(object, (int)((uintptr_t)object >> 3 & 0xff) | 1, bytes);
}

static bool
is_filled(const unsigned char *object, size_t bytes)
{
	unsigned char mark = (uintptr_t)object >> 3 & 0xff;

	mark |= 1;
	for (size_t i = 0; i<bytes; i += bytes> 4096 ? 97 : 1)
		if (object[i] != mark)
			return false;
	return true;
}

static bool
is_out(const struct model *m, const unsigned char *object)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->out[i] < object + m->bytes &&
		    object < m->out[i] + m->bytes)
			return true;
	return false;
}

static void
model_alloc(struct model *m, size_t align)
{
	bool is_zeroed = draw(&m->random) % 4 == 0;
	unsigned char *object = is_zeroed ? perfshim_pool_alloc_zeroed(&m->pool)
					  : perfshim_pool_alloc(&m->pool);

	if (object == NULL || (uintptr_t)object % align != 0)
		ck_abort_msg("object %p at multiples of %zu", (void *)object,
			     align);
	if (is_out(m, object))
		ck_abort_msg("slot %p was handed out twice", (void *)object);
	for (size_t i = 0; is_zeroed && i < m->bytes; i++)
		if (object[i] != 0)
			ck_abort_msg("byte %zu is not zero", i);
	fill(object, m->bytes);
	m->out[m->count++] = object;
}

static void
model_free(struct model *m)
{
	size_t at = draw(&m->random) % m->count;

	if (!is_filled(m->out[at], m->bytes))
		ck_abort_msg("a live object was written to");
	perfshim_pool_free(&m->pool, m->out[at]);
	m->out[at] = m->out[--m->count];
}

START_TEST(no_slot_is_handed_out_twice)
{
	static struct model m;
	size_t align = PS_MAX(shape[_i].align, (size_t)1);
	size_t most = shape[_i].bytes > 4096 ? 20 : PS_COUNT(m.out);
	uint64_t allocations = 0;

	m.bytes = shape[_i].bytes;
	m.random = 88172645463325252u + (uint64_t)_i;
	ck_assert_int_eq(perfshim_pool_init(&m.pool, shape[_i].bytes,
					    shape[_i].align,
					    shape[_i].per_chunk),
			 0);
	for (int step = 0; step < 20000; step++) {
		bool grows = step / 1000 % 2 == 0;
		bool is_alloc = draw(&m.random) % 8 < (grows ? 5 : 3);

		if (m.count < most && (m.count == 0 || is_alloc)) {
			model_alloc(&m, align);
			allocations++;
		} else {
			model_free(&m);
		}
		if (step % 500 == 0)
			perfshim_pool_check(&m.pool);
		if (step % 3000 == 0)
			(void)perfshim_pool_drain(&m.pool);
	}
	ck_assert_uint_eq(stats_of(&m.pool).live, m.count);
	ck_assert_uint_eq(stats_of(&m.pool).allocations, allocations);
	ck_assert_uint_ge(stats_of(&m.pool).objects_per_chunk,
			  shape[_i].per_chunk);
	while (m.count > 0)
		model_free(&m);
	ck_assert_uint_gt(perfshim_pool_drain(&m.pool), 0);
	ck_assert_uint_eq(stats_of(&m.pool).bytes, 0);
	perfshim_pool_check(&m.pool);
	perfshim_pool_fini(&m.pool);
}
END_TEST

START_TEST(bad_shapes_are_refused)
{
	struct perfshim_pool pool;

	ck_assert_int_eq(perfshim_pool_init(&pool, 0, 0, 0), -EINVAL);
	ck_assert_int_eq(perfshim_pool_init(&pool, 8, 3, 0), -EINVAL);
	ck_assert_int_eq(perfshim_pool_init(&pool, 8, 1 << 17, 0), -EINVAL);
	ck_assert_int_eq(perfshim_pool_init(&pool, SIZE_MAX, 0, 0), -EINVAL);
	ck_assert_int_eq(perfshim_pool_init(&pool, 1 << 20, 0, 1 << 20),
			 -EINVAL);
	ck_assert_int_eq(perfshim_pool_init(&pool, 64, 0, SIZE_MAX), -EINVAL);
}
END_TEST

/* ---- accounts ----------------------------------------------------------- */

START_TEST(drain_keeps_what_is_in_use)
{
	static unsigned char *object[10000];
	struct perfshim_pool pool;
	size_t drained;
	size_t full;

	ck_assert_int_eq(perfshim_pool_init(&pool, 64, 0, 100), 0);
	for (size_t i = 0; i < PS_COUNT(object); i++) {
		object[i] = perfshim_pool_alloc(&pool);
		fill(object[i], 64);
	}
	full = stats_of(&pool).bytes;
	for (size_t i = 0; i < PS_COUNT(object); i++)
		if (i != 5000)
			perfshim_pool_free(&pool, object[i]);
	drained = perfshim_pool_drain(&pool);
	ck_assert_uint_eq(stats_of(&pool).chunks, 1);
	ck_assert_uint_eq(stats_of(&pool).bytes + drained, full);
	ck_assert_uint_eq(stats_of(&pool).live, 1);
	ck_assert(is_filled(object[5000], 64));
	ck_assert_uint_eq(stats_of(&pool).frees, PS_COUNT(object) - 1);
	perfshim_pool_check(&pool);
	perfshim_pool_fini(&pool);
}
END_TEST

START_TEST(more_pools_than_slots)
{
	enum { POOLS = PERFSHIM_POOL_SLOTS + 40 };
	static struct perfshim_pool pool[POOLS];
	static uint64_t *object[POOLS][20];

	for (size_t round = 0; round < 3; round++) {
		for (size_t p = 0; p < POOLS; p++)
			ck_assert_int_eq(
			    perfshim_pool_init(&pool[p], 8 + 8 * (p % 5), 0, 0),
			    0);
		for (size_t i = 0; i < PS_COUNT(object[0]); i++)
			for (size_t p = 0; p < POOLS; p++) {
				object[p][i] = perfshim_pool_alloc(&pool[p]);
				*object[p][i] = p * 100 + i;
			}
		for (size_t p = 0; p < POOLS; p++) {
			ck_assert_uint_eq(stats_of(&pool[p]).live, 20);
			for (size_t i = 0; i < PS_COUNT(object[0]); i++) {
				ck_assert_uint_eq(*object[p][i], p * 100 + i);
				perfshim_pool_free(&pool[p], object[p][i]);
			}
			perfshim_pool_check(&pool[p]);
			ck_assert_uint_eq(stats_of(&pool[p]).live, 0);
			perfshim_pool_fini(&pool[p]);
		}
	}
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

enum { BOXES = 64, THREADS = 4, TURNS = 100000 };

/* Boxes of objects that threads swap: each object is in one thread's hands. */
static _Atomic(uint64_t *) box[BOXES];
static struct perfshim_pool shared;
static _Atomic uint64_t taken;

static void *
swap_objects(void *number)
{
	uint64_t random = (uintptr_t)number * 2654435761u + 1;

	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t *object = perfshim_pool_alloc(&shared);
		uint64_t *other;

		if (object == NULL)
			return "no memory";
		object[2] = ~(uintptr_t)object;
		object[3] = (uintptr_t)number;
		other = atomic_exchange(&box[draw(&random) % BOXES], object);
		if (other == NULL)
			continue;
		if (other[2] != ~(uintptr_t)other)
			return "an object in a box was written to";
		other[2] = 0;
		perfshim_pool_free(&shared, other);
	}
	atomic_fetch_add(&taken, TURNS);
	perfshim_pool_check(&shared);
	return NULL;
}

static void
run_threads(unsigned count, void *(*run)(void *))
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < count; i++)
		ck_assert_int_eq(
		    pthread_create(&thread[i], NULL, run, (void *)(i + 1)), 0);
	for (size_t i = 0; i < count; i++) {
		void *problem;

		pthread_join(thread[i], &problem);
		if (problem != NULL)
			ck_abort_msg("%s", (char *)problem);
	}
}

START_TEST(threads_never_share_a_slot)
{
	uint64_t held = 0;

	ck_assert_int_eq(perfshim_pool_init(&shared, 48, 0, 0), 0);
	for (int round = 0; round < 3; round++)
		run_threads(THREADS, swap_objects);
	for (size_t i = 0; i < BOXES; i++)
		held += ps_peek(&box[i]) != NULL;
	/* The threads are gone, and so are their stores. */
	ck_assert_uint_eq(stats_of(&shared).cached, 0);
	ck_assert_uint_eq(stats_of(&shared).live, held);
	ck_assert_uint_eq(stats_of(&shared).allocations, taken);
	for (size_t i = 0; i < BOXES; i++)
		perfshim_pool_free(&shared, ps_peek(&box[i]));
	(void)perfshim_pool_drain(&shared);
	ck_assert_uint_eq(stats_of(&shared).bytes, 0);
	perfshim_pool_fini(&shared);
}
END_TEST

static pthread_key_t late_key;

static void
use_late(void *object)
{
	perfshim_pool_free(&shared, object);
	perfshim_pool_free(&shared, perfshim_pool_alloc(&shared));
}

/* Its destructor runs after the pool's own, whose key is older. */
static void *
leave_late(void *number)
{
	(void)number;
	pthread_setspecific(late_key, perfshim_pool_alloc(&shared));
	return NULL;
}

START_TEST(destructors_of_an_ending_thread_may_use_it)
{
	ck_assert_int_eq(perfshim_pool_init(&shared, 48, 0, 0), 0);
	ck_assert_int_eq(pthread_key_create(&late_key, use_late), 0);
	run_threads(1, leave_late);
	ck_assert_uint_eq(stats_of(&shared).live, 0);
	ck_assert_uint_eq(stats_of(&shared).allocations, 2);
	ck_assert_uint_eq(stats_of(&shared).cached, 0);
	perfshim_pool_check(&shared);
}
END_TEST

START_TEST(a_forked_child_has_its_own)
{
	uint64_t *object;
	int status;
	pid_t pid;

	ck_assert_int_eq(perfshim_pool_init(&shared, 48, 0, 0), 0);
	object = perfshim_pool_alloc(&shared);
	*object = 42;
	pid = fork();
	if (pid == 0) {
		bool is_good = *object == 42;

		perfshim_pool_free(&shared, object);
		for (int i = 0; i < 10000; i++)
			is_good &= perfshim_pool_alloc(&shared) != NULL;
		perfshim_pool_check(&shared);
		_exit(is_good ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(*object, 42);
	ck_assert_uint_eq(stats_of(&shared).live, 1);
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static void
free_twice(void)
{
	void *object = perfshim_pool_alloc(&shared);

	perfshim_pool_free(&shared, object);
	perfshim_pool_free(&shared, object);
}

static void
write_after_free(void)
{
	static char *object[10000];

	for (size_t i = 0; i < PS_COUNT(object); i++)
		object[i] = perfshim_pool_alloc(&shared);
	for (size_t i = 0; i < PS_COUNT(object); i++) {
		perfshim_pool_free(&shared, object[i]);
		if (i == 5000)
			memset(object[i], 'A', 16);
	}
	(void)perfshim_pool_drain(&shared);
}

/* To a thread that has a full store, so that the call is a slow one. */
static void
free_a_foreign_one(void)
{
	static char foreign[1 << 17];
	static void *object[1000];

	for (size_t i = 0; i < PS_COUNT(object); i++)
		object[i] = perfshim_pool_alloc(&shared);
	for (size_t i = 0; i < PS_COUNT(object); i++) {
		perfshim_pool_free(&shared, object[i]);
		perfshim_pool_free(&shared, foreign + 65536 + 48 * i);
	}
}

static const struct {
	void (*misuse)(void);
	const char *words;
} misuse[] = {
    {free_twice, "double free (objects of 48 bytes)"},
    {free_a_foreign_one, "not an object of this pool"},
    {write_after_free, "not an object of this pool, or one that was written "},
};

START_TEST(misuse_ends_with_a_line)
{
	ck_assert_int_eq(perfshim_pool_init(&shared, 48, 0, 0), 0);
	ending_expect(misuse[_i].misuse, SIGABRT, misuse[_i].words);
}
END_TEST

Suite *
typed_suite(void)
{
	Suite *s = suite_create("typed");
	TCase *one = tcase_create("one thread");
	TCase *threads = tcase_create("threads");

	tcase_add_loop_test(one, no_slot_is_handed_out_twice, 0,
			    (int)PS_COUNT(shape));
	tcase_add_test(one, bad_shapes_are_refused);
	tcase_add_test(one, drain_keeps_what_is_in_use);
	tcase_add_test(one, more_pools_than_slots);
	tcase_add_loop_test(one, misuse_ends_with_a_line, 0,
			    (int)PS_COUNT(misuse));
	tcase_set_timeout(one, 60);
	suite_add_tcase(s, one);
	tcase_add_test(threads, threads_never_share_a_slot);
	tcase_add_test(threads, destructors_of_an_ending_thread_may_use_it);
	tcase_add_test(threads, a_forked_child_has_its_own);
	tcase_set_timeout(threads, 60);
	suite_add_tcase(s, threads);
	return s;
}
