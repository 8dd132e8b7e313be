/* SPDX-License-Identifier: MIT */
/*
 * stacks - allocates from stacks that unwinders have died of
 *
 *	stacks KIND [FILE...]: the status is 0 if all went as it should
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <xmmintrin.h>

#define NOINLINE __attribute__((noinline))

__attribute__((unused)) static void *volatile sink;

NOINLINE static void
allocate_here(void)
{
	void *block = malloc(100);

	__asm__ volatile("" : : "r"(block) : "memory");
	free(block);
}

/* ---- U1, U8: modules come and go --------------------------------------------
 */

static char **libraries;
static int library_count;
static _Atomic int is_over;

static void *
allocate_meanwhile(void *unused)
{
	while (!is_over)
		allocate_here();
	return unused;
}

static void *
load_and_unload(void *number)
{
	for (int i = 0; i < 300; i++) {
		void *library =
		    dlopen(libraries[(i + (int)(long)number) % library_count],
			   RTLD_NOW | RTLD_LOCAL);

		if (library == NULL)
			return "cannot load";
		dlclose(library);
	}
	return NULL;
}

static int
modules_and_threads(void)
{
	pthread_t thread[6];
	int bad = 0;
	void *result;

	for (long i = 0; i < 6; i++)
		pthread_create(&thread[i], NULL,
			       i < 4 ? allocate_meanwhile : load_and_unload,
			       (void *)i);
	for (int i = 5; i >= 0; i--) {
		is_over = i < 4;
		pthread_join(thread[i], &result);
		bad += i >= 4 && result != NULL;
	}
	return bad;
}

/* Each library has the same function with a frame of another size. */
NOINLINE static int
through_libraries(void)
{
	for (int i = 0; i < 600; i++) {
		void *library =
		    dlopen(libraries[i % library_count], RTLD_NOW | RTLD_LOCAL);
		void (*call)(void (*)(void));

		if (library == NULL)
			return 1;
		call = (void (*)(void (*)(void)))dlsym(library, "plug_call");
		call(allocate_here);
		dlclose(library);
	}
	return 0;
}

/* ---- U3: seccomp
 * --------------------------------------------------------------- */

NOINLINE static void
another_place(void)
{
	allocate_here();
	__asm__ volatile("");
}

static int
under_seccomp(void)
{
	for (volatile int i = 0; i < 50; i++) {
		allocate_here();
		if (i == 0)
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
	}
	another_place();
	syscall(SYS_exit, 0);
	return 1;
}

#define LET(number)                                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                     \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What glibc's malloc, this function and an exit call, and nothing else. */
static int
filter_calls(int is_raw)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		     offsetof(struct seccomp_data, nr)),
	    LET(SYS_mmap),
	    LET(SYS_munmap),
	    LET(SYS_mprotect),
	    LET(SYS_madvise),
	    LET(SYS_mremap),
	    LET(SYS_brk),
	    LET(SYS_futex),
	    LET(SYS_clock_gettime),
	    LET(SYS_exit_group),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 1;
	if (is_raw)
		return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				    &program);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Long enough for what is done twice a second. */
static int
under_filter(int is_raw)
{
	static void *kept[1000];
	struct timespec begun;
	struct timespec now;
	long count = 0;

	allocate_here(); /* glibc draws a random number at its first */
	/* One that the kernel refuses changes nothing. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) != -1 ||
	    errno != EFAULT || filter_calls(is_raw) != 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		for (int i = 0; i < 20000; i++, count++) {
			free(kept[i % 1000]);
			kept[i % 1000] =
			    malloc((size_t)(i % 100 == 0 ? 200000 : i % 3000));
		}
		another_place();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (
	    now.tv_sec - begun.tv_sec < 1 ||
	    (now.tv_sec - begun.tv_sec == 1 && now.tv_nsec < begun.tv_nsec));
	return count < 20000;
}

/* ---- U4, U5, U15: code without tables
 * -------------------------------------------- */

/*
 * push rbp; push rbx; push rax (aligns); mov rbp, GARBAGE; call rdi;
 * pop rax; pop rbx; pop rbp; ret.  Misaligned: without the push and pop of rax.
 */
static int
from_jit_code(int is_misaligned)
{
	static const uint64_t garbage[] = {
	    0,
	    1,
	    8,
	    0x4141414141414141u,
	    UINT64_MAX,
	    0x7fffffffffffu,
	    0x7ffffffff000u,
	    4096,
	};
	unsigned char *code =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned at = 0;

	code[at++] = 0x55;
	code[at++] = 0x53;
	if (!is_misaligned)
		code[at++] = 0x50;
	code[at++] = 0x48;
	code[at++] = 0xbd;
	at += 8;
	code[at++] = 0xff;
	code[at++] = 0xd7;
	if (!is_misaligned)
		code[at++] = 0x58;
	code[at++] = 0x5b;
	code[at++] = 0x5d;
	code[at++] = 0xc3;
	for (unsigned i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		memcpy(code + (is_misaligned ? 4 : 5), &garbage[i], 8);
		errno = 4711;
		((void (*)(void (*)(void)))(void *)code)(allocate_here);
		if (errno != 4711)
			return 1;
	}
	return 0;
}

/* malloc itself, with rsp % 16 == 0 where the ABI wants 8. */
static int
from_misaligned_stack(void)
{
	for (int i = 0; i < 100; i++) {
		void *block;

		__asm__ volatile(
		    "mov %%rsp, %%rbx\n\tand $-16, %%rsp\n\tsub $8, %%rsp\n\t"
		    "mov $100, %%edi\n\tcall malloc@PLT\n\tmov %%rbx, %%rsp"
		    : "=a"(block)
		    :
		    : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
		      "r11", "memory", "cc");
		if (block == NULL)
			return 1;
		free(block);
	}
	return 0;
}

NOINLINE static int
inner_with_rbp(int n)
{
	allocate_here();
	__asm__ volatile("mov $0x1234, %%ebp" : : : "rbp");
	allocate_here();
	return n;
}

NOINLINE static int
outer_with_rbp(int n)
{
	int sum;

	__asm__ volatile("mov $-1, %%rbp" : : : "rbp");
	sum = inner_with_rbp(n) + 1;
	__asm__ volatile("" : "+r"(sum) : : "rbp");
	return sum;
}

/* ---- U6, U9: signals and small stacks
 * --------------------------------------------- */

static void
handler(int number)
{
	(void)number;
	allocate_here();
	__asm__ volatile(""); /* no tail call */
}

NOINLINE static void
interrupted(void)
{
	raise(SIGUSR1);
	__asm__ volatile("");
}

static void *
small_thread(void *unused)
{
	allocate_here();
	return unused;
}

static int
on_small_stacks(void)
{
	static char memory[8192];
	stack_t alternate = {.ss_sp = memory, .ss_size = sizeof(memory)};
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = SA_ONSTACK};
	pthread_attr_t attributes;
	pthread_t thread;

	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 10; i++)
		interrupted();
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	if (pthread_create(&thread, &attributes, small_thread, NULL) != 0)
		return 1;
	return pthread_join(thread, NULL);
}

/* ---- U6: the end, on stacks that have room for little ---- */

static void
end_here(int number)
{
	(void)number;
	_exit(3);
}

/* As programs end that report their own crashes. */
static int
end_in_signal(void)
{
	char *memory = mmap(NULL, 4096 + 8192, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t alternate = {.ss_sp = memory + 4096, .ss_size = 8192};
	struct sigaction action = {.sa_handler = end_here,
				   .sa_flags = SA_ONSTACK};

	mprotect(memory, 4096, PROT_NONE);
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	allocate_here();
	*(volatile char *)memory = 1;
	return 1;
}

static void *
end_of_thread(void *unused)
{
	(void)unused;
	exit(3);
}

static int
end_in_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	allocate_here();
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	pthread_create(&thread, &attributes, end_of_thread, NULL);
	pause();
	return 1;
}

static int
in_handler(void)
{
	signal(SIGUSR1, handler);
	interrupted();
	return 0;
}

/* ---- U15: floating-point state ---- */

enum { FLAGS = 0x3f, MASKS = 0x1f80, FLUSH_AND_UPWARD = 0x8000 | 0x4000 };

/* Blocks of all kinds leave the flags of the program's arithmetic alone, feel
 * nothing of its rounding, and raise no exception that it asked to be told of.
 */
static int
with_float_state(void)
{
	int changed = 0;

	_mm_setcsr(FLUSH_AND_UPWARD);
	for (int i = 0; i < 40000; i++) {
		size_t size = (size_t)(i % 50 == 0 ? 100000 + i : i % 5000 + 1);
		char *block = malloc(size);

		block = realloc(block, size + 3000);
		__asm__ volatile("" : : "r"(block) : "memory");
		free(block);
		changed += _mm_getcsr() != FLUSH_AND_UPWARD;
	}
	/* Without a trap an exception leaves a flag. */
	_mm_setcsr(MASKS);
	for (int i = 0; i < 40000; i++) {
		sink = malloc((size_t)(i % 5000));
		free(sink);
		changed += (_mm_getcsr() & FLAGS) != 0;
	}
	_mm_setcsr(0); /* also at the end */
	return changed;
}

/* ---- U7: coroutines
 * --------------------------------------------------------------- */

static ucontext_t main_context, coroutine;

static void
coroutine_main(void)
{
	for (;;) {
		allocate_here();
		swapcontext(&coroutine, &main_context);
	}
}

static int
in_coroutines(void)
{
	for (int i = 0; i < 50; i++) {
		size_t bytes = i % 2 ? 16384 : 65536;

		getcontext(&coroutine);
		coroutine.uc_stack.ss_sp =
		    mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		coroutine.uc_stack.ss_size = bytes;
		coroutine.uc_link = &main_context;
		makecontext(&coroutine, coroutine_main, 0);
		for (int k = 0; k < 5; k++)
			swapcontext(&main_context, &coroutine);
		munmap(coroutine.uc_stack.ss_sp, bytes);
	}
	return 0;
}

/* ---- a lock of libc's, held by this thread ---- */

/* It allocates under the lock that it takes: nothing of ours may wait there. */
static void *
ask_at_once(void *unused)
{
	pthread_attr_t attributes;

	for (int i = 0; i < 2; i++) { /* then its stack is known to the shim */
		pthread_getattr_np(pthread_self(), &attributes);
		pthread_attr_destroy(&attributes);
		allocate_here();
	}
	return unused;
}

static int
asking_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 20; i++) {
		if (pthread_create(&thread, NULL, ask_at_once, NULL) != 0)
			return 1;
		pthread_join(thread, NULL);
	}
	return 0;
}

/* ---- U10: depth
 * ------------------------------------------------------------------- */

static double worst_s;

NOINLINE static int
recurse(int depth)
{
	int below = 0;

	if (depth > 1) {
		below = recurse(depth - 1);
	} else {
		for (int i = 0; i < 200; i++) {
			struct timespec from;
			struct timespec to;

			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
			allocate_here();
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
			worst_s += (double)(to.tv_sec - from.tv_sec) +
				   (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
		}
	}
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

static void *
recurse_in_thread(void *unused)
{
	recurse(1000000);
	return unused;
}

/* A stack of 1000000 frames costs what a short one does. */
static int
deep(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)256 << 20);
	if (pthread_create(&thread, &attributes, recurse_in_thread, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	fprintf(stderr, "%.1f us a sample\n", worst_s / 200 * 1e6);
	return worst_s / 200 > 1e-3;
}

static int
run(const char *kind)
{
	if (strcmp(kind, "modules") == 0)
		return modules_and_threads();
	if (strcmp(kind, "libraries") == 0)
		return through_libraries();
	if (strcmp(kind, "seccomp") == 0)
		return under_seccomp();
	if (strcmp(kind, "filter") == 0)
		return under_filter(0);
	if (strcmp(kind, "filter-raw") == 0)
		return under_filter(1);
	if (strcmp(kind, "jit") == 0)
		return from_jit_code(0);
	if (strcmp(kind, "misaligned") == 0)
		return from_jit_code(1) + from_misaligned_stack();
	if (strcmp(kind, "rbp") == 0)
		return outer_with_rbp(7) - 8;
	if (strcmp(kind, "small") == 0)
		return on_small_stacks();
	if (strcmp(kind, "end-in-signal") == 0)
		return end_in_signal();
	if (strcmp(kind, "end-in-thread") == 0)
		return end_in_thread();
	if (strcmp(kind, "float") == 0)
		return with_float_state();
	if (strcmp(kind, "handler") == 0)
		return in_handler();
	if (strcmp(kind, "coroutines") == 0)
		return in_coroutines();
	if (strcmp(kind, "asking") == 0)
		return asking_threads();
	if (strcmp(kind, "deep") == 0)
		return deep();
	return 2;
}

int
main(int argc, char **argv)
{
	libraries = argv + 2;
	library_count = argc - 2;
	return argc < 2 ? 2 : run(argv[1]);
}
