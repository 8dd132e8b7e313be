/* SPDX-License-Identifier: MIT */
/*
 * flame_view - the tree of one recording's stacks
 */
#include <errno.h>

#include "report/flame.h"
#include "report/folded.h"

const char *
ps_flame_key_name(enum ps_view_key key)
{
	static const char *const names[PS_FLAME_KEYS] = {
	    [PS_BY_ALLOCATIONS] = "count",   [PS_BY_BYTES] = "allocated",
	    [PS_BY_PEAK] = "peak",	     [PS_BY_LIVE] = "live",
	    [PS_BY_TEMPORARY] = "temporary",
	};

	PS_ASSERT((unsigned)key < PS_FLAME_KEYS);
	return names[key];
}

static void
value_of_path(void *context, uint32_t path, struct ps_flame_value *out)
{
	*out = *(struct ps_flame_value *)ps_paths_value(context, path);
}

static void
add_site(struct ps_flame_value *sum, const struct ps_view_site *site)
{
	for (unsigned k = 0; k < PS_FLAME_KEYS; k++) {
		double deviation = ps_view_deviation(site, k);

		sum->sum[0][k] += ps_view_value(site, k);
		sum->variance[k] += deviation * deviation;
	}
}

int
ps_flame_of_view(const struct ps_view *view, struct ps_symbols *symbols,
		 struct ps_scratch *scratch, struct ps_text *out)
{
	struct ps_paths *paths = ps_paths_new(scratch, ps_folded_put_name,
					      sizeof(struct ps_flame_value));
	uint32_t path;

	if (paths == NULL ||
	    ps_paths_use(paths, view->reader, symbols, NULL) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < view->site_count; i++) {
		if (ps_paths_add(paths, view->sites[i].site, &path) != 0)
			return -ENOMEM;
		add_site(ps_paths_value(paths, path), &view->sites[i]);
	}
	PS_ASSERT(ps_paths_count(paths) <= view->site_count);
	return ps_flame_json(paths, 1, value_of_path, paths, PS_FLAME_NODES,
			     scratch, out);
}
