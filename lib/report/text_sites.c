/* SPDX-License-Identifier: MIT */
/*
 * text_sites - the four lists of allocation sites
 *
 * A stack is told by its most telling frames: those of allocators and of the
 * libraries' containers of C++ and Rust at its top are passed over, since
 * everybody knows that operator new calls malloc, and so are those that started
 * main or the thread.
 */
#include <string.h>

#include "report/text_parts.h"

enum {
	FRAMES_SHOWN = 6,
	LINE_COLUMNS = 80,
	PLACE_COLUMNS = 36,
	INDENT = 6,
	TOP_MAX = 100,
};

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
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
	if (s->function == NULL)
		return false;
	for (unsigned i = 0; i < PS_COUNT(names); i++)
		if (strcmp(s->function, names[i]) == 0)
			return true;
	for (unsigned i = 0; i < PS_COUNT(prefixes); i++)
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

	for (unsigned i = 0; s->function != NULL && i < PS_COUNT(names); i++)
		if (strcmp(s->function, names[i]) == 0)
			return true;
	return false;
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
}

uint32_t
ps_telling_frame(const struct ps_stack_names *names)
{
	uint32_t first;
	uint32_t last;

	telling_part(names, &first, &last);
	return first;
}

void
ps_put_stack(struct ps_text_report *r, const struct ps_record_site *site)
{
	struct ps_stack_names *names = r->names;
	uint32_t first;
	uint32_t last;
	uint32_t shown;

	ps_stack_names(r->view->reader, r->symbols, site, names);
	if (names->count == 0) {
		ps_text_fill(r->out, ' ', INDENT);
		ps_text_str(r->out, "(no stack)\n");
		return;
	}
	telling_part(names, &first, &last);
	shown = PS_MIN(last, first + FRAMES_SHOWN);
	for (uint32_t i = first; i < shown; i++)
		put_frame(r->out, &names->at[i]);
	if (shown < last)
		ps_text_printf(r->out, "%*s... %u more\n", INDENT, "",
			       last - shown);
}

struct list {
	enum ps_view_key key;
	const char *heading;
	const char *nothing;
};

static void
put_values(struct ps_text_report *r, const struct ps_view_site *s,
	   enum ps_view_key key)
{
	struct ps_text *t = r->out;
	double blocks;
	char a[16];
	char b[16];

	ps_text_style(t, PS_YELLOW);
	switch (key) {
	case PS_BY_ALLOCATIONS:
		ps_text_printf(t, "%s", ps_human_count(a, s->allocations));
		ps_put_error(t, s->allocations,
			     ps_view_error(s, PS_BY_ALLOCATIONS));
		ps_text_style(t, PS_PLAIN);
		ps_text_printf(t, " allocation%s, %s in all",
			       ps_plural(s->allocations),
			       ps_human_bytes(b, s->bytes));
		break;
	case PS_BY_TEMPORARY:
		ps_text_printf(t, "%s", ps_human_count(a, s->temporary));
		ps_put_error(t, s->temporary, ps_view_error(s, key));
		ps_text_style(t, PS_PLAIN);
		ps_text_printf(t, " temporary of %s allocation%s (%d%%)",
			       ps_human_count(b, s->allocations),
			       ps_plural(s->allocations),
			       (int)(100 * s->temporary / s->allocations));
		break;
	default:
		ps_text_printf(t, "%s",
			       ps_human_bytes(a, ps_view_value(s, key)));
		ps_put_error(t, ps_view_value(s, key), ps_view_error(s, key));
		ps_text_style(t, PS_PLAIN);
		blocks = key == PS_BY_PEAK ? s->peak_allocations
					   : s->live_allocations;
		ps_text_printf(t, " in %s block%s, %s allocated in all",
			       ps_human_count(b, blocks), ps_plural(blocks),
			       ps_human_bytes(a, s->bytes));
		break;
	}
	ps_text_char(t, '\n');
}

static void
put_forgiven(struct ps_text *t, const struct ps_view *v)
{
	char bytes[16];
	char blocks[16];

	if (v->forgiven_sites == 0)
		return;
	ps_text_printf(t, "  suppressed: %u stack%s with %s in %s block%s\n",
		       v->forgiven_sites, ps_plural(v->forgiven_sites),
		       ps_human_bytes(bytes, v->forgiven_bytes),
		       ps_human_count(blocks, v->forgiven_allocations),
		       ps_plural(v->forgiven_allocations));
}

static void
put_list(struct ps_text_report *r, const struct list *list)
{
	const struct ps_view_site *top[TOP_MAX];
	uint32_t count = ps_view_top(r->view, list->key,
				     PS_MIN(r->top, (uint32_t)TOP_MAX), top);

	ps_put_heading(r->out, list->heading,
		       count == 0 ? list->nothing : NULL);
	if (list->key == PS_BY_LIVE)
		put_forgiven(r->out, r->view);
	for (uint32_t i = 0; i < count; i++) {
		ps_text_printf(r->out, "%4u  ", i + 1);
		put_values(r, top[i], list->key);
		ps_put_stack(r, top[i]->site);
	}
}

/* One line each, and the reason once. */
static void
put_no_lists(struct ps_text_report *r, const struct list *lists, unsigned count,
	     const char *why)
{
	for (unsigned i = 0; i < count; i++) {
		ps_text_str(r->out, i == 0 ? "\n" : "");
		ps_text_style(r->out, PS_BOLD);
		ps_text_str(r->out, lists[i].heading);
		ps_text_style(r->out, PS_PLAIN);
		ps_text_char(r->out, '\n');
	}
	ps_text_printf(r->out, "  %s\n", why);
}

void
ps_text_sites(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;
	const char *nothing = v->reader->header->sampling.mode == PS_SAMPLE_OFF
				  ? "sampling is off"
			      : v->site_count == 0
				  ? "no samples: too little was allocated"
				  : "none";
	const struct list lists[] = {
	    {PS_BY_ALLOCATIONS, "MOST ALLOCATIONS", nothing},
	    {PS_BY_PEAK, "PEAK MEMORY CONSUMERS", nothing},
	    {PS_BY_LIVE,
	     v->end == PS_END_RUNNING ? "MEMORY IN USE NOW"
				      : "MEMORY LEAKS (live at exit)",
	     nothing},
	    {PS_BY_TEMPORARY, "MOST TEMPORARY ALLOCATIONS", nothing},
	};

	if (v->left_out_rows > 0) {
		char left_out[16];

		ps_text_printf(r->out,
			       "\n  left out by the filters: %u of %u row%s, "
			       "%s allocated\n",
			       v->left_out_rows,
			       v->reader->count[PS_TABLE_SITES],
			       ps_plural(v->reader->count[PS_TABLE_SITES]),
			       ps_human_bytes(left_out, v->left_out_bytes));
	}
	if (v->site_count == 0) {
		put_no_lists(r, lists, PS_COUNT(lists), nothing);
		return;
	}
	for (unsigned i = 0; i < PS_COUNT(lists); i++)
		put_list(r, &lists[i]);
}
