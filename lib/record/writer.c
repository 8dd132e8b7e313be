/* SPDX-License-Identifier: MIT */
/*
 * writer - the tables of this process's recording and the lock over them
 *
 * A table grows by append (take entries at its end, zero, not yet visible) and
 * publish (store-release of `count`, which readers acquire); entries are never
 * moved or given back, so a pointer to one is good for the process's life.
 * Bytes are zero because each is handed out once: anonymous memory and fresh
 * file blocks both start as zeros.
 *
 * The lock word holds the address of a thread-local byte of its owner.  That
 * costs no more than a flag and lets ps_record_string tell a caller that
 * already holds the lock from one that does not.  A futex would sleep where
 * this spins, but what is guarded is a few hundred nanoseconds, except when a
 * table grows in a file, and waiters yield then.
 *
 * In a fork child the holder may be a thread that is not there: the lock is
 * set anew, with everything else.  A child that gets no pages for a recording
 * of its own must not write into its parent's, but its threads have rows by
 * then: it goes on in a spare one, which has totals and no tables.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/os.h"
#include "record/file.h"
#include "record/plan.h"
#include "record/writer.h"

enum { SPINS_BEFORE_YIELD = 100 };

/* The spare recording: a few strings, the row of the thread that forked and one
 * for all others. */
enum {
	SPARE_STRINGS = 2 * PS_RECORD_ALIGN,
	SPARE_THREADS = 2,
	SPARE_BYTES =
	    PS_RECORD_HEADER_BYTES + SPARE_STRINGS +
	    PS_ROUND_UP(SPARE_THREADS * sizeof(struct ps_record_thread),
			(size_t)PS_RECORD_ALIGN),
};
static PS_BIG char spare[SPARE_BYTES] __attribute__((aligned(PS_RECORD_ALIGN)));

struct ps_record_header *ps_record;

static PS_FORKED uint64_t recording_bytes; /* of the mapping */
static PS_FORKED uint32_t
    next_entry[PS_TABLES]; /* behind the last one appended */
static PS_FORKED _Atomic uintptr_t lock_owner; /* 0: free */
static PS_TLS char self_mark;

static inline bool
is_lock_mine(void)
{
	return ps_peek(&lock_owner) == (uintptr_t)&self_mark;
}

bool
ps_record_is_locked_by_me(void)
{
	return is_lock_mine();
}

static inline void
relax_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

void
ps_record_lock(void)
{
	uintptr_t self = (uintptr_t)&self_mark;
	uintptr_t free = 0;
	unsigned spins = 0;

	PS_ASSERT(!is_lock_mine());
	/* acquire: pairs with the release in ps_record_unlock */
	while (!atomic_compare_exchange_weak_explicit(&lock_owner, &free, self,
						      memory_order_acquire,
						      memory_order_relaxed)) {
		free = 0;
		if (++spins < SPINS_BEFORE_YIELD)
			relax_cpu();
		else
			ps_os_yield();
	}
}

void
ps_record_unlock(void)
{
	PS_ASSERT(is_lock_mine());
	atomic_store_explicit(&lock_owner, 0, memory_order_release);
}

void *
ps_record_entry(enum ps_table_id id, uint32_t index)
{
	struct ps_record_table *table = &ps_record->table[id];

	PS_ASSERT(id < PS_TABLES);
	PS_ASSERT(index < ps_peek(&table->count));
	return (char *)ps_record + table->offset +
	       (uint64_t)index * table->entry_bytes;
}

static PS_COLD uint32_t
drop(struct ps_record_table *table, uint32_t entries)
{
	uint32_t before = ps_peek(&table->dropped);
	uint32_t room = UINT32_MAX - before;

	ps_poke(&table->dropped, before + PS_MIN(entries, room));
	return UINT32_MAX;
}

uint32_t
ps_record_append(enum ps_table_id id, uint32_t entries, void **out)
{
	struct ps_record_table *table = &ps_record->table[id];
	uint32_t first = next_entry[id];
	uint64_t end;

	PS_ASSERT(is_lock_mine());
	PS_ASSERT(id < PS_TABLES && entries > 0);
	PS_ASSERT(first <= table->capacity);
	if (entries > table->capacity - first)
		return drop(table, entries);
	end = ((uint64_t)first + entries) * table->entry_bytes;
	if (end > ps_peek(&table->backed_bytes) &&
	    !ps_record_file_back(id, end))
		return drop(table, entries);
	PS_ASSERT(end <= ps_peek(&table->backed_bytes));
	next_entry[id] = first + entries;
	*out = (char *)ps_record + table->offset +
	       (uint64_t)first * table->entry_bytes;
	return first;
}

void
ps_record_publish(enum ps_table_id id)
{
	struct ps_record_table *table = &ps_record->table[id];

	PS_ASSERT(is_lock_mine());
	PS_ASSERT(next_entry[id] >= ps_peek(&table->count));
	/* release: pairs with the acquire in reader.c */
	atomic_store_explicit(&table->count, next_entry[id],
			      memory_order_release);
}

static uint32_t
capacity_of(enum ps_table_id id, bool is_spare)
{
	static const uint32_t spare_capacity[PS_TABLES] = {
	    [PS_TABLE_STRINGS] = SPARE_STRINGS,
	    [PS_TABLE_THREADS] = SPARE_THREADS,
	};

	return is_spare ? spare_capacity[id] : ps_record_plan[id].capacity;
}

static uint64_t
plan_tables(struct ps_record_table *table, bool is_spare)
{
	uint64_t offset = PS_RECORD_HEADER_BYTES;

	for (unsigned n = 0; n < PS_TABLES; n++) {
		enum ps_table_id i = ps_record_order[n];
		uint32_t capacity = capacity_of(i, is_spare);
		uint64_t bytes = PS_ROUND_UP((uint64_t)capacity *
						 ps_record_plan[i].entry_bytes,
					     (uint64_t)PS_RECORD_ALIGN);

		PS_ASSERT(table[i].offset == 0);
		table[i].offset = offset;
		table[i].entry_bytes = ps_record_plan[i].entry_bytes;
		table[i].capacity = capacity;
		ps_poke(&table[i].backed_bytes, bytes);
		offset += bytes;
	}
	PS_ASSERT(offset % PS_RECORD_ALIGN == 0);
	return offset;
}

static uint64_t
planned_bytes(void)
{
	struct ps_record_table table[PS_TABLES] = {0};

	return plan_tables(table, false);
}

/* Entry 0 of strings is "", row 0 of threads collects those that ended. */
static void
append_first_rows(void)
{
	void *out;
	uint32_t string;
	uint32_t thread;

	ps_record_lock();
	string = ps_record_append(PS_TABLE_STRINGS, 1, &out);
	ps_record_publish(PS_TABLE_STRINGS);
	thread = ps_record_append(PS_TABLE_THREADS, 1, &out);
	ps_record_publish(PS_TABLE_THREADS);
	ps_record_unlock();
	PS_ASSERT(string == 0 && thread == 0);
}

bool
ps_record_is_spare(void)
{
	return (const char *)ps_record == spare;
}

/* An empty recording in zeroed memory at ps_record. */
static void
set_up(bool is_forked_child)
{
	struct ps_record_header *h = ps_record;

	memset(next_entry, 0, sizeof(next_entry));
	ps_poke(&lock_owner, 0);
	/* A page is written before it is read: it is mapped once. */
	memcpy(h->magic, PS_RECORD_MAGIC, sizeof(h->magic));
	PS_ASSERT(ps_peek(&h->is_ready) == 0);
	h->version = PS_RECORD_VERSION;
	h->header_bytes = PS_RECORD_HEADER_BYTES;
	h->file_bytes = plan_tables(h->table, ps_record_is_spare());
	PS_ASSERT(h->file_bytes == recording_bytes);
	ps_record_strings_reset();
	append_first_rows();
	ps_record_describe(&h->process);
	ps_poke(&h->process.is_forked_child, is_forked_child);
	/* release: a reader that sees 1 sees all of the above */
	atomic_store_explicit(&h->is_ready, 1, memory_order_release);
}

int
ps_record_open(void)
{
	uint64_t bytes = planned_bytes();
	void *memory;
	int err;

	if (ps_record != NULL)
		return -EALREADY;
	err = ps_os_map(bytes, &memory);
	if (err != 0)
		return err;
	/* Of little memory most is the program's. */
	if (PS_MIN(ps_os_limit(RLIMIT_AS), ps_os_limit(RLIMIT_DATA)) / 2 <
	    bytes) {
		(void)ps_os_unmap(memory, bytes);
		return -ENOMEM;
	}
	/* Sparse tables in 2 MiB pages would be resident as a whole. */
	ps_os_no_huge(memory, bytes);
	recording_bytes = bytes;
	ps_record = memory;
	set_up(false);
	return 0;
}

void
ps_record_postfork_child(void)
{
	PS_ASSERT(ps_record != NULL);
	if (!ps_record_is_spare() &&
	    ps_os_map_over(ps_record, recording_bytes) == 0) {
		ps_os_no_huge(ps_record, recording_bytes);
	} else {
		memset(spare, 0, sizeof(spare));
		recording_bytes = sizeof(spare);
		ps_record = (struct ps_record_header *)spare;
	}
	ps_record_file_forget();
	set_up(true);
}
