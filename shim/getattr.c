/* SPDX-License-Identifier: MIT */
/*
 * getattr - a thread that asks for its attributes is not asked for its stack
 *
 * glibc's pthread_getattr_np allocates while it holds the thread's lock.  Where
 * a sample is taken of that block, we would ask the same for the bounds of the
 * stack, and the thread would wait for itself: java did.  The block is counted
 * as any other, with its caller for a stack.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "base/base.h"
#include "shim/unwind.h"

typedef int getattr_function(pthread_t, pthread_attr_t *);

PS_EXPORT int
pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
	static _Atomic(getattr_function *) real;
	getattr_function *ask = ps_peek(&real);
	int error;

	if (ask == NULL) {
		ask =
		    (getattr_function *)dlsym(RTLD_NEXT, "pthread_getattr_np");
		if (ask == NULL)
			return ENOSYS;
		ps_poke(&real, ask);
	}
	ps_unwind_stack_is_asked++;
	error = ask(thread, attributes);
	ps_unwind_stack_is_asked--;
	return error;
}
