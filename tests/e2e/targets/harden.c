/* SPDX-License-Identifier: MIT */
/*
 * harden - one bug in the use of the heap, named on the command line
 *
 *   harden BUG SIZE [MANY]    after MANY blocks that stay
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *volatile block;
static volatile char seen;
static size_t size;

__attribute__((noinline)) static void
make_block(void)
{
	block = malloc(size);
	memset(block, 'x', size);
}

/* Not by a tail call, so that it is on the stack. */
__attribute__((noinline)) static void
end_block(void)
{
	free(block);
	__asm__ volatile("");
}

static void
overrun(void)
{
	make_block();
	block[size] = 1;
	end_block();
}

static void
overrun_far(void)
{
	make_block();
	seen = block[size + 64];
}

static void
overrun_and_exit(void)
{
	make_block();
	block[size] = 1;
}

static void
underrun(void)
{
	make_block();
	block[-1] = 1;
	end_block();
}

static void
underrun_far(void)
{
	make_block();
	block[-4097] = 1;
}

static void
read_after(void)
{
	make_block();
	end_block();
	seen = block[size / 2];
}

static void
write_after(void)
{
	make_block();
	end_block();
	block[size / 2] = 1;
}

static void
write_after_and_more(void)
{
	make_block();
	end_block();
	block[size / 2] = 1;
	for (int i = 0; i < 40000; i++)
		free(malloc(size));
}

static void
twice(void)
{
	make_block();
	end_block();
	for (int i = 0; i < 100; i++)
		free(malloc(size));
	end_block();
}

static void
inside(void)
{
	make_block();
	block += 16;
	end_block();
}

static void
by_realloc(void)
{
	make_block();
	block[size] = 1;
	block = realloc(block, 2 * size);
}

static void
by_calloc(void)
{
	block = calloc(1, size);
	for (size_t i = 0; i < size; i++)
		if (block[i] != 0)
			abort();
	block[size] = 1;
	end_block();
}

/* The child ends by it, the parent does not. */
static void
in_child(void)
{
	int status;

	make_block();
	if (fork() == 0) {
		end_block();
		make_block();
		end_block();
		end_block();
		_exit(0);
	}
	wait(&status);
	if (!WIFSIGNALED(status))
		puts("the child got away with it");
	end_block();
}

static void
nothing(void)
{
	for (size = 0; size < 9000; size += size / 7 + 1) {
		make_block();
		block = realloc(block, size + 100);
		memset(block, 'y', size + 100);
		end_block();
		free(aligned_alloc(1 << 20, size));
		block = aligned_alloc(64, size);
		memset(block, 'y', size);
		end_block();
	}
	/* About the largest that a page of the pool has. */
	for (size = 32700; size < 32800; size++) {
		make_block();
		end_block();
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} bugs[] = {
    {"overrun", overrun},
    {"overrun-far", overrun_far},
    {"overrun-exit", overrun_and_exit},
    {"underrun", underrun},
    {"underrun-far", underrun_far},
    {"read-after", read_after},
    {"write-after", write_after},
    {"write-after-more", write_after_and_more},
    {"twice", twice},
    {"inside", inside},
    {"realloc", by_realloc},
    {"calloc", by_calloc},
    {"child", in_child},
    {"nothing", nothing},
};

int
main(int argc, char **argv)
{
	long many = argc > 3 ? atol(argv[3]) : 0;

	if (argc < 3)
		return 2;
	size = strtoul(argv[2], NULL, 10);
	for (long i = 0; i < many; i++)
		if (malloc(24) == NULL)
			return 3;
	for (size_t i = 0; i < sizeof(bugs) / sizeof(*bugs); i++)
		if (strcmp(argv[1], bugs[i].name) == 0)
			bugs[i].run();
	puts("end");
	return 0;
}
