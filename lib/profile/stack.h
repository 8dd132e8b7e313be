/* SPDX-License-Identifier: MIT */
/*
 * stack - interned stacks: return addresses in, allocation site out
 *
 * A site is a row of the recording that stands for one distinct stack in one
 * thread and section.  Known ones are found without a lock; a new one is
 * entered under the writer's lock together with its frames and the modules they
 * lie in.
 *
 * Threads: any.  Not for a signal handler that interrupted this module; the
 * shim's depth guard sees to that.
 */
#ifndef PS_PROFILE_STACK_H
#define PS_PROFILE_STACK_H

#include "record/layout.h"

struct ps_stack_module {
	uintptr_t start;
	uintptr_t end;
	uintptr_t bias;
	const char *path; /* "" for the main program */
	bool is_own;	  /* the preload itself */
};

/* Finds the module that holds pc; without locks or allocation. */
typedef bool ps_stack_finder(uintptr_t pc, struct ps_stack_module *out);

/* Once, after ps_record_open; 0 or -errno (then every stack is dropped). */
int ps_stack_init(ps_stack_finder *finder);

/* What tells allocation sites apart; see struct ps_record_site. */
struct ps_stack_key {
	uint64_t stack; /* hash of the addresses; any good one */
	uint32_t depth; /* 0: the stack of those that have none */
	uint32_t flags; /* PS_SITE_* */
	uint32_t thread;
	uint32_t section;
};
_Static_assert(PS_STACK_DEPTH_MAX <= UINT16_MAX, "a site's depth has 16 bits");

/* Row in PS_TABLE_SITES; UINT32_MAX: not entered yet.  No lock. */
uint32_t ps_stack_find(const struct ps_stack_key *key);

/*
 * Enter it, with its addresses; the row, without labels when the table gets
 * full, of the innermost frames only when it is nearly so, of no frames when it
 * is; UINT32_MAX when there is not even that, as on a full disk.
 */
uint32_t ps_stack_enter(const struct ps_stack_key *key, const uintptr_t *pcs);

/*
 * Row of one address in PS_TABLE_FRAMES, as of a return address, or UINT32_MAX;
 * the second for who holds the writer's lock.
 */
uint32_t ps_stack_frame(uintptr_t pc);
uint32_t ps_stack_frame_locked(uintptr_t pc);

/* A module was unloaded: addresses may mean something else from now on. */
void ps_stack_modules_changed(void);

/* The recording is empty again (fork child). */
void ps_stack_reset(void);

#endif /* PS_PROFILE_STACK_H */
