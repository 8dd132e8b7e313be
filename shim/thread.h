/* SPDX-License-Identifier: MIT */
/*
 * thread - what the shim keeps for each thread
 *
 * The fast paths find a thread's counters at (&ps_thread_fallback + row_offset
 * bytes). A row_offset of 0 leads to a static fallback row whose countdown is
 * always 0, so that malloc's one test of the countdown also catches "thread not
 * known yet" (TLS starts as zero), "inside the shim" (parked) and "library not
 * relocated yet" (see the assert below).
 */
#ifndef PS_SHIM_THREAD_H
#define PS_SHIM_THREAD_H

#include "profile/pace.h"
#include "record/layout.h"

struct ps_pool_heap;
struct ps_section_thread;
struct ps_unwind_memo;
struct ps_recall;
struct ps_unwind_context;

struct ps_thread {
	struct ps_pool_heap *heap; /* NULL: not registered, or thread ended */
	struct ps_section_thread *sections; /* NULL until a first section */
	struct ps_record_thread *row;	    /* in the recording; NULL: none */
	uint32_t row_index;
	volatile uint32_t depth;       /* of enter; > 0: inside the shim */
	volatile ptrdiff_t row_offset; /* from ps_thread_fallback; 0: parked */
	ptrdiff_t row_offset_known;    /* the same, when not parked */
	uint64_t random;	       /* state of the sampler's generator */
	int64_t published_bytes;       /* our part of heap.live_bytes */
	uintptr_t stack_low;	       /* bounds, once looked up; 0: not yet */
	uintptr_t stack_high;
	uintptr_t entered_at; /* the stack, when a sample begun; 0: none has */
	uint32_t has_ended;   /* its destructors ran; late frees still come */
	uint32_t rounds;      /* of destructors, so far */
	uint32_t pulses;
	uint32_t beats;
	uint32_t steps; /* of the pool's decay, last seen */
	/* It may make no system call and read no clock: strict.c. */
	uint32_t is_strict;
	uint32_t is_timed;   /* what goes on is measured: ps_thread_beat */
	uint32_t is_refused; /* it found no row, and was counted as one such */
	/* A sample's end is being counted at its site, which is of this
	 * recording: forked.c. */
	volatile uint32_t is_ending;
	ps_ticks seen;		     /* the clock, when it was last looked at */
	struct ps_unwind_memo *memo; /* NULL until the first walk */
	struct ps_recall *recall;    /* the same; only if all are sampled */
	/* Who asked for the block that is being made; NULL: nobody does. */
	const struct ps_unwind_context *caller;
	struct ps_pace pace;
};
/*
 * An unrelocated GOT makes our initial-exec offset 0, and then row_offset is
 * read from the C library's thread block, where glibc keeps 0 at offset 32.
 */
_Static_assert(offsetof(struct ps_thread, row_offset) == 32,
	       "falls on a field of tcbhead_t that is always 0");

extern PS_TLS struct ps_thread ps_self;
extern struct ps_record_thread ps_thread_fallback;

/*
 * Make this thread known: row, heap, destructor.  Returns false when it cannot
 * (no recording, no memory, or already inside the shim); then nothing of this
 * thread is counted.  Cold; preserves errno.
 */
bool ps_thread_register(struct ps_thread *self);

/* The row whose countdown malloc tests: the fallback while parked. */
static inline struct ps_record_thread *
ps_thread_hot_row(const struct ps_thread *self)
{
	return (struct ps_record_thread *)((char *)&ps_thread_fallback +
					   self->row_offset);
}

/* The countdown ran out or is refilled: `size` bytes were asked for. */
void ps_thread_redraw(struct ps_thread *self, uint64_t size);

/* Tell the recording what this thread's blocks add up to, and the pool the
 * time. */
void ps_thread_publish(struct ps_thread *self);
/* At the end of the process: the recording alone, without what is due twice a
 * second, and without a lock ... */
void ps_thread_publish_last(struct ps_thread *self);
/* ... and what of that somebody will read: name and size. */
void ps_thread_note_end(struct ps_thread *self);

/* The thread left a fast path: publish now and then. */
void ps_thread_pulse(struct ps_thread *self);

/*
 * A sample is taken: publish now and then.  Where every block is a sample, most
 * beats do not look at the clock; then 0 is returned, else the time.
 */
ps_ticks ps_thread_beat(struct ps_thread *self);
/* A sample ends.  Where few are sampled, their births publish often enough. */
ps_ticks ps_thread_beat_of_end(struct ps_thread *self);
/* What began at a beat's time is over: it is part of what the shim cost. */
void ps_thread_count_cost(ps_ticks begun);

/* Bytes asked for by the thread since it started. */
static inline uint64_t
ps_thread_requested(const struct ps_record_thread *row)
{
	return ps_peek(&row->issued_bytes) - ps_peek(&row->bytes_left);
}

/* A thread without a row: counted as one of the ended ones. */
void ps_thread_count_stray(unsigned cls, int64_t blocks, int64_t large_bytes);

/* Once, at the early start; 0 or -errno. */
int ps_thread_init(void);

/* From now on the thread counts there ... */
void ps_thread_count_in(struct ps_thread *self, struct ps_record_thread *row);
/* ... or, named and live, in that row of the recording.  What it counted there
 * so far stays. */
void ps_thread_use_row(struct ps_thread *self, uint32_t index);

/* In a fork child: the calling thread is the only one, and has no row yet. */
void ps_thread_postfork_child(void);

/*
 * Between enter and leave, this thread's allocations are neither counted nor
 * sampled.  They nest.  enter returns false when the thread is not known.
 */
bool ps_thread_enter(struct ps_thread *self);
void ps_thread_leave(struct ps_thread *self);

/*
 * Inside the shim and asked for a block: a signal handler may have left a
 * sample by siglongjmp, and then the thread would stay inside for ever.  True
 * when that is so, and is put right.  What the sample held stays lost.
 */
bool ps_thread_heal(struct ps_thread *self);

#endif /* PS_SHIM_THREAD_H */
