/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_oracle - each rule is the one that libunwind comes to
 *
 * Of the functions in what is loaded here and in large programs that are
 * installed, at their first bytes and at places spread over the rest, as far as
 * the next function: so the gaps between them are asked about, too.
 */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unwind_oracle.h"
#include "unwind_trace.h"

enum { PAGE = 4096, FIRST_BYTES = 16, PLACES = 24, FUNCTIONS_MOST = 6000 };

/* PS_ORACLE=all: every function at every byte. */
static bool
are_all(void)
{
	const char *value = getenv("PS_ORACLE");

	return value != NULL && strcmp(value, "all") == 0;
}

struct tally {
	uint64_t compared;
	uint64_t with_rule;
	uint64_t differing;
};

static bool
is_same_rule(const struct ps_rule *a, const struct ps_rule *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
compare_at(const struct ps_unwind_module *module, uintptr_t pc, struct tally *t)
{
	struct ps_rule got;
	struct ps_rule wanted;

	ps_unwind_decode_in(module, pc, &got);
	unwind_oracle(module, pc, &wanted);
	t->compared++;
	t->with_rule += (got.flags & PS_RULE_STOP) == 0;
	if (is_same_rule(&got, &wanted))
		return;
	if (t->differing++ < 5)
		fprintf(stderr,
			"%s+%#lx: cfa %d%+d pc %d%+d fp %d%+d flags %d, but "
			"libunwind: cfa %d%+d pc %d%+d fp %d%+d flags %d\n",
			module->path, pc - module->bias, got.cfa_base,
			got.cfa_offset, got.pc_base, got.pc_offset, got.fp_base,
			got.fp_offset, got.flags, wanted.cfa_base,
			wanted.cfa_offset, wanted.pc_base, wanted.pc_offset,
			wanted.fp_base, wanted.fp_offset, wanted.flags);
}

static void
compare_function(const struct ps_unwind_module *module, uintptr_t start,
		 uintptr_t end, struct tally *t)
{
	uintptr_t step = are_all() ? 1 : (end - start) / PLACES + 1;

	for (uintptr_t pc = start; pc < end;
	     pc += pc < start + FIRST_BYTES ? 1 : step)
		compare_at(module, pc, t);
	compare_at(module, end - 1, t);
}

static void
compare_module(const struct ps_unwind_module *module)
{
	uint32_t count = unwind_oracle_functions(module);
	uint32_t step = are_all() ? 1 : count / FUNCTIONS_MOST + 1;
	struct tally t = {0};

	ck_assert_uint_gt(count, 0);
	compare_at(module, module->start, &t);
	compare_at(module, module->end - 1, &t);
	for (uint32_t i = 0; i < count; i += step) {
		uintptr_t start = unwind_oracle_start(module, i);
		uintptr_t end = i + 1 < count
				    ? unwind_oracle_start(module, i + 1)
				    : start + PAGE;

		compare_function(module, start, PS_MAX(end, start + 1), &t);
	}
	if (are_all())
		printf("%s: %u functions, %lu places, %lu with a rule, %lu "
		       "differ\n",
		       module->path, count, t.compared, t.with_rule,
		       t.differing);
	ck_assert_uint_eq(t.differing, 0);
	ck_assert_uint_gt(t.with_rule, t.compared / 4);
}

/* ---- what is loaded ----------------------------------------------------- */

START_TEST(of_what_is_loaded)
{
	const uintptr_t inside[] = {
	    (uintptr_t)trace_setup,
	    (uintptr_t)&gnu_get_libc_version,
	    (uintptr_t)getauxval(AT_BASE) + PAGE,
	    (uintptr_t)getauxval(AT_SYSINFO_EHDR),
	};
	struct ps_unwind_module module;

	ck_assert(ps_unwind_find_module(inside[_i], &module));
	compare_module(&module);
}
END_TEST

/* ---- what is installed -------------------------------------------------- */

static const char *const files[] = {
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/lib/x86_64-linux-gnu/libm.so.6",
    "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
    "/usr/lib/gcc/x86_64-linux-gnu/12/cc1",
    "/usr/bin/python3",
    "/usr/bin/git",
    "/usr/bin/node",
    "/usr/bin/redis-server",
    "/usr/lib/x86_64-linux-gnu/libLLVM-14.so.1",
    "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so",
};

/* The segments where a loader would put them, at some distance from 0. */
static bool
map_segments(int fd, const char *file, struct ps_unwind_module *out)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)file;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(file + elf->e_phoff);
	uintptr_t low = UINTPTR_MAX;
	uintptr_t high = 0;
	char *place;

	for (int i = 0; i < elf->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD)
			continue;
		low = PS_MIN(low, p[i].p_vaddr & -(uintptr_t)PAGE);
		high = PS_MAX(high, p[i].p_vaddr + p[i].p_memsz);
	}
	high = PS_ROUND_UP(high, (uintptr_t)PAGE);
	place = mmap(NULL, high - low, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(place, MAP_FAILED);
	out->start = (uintptr_t)place;
	out->end = out->start + (high - low);
	out->bias = out->start - low;
	for (int i = 0; i < elf->e_phnum; i++) {
		uintptr_t in_page = p[i].p_vaddr % PAGE;

		if (p[i].p_type == PT_GNU_EH_FRAME)
			out->eh_frame_hdr =
			    (const void *)(out->bias + p[i].p_vaddr);
		if (p[i].p_type == PT_LOAD && p[i].p_filesz > 0)
			ck_assert_ptr_ne(
			    mmap((char *)(out->bias + p[i].p_vaddr - in_page),
				 p[i].p_filesz + in_page, PROT_READ,
				 MAP_PRIVATE | MAP_FIXED, fd,
				 (off_t)(p[i].p_offset - in_page)),
			    MAP_FAILED);
	}
	return out->eh_frame_hdr != NULL;
}

START_TEST(of_what_is_installed)
{
	struct ps_unwind_module module = {.path = files[_i]};
	int fd = open(files[_i], O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *file;

	if (fd == -1)
		return; /* not on this machine */
	ck_assert_int_eq(fstat(fd, &st), 0);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(file, MAP_FAILED);
	ck_assert(map_segments(fd, file, &module));
	compare_module(&module);
	munmap(file, (size_t)st.st_size);
	munmap((void *)module.start, module.end - module.start);
	close(fd);
}
END_TEST

Suite *
unwind_oracle_suite(void)
{
	Suite *s = suite_create("unwind_oracle");
	TCase *t = tcase_create("oracle");

	tcase_set_timeout(t, are_all() ? 1200 : 120);
	tcase_add_checked_fixture(t, trace_setup, NULL);
	tcase_add_loop_test(t, of_what_is_loaded, 0, 4);
	tcase_add_loop_test(t, of_what_is_installed, 0, (int)PS_COUNT(files));
	suite_add_tcase(s, t);
	return s;
}
