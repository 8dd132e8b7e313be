/* SPDX-License-Identifier: MIT */
/*
 * cli_scope - the function that an address is in, and what was inlined there
 *
 * libdw's dwarf_getscopes goes through a unit's entries from its beginning for
 * every address: with 40000 frames in a unit of 1500 functions that took 2 s of
 * 2.2.  Here a unit is gone through once and its functions are kept sorted by
 * address; from there, only what lies around the address is looked at.
 *
 * A function may be anywhere below its unit (in a namespace, in a class that is
 * local to another function), so everything is gone through but what was
 * inlined, which has no function of its own.
 */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "report/cli_scope.h"
#include "report/intern.h"

enum { DEPTH_MAX = 64, FIRST_ROOM = 64 };

struct function {
	Dwarf_Addr start;
	Dwarf_Addr end;
	Dwarf_Die die;
};

struct unit {
	struct function *functions;
	size_t count;
	size_t room;
};

struct ps_scopes {
	struct ps_intern units; /* address of the unit's entry -> struct unit */
	struct ps_scratch *scratch;
};

struct ps_scopes *
ps_scopes_new(struct ps_scratch *scratch)
{
	struct ps_scopes *s = ps_scratch_alloc(scratch, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->scratch = scratch;
	ps_intern_init(&s->units, scratch, true, sizeof(struct unit));
	return s;
}

/* ---- once a unit ---- */

static void
add_range(struct ps_scopes *s, struct unit *u, Dwarf_Addr start, Dwarf_Addr end,
	  const Dwarf_Die *die)
{
	struct function *larger = u->functions;
	size_t room = u->room;

	PS_ASSERT(start < end && u->count <= room);
	if (u->count == room) {
		room = PS_MAX(room * 2, (size_t)FIRST_ROOM);
		larger = ps_scratch_alloc(s->scratch, room * sizeof(*larger));
		if (larger == NULL)
			return;
		for (size_t i = 0; i < u->count; i++)
			larger[i] = u->functions[i];
		ps_scratch_release(u->functions,
				   u->room * sizeof(*u->functions));
	}
	u->functions = larger;
	u->room = room;
	PS_ASSERT(u->count < room);
	larger[u->count++] = (struct function){start, end, *die};
}

static void
add_function(struct ps_scopes *s, struct unit *u, Dwarf_Die *die)
{
	Dwarf_Addr base;
	Dwarf_Addr start;
	Dwarf_Addr end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0)
		if (end > start)
			add_range(s, u, start, end, die);
}

static void
walk(struct ps_scopes *s, struct unit *u, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;

	PS_ASSERT(depth <= DEPTH_MAX);
	if (depth == DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			add_function(s, u, &die);
		if (tag != DW_TAG_inlined_subroutine && dwarf_haschildren(&die))
			walk(s, u, &die, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static int
by_start(const void *a, const void *b)
{
	const struct function *x = a;
	const struct function *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static const struct unit *
unit_of(struct ps_scopes *s, Dwarf_Die *unit)
{
	struct unit *u;
	uint32_t number;
	int is_new =
	    ps_intern(&s->units, &unit->addr, sizeof(unit->addr), &number);

	if (is_new < 0)
		return NULL;
	u = ps_intern_value(&s->units, number);
	if (is_new) {
		walk(s, u, unit, 0);
		if (u->count > 0)
			qsort(u->functions, u->count, sizeof(*u->functions),
			      by_start);
	}
	for (size_t i = 1; is_new && i < u->count; i++)
		PS_DEBUG_ASSERT(u->functions[i - 1].start <=
				u->functions[i].start);
	return u;
}

/* ---- an address ---- */

static struct function *
function_at(const struct unit *u, Dwarf_Addr address)
{
	size_t low = 0;
	size_t high = u->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (u->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	PS_ASSERT(low == 0 || u->functions[low - 1].start <= address);
	PS_DEBUG_ASSERT(low == u->count || u->functions[low].start > address);
	if (low == 0 || address >= u->functions[low - 1].end)
		return NULL;
	return &u->functions[low - 1];
}

static bool
is_scope(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return true;
	default:
		return false;
	}
}

/* The child that the address is in. */
static bool
step_in(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *out)
{
	if (dwarf_child(parent, out) != 0)
		return false;
	do {
		if (is_scope(out) && dwarf_haspc(out, address) > 0)
			return true;
	} while (dwarf_siblingof(out, out) == 0);
	return false;
}

int
ps_scopes_at(struct ps_scopes *s, Dwarf_Die *unit, Dwarf_Addr address,
	     Dwarf_Die out[PS_SCOPES_MAX])
{
	const struct unit *u = unit_of(s, unit);
	struct function *f = u == NULL ? NULL : function_at(u, address);
	int count = 1;

	if (f == NULL)
		return 0;
	out[0] = f->die;
	while (count < PS_SCOPES_MAX &&
	       step_in(&out[count - 1], address, &out[count]))
		count++;
	PS_ASSERT(count <= PS_SCOPES_MAX);
	for (int i = 0; i < count / 2; i++) {
		Dwarf_Die other = out[i];

		out[i] = out[count - 1 - i];
		out[count - 1 - i] = other;
	}
	return count;
}
