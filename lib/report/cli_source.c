/* SPDX-License-Identifier: MIT */
/*
 * cli_source - a recording with its names and its view, ready to be told
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/cli_output.h"
#include "report/cli_source.h"
#include "report/cli_symbols_dw.h"
#include "report/view_section.h"

static int
build(struct ps_source *s, const struct ps_filter *filter,
      const struct ps_report_options *told)
{
	struct ps_report_options options = *told;

	s->symbols = ps_symbols_dw(s->reader);
	if (s->symbols == NULL)
		return -ENOMEM;
	if (filter != NULL && ps_filter_is_set(filter)) {
		s->filter = *filter;
		ps_filter_init(&s->filter);
		s->filter.symbols = s->symbols;
		s->filter.names =
		    ps_scratch_alloc(&s->scratch, sizeof(*s->filter.names));
		if (s->filter.names == NULL)
			return -ENOMEM;
		PS_ASSERT(s->filter.base.judge != NULL);
		options.judge = &s->filter.base;
	}
	return ps_view_build(s->reader, &options, &s->scratch, &s->view);
}

int
ps_source_open(struct ps_source *s, const struct ps_reader *reader,
	       const char *path, const struct ps_filter *filter,
	       const struct ps_report_options *options)
{
	int error;

	PS_ASSERT(reader->header != NULL);
	*s = (struct ps_source){.reader = reader, .path = path};
	ps_scratch_init(&s->scratch, (size_t)2 << 30);
	error = build(s, filter, options);
	if (error == 0)
		error =
		    ps_view_name_functions(&s->view, s->symbols, &s->scratch);
	PS_ASSERT(error <= 0);
	if (error == 0)
		return 0;
	ps_complain_of(path, strerror(-error));
	ps_source_close(s);
	return error;
}

void
ps_source_close(struct ps_source *s)
{
	ps_symbols_dw_close(s->symbols);
	ps_scratch_fini(&s->scratch);
}
