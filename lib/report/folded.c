/* SPDX-License-Identifier: MIT */
/*
 * folded - stacks as flame graphs read them: one line a stack
 *
 * Stacks that differ in addresses but not in functions are one line.
 */
#include <errno.h>

#include "report/folded.h"

void
ps_folded_put_name(struct ps_text *t, const struct ps_symbol *s)
{
	char name[2048];
	struct ps_text whole;

	ps_text_init(&whole, name, sizeof(name), -1);
	ps_symbol_put_name(&whole, s);
	for (char *c = name; *c != '\0'; c++)
		if (*c == ';')
			*c = ':';
	ps_text_printable(t, name);
}

void
ps_folded_put_path(const struct ps_paths *paths, uint32_t path,
		   struct ps_text *out)
{
	uint32_t count;
	const uint32_t *places = ps_paths_places(paths, path, &count);

	PS_ASSERT(count > 0);
	while (count-- > 0) {
		ps_folded_put_name(out, ps_paths_symbol(paths, places[count]));
		if (count > 0)
			ps_text_char(out, ';');
	}
}

int
ps_folded(const struct ps_view *v, struct ps_symbols *symbols,
	  enum ps_view_key key, struct ps_scratch *scratch, struct ps_text *out)
{
	const struct ps_record_process *p = &v->reader->header->process;
	struct ps_paths *paths =
	    ps_paths_new(scratch, ps_folded_put_name, sizeof(double));
	uint32_t path;

	if (paths == NULL ||
	    ps_paths_use(paths, v->reader, symbols,
			 ps_reader_string(v->reader, p->name)) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->site_count; i++) {
		double value = ps_view_value(&v->sites[i], key);

		if (!(value > 0))
			continue;
		if (ps_paths_add(paths, v->sites[i].site, &path) != 0)
			return -ENOMEM;
		*(double *)ps_paths_value(paths, path) += value;
	}
	PS_ASSERT(ps_paths_count(paths) <= v->site_count);
	for (path = 0; path < ps_paths_count(paths); path++) {
		double value = *(double *)ps_paths_value(paths, path);

		if (value < 0.5)
			continue;
		ps_folded_put_path(paths, path, out);
		ps_text_char(out, ' ');
		ps_text_fixed(out, value, 0);
		ps_text_char(out, '\n');
	}
	return 0;
}
