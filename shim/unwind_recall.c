/* SPDX-License-Identifier: MIT */
/*
 * unwind_recall - the stacks that a thread has had before, by where they begin
 *
 * A set-associative table of stacks, keyed by sp and the innermost return
 * addresses.  Those are found by a table of hops: how far above its sp a
 * frame's return address lies, for each pc where that is all there is to it.
 * Several stacks may begin alike: they are told apart by their slots, the
 * innermost first.  The slots and what they hold are in a log of fixed size;
 * what the log has overwritten is forgotten.
 *
 * What makes an equal stack: unwind_memo.c.  A stack with a frame whose step
 * depended on more than two slots is not kept.
 *
 * Costs: one comparison a frame, 0.5 ns each, and no look-up of rules, hash or
 * site.  Walking with the memo alone took 50 ns for stacks of 7 frames, half of
 * what a sampled block cost in all.
 */
#include <string.h>

#include "base/os.h"
#include "shim/unwind_recall.h"
#include "shim/unwind_cache.h"
#include "shim/unwind_step.h"

enum {
	SETS = 128,
	WAYS = 4,
	LOG_SLOTS = 8192, /* a power of two */
	GROUP = 8,
	SLOTS_MAX = 2 * 128, /* a multiple of GROUP */
	HOPS = 512,
	HOPS_DEEP = 4, /* return addresses in the key */
};

/* From a frame's sp to its caller's; 0: not by a constant. */
struct hop {
	uintptr_t pc;
	uintptr_t bytes;
};

struct slot {
	uintptr_t at;
	uintptr_t value;
};

struct entry {
	uint64_t key;
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uint64_t stamp;
	uint64_t begin; /* of its slots in the log, ever counted */
	uint32_t slots;
	uint32_t section;
	uint32_t site;
	bool needs_fp;
};

struct ps_recall {
	uint64_t end; /* of the log */
	uint64_t key; /* of the last look-up */
	uint32_t next_way;
	struct hop hop[HOPS];
	struct entry entry[SETS][WAYS];
	struct slot fresh[SLOTS_MAX]; /* not on what may be a small stack */
	struct slot log[LOG_SLOTS];
};

struct ps_recall *
ps_recall_open(void)
{
	void *memory;

	return ps_os_map(sizeof(struct ps_recall), &memory) == 0 ? memory
								 : NULL;
}

void
ps_recall_close(struct ps_recall *r)
{
	(void)ps_os_unmap(r, sizeof(*r));
}

/* Sites are others after a fork, stacks after a dlclose; never 0. */
static inline uint64_t
stamp_of(const struct ps_recall_from *from)
{
	return (ps_unwind_generation() << 32 | from->epoch) + 1;
}

static PS_COLD uintptr_t
learn_hop(struct hop *hop, uintptr_t pc, uintptr_t stack_low)
{
	struct ps_rule rule;

	hop->pc = pc;
	hop->bytes = 0;
	if (ps_unwind_rule(pc, false, stack_low, &rule) && rule.flags == 0 &&
	    rule.cfa_base == PS_BASE_SP && rule.pc_base == PS_BASE_CFA &&
	    rule.pc_offset == -8 && rule.cfa_offset >= 8)
		hop->bytes = (uintptr_t)rule.cfa_offset;
	return hop->bytes;
}

static inline uintptr_t
hop_of(struct ps_recall *r, uintptr_t pc, uintptr_t stack_low)
{
	struct hop *hop = &r->hop[(pc ^ pc >> 9) % HOPS];

	return ps_likely(hop->pc == pc) ? hop->bytes
					: learn_hop(hop, pc, stack_low);
}

/* Where the stack begins, as a number that is hardly ever another's. */
static inline uint64_t
key_of(struct ps_recall *r, const struct ps_recall_from *from)
{
	uintptr_t pc = from->ctx.pc;
	uintptr_t sp = from->ctx.sp;
	uint64_t key = pc ^ sp << 24 ^ from->section;

	for (int i = 0; i < HOPS_DEEP; i++) {
		uintptr_t bytes = hop_of(r, pc, from->stack_low);

		if (bytes == 0 || bytes > from->stack_high - sp)
			break;
		sp += bytes;
		pc = ps_walk_word(sp - 8);
		key = (key << 13 | key >> 51) ^ pc;
	}
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return key ^ key >> 32;
}

/* Without a branch a slot: where they differ is not foreseen. */
static inline bool
is_unchanged(const struct ps_recall *r, const struct entry *e)
{
	const struct slot *s = &r->log[e->begin % LOG_SLOTS];
	uintptr_t difference = 0;

	if (r->end - e->begin > LOG_SLOTS)
		return false; /* overwritten */
	for (uint32_t i = 0; i < e->slots; i += GROUP)
		for (uint32_t k = 0; k < GROUP; k++)
			difference |=
			    ps_walk_word(s[i + k].at) ^ s[i + k].value;
	return difference == 0;
}

uint32_t
ps_recall_site(struct ps_recall *r, const struct ps_recall_from *from)
{
	uint64_t key = key_of(r, from);
	const struct entry *set = r->entry[key % SETS];
	uint64_t stamp = stamp_of(from);

	r->key = key;
	for (int way = 0; way < WAYS; way++) {
		const struct entry *e = &set[way];

		if (e->key == key && e->pc == from->ctx.pc &&
		    e->sp == from->ctx.sp && e->stamp == stamp &&
		    e->section == from->section &&
		    (!e->needs_fp || e->fp == from->ctx.fp) &&
		    is_unchanged(r, e))
			return e->site;
	}
	return UINT32_MAX;
}

/* The slots of the innermost frames, the last one repeated to fill a group; how
 * many, or 0 when it cannot be kept. */
static uint32_t
collect(const struct ps_unwind_memo *memo, uint32_t depth, struct slot *out)
{
	uint32_t slots = 0;

	for (uint32_t i = memo->count - 1; i > memo->count - depth; i--) {
		const struct ps_memo_frame *f = &memo->frame[i];

		if (f->pc_at == 0)
			return 0;
		out[slots++] = (struct slot){f->pc_at, f[-1].pc};
		if (f->fp_at != 0)
			out[slots++] = (struct slot){f->fp_at, f[-1].fp};
	}
	while (slots % GROUP != 0) {
		out[slots] = out[slots - 1];
		slots++;
	}
	return slots;
}

void
ps_recall_keep(struct ps_recall *r, const struct ps_recall_from *from,
	       const struct ps_unwind_memo *memo, uint32_t depth, uint32_t site)
{
	struct entry *e;
	uint32_t count;

	PS_ASSERT(depth <= SLOTS_MAX / 2 && depth <= memo->count);
	if (depth < 2)
		return;
	count = collect(memo, depth, r->fresh);
	if (count == 0)
		return;
	/* In one piece. */
	if (r->end % LOG_SLOTS + count > LOG_SLOTS)
		r->end = PS_ROUND_UP(r->end, (uint64_t)LOG_SLOTS);
	e = &r->entry[r->key % SETS][r->next_way++ % WAYS];
	*e = (struct entry){
	    .key = r->key,
	    .pc = from->ctx.pc,
	    .sp = from->ctx.sp,
	    .fp = from->ctx.fp,
	    .stamp = stamp_of(from),
	    .begin = r->end,
	    .slots = count,
	    .section = from->section,
	    .site = site,
	    .needs_fp = memo->frame[memo->count - 1].needs_fp,
	};
	memcpy(&r->log[e->begin % LOG_SLOTS], r->fresh,
	       count * sizeof(*r->fresh));
	r->end = e->begin + count;
}
