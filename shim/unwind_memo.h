/* SPDX-License-Identifier: MIT */
/*
 * unwind_memo - a thread's last stack, so that the next is mostly known
 *
 * Two stacks of a thread that follow each other share nearly all of their outer
 * frames.  A memo keeps the frames of the last walk, and a walk ends where it
 * meets one of them and every return address beyond is still in its place.
 * The hash of a stack is kept with each frame and is folded from the outermost
 * frame inwards, so that only the frames that are new are hashed.
 */
#ifndef PS_UNWIND_MEMO_H
#define PS_UNWIND_MEMO_H

#include "shim/unwind.h"

enum {
	PS_MEMO_SLACK = 64, /* frames known beyond those that are told */
	PS_MEMO_FRAMES = 128 + PS_MEMO_SLACK,
};

struct ps_memo_frame {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t pc_at; /* where the caller's pc was read; 0: not only there */
	uintptr_t fp_at; /* where an rbp was read that matters; else 0 */
	uint64_t hash;	 /* of this frame and all beyond */
	bool is_exact;	 /* pc is an instruction, not a return address */
	bool needs_fp;	 /* what lies beyond was computed from fp */
	bool has_used_fp;
};

struct ps_unwind_memo {
	struct ps_unwind_memo *next; /* of those without a thread */
	uint64_t generation;
	uint32_t count; /* frames known, the outermost first */
	bool is_whole;	/* frame[0] is the thread's first */
	struct ps_memo_frame frame[PS_MEMO_FRAMES];
	struct ps_memo_frame fresh[PS_MEMO_FRAMES]; /* of a walk, leaf first */
};

/* A memo for a thread, to be given back when it ends; NULL: no memory. */
struct ps_unwind_memo *ps_unwind_memo_open(void);
void ps_unwind_memo_close(struct ps_unwind_memo *memo);
void ps_unwind_memo_postfork_child(void);

/*
 * Walk as ps_unwind_walk does and leave the stack in the memo; out-parameters
 * as there, but for the addresses: *hash is the stack's.  stack_low and
 * stack_high must be those of the stack that ctx->sp is on.  A memo (all zero
 * at first) belongs to one thread.
 */
uint32_t ps_unwind_walk_memo(struct ps_unwind_memo *memo,
			     const struct ps_unwind_context *ctx, uint32_t max,
			     uintptr_t stack_low, uintptr_t stack_high,
			     uint64_t *hash, enum ps_unwind_end *end);

/* The addresses of the last walk's stack, leaf first. */
void ps_unwind_memo_read(const struct ps_unwind_memo *memo, uint32_t depth,
			 uintptr_t *out);

/* The hash that a walk gives a stack of these addresses. */
uint64_t ps_unwind_hash(const uintptr_t *pcs, uint32_t depth);

#endif /* PS_UNWIND_MEMO_H */
