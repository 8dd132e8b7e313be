/* SPDX-License-Identifier: MIT */
/*
 * functions - functions of programs built with -finstrument-functions
 *
 * The compiler calls __cyg_profile_func_enter and _exit with the function's
 * address around each of its calls; glibc has empty ones, and these come first.
 * A function is a section whose name is found by its symbol when the report is
 * made.  Which section an address is stands in a table of words that are
 * written once, address and slot in one, so that a look-up takes no lock: 5 ns
 * on top of what a mark costs.
 *
 * Only globs in PERFSHIM_SECTIONS need the name at once: the module's symbol
 * table is read at a function's first call then, as the report would.  Globs
 * are held against the demangled name, without its parameters too.
 *
 * A function that was left by longjmp is known by its frame, like a scoped
 * mark. The compiler may push arguments between its two calls, so the frame is
 * taken to begin FRAME_SLACK higher up.
 *
 * Bounds: PS_SECTIONS_MAX functions; further ones are counted as dropped. After
 * a dlclose the table starts anew, since addresses may have changed hands, and
 * what was loaded again is a section of its own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/scratch.h"
#include "measure/clock.h"
#include "profile/section.h"
#include "profile/stack.h"
#include "record/reader.h"
#include "record/writer.h"
#include "report/symbol_elf.h"
#include "shim/forked.h"
#include "shim/functions.h"
#include "shim/malloc.h"
#include "shim/markers.h"
#include "shim/start.h"
#include "shim/thread.h"

enum {
	TABLE_SLOTS = 4 * PS_SECTIONS_MAX,
	PROBES_MAX = 64,
	SLOT_BITS = 13, /* 47 bits of address above */
	FRAME_SLACK = 128,
	NAME_BYTES = 512,
};
_Static_assert(PS_SECTIONS_MAX + PS_SLOT_FIRST < 1 << SLOT_BITS,
	       "a slot fits its bits");

static PS_BIG _Atomic uint64_t
    table[TABLE_SLOTS]; /* address and slot; 0: free */

/* Who names functions for the globs; under the lock. */
static struct ps_lock naming;
static struct ps_scratch scratch;
static struct ps_reader reader;
static struct ps_symbols *symbols;
static uint32_t named_modules;
static _Atomic(ps_demangler *) demangler;

/* ---- names for globs ---------------------------------------------------- */

static bool
open_symbols_locked(void)
{
	const char *why;

	if (ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why) !=
	    0)
		return false;
	if (symbols != NULL && reader.count[PS_TABLE_MODULES] == named_modules)
		return true;
	if (symbols != NULL)
		ps_scratch_fini(&scratch);
	ps_scratch_init(&scratch, (size_t)64 << 20);
	named_modules = reader.count[PS_TABLE_MODULES];
	symbols = ps_symbols_elf(&scratch, &reader, ps_peek(&demangler), cfree);
	return symbols != NULL;
}

static bool
is_wanted_locked(uint32_t frame)
{
	char name[NAME_BYTES];
	struct ps_symbol symbol;
	size_t length;

	if (!open_symbols_locked() ||
	    !symbols->resolve(symbols, frame, &symbol) ||
	    symbol.function == NULL)
		return false;
	length = strnlen(symbol.function, sizeof(name) - 1);
	memcpy(name, symbol.function, length);
	name[length] = '\0';
	if (ps_section_is_wanted(name))
		return true;
	name[strcspn(name, "(")] = '\0';
	return ps_section_is_wanted(name);
}

/* The loader's lock is taken before ours: a constructor that holds it may come
 * here. */
static void
find_demangler(void)
{
	if (ps_peek(&demangler) == NULL)
		ps_poke(&demangler,
			(ps_demangler *)dlsym(RTLD_DEFAULT, "__cxa_demangle"));
}

static bool
is_wanted(uintptr_t pc)
{
	struct ps_thread *self = &ps_self;
	uint32_t frame;
	bool wanted;

	if (!ps_section_has_globs())
		return true;
	find_demangler();
	frame = ps_stack_frame(pc);
	if (frame == UINT32_MAX || !ps_thread_enter(self))
		return false;
	ps_lock_take(&naming);
	wanted = is_wanted_locked(frame);
	ps_lock_give(&naming);
	ps_thread_leave(self);
	return wanted;
}

/* ---- the table ---------------------------------------------------------- */

static uint64_t
first_place(uintptr_t function)
{
	return (function * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
}

static uintptr_t
new_slot(uintptr_t function)
{
	uint32_t section = UINT32_MAX;

	/* An address just behind the first byte, as of a return. */
	if (is_wanted(function + 1))
		section = ps_section_intern_function(function + 1);
	return section == UINT32_MAX || !ps_section_is_on(section)
		   ? PS_SLOT_OFF
		   : section + PS_SLOT_FIRST;
}

/* Of two threads that come first, one's section stays without calls. */
static PS_COLD uintptr_t
enter(uintptr_t function)
{
	int saved_errno = errno;
	uintptr_t slot = PS_SLOT_OFF;
	uint64_t word;

	/* A handler that interrupted us asks again next time. */
	if (!ps_start_early() || function >> (64 - SLOT_BITS) != 0 ||
	    ps_self.depth > 0 || ps_record_is_locked_by_me())
		return PS_SLOT_OFF;
	ps_forked_settle(); /* the section is one of our own recording */
	slot = new_slot(function);
	word = (uint64_t)function << SLOT_BITS | slot;
	for (uint64_t i = 0; i < PROBES_MAX; i++) {
		uint64_t expected = 0;

		if (atomic_compare_exchange_strong(
			&table[(first_place(function) + i) % TABLE_SLOTS],
			&expected, word))
			break;
		if (expected >> SLOT_BITS == function) {
			slot = expected & ((1 << SLOT_BITS) - 1);
			break;
		}
	}
	errno = saved_errno;
	return slot;
}

static inline uintptr_t
slot_of(uintptr_t function)
{
	uint64_t place = first_place(function);

	for (uint64_t i = 0; i < PROBES_MAX; i++) {
		uint64_t word = ps_peek(&table[(place + i) % TABLE_SLOTS]);

		if (ps_likely(word >> SLOT_BITS == function))
			return word & ((1 << SLOT_BITS) - 1);
		if (word == 0)
			return enter(function);
	}
	return PS_SLOT_OFF; /* too many */
}

void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

PS_EXPORT void
__cyg_profile_func_enter(void *function, void *call_site)
{
	uintptr_t slot = slot_of((uintptr_t)function);
	uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();

	(void)call_site;
	if (slot != PS_SLOT_OFF)
		ps_marker_begin(slot, sp + FRAME_SLACK, sp);
}

PS_EXPORT void
__cyg_profile_func_exit(void *function, void *call_site)
{
	ps_ticks now = ps_clock_now();
	uintptr_t slot = slot_of((uintptr_t)function);

	(void)call_site;
	if (slot != PS_SLOT_OFF)
		ps_marker_end(slot, (uintptr_t)__builtin_dwarf_cfa(), now);
}

void
ps_functions_changed(void)
{
	for (uint32_t i = 0; i < TABLE_SLOTS; i++)
		if (ps_peek(&table[i]) != 0)
			ps_poke(&table[i], 0);
}

void
ps_functions_postfork_child(void)
{
	ps_lock_init(&naming);
	if (symbols == NULL)
		return;
	symbols = NULL; /* its recording is gone; what it mapped stays */
	ps_scratch_init(&scratch, 0);
}
