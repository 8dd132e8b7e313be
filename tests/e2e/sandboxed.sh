#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A seccomp filter that kills: the shim makes no call that the filter does not
# allow, whether prctl or syscall() installed it, and goes on with the rest.
. "$E2E/lib.sh"

run_bare "$T/sandboxed" prctl exit
[ "$(<bare.status)" != 77 ] || skip 'seccomp filters cannot be installed here'
equal 5 "$(<bare.status)" 'the status without the shim'

while read -r how end sample; do
	rm -rf rec
	run_bare "$T/sandboxed" "$how" "$end"
	run_shim "PERFSHIM_SAMPLE=$sample" "$T/sandboxed" "$how" "$end"
	same_output stderr
	json
	# In two threads, in each 20 times 1000 blocks.
	expect 'heap["allocations"] >= 40000' 'section("work")["calls"] == 40'
	report
done <<'END'
prctl exit auto
syscall exit 4K
prctl _exit all
syscall _exit all
END

# No report can be made at the end, and none is tried.
run shim env LD_PRELOAD="$LIB" "$T/sandboxed" syscall exit
same_output

# syscall() is libc's for all else: numbers, six arguments, errors.
cat >calls.c <<'END_C'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	long pid = syscall(SYS_getpid), child;
	void *p = (void *)syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	printf("%d %d\n", pid == getpid(), p != MAP_FAILED && memset(p, 1, 4096) == p);
	errno = 0;
	printf("%ld", syscall(SYS_close, 12345));
	printf(" %d\n", errno);
	errno = 7;
	printf("%ld", syscall(-1));
	printf(" %d\n", errno);
	printf("%ld", syscall(SYS_seccomp, 99, 0, 0));
	printf(" %d\n", errno);
	fflush(stdout);
	child = syscall(SYS_fork);
	if (child == 0)
		_exit(9);
	waitpid((pid_t)child, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
END_C
gcc -w -o calls calls.c || fail 'to compile'
run_both ./calls
