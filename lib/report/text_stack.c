/* SPDX-License-Identifier: MIT */
/*
 * text_stack - a stack as a few lines of the text report
 *
 * It is told by its most telling frames: those of allocators and of the
 * libraries' containers of C++ and Rust at its top are passed over, since
 * everybody knows that operator new calls malloc, and so are those that started
 * main or the thread.
 *
 * Stacks of a list often begin alike: every buffer of a run-time system comes
 * through the same six functions.  Of one that would read as one above it does,
 * what is told is where they part.
 */
#include <string.h>

#include "report/text_parts.h"

enum { FRAMES_SHOWN = 6, LINE_COLUMNS = 80, PLACE_COLUMNS = 36, INDENT = 6 };
_Static_assert(LINE_COLUMNS - INDENT - 2 - PLACE_COLUMNS > 8,
	       "ps_put_function has room");

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
is_among(const char *name, const char *const *names, unsigned count)
{
	for (unsigned i = 0; name != NULL && i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool
is_plumbing(const struct ps_symbol *s)
{
	static const char *const prefixes[] = {
	    "operator new",
	    "std::__new_allocator",
	    "__gnu_cxx::",
	    "std::allocator",
	    "std::_Vector_base",
	    "_Zn",
	    "__libc_",
	    "std::__detail::_Hashtable_alloc",
	    "std::__allocate",
	    "std::_Rb_tree<",
	    "alloc::alloc::",
	    "<alloc::alloc::Global",
	    "alloc::raw_vec::",
	    "__rust_",
	    "__rdl_",
	    "perfshim_scope_",
	};
	static const char *const names[] = {
	    "malloc",	      "calloc",	  "realloc", "reallocarray",
	    "posix_memalign", "memalign", "valloc",  "aligned_alloc",
	};

	if (starts_with(s->module, "libperfshim.so"))
		return true;
	if (is_among(s->function, names, PS_COUNT(names)))
		return true;
	for (unsigned i = 0; s->function != NULL && i < PS_COUNT(prefixes); i++)
		if (starts_with(s->function, prefixes[i]))
			return true;
	return false;
}

/* What runs before main, or before a thread's own function. */
static bool
is_beginning(const struct ps_symbol *s)
{
	static const char *const names[] = {
	    "start_thread",
	    "clone",
	    "__clone",
	    "__clone3",
	    "__GI___clone3",
	    "__libc_start_call_main",
	    "__libc_start_main",
	    "__libc_start_main_impl",
	    "__libc_start_main@@GLIBC_2.34",
	    "_start",
	};

	return is_among(s->function, names, PS_COUNT(names));
}

/* Where it is, in a few words. */
static unsigned
put_place(char *place, size_t bytes, const struct ps_symbol *s)
{
	char whole[300];
	struct ps_text text;

	ps_text_init(&text, whole, sizeof(whole), -1);
	if (s->inlined_into != NULL)
		ps_text_str(&text, "inlined ");
	if (s->file != NULL && s->line != 0)
		ps_text_printf(&text, "at %s:%u", s->file, s->line);
	else
		ps_text_printf(&text, "in %s", s->module);
	ps_text_init(&text, place, bytes, -1);
	return ps_put_name(&text, whole, PLACE_COLUMNS);
}

static void
put_frame(struct ps_text *t, const struct ps_symbol *s)
{
	char address[40];
	char place[4 * PLACE_COLUMNS + 1];
	struct ps_text text;
	const char *name = s->function;
	unsigned columns = put_place(place, sizeof(place), s);

	PS_ASSERT(columns <= PLACE_COLUMNS);
	if (name == NULL) {
		ps_text_init(&text, address, sizeof(address), -1);
		ps_text_printf(&text, "0x%lx", (unsigned long)s->offset);
		name = address;
	}
	ps_text_fill(t, ' ', INDENT);
	(void)ps_put_function(t, name, LINE_COLUMNS - INDENT - 2 - columns);
	ps_text_style(t, PS_DIM);
	ps_text_str(t, "  ");
	ps_text_str(t, place);
	ps_text_style(t, PS_PLAIN);
	ps_text_char(t, '\n');
}

/* Of "u8 as alloc::vec::...", a plain type's part of a container. */
static const char *
behind_plain_type(const char *name)
{
	for (const char *at = name; *at != '\0'; at++) {
		if (starts_with(at, "::"))
			break;
		if (starts_with(at, " as "))
			return at + strlen(" as ");
	}
	return name;
}

/* A part of a library's container (of C++ or Rust), of which the one that was
 * called is told. */
static bool
is_container(const struct ps_symbol *s)
{
	static const char *const prefixes[] = {
	    "std::", "alloc::", "core::", "hashbrown::"};
	const char *name = s->function;

	if (name == NULL)
		return false;
	if (starts_with(name, "void "))
		name += strlen("void ");
	while (*name == '<' || *name == '&' || *name == '[')
		name++;
	name = behind_plain_type(name);
	for (unsigned i = 0; i < PS_COUNT(prefixes); i++)
		if (starts_with(name, prefixes[i]))
			return true;
	return false;
}

/* The part worth telling: from *first to *last (not included). */
static void
telling_part(const struct ps_stack_names *names, uint32_t *first,
	     uint32_t *last)
{
	for (*first = 0; *first + 1 < names->count; ++*first)
		if (!is_plumbing(&names->at[*first]) &&
		    !is_container(&names->at[*first]))
			break;
	if (*first > 0 && !is_plumbing(&names->at[*first - 1]))
		--*first;
	for (*last = names->count; *last > *first + 1; --*last)
		if (!is_beginning(&names->at[*last - 1]))
			break;
	PS_ASSERT(*last <= names->count);
	PS_ASSERT(*first < *last || names->count == 0);
}

uint32_t
ps_telling_frame(const struct ps_stack_names *names)
{
	uint32_t first;
	uint32_t last;

	telling_part(names, &first, &last);
	return first;
}

/* ---- stacks that begin alike -------------------------------------------- */

static bool
is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether two frames read alike. */
static bool
is_alike(const struct ps_symbol *a, const struct ps_symbol *b)
{
	return is_same_text(a->function, b->function) &&
	       is_same_text(a->module, b->module) &&
	       is_same_text(a->file, b->file) && a->line == b->line &&
	       (a->function != NULL || a->offset == b->offset);
}

/* How many frames read alike, from the first that is told of each. */
static uint32_t
alike(const struct ps_stack_names *a, const struct ps_stack_names *b)
{
	uint32_t first_a = ps_telling_frame(a);
	uint32_t first_b = ps_telling_frame(b);
	uint32_t count = 0;

	while (first_a + count < a->count && first_b + count < b->count &&
	       is_alike(&a->at[first_a + count], &b->at[first_b + count]))
		count++;
	return count;
}

/* Of the sites above the row, that with most frames as r->names has them. */
static uint32_t
most_alike(struct ps_text_report *r, const struct ps_view_site *const *top,
	   uint32_t row, uint32_t *which)
{
	uint32_t most = 0;

	PS_ASSERT(r->names != r->other_names);
	for (uint32_t i = 0; i < row; i++) {
		uint32_t count;

		ps_stack_names(r->view->reader, r->symbols, top[i]->site,
			       r->other_names);
		count = alike(r->names, r->other_names);
		if (count > most) {
			most = count;
			*which = i;
		}
	}
	return most;
}

/* ---- a stack ------------------------------------------------------------ */

static void
put_frames(struct ps_text_report *r, uint32_t from, uint32_t end, uint32_t last,
	   bool is_cut)
{
	PS_ASSERT(from <= end && end <= last && last <= r->names->count);
	for (uint32_t i = from; i < end; i++)
		put_frame(r->out, &r->names->at[i]);
	if (end < last)
		ps_text_printf(r->out, "%*s... %u more%s\n", INDENT, "",
			       last - end, is_cut ? ", cut short" : "");
	else if (is_cut)
		ps_text_printf(r->out, "%*s... cut short\n", INDENT, "");
}

void
ps_put_stack_below(struct ps_text_report *r,
		   const struct ps_view_site *const *top, uint32_t row)
{
	struct ps_stack_names *names = r->names;
	const struct ps_record_site *site = top[row]->site;
	bool is_cut = (site->flags & PS_SITE_TRUNCATED) != 0;
	uint32_t first;
	uint32_t last;
	uint32_t shown;
	uint32_t same;
	uint32_t which = 0;

	ps_stack_names(r->view->reader, r->symbols, site, names);
	if (names->count == 0) {
		ps_text_fill(r->out, ' ', INDENT);
		ps_text_str(r->out, "(no stack)\n");
		return;
	}
	telling_part(names, &first, &last);
	shown = PS_MIN(last, first + FRAMES_SHOWN);
	same = most_alike(r, top, row, &which);
	same = PS_MIN(same, last - first); /* below it, all are alike */
	if (same < shown - first || same <= 2) {
		put_frames(r, first, shown, last, is_cut);
		return;
	}
	put_frame(r->out, &names->at[first]);
	PS_ASSERT(same > 2 && which < row);
	ps_text_printf(r->out, "%*s... %u more as in %u%s\n", INDENT, "",
		       same - 1, which + 1,
		       first + same < last ? ", then" : ", at other places");
	first += same;
	put_frames(r, first, PS_MIN(last, first + FRAMES_SHOWN - 2), last,
		   is_cut);
}

void
ps_put_stack(struct ps_text_report *r, const struct ps_record_site *site)
{
	const struct ps_view_site only = {.site = site};
	const struct ps_view_site *const top[] = {&only};

	ps_put_stack_below(r, top, 0);
}
