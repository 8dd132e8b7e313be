/* SPDX-License-Identifier: MIT */
/*
 * unwind_module - which module is mapped at an address
 *
 * _dl_find_object takes no lock and allocates nothing, unlike dladdr and
 * dl_iterate_phdr; glibc has it since 2.35.
 */
#include <dlfcn.h>

#include "shim/unwind_module.h"

static int (*find_object)(void *, struct dl_find_object *);

bool
ps_unwind_module_init(void)
{
	find_object = (int (*)(void *, struct dl_find_object *))dlsym(
	    RTLD_DEFAULT, "_dl_find_object");
	return find_object != NULL;
}

bool
ps_unwind_find_module(uintptr_t pc, struct ps_unwind_module *out)
{
	struct dl_find_object found;
	const struct link_map_head {
		uintptr_t bias;
		const char *path;
	} * map;

	if (find_object == NULL || find_object((void *)pc, &found) != 0)
		return false;
	map = (const struct link_map_head *)found.dlfo_link_map;
	out->start = (uintptr_t)found.dlfo_map_start;
	out->end = (uintptr_t)found.dlfo_map_end;
	out->bias = map != NULL ? map->bias : 0;
	out->path = map != NULL && map->path != NULL ? map->path : "";
	out->eh_frame_hdr = found.dlfo_eh_frame;
	return true;
}
