/* SPDX-License-Identifier: MIT */
/*
 * syscall - libc's syscall(), of which only seccomp(2) is of interest
 *
 * Every other call is made here as libc makes it, in its eight instructions: no
 * frame, since the call may be one that returns twice, and no jump to libc's
 * own, which would have to be looked up first.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "base/os.h"
#include "shim/strict.h"

/* Named by the assembly below. */
long ps_syscall_seccomp(long nr, unsigned long operation, unsigned long flags,
			unsigned long filter) __attribute__((used));
long ps_syscall_failed(long result) __attribute__((used));

_Static_assert(SYS_seccomp == 317, "the number below");

PS_COLD long
ps_syscall_seccomp(long nr, unsigned long operation, unsigned long flags,
		   unsigned long filter)
{
	return ps_strict_seccomp(nr, operation, flags, filter);
}

PS_COLD long
ps_syscall_failed(long result)
{
	return ps_os_as_libc(result);
}

PS_EXPORT __attribute__((naked)) long
syscall(long nr, ...)
{
	__asm__("endbr64\n\t"
		"cmpq $317, %rdi\n\t"
		"je ps_syscall_seccomp\n\t"
		"movq %rdi, %rax\n\t"
		"movq %rsi, %rdi\n\t"
		"movq %rdx, %rsi\n\t"
		"movq %rcx, %rdx\n\t"
		"movq %r8, %r10\n\t"
		"movq %r9, %r8\n\t"
		"movq 8(%rsp), %r9\n\t"
		"syscall\n\t"
		"cmpq $-4095, %rax\n\t"
		"jae 1f\n\t"
		"ret\n"
		"1:\tmovq %rax, %rdi\n\t"
		"jmp ps_syscall_failed");
}
