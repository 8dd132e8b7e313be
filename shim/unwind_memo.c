/* SPDX-License-Identifier: MIT */
/*
 * unwind_memo - a thread's last stack, so that the next is mostly known
 *
 * A walk is a function of its registers and of the stack slots that it reads.
 * So when a walk arrives at a frame of the memo with the same pc and sp (and
 * rbp, where something beyond was computed from it), and the slots from which
 * the memo's walk read return addresses (and such rbps) still hold the same,
 * the rest of the stack is the same.  A frame whose step depended on more (a
 * signal frame, a CFA loaded from memory) is not passed by a comparison, only
 * by a step.
 *
 * The hash is a polynomial in the addresses, so that the hash of the innermost
 * `max` frames of a deeper stack follows from two of those kept.
 *
 * Costs, warm: a step (10 ns) for each frame that is new, a comparison (below
 * 1 ns) for each that is not.  The obvious alternative, to replace a return
 * address by a trampoline and so be told of returns, breaks exceptions, threads
 * that were cloned and shadow stacks (hazards U11).
 */
#include "base/lock.h"
#include "shim/unwind_memo.h"
#include "shim/unwind_cache.h"
#include "shim/unwind_step.h"

/* Memos of threads that ended. */
static struct ps_unwind_memo *free_memos;
static struct ps_lock free_lock;

/* Odd, so that its powers stay invertible; the golden ratio's fraction. */
#define BASE UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t
scrambled(uintptr_t pc)
{
	uint64_t x = pc * UINT64_C(0xff51afd7ed558ccd);

	return x ^ x >> 32;
}

static inline uint64_t
folded(uint64_t hash, uintptr_t pc)
{
	return hash * BASE + scrambled(pc);
}

uint64_t
ps_unwind_hash(const uintptr_t *pcs, uint32_t depth)
{
	uint64_t hash = 0;

	while (depth-- > 0)
		hash = folded(hash, pcs[depth]);
	return hash;
}

static uint64_t
power_of_base(uint32_t exponent)
{
	uint64_t power = 1;

	for (uint64_t base = BASE; exponent > 0; exponent >>= 1, base *= base)
		if (exponent & 1)
			power *= base;
	return power;
}

/* Hash of the innermost `depth` frames. */
static uint64_t
hash_of(const struct ps_unwind_memo *m, uint32_t depth)
{
	uint64_t whole = depth == 0 ? 0 : m->frame[m->count - 1].hash;

	if (depth == m->count)
		return whole;
	return whole -
	       m->frame[m->count - depth - 1].hash * power_of_base(depth);
}

/* ---- what is still true ------------------------------------------------- */

/*
 * Are the frames beyond frame[at - 1] as they were?  0, or the number of outer
 * frames that may still be met later on.
 */
static uint32_t
changed_beyond(const struct ps_unwind_memo *m, uint32_t at)
{
	for (uint32_t i = at - 1; i > 0; i--) {
		const struct ps_memo_frame *f = &m->frame[i];

		if (f->pc_at == 0 || ps_walk_word(f->pc_at) != f[-1].pc)
			return i;
		if (f->fp_at != 0 && ps_walk_word(f->fp_at) != f[-1].fp)
			return i;
	}
	return 0;
}

/* Does the walk stand at this frame? */
static inline bool
is_at(const struct ps_walk *w, const struct ps_memo_frame *f)
{
	return f->sp == w->sp && f->pc == w->pc && f->is_exact == w->is_exact &&
	       (!f->needs_fp || f->fp == w->fp);
}

/*
 * How many of the memo's outer frames are the rest of this walk; 0 when it has
 * to go on by itself.  *cursor is where in the memo the walk has come to.
 */
static inline uint32_t
known_rest(const struct ps_unwind_memo *m, const struct ps_walk *w,
	   uint32_t *cursor)
{
	uint32_t at = *cursor;
	uint32_t rest;

	while (at > 0 && m->frame[at - 1].sp < w->sp)
		at--;
	*cursor = at;
	if (at == 0 || !is_at(w, &m->frame[at - 1]))
		return 0;
	rest = changed_beyond(m, at);
	*cursor = rest;
	return rest == 0 ? at : 0;
}

/* ---- walking ------------------------------------------------------------ */

static inline void
note(struct ps_memo_frame *f, const struct ps_walk *w)
{
	f->pc = w->pc;
	f->sp = w->sp;
	f->fp = w->fp;
	f->is_exact = w->is_exact;
	f->pc_at = f->fp_at = 0;
	f->has_used_fp = false;
}

static inline void
note_step(struct ps_memo_frame *f, const struct ps_walk *w)
{
	f->pc_at = w->pc_at;
	f->fp_at = w->fp_at;
	f->has_used_fp = w->has_used_fp;
}

struct rest {
	uint32_t fresh; /* frames walked, in m->fresh */
	uint32_t kept;	/* of the memo's outer ones */
	bool is_whole;
	enum ps_unwind_end end; /* when it stopped; else COMPLETE */
};

/* Walk until a known frame, the first one, or `most` frames. */
static void
walk_fresh(struct ps_unwind_memo *m, const struct ps_unwind_context *ctx,
	   uint32_t most, uintptr_t stack_low, uintptr_t stack_high,
	   struct rest *r)
{
	struct ps_walk walk = {
	    .pc = ctx->pc,
	    .sp = ctx->sp,
	    .fp = ctx->fp,
	    .low = ctx->sp,
	    .high = stack_high & ~(uintptr_t)7,
	};
	struct ps_walk *w = &walk;
	uint32_t cursor = m->count;
	struct ps_rule rule;

	r->fresh = r->kept = 0;
	r->is_whole = false;
	r->end = PS_UNWIND_COMPLETE;
	while (r->fresh < most) {
		if (w->pc == 0) {
			r->is_whole = true;
			return;
		}
		r->kept = known_rest(m, w, &cursor);
		if (r->kept > 0) {
			r->is_whole = m->is_whole;
			return;
		}
		note(&m->fresh[r->fresh++], w);
		r->end = PS_UNWIND_STOPPED;
		if (!ps_unwind_rule(w->pc, w->is_exact, stack_low, &rule))
			return;
		r->is_whole = (rule.flags & PS_RULE_END) != 0;
		if (!r->is_whole && (rule.flags & PS_RULE_STOP) != 0 &&
		    !ps_walk_step_frame_chain(w, stack_low))
			return;
		if (!r->is_whole && (rule.flags & PS_RULE_STOP) == 0 &&
		    !ps_walk_step(w, &rule))
			return;
		r->end = PS_UNWIND_COMPLETE;
		if (r->is_whole)
			return;
		note_step(&m->fresh[r->fresh - 1], w);
	}
}

/* Room for `fresh` more: outer frames go, and some, so that it is seldom. */
static void
make_room(struct ps_unwind_memo *m, uint32_t fresh)
{
	uint32_t keep = PS_MEMO_FRAMES - fresh;
	uint32_t drop;

	if (m->count <= keep)
		return;
	keep -= PS_MIN(keep, (uint32_t)PS_MEMO_SLACK / 4);
	drop = m->count - keep;
	for (uint32_t i = 0; i < keep; i++)
		m->frame[i] = m->frame[i + drop];
	m->count = keep;
	m->is_whole = false;
}

/* Put the fresh frames on the kept ones, the outermost first. */
static void
put_fresh(struct ps_unwind_memo *m, uint32_t fresh)
{
	uint64_t hash = m->count == 0 ? 0 : m->frame[m->count - 1].hash;
	bool needs = m->count > 0 && m->frame[m->count - 1].needs_fp;

	PS_ASSERT(m->count + fresh <= PS_MEMO_FRAMES);
	while (fresh-- > 0) {
		/* Word by word: a wider load of what was just stored in words
		 * waits for all of them to reach the cache. */
		const volatile struct ps_memo_frame *from = &m->fresh[fresh];
		struct ps_memo_frame *f = &m->frame[m->count++];
		uintptr_t fp_at = from->fp_at;

		f->pc = from->pc;
		f->sp = from->sp;
		f->fp = from->fp;
		f->pc_at = from->pc_at;
		f->fp_at = needs ? fp_at : 0;
		f->is_exact = from->is_exact;
		needs = from->has_used_fp || (fp_at == 0 && needs);
		f->needs_fp = needs;
		hash = folded(hash, f->pc);
		f->hash = hash;
	}
}

uint32_t
ps_unwind_walk_memo(struct ps_unwind_memo *m,
		    const struct ps_unwind_context *ctx, uint32_t max,
		    uintptr_t stack_low, uintptr_t stack_high, uint64_t *hash,
		    enum ps_unwind_end *end)
{
	struct rest r;
	uint32_t depth;

	PS_ASSERT(max > 0 && max + PS_MEMO_SLACK <= PS_MEMO_FRAMES);
	PS_ASSERT(ctx->sp >= stack_low && ctx->sp < stack_high);
	if (m->generation != ps_unwind_generation() ||
	    (m->count > 0 && m->frame[0].sp > stack_high)) {
		m->generation = ps_unwind_generation();
		m->count = 0;
	}
	walk_fresh(m, ctx, max + PS_MEMO_SLACK, stack_low, stack_high, &r);
	/* Frames are missing at the memo's outer end: walk all of them. */
	if (r.kept > 0 && !r.is_whole && r.fresh + r.kept < max) {
		m->count = 0;
		walk_fresh(m, ctx, max + PS_MEMO_SLACK, stack_low, stack_high,
			   &r);
	}
	m->count = r.kept;
	m->is_whole = r.is_whole;
	make_room(m, r.fresh);
	put_fresh(m, r.fresh);
	depth = PS_MIN(m->count, max);
	*hash = hash_of(m, depth);
	*end = r.end;
	if (m->count > max || (r.end == PS_UNWIND_COMPLETE && !m->is_whole))
		*end = PS_UNWIND_TRUNCATED;
	return depth;
}

void
ps_unwind_memo_read(const struct ps_unwind_memo *m, uint32_t depth,
		    uintptr_t *out)
{
	PS_ASSERT(depth <= m->count);
	for (uint32_t i = 0; i < depth; i++)
		out[i] = m->frame[m->count - 1 - i].pc;
}

/* ---- memos ---- */

struct ps_unwind_memo *
ps_unwind_memo_open(void)
{
	struct ps_unwind_memo *memo;
	void *memory;

	ps_lock_take(&free_lock);
	memo = free_memos;
	if (memo != NULL)
		free_memos = memo->next;
	ps_lock_give(&free_lock);
	if (memo == NULL) {
		if (ps_os_map(sizeof(*memo), &memory) != 0)
			return NULL;
		memo = memory;
	}
	memo->count = 0;
	return memo;
}

void
ps_unwind_memo_close(struct ps_unwind_memo *memo)
{
	ps_lock_take(&free_lock);
	memo->next = free_memos;
	free_memos = memo;
	ps_lock_give(&free_lock);
}

void
ps_unwind_memo_postfork_child(void)
{
	ps_lock_init(&free_lock);
}
