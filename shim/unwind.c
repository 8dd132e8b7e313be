/* SPDX-License-Identifier: MIT */
/*
 * unwind - the call stack of this thread, from inside malloc
 *
 * A walk is, for each frame, one probe of a hash table and two loads from the
 * stack.  The table holds what unwind_decode found out about an address and is
 * read without a lock: an entry's key is written last, and cleared before its
 * slot is used again, so an entry whose key is the same before and after its
 * rule was read is whole.  Keys carry the generation, which a dlclose moves on;
 * so all rules of before are forgotten at once.
 *
 * Only memory between the start of the walk and the end of this thread's stack
 * is read, each frame must lie above the one before it, and stack pointers
 * are multiples of 8: a wrong rule ends a walk early, it cannot make it fault
 * or run forever.
 *
 * An address outside every module (JIT code) has no rule.  There the walk goes
 * on only if rbp looks like a frame chain whose next return address lies in a
 * module's code; otherwise it stops.
 *
 * The decoder is guarded by a lock that nobody waits for in earnest: who does
 * not get it within some thousand pauses (it is held for about a microsecond)
 * stops.  So a signal handler that interrupted the decoder cannot hang.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "base/lock.h"
#include "base/os.h"
#include "shim/unwind.h"
#include "shim/unwind_decode.h"
#include "shim/unwind_module.h"

enum {
	ENTRIES = 32768,
	PROBES = 8,
	DECODE_STACK_BYTES = 12288, /* libunwind needs up to 7 KiB */
	LOCK_TRIES = 20000,
	KEY_GENERATION_SHIFT = 49, /* above pc << 1 | is_exact */
};

enum { RULE_WORDS = 2 };

/* The rule's words are read and written between two looks at the key. */
struct entry {
	_Atomic uint64_t key;
	_Atomic uint64_t rule[RULE_WORDS];
	uint64_t reserved;
};
_Static_assert(sizeof(struct ps_rule) == RULE_WORDS * sizeof(uint64_t),
	       "fills the words");
_Static_assert(sizeof(struct entry) == 32, "two a cache line");

static struct entry *table;
static _Atomic uint64_t generation;
static struct ps_lock decoder;

int
ps_unwind_init(const char **why)
{
	void *memory;
	int error = ps_unwind_decode_init(why);

	if (error != 0)
		return error;
	error = ps_os_map(ENTRIES * sizeof(*table), &memory);
	if (error != 0) {
		*why = "no memory for the unwinder's cache";
		return error;
	}
	table = memory;
	return 0;
}

bool
ps_unwind_is_on(void)
{
	return table != NULL;
}

void
ps_unwind_flush(void)
{
	atomic_fetch_add(&generation, 1);
}

void
ps_unwind_prefork(void)
{
	ps_lock_take(&decoder);
}

void
ps_unwind_postfork(void)
{
	ps_lock_init(&decoder);
}

/* ---- the cache ---------------------------------------------------------- */

static inline uint64_t
key_of(uintptr_t pc, bool is_exact)
{
	return ((uint64_t)pc << 1 | is_exact) ^ ps_peek(&generation)
						    << KEY_GENERATION_SHIFT;
}

/* Addresses of one function fall close together: few pages are touched. */
static inline uint32_t
slot_of(uint64_t key)
{
	return (uint32_t)(key >> 2 ^ key >> 17) & (ENTRIES - 1);
}

/* Whether the rule was there. */
static inline bool
look_up(uint64_t key, struct ps_rule *out)
{
	uint32_t slot = slot_of(key);
	uint64_t words[RULE_WORDS];

	for (uint32_t i = 0; i < PROBES; i++) {
		struct entry *e = &table[(slot + i) & (ENTRIES - 1)];

		/* Acquire pairs with the releases of enter(): who sees a
		 * word of a later rule sees that the key has changed. */
		if (atomic_load_explicit(&e->key, memory_order_acquire) != key)
			continue;
		for (int w = 0; w < RULE_WORDS; w++)
			words[w] = atomic_load_explicit(&e->rule[w],
							memory_order_acquire);
		memcpy(out, words, sizeof(*out));
		return ps_peek(&e->key) == key;
	}
	return false;
}

static bool
is_of_this_generation(uint64_t key)
{
	return key != 0 &&
	       (key ^ ps_peek(&generation) << KEY_GENERATION_SHIFT) >>
		       KEY_GENERATION_SHIFT ==
		   0;
}

/* The slot's first free or outdated entry; the first of all when crowded. */
static void
enter(uint64_t key, const struct ps_rule *rule)
{
	uint32_t slot = slot_of(key);
	struct entry *e = &table[slot];
	uint64_t words[RULE_WORDS];

	for (uint32_t i = 0; i < PROBES; i++) {
		struct entry *at = &table[(slot + i) & (ENTRIES - 1)];

		if (!is_of_this_generation(ps_peek(&at->key))) {
			e = at;
			break;
		}
	}
	memcpy(words, rule, sizeof(words));
	ps_poke(&e->key, 0);
	for (int w = 0; w < RULE_WORDS; w++)
		atomic_store_explicit(&e->rule[w], words[w],
				      memory_order_release);
	atomic_store_explicit(&e->key, key, memory_order_release);
}

static bool
take_decoder(void)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (ps_lock_try(&decoder))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

static PS_COLD bool
decode(uintptr_t pc, bool is_exact, uintptr_t stack_low, struct ps_rule *out)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	/* Taken first: a flush meanwhile outdates what is decoded. */
	uint64_t key = key_of(pc, is_exact);

	if (here - stack_low < DECODE_STACK_BYTES || !take_decoder())
		return false;
	ps_unwind_decode(pc, is_exact, out);
	enter(key, out);
	ps_lock_give(&decoder);
	return true;
}

/* ---- the walk ----------------------------------------------------------- */

struct walk {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t low; /* readable: [low, high) */
	uintptr_t high;
	bool is_exact;
};

static inline bool
is_readable(const struct walk *w, uintptr_t address)
{
	return address - w->low < w->high - w->low - 7 && address % 8 == 0;
}

static inline uintptr_t
word_at(uintptr_t address)
{
	return *(const uintptr_t *)address;
}

static uintptr_t
base_value(const struct walk *w, unsigned base, uintptr_t cfa)
{
	switch (base) {
	case PS_BASE_SP:
		return w->sp;
	case PS_BASE_FP:
		return w->fp;
	default:
		return cfa;
	}
}

/* Any rule; PS_RULE_SIGNAL and loaded CFAs come here. */
static bool
step_general(struct walk *w, const struct ps_rule *r)
{
	uintptr_t cfa = base_value(w, r->cfa_base, 0) + (intptr_t)r->cfa_offset;
	uintptr_t pc_at;
	uintptr_t fp_at;
	uintptr_t fp = w->fp;

	if ((r->flags & PS_RULE_CFA_LOADED) != 0) {
		if (!is_readable(w, cfa))
			return false;
		cfa = word_at(cfa);
	}
	pc_at = base_value(w, r->pc_base, cfa) + (intptr_t)r->pc_offset;
	if (!is_readable(w, pc_at))
		return false;
	if (r->fp_base != PS_BASE_NONE) {
		fp_at = base_value(w, r->fp_base, cfa) + (intptr_t)r->fp_offset;
		if (!is_readable(w, fp_at))
			return false;
		fp = word_at(fp_at);
	}
	if (cfa <= w->sp || cfa > w->high || cfa % 8 != 0)
		return false;
	w->pc = word_at(pc_at);
	w->sp = cfa;
	w->fp = fp;
	w->is_exact = (r->flags & PS_RULE_SIGNAL) != 0;
	return true;
}

/* The form that nearly all frames have: everything relative to the CFA. */
static inline bool
step(struct walk *w, const struct ps_rule *r)
{
	uintptr_t cfa;
	uintptr_t fp_at;

	if (ps_unlikely(r->flags != 0 || r->pc_base != PS_BASE_CFA ||
			(r->fp_base & PS_BASE_CFA) == 0))
		return step_general(w, r);
	cfa = (r->cfa_base == PS_BASE_SP ? w->sp : w->fp) +
	      (intptr_t)r->cfa_offset;
	fp_at = cfa + (intptr_t)r->fp_offset;
	if (ps_unlikely(cfa <= w->sp || cfa > w->high || cfa % 8 != 0 ||
			!is_readable(w, cfa + (intptr_t)r->pc_offset)))
		return false;
	w->pc = word_at(cfa + (intptr_t)r->pc_offset);
	w->sp = cfa;
	if (r->fp_base == PS_BASE_CFA) {
		if (ps_unlikely(!is_readable(w, fp_at)))
			return false;
		w->fp = word_at(fp_at);
	}
	w->is_exact = false;
	return true;
}

/* Code without tables: go on along rbp, if that leads back into a module. */
static PS_COLD bool
step_frame_chain(struct walk *w)
{
	struct ps_unwind_module module;
	uintptr_t pc;

	if (ps_unwind_find_module(w->pc - 1, &module))
		return false; /* has tables, which said nothing */
	if (w->fp < w->sp || !is_readable(w, w->fp) ||
	    !is_readable(w, w->fp + 8))
		return false;
	pc = word_at(w->fp + 8);
	if (!ps_unwind_find_module(pc - 1, &module))
		return false;
	w->sp = w->fp + 16;
	w->fp = word_at(w->fp);
	w->pc = pc;
	w->is_exact = false;
	return true;
}

static enum ps_unwind_end
walk_on(struct walk *w, uintptr_t *out, uint32_t max, uint32_t *depth)
{
	uintptr_t stack_low = w->low;
	struct ps_rule rule;

	w->low = w->sp;
	while (*depth < max) {
		if (w->pc == 0)
			return PS_UNWIND_COMPLETE;
		out[(*depth)++] = w->pc;
		if (ps_unlikely(!look_up(key_of(w->pc, w->is_exact), &rule)) &&
		    !decode(w->pc, w->is_exact, stack_low, &rule))
			return PS_UNWIND_STOPPED;
		if (ps_unlikely((rule.flags & PS_RULE_END) != 0))
			return PS_UNWIND_COMPLETE;
		if (ps_unlikely((rule.flags & PS_RULE_STOP) != 0)) {
			if (!step_frame_chain(w))
				return PS_UNWIND_STOPPED;
		} else if (ps_unlikely(!step(w, &rule))) {
			return PS_UNWIND_STOPPED;
		}
	}
	return PS_UNWIND_TRUNCATED;
}

uint32_t
ps_unwind_walk(const struct ps_unwind_context *ctx, uintptr_t *out,
	       uint32_t max, uintptr_t stack_low, uintptr_t stack_high,
	       enum ps_unwind_end *end)
{
	struct walk w = {
	    .pc = ctx->pc,
	    .sp = ctx->sp,
	    .fp = ctx->fp,
	    .low = stack_low,
	    .high = stack_high,
	};
	uint32_t depth = 0;

	*end = PS_UNWIND_STOPPED;
	if (table == NULL || max == 0)
		return 0;
	if (stack_high == 0)
		(void)ps_unwind_stack_bounds(ctx->sp, &w.low, &w.high);
	w.high &= ~(uintptr_t)7; /* whole words, for is_readable */
	/* A signal stack or a coroutine: its end is not known. */
	if (ctx->sp < w.low || ctx->sp >= w.high || ctx->sp % 8 != 0) {
		out[0] = ctx->pc;
		return 1;
	}
	*end = walk_on(&w, out, max, &depth);
	return depth;
}

/* ---- stack bounds ------------------------------------------------------- */

/*
 * The kernel puts the name of the executable at the very top of the first
 * thread's stack; it may grow down to the limit.
 */
static bool
main_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	uint64_t limit = ps_os_limit(RLIMIT_STACK);
	uintptr_t top;

	if (name == NULL)
		return false;
	limit = PS_MIN(limit, UINT64_C(1) << 30);
	top = ((uintptr_t)name + strlen(name) + 1) & ~(uintptr_t)7;
	if (sp >= top || top - sp > limit)
		return false;
	*high = top;
	*low = top - limit;
	return true;
}

/*
 * glibc knows the stacks it made.  The call allocates, inside the shim, where
 * allocations are not sampled; only the first sample of a thread comes here.
 */
static bool
thread_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	pthread_attr_t attributes;
	void *start;
	size_t bytes;
	bool is_known;

	if (pthread_getattr_np(pthread_self(), &attributes) != 0)
		return false;
	is_known = pthread_attr_getstack(&attributes, &start, &bytes) == 0 &&
		   sp - (uintptr_t)start < bytes;
	(void)pthread_attr_destroy(&attributes);
	if (!is_known)
		return false;
	*low = (uintptr_t)start;
	*high = (uintptr_t)start + bytes;
	return true;
}

bool
ps_unwind_stack_bounds(uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
	int saved_errno = errno;
	bool is_known = ps_os_tid() == ps_os_pid()
			    ? main_stack(sp, low, high)
			    : thread_stack(sp, low, high);

	errno = saved_errno;
	return is_known;
}
