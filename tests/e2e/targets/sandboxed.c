/* SPDX-License-Identifier: MIT */
/*
 * sandboxed - a program that allows itself a dozen system calls, and allocates
 *
 *   sandboxed prctl|syscall exit|_exit
 *
 * It is killed by any other call, as sandboxes do, and works on: blocks small
 * and large, a marked section, a thread of its own.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/perfshim.h"

#define ALLOW(nr)                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),                         \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(SYS_read),
    ALLOW(SYS_write),
    ALLOW(SYS_brk),
    ALLOW(SYS_mmap),
    ALLOW(SYS_munmap),
    ALLOW(SYS_mremap),
    ALLOW(SYS_mprotect),
    ALLOW(SYS_madvise),
    ALLOW(SYS_futex),
    ALLOW(SYS_clone),
    ALLOW(SYS_clone3),
    ALLOW(SYS_set_robust_list),
    ALLOW(SYS_rseq),
    ALLOW(SYS_rt_sigaction), /* pthread_create takes two */
    ALLOW(SYS_rt_sigprocmask),
    ALLOW(SYS_exit),
    ALLOW(SYS_exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};
static struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

__attribute__((noinline)) static void
work(void)
{
	static void *block[1000];

	for (int round = 0; round < 20; round++) {
		PERFSHIM_SECTION ("work") {
			for (int i = 0; i < 1000; i++)
				block[i] = malloc((size_t)i * 40 % 9000);
			for (int i = 0; i < 1000; i++)
				free(block[i]);
		}
		free(malloc(3000000));
	}
}

static void *
in_thread(void *unused)
{
	(void)unused;
	work();
	return malloc(77);
}

static int
sandbox(const char *how)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	if (strcmp(how, "prctl") == 0)
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	void *last = NULL;

	mallopt(M_ARENA_MAX, 1); /* a second one asks for the processors */
	setvbuf(stdout, NULL, _IOLBF, 4096); /* which asks what it is, first */
	puts("before");
	if (argc != 3 || sandbox(argv[1]) != 0)
		return 77;
	work();
	if (pthread_create(&thread, NULL, in_thread, NULL) != 0 ||
	    pthread_join(thread, &last) != 0)
		return 1;
	free(last);
	puts("after");
	if (strcmp(argv[2], "_exit") == 0)
		_exit(5);
	return 5;
}
