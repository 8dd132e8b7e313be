/* SPDX-License-Identifier: MIT */
/*
 * dlopen - libraries are opened without RTLD_DEEPBIND
 *
 * A library that is bound to its own scope first calls libc's malloc and free,
 * not ours: its free(strdup(...)) hands a block of ours to libc, which aborts
 * (hazards B3).  That cannot be caught afterwards, so the flag is taken off.
 * What it is for, a library's own symbols before the program's of the same
 * name, is given up under the shim; the sanitizers refuse such libraries.
 *
 * The loader searches by who called dlopen (RUNPATH, $ORIGIN, the namespace),
 * which it reads off the return address: so nothing may be left on the stack,
 * and the real function is jumped to (hazards P15).  A tail call in C would do
 * it too, but only where the compiler cares to make it a jump.
 *
 * dlmopen opens into the program's own name space, too; in others, no library
 * sees us anyway (hazards B4).
 */
#include <dlfcn.h>

#include "base/base.h"

typedef void *open_function(const char *path, int mode);
typedef void *open_there_function(Lmid_t space, const char *path, int mode);

/* Named by the assembly below. */
open_function *ps_dlopen_real __attribute__((used));
open_function *ps_dlopen_find(void) __attribute__((used));
open_there_function *ps_dlmopen_real __attribute__((used));
open_there_function *ps_dlmopen_find(void) __attribute__((used));

_Static_assert(RTLD_DEEPBIND == 8, "the masks below");
_Static_assert(LM_ID_BASE == 0, "the test below");

PS_COLD open_function *
ps_dlopen_find(void)
{
	ps_dlopen_real = (open_function *)dlsym(RTLD_NEXT, "dlopen");
	return ps_dlopen_real;
}

PS_EXPORT __attribute__((naked)) void *
dlopen(const char *path, int mode)
{
	__asm__("endbr64\n\t"
		"andl $~8, %esi\n\t"
		"movq ps_dlopen_real(%rip), %rax\n\t"
		"testq %rax, %rax\n\t"
		"jne 1f\n\t"
		"pushq %rdi\n\t"
		"pushq %rsi\n\t"
		"subq $8, %rsp\n\t" /* calls are made from an aligned stack */
		"call ps_dlopen_find\n\t"
		"addq $8, %rsp\n\t"
		"popq %rsi\n\t"
		"popq %rdi\n"
		"1:\tjmp *%rax");
}

PS_COLD open_there_function *
ps_dlmopen_find(void)
{
	ps_dlmopen_real = (open_there_function *)dlsym(RTLD_NEXT, "dlmopen");
	return ps_dlmopen_real;
}

PS_EXPORT __attribute__((naked)) void *
dlmopen(Lmid_t space, const char *path, int mode)
{
	__asm__("endbr64\n\t"
		"testq %rdi, %rdi\n\t"
		"jne 1f\n\t"
		"andl $~8, %edx\n"
		"1:\tmovq ps_dlmopen_real(%rip), %rax\n\t"
		"testq %rax, %rax\n\t"
		"jne 2f\n\t"
		"pushq %rdi\n\t"
		"pushq %rsi\n\t"
		"pushq %rdx\n\t"
		"call ps_dlmopen_find\n\t"
		"popq %rdx\n\t"
		"popq %rsi\n\t"
		"popq %rdi\n"
		"2:\tjmp *%rax");
}
