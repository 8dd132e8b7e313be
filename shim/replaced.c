/* SPDX-License-Identifier: MIT */
/*
 * replaced - a program that brings malloc or operator new itself
 *
 * The executable's functions come before ours wherever somebody looks for them.
 * C++ lets a program replace operator new(size_t) and operator delete(void *)
 * alone: all other forms, which are libstdc++'s, call these two.  Ours do not,
 * so that a sized delete was given a block that the program's own new had made.
 * Where one of the operators is not ours, the other forms are left to
 * libstdc++, which finds the program's.
 *
 * A program that brings malloc (Firefox, Rust with jemalloc) gets its blocks
 * freed by functions that it does not bring: reallocarray, and the operators.
 * They go where they would without us; the report says whose malloc it is.
 *
 * The price is one test in each operator, of what a branch predictor knows.
 */
#include <dlfcn.h>

#include "record/writer.h"
#include "shim/malloc.h"
#include "shim/replaced.h"

struct ps_replaced ps_replaced;
static const char *owner; /* of malloc; NULL: it is ours */

static const char *const names[PS_FORMS] = {
#define NAME(name) [PS_FORM##name] = #name,
    PS_FORMS_OF(NAME)
#undef NAME
};
ps_form_call *ps_replaced_form[PS_FORMS];

/* Of this library, from the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/* Of all that is loaded, in order.  RTLD_DEFAULT begins with this library,
 * since it is bound to its own symbols. */
static void *
find(const char *name)
{
	static void *all;

	if (all == NULL)
		all = dlopen(NULL, RTLD_LAZY);
	return all != NULL ? dlsym(all, name) : NULL;
}

static bool
is_ours(const char *name)
{
	uintptr_t found = (uintptr_t)find(name);

	return found == 0 || found - (uintptr_t)__ehdr_start <
				 (uintptr_t)_end - (uintptr_t)__ehdr_start;
}

/* std::get_new_handler(): NULL in a program without libstdc++, where there is
 * nobody to leave the others to. */
void _ZSt15get_new_handlerv(void) __attribute__((weak));

static bool
has_own_operator(void)
{
	bool is_own = false;

	for (unsigned i = 0; i < PS_FORMS && !is_own; i++)
		is_own = !is_ours(names[i]);
	return is_own;
}

/* Asked of the loader once: a forked child must not wait for its lock. */
static const char *
name_of_file(const void *address)
{
	Dl_info info;

	return dladdr(address, &info) != 0 ? info.dli_fname : "?";
}

/*
 * libstdc++'s own, since who comes before it (tcmalloc) has forms that go past
 * the program's.  All at once: what looks later changes what the program's
 * dlerror says.
 */
static void
leave_operators(void)
{
	void *library = dlopen(name_of_file((void *)_ZSt15get_new_handlerv),
			       RTLD_LAZY | RTLD_NOLOAD);

	for (unsigned i = 0; i < PS_FORMS && library != NULL; i++)
		ps_replaced_form[i] = (ps_form_call *)dlsym(library, names[i]);
	(void)dlerror(); /* an old one lacks some */
	ps_replaced.has_new = library != NULL;
}

void
ps_replaced_look(void)
{
	if (!is_ours("malloc")) {
		ps_replaced.free = (void (*)(void *))find("free");
		ps_replaced.realloc =
		    (void *(*)(void *, size_t))find("realloc");
		owner = name_of_file(find("malloc"));
	}
	if (_ZSt15get_new_handlerv != NULL &&
	    (owner != NULL || has_own_operator()))
		leave_operators();
	ps_replaced_tell();
}

void
ps_replaced_tell(void)
{
	if (owner != NULL)
		ps_record->own_malloc = ps_record_string(owner);
}
