/* SPDX-License-Identifier: MIT */
/*
 * operator_new - what operator new does when there is no memory
 *
 * It calls the program's new handler until memory appears, and throws
 * std::bad_alloc when there is no handler.  Both live in libstdc++, which we do
 * not link (a C program must not get it), so they are looked up when needed.  A
 * handler may throw: this is the one file that is compiled with unwind tables,
 * and all of its functions that can be on the stack then have no state to undo.
 *
 * A program without libstdc++ (or with a private, hidden copy) cannot be given
 * an exception; there, abort is what -fno-exceptions code expects.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "base/os.h"
#include "shim/alloc.h"
#include "shim/malloc.h"
#include "shim/replaced.h"

typedef void new_handler(void);

static new_handler *
current_handler(void)
{
	/* std::get_new_handler() */
	new_handler *(*get)(void) = (new_handler * (*)(void))
	    dlsym(RTLD_DEFAULT, "_ZSt15get_new_handlerv");

	return get != NULL ? get() : NULL;
}

static void
throw_bad_alloc(void)
{
	/* std::__throw_bad_alloc() */
	void (*throw)(void) =
	    (void (*)(void))dlsym(RTLD_DEFAULT, "_ZSt17__throw_bad_allocv");

	if (throw != NULL)
		throw();
	ps_os_complain("operator new: out of memory, and no C++ library to "
		       "throw std::bad_alloc with; aborting");
	abort();
}

static void *
new_with_handler(size_t size, size_t align,
		 const struct ps_unwind_context *caller)
{
	void *block;

	while ((block = ps_alloc(size, align, false, caller)) == NULL) {
		new_handler *handler = current_handler();

		if (handler == NULL)
			throw_bad_alloc();
		handler();
	}
	return block;
}

PS_COLD PS_REALIGNED void *
ps_new_slow(size_t size)
{
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	return new_with_handler(size, 16, &caller);
}

PS_NOINLINE PS_REALIGNED void *
ps_new_aligned(size_t size, size_t align)
{
	struct ps_unwind_context caller;

	PS_UNWIND_CALLER(&caller);
	return new_with_handler(size, PS_MAX(align, (size_t)16), &caller);
}

typedef void *new_nothrow(size_t size, const void *nothrow);
typedef void *new_nothrow_aligned(size_t size, size_t align,
				  const void *nothrow);

/*
 * The nothrow forms try the handler, too, and turn whatever it throws into
 * NULL.  Catching needs C++, so libstdc++'s own form is called: it calls our
 * operator new (GCC 9 and later) or our malloc, and catches.
 */
PS_COLD PS_REALIGNED void *
ps_new_nothrow_slow(size_t size)
{
	struct ps_unwind_context caller;
	new_nothrow *next;
	void *block;

	PS_UNWIND_CALLER(&caller);
	block = ps_alloc(size, 16, false, &caller);
	if (block != NULL || current_handler() == NULL)
		return block;
	next = (new_nothrow *)dlsym(RTLD_NEXT, "_ZnwmRKSt9nothrow_t");
	return next != NULL ? next(size, "") : NULL;
}

PS_NOINLINE PS_REALIGNED void *
ps_new_aligned_nothrow(size_t size, size_t align)
{
	struct ps_unwind_context caller;
	new_nothrow_aligned *next;
	void *block;

	PS_UNWIND_CALLER(&caller);
	block = ps_alloc(size, PS_MAX(align, (size_t)16), false, &caller);
	if (block != NULL || current_handler() == NULL)
		return block;
	next = (new_nothrow_aligned *)dlsym(
	    RTLD_NEXT, "_ZnwmSt11align_val_tRKSt9nothrow_t");
	return next != NULL ? next(size, align, "") : NULL;
}

static bool
has_alignment(enum ps_form form)
{
	return form >= PS_FORM_ZnwmSt11align_val_t &&
	       form <= PS_FORM_ZnamSt11align_val_tRKSt9nothrow_t;
}

PS_COLD void *
ps_new_theirs(size_t size, size_t second, size_t third, enum ps_form form)
{
	ps_form_call *call = ps_replaced_form[form];

	return call != NULL
		   ? call(size, second, third)
		   : ps_new_aligned(size, has_alignment(form) ? second : 16);
}

PS_COLD void
ps_delete_theirs(void *ptr, size_t second, size_t third, enum ps_form form)
{
	ps_form_call *call = ps_replaced_form[form];

	if (call != NULL)
		(void)call((uintptr_t)ptr, second, third);
	else
		free(ptr);
}
