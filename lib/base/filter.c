/* SPDX-License-Identifier: MIT */
/*
 * filter - what a seccomp filter will do with the system calls of this library
 *
 * A sandboxed program is killed by a call that its filter does not know, and
 * the shim makes calls that the program never would: getrusage at its end, say.
 * The kernel cannot be asked.  But the filter is a program of the
 * classic BPF, given to us in clear by whoever installs it, so it is run here
 * once for each call, and what would be punished is given up for good.  All
 * that uses ps_os_* bears a call that fails, as tests of the N-th one show.
 *
 * The arguments of our calls are many, so each is tried with all arguments 0
 * and with all bits set: a filter that compares an argument forbids one of the
 * two.  That gives up more than it must (a filter that allows write(2) to
 * standard error only), never less by a mere comparison or mask.
 *
 * The set is of the process, the filter of a thread: other threads of it lose
 * figures that they could have had.  A set for each thread would need to know
 * who inherits which filter.
 *
 * Each jump goes forward, so a program of n
 * instructions ends after n steps.  Costs a thousand runs when one is
 * installed: 0.3 ms for one of a hundred instructions.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/filter.h"

#if defined(__x86_64__)
#define THIS_MACHINE 0xc000003eu /* AUDIT_ARCH_X86_64 */
#elif defined(__aarch64__)
#define THIS_MACHINE 0xc00000b7u
#else
#define THIS_MACHINE 0u
#endif

enum {
	CALLS = 512, /* of the table that the kernel has */
	WORD_BITS = 64,
};
_Static_assert(CALLS % WORD_BITS == 0, "a bit a call");
_Static_assert(sizeof(struct seccomp_data) % 4 == 0, "loads are of words");

struct machine {
	const struct sock_fprog *filter;
	const struct seccomp_data *call;
	uint32_t a;
	uint32_t x;
	uint32_t memory[BPF_MEMWORDS];
	uint32_t at; /* the next instruction */
};

_Atomic bool ps_filter_is_on;
static _Atomic uint64_t forbidden[CALLS / WORD_BITS];

/* ---- one instruction ---------------------------------------------------- */

/* Loads: of the call, of memory, of a constant.  BPF_LEN is the call's size. */
static int
load(struct machine *m, const struct sock_filter *i, uint32_t *out)
{
	uint32_t value;

	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		*out = i->k;
		return 0;
	case BPF_LEN:
		*out = sizeof(*m->call);
		return 0;
	case BPF_MEM:
		if (i->k >= BPF_MEMWORDS)
			return -EINVAL;
		*out = m->memory[i->k];
		return 0;
	case BPF_ABS:
		if (i->k % 4 != 0 || i->k > sizeof(*m->call) - 4)
			return -EINVAL;
		memcpy(&value, (const char *)m->call + i->k, sizeof(value));
		*out = value;
		return 0;
	default:
		return -EINVAL;
	}
}

static int
store(struct machine *m, const struct sock_filter *i, uint32_t value)
{
	if (i->k >= BPF_MEMWORDS)
		return -EINVAL;
	m->memory[i->k] = value;
	return 0;
}

/* As the kernel does: a division by X = 0 ends the filter with 0, a kill. */
static int
calculate(struct machine *m, const struct sock_filter *i)
{
	uint32_t by = BPF_SRC(i->code) == BPF_X ? m->x : i->k;

	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		m->a += by;
		return 0;
	case BPF_SUB:
		m->a -= by;
		return 0;
	case BPF_MUL:
		m->a *= by;
		return 0;
	case BPF_OR:
		m->a |= by;
		return 0;
	case BPF_AND:
		m->a &= by;
		return 0;
	case BPF_XOR:
		m->a ^= by;
		return 0;
	case BPF_LSH:
		m->a = by < 32 ? m->a << by : 0;
		return 0;
	case BPF_RSH:
		m->a = by < 32 ? m->a >> by : 0;
		return 0;
	case BPF_NEG:
		m->a = -m->a;
		return 0;
	case BPF_DIV:
		if (by == 0)
			return -ERANGE;
		m->a /= by;
		return 0;
	default:
		return -EINVAL;
	}
}

static int
jump(struct machine *m, const struct sock_filter *i)
{
	uint32_t by = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	bool is_true;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		m->at += i->k < m->filter->len ? i->k : m->filter->len;
		return 0;
	case BPF_JEQ:
		is_true = m->a == by;
		break;
	case BPF_JGT:
		is_true = m->a > by;
		break;
	case BPF_JGE:
		is_true = m->a >= by;
		break;
	case BPF_JSET:
		is_true = (m->a & by) != 0;
		break;
	default:
		return -EINVAL;
	}
	m->at += is_true ? i->jt : i->jf;
	return 0;
}

/* 0, or -error, for all but BPF_RET. */
static int
step(struct machine *m, const struct sock_filter *i)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		return load(m, i, &m->a);
	case BPF_LDX:
		return load(m, i, &m->x);
	case BPF_ST:
		return store(m, i, m->a);
	case BPF_STX:
		return store(m, i, m->x);
	case BPF_ALU:
		return calculate(m, i);
	case BPF_JMP:
		return jump(m, i);
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- a filter ----------------------------------------------------------- */

int
ps_filter_run(const struct sock_fprog *filter, const struct seccomp_data *call,
	      uint32_t *answer)
{
	struct machine m = {.filter = filter, .call = call};

	while (m.at < filter->len) {
		const struct sock_filter *i = &filter->filter[m.at++];
		int error;

		if (BPF_CLASS(i->code) == BPF_RET) {
			*answer = BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
			return 0;
		}
		error = step(&m, i);
		if (error == -ERANGE) {
			*answer = SECCOMP_RET_KILL_THREAD;
			return 0;
		}
		if (error != 0)
			return error;
	}
	return -EINVAL;
}

/* Would the program, or who watches over it, notice? */
static bool
is_punished(uint32_t answer)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_USER_NOTIF:
		return true;
	default:
		return false;
	}
}

static bool
is_memory_call(long nr)
{
	return nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect ||
	       nr == SYS_madvise;
}

static bool
would_punish(const struct sock_fprog *filter, int nr, int argument_byte)
{
	struct seccomp_data call = {.nr = nr, .arch = THIS_MACHINE};
	uint32_t answer;

	memset(call.args, argument_byte, sizeof(call.args));
	return ps_filter_run(filter, &call, &answer) == 0 &&
	       is_punished(answer);
}

void
ps_filter_obey(const struct sock_fprog *filter)
{
	for (int nr = 0; nr < CALLS; nr++) {
		if (is_memory_call(nr) || (!would_punish(filter, nr, 0) &&
					   !would_punish(filter, nr, 0xff)))
			continue;
		atomic_fetch_or(&forbidden[nr / WORD_BITS],
				UINT64_C(1) << (nr % WORD_BITS));
		ps_poke(&ps_filter_is_on, true);
	}
}

bool
ps_filter_has(long nr)
{
	PS_ASSERT(nr >= 0);
	if (nr >= CALLS)
		return false;
	return (ps_peek(&forbidden[nr / WORD_BITS]) >> (nr % WORD_BITS) & 1) !=
	       0;
}
