/* SPDX-License-Identifier: MIT */
/*
 * test_filter - each instruction as the kernel runs it, and what is given up
 */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filter.h"
#include "base/os.h"

enum { MOST = 8 };

static const struct seccomp_data call = {
    .nr = 39,
    .arch = 7,
    .instruction_pointer = 0x1122334455667788,
    .args = {1, 2, UINT64_C(0xaaaaaaaabbbbbbbb)},
};

#define LOAD(k) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, k)
#define IMM(k) BPF_STMT(BPF_LD | BPF_W | BPF_IMM, k)
#define X_IMM(k) BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, k)
#define ALU(op, k) BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define ALU_X(op) BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define JUMP(op, k, t, f) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, t, f)
#define RET(k) BPF_STMT(BPF_RET | BPF_K, k)
#define RET_A BPF_STMT(BPF_RET | BPF_A, 0)

static const struct {
	struct sock_filter code[MOST];
	unsigned short count;
	int error;
	uint32_t answer;
} row[] = {
    {{RET(5)}, 1, 0, 5},
    {{LOAD(0), RET_A}, 2, 0, 39},
    {{LOAD(4), RET_A}, 2, 0, 7},
    {{LOAD(32), RET_A}, 2, 0, 0xbbbbbbbb},
    {{LOAD(36), RET_A}, 2, 0, 0xaaaaaaaa},
    {{LOAD(60), RET_A}, 2, 0, 0},
    {{BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_A}, 2, 0, 64},
    {{BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0),
      RET_A},
     3,
     0,
     64},
    {{IMM(9), BPF_STMT(BPF_ST, 15), IMM(1),
      BPF_STMT(BPF_LD | BPF_W | BPF_MEM, 15), RET_A},
     5,
     0,
     9},
    {{X_IMM(9), BPF_STMT(BPF_STX, 3), BPF_STMT(BPF_LD | BPF_W | BPF_MEM, 3),
      RET_A},
     4,
     0,
     9},
    {{IMM(4), BPF_STMT(BPF_MISC | BPF_TAX, 0), ALU_X(BPF_MUL), RET_A},
     4,
     0,
     16},
    {{IMM(7), ALU(BPF_ADD, 5), RET_A}, 3, 0, 12},
    {{IMM(7), ALU(BPF_SUB, 9), RET_A}, 3, 0, UINT32_MAX - 1},
    {{IMM(7), ALU(BPF_DIV, 2), RET_A}, 3, 0, 3},
    {{IMM(7), ALU(BPF_AND, 6), RET_A}, 3, 0, 6},
    {{IMM(7), ALU(BPF_OR, 8), RET_A}, 3, 0, 15},
    {{IMM(7), ALU(BPF_XOR, 2), RET_A}, 3, 0, 5},
    {{IMM(7), ALU(BPF_LSH, 1), RET_A}, 3, 0, 14},
    {{IMM(7), ALU(BPF_RSH, 1), RET_A}, 3, 0, 3},
    {{IMM(7), ALU(BPF_NEG, 0), RET_A}, 3, 0, (uint32_t)-7},
    {{IMM(7), X_IMM(40), ALU_X(BPF_LSH), RET_A}, 4, 0, 0},
    {{IMM(7), X_IMM(0), ALU_X(BPF_DIV), RET(5)}, 4, 0, 0}, /* kill */
    {{JUMP(BPF_JA, 1, 0, 0), RET(1), RET(2)}, 3, 0, 2},
    {{LOAD(0), JUMP(BPF_JEQ, 39, 1, 0), RET(1), RET(2)}, 4, 0, 2},
    {{LOAD(0), JUMP(BPF_JEQ, 38, 1, 0), RET(1), RET(2)}, 4, 0, 1},
    {{LOAD(0), JUMP(BPF_JGT, 39, 1, 0), RET(1), RET(2)}, 4, 0, 1},
    {{LOAD(0), JUMP(BPF_JGE, 39, 1, 0), RET(1), RET(2)}, 4, 0, 2},
    {{LOAD(0), JUMP(BPF_JSET, 4, 1, 0), RET(1), RET(2)}, 4, 0, 2},
    {{LOAD(0), JUMP(BPF_JSET, 8, 0, 1), RET(1), RET(2)}, 4, 0, 2},
    /* What the kernel refuses, or what does not end. */
    {{IMM(7)}, 1, -EINVAL, 0},
    {{JUMP(BPF_JA, UINT32_MAX, 0, 0), RET(1)}, 2, -EINVAL, 0},
    {{JUMP(BPF_JEQ, 0, 255, 0), RET(1)}, 2, -EINVAL, 0},
    {{LOAD(2), RET(1)}, 2, -EINVAL, 0},
    {{LOAD(64), RET(1)}, 2, -EINVAL, 0},
    {{BPF_STMT(BPF_ST, 16), RET(1)}, 2, -EINVAL, 0},
    {{BPF_STMT(BPF_LD | BPF_W | BPF_MEM, 16), RET(1)}, 2, -EINVAL, 0},
    {{BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET(1)}, 2, -EINVAL, 0},
    {{BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET(1)}, 2, -EINVAL, 0},
};

START_TEST(each_instruction_does_what_the_kernel_does)
{
	const struct sock_fprog filter = {
	    .len = row[_i].count,
	    .filter = (struct sock_filter *)row[_i].code,
	};
	uint32_t answer = 0;

	ck_assert_int_eq(ps_filter_run(&filter, &call, &answer), row[_i].error);
	ck_assert_uint_eq(answer, row[_i].answer);
}
END_TEST

/* getrusage is punished in this way; getpid when its first argument is 0. */
static struct sock_filter punishes[] = {
    LOAD(0),
    JUMP(BPF_JEQ, SYS_getrusage, 4, 0),
    JUMP(BPF_JEQ, SYS_mmap, 3, 0),
    JUMP(BPF_JEQ, SYS_getpid, 0, 3),
    LOAD(16),
    JUMP(BPF_JEQ, 0, 0, 1),
    RET(SECCOMP_RET_KILL_PROCESS),
    RET(SECCOMP_RET_ALLOW),
};
static const struct sock_fprog punisher = {PS_COUNT(punishes), punishes};

static const struct {
	uint32_t answer;
	bool is_given_up;
} action[] = {
    {SECCOMP_RET_KILL_PROCESS, true}, {SECCOMP_RET_KILL_THREAD, true},
    {SECCOMP_RET_TRAP | 3, true},     {SECCOMP_RET_USER_NOTIF, true},
    {SECCOMP_RET_ERRNO | 1, false},   {SECCOMP_RET_TRACE, false},
    {SECCOMP_RET_LOG, false},	      {SECCOMP_RET_ALLOW, false},
};

START_TEST(what_is_punished_is_given_up_and_the_rest_is_not)
{
	struct rusage usage;

	punishes[6].k = action[_i].answer;
	ck_assert(!ps_filter_forbids(SYS_getrusage));
	ps_filter_obey(&punisher);
	ck_assert_int_eq(ps_filter_forbids(SYS_getrusage),
			 action[_i].is_given_up);
	ck_assert_int_eq(ps_filter_forbids(SYS_getpid), action[_i].is_given_up);
	ck_assert(!ps_filter_forbids(SYS_mmap));
	ck_assert(!ps_filter_forbids(SYS_write));
	ck_assert(!ps_filter_forbids(100000));
	ck_assert_int_eq(ps_os_usage(&usage),
			 action[_i].is_given_up ? -EPERM : 0);
	ck_assert_int_gt(ps_os_tid(), 0);
}
END_TEST

/* 0: as it should be; ends without libc, for the filter is in force. */
static int
under_the_punisher(void)
{
	const unsigned long argument[6] = {0};
	struct rusage usage;

	ps_filter_obey(&punisher);
	return ps_os_usage(&usage) != -EPERM || ps_os_pid() != -EPERM ||
	       ps_os_asked(SYS_gettid, argument) <= 0;
}

START_TEST(the_kernel_takes_the_same_filter_and_nobody_is_killed)
{
	int status = -1;
	pid_t child;

	punishes[6].k = SECCOMP_RET_KILL_PROCESS;
	child = fork();
	if (child == 0) {
		/* A kernel without filters shows nothing. */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &punisher) != 0)
			syscall(SYS_exit_group, 0);
		syscall(SYS_exit_group, under_the_punisher());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

Suite *
filter_suite(void)
{
	Suite *s = suite_create("filter");
	TCase *filter = tcase_create("filter");

	tcase_add_loop_test(filter, each_instruction_does_what_the_kernel_does,
			    0, (int)PS_COUNT(row));
	tcase_add_loop_test(filter,
			    what_is_punished_is_given_up_and_the_rest_is_not, 0,
			    (int)PS_COUNT(action));
	tcase_add_test(filter,
		       the_kernel_takes_the_same_filter_and_nobody_is_killed);
	suite_add_tcase(s, filter);
	return s;
}
