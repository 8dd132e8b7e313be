/* SPDX-License-Identifier: MIT */
/*
 * test_symbol_elf - names out of ELF files, whole ones and damaged ones
 *
 * The file is this test program; the damaged ones are copies of it.
 */
#include <check.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/reader.h"
#include "record/writer.h"
#include "report/symbol_elf.h"

enum { DAMAGES = 300 };

static struct ps_reader reader;
static char copy_path[64];
static char *image;
static size_t image_bytes;

void test_symbol_exported(void);

PS_NOINLINE void
test_symbol_exported(void)
{
	__asm__ volatile("");
}

PS_NOINLINE static void
test_symbol_static(void)
{
	__asm__ volatile("");
}

static uintptr_t
own_bias(void)
{
	return (uintptr_t)_r_debug.r_map->l_addr;
}

static void *
append(enum ps_table_id id)
{
	void *memory = NULL;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, 1, &memory), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return memory;
}

static void
record(const char *path)
{
	struct ps_record_module *m;
	const char *why;
	const uintptr_t functions[] = {(uintptr_t)test_symbol_exported,
				       (uintptr_t)test_symbol_static};

	ck_assert_int_eq(ps_record_open(), 0);
	m = append(PS_TABLE_MODULES);
	m->path = ps_record_string(path);
	m->bias = own_bias();
	m->start = own_bias();
	m->end = own_bias() + ((uint64_t)1 << 30);
	for (unsigned i = 0; i < PS_COUNT(functions); i++) {
		struct ps_record_frame *f = append(PS_TABLE_FRAMES);

		f->pc = functions[i] + 1;
		f->module = 0;
	}
	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why),
	    0);
}

/* Both frames' names, "?" for none. */
static void
name_both(const char *names[2], struct ps_scratch *scratch)
{
	struct ps_symbols *symbols =
	    ps_symbols_elf(scratch, &reader, NULL, NULL);

	ck_assert_ptr_nonnull(symbols);
	for (uint32_t i = 0; i < 2; i++) {
		struct ps_symbol s = {0};

		(void)symbols->resolve(symbols, i, &s);
		ck_assert_ptr_nonnull(s.module);
		names[i] = s.function == NULL ? "?" : s.function;
	}
}

START_TEST(functions_have_names)
{
	char path[400];
	const char *names[2];
	struct ps_scratch scratch;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	test_symbol_exported();
	test_symbol_static();
	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	record(path);
	ps_scratch_init(&scratch, (size_t)64 << 20);
	name_both(names, &scratch);
	ck_assert_str_eq(names[0], "test_symbol_exported");
	ck_assert_str_eq(names[1], "test_symbol_static");
	ps_scratch_fini(&scratch);
}
END_TEST

static void
read_self(void)
{
	FILE *f = fopen("/proc/self/exe", "rb");

	ck_assert_ptr_nonnull(f);
	fseek(f, 0, SEEK_END);
	image_bytes = (size_t)ftell(f);
	rewind(f);
	image = malloc(image_bytes);
	ck_assert_uint_eq(fread(image, 1, image_bytes, f), image_bytes);
	fclose(f);
	snprintf(copy_path, sizeof(copy_path), "/tmp/test_symbol_elf.%d",
		 (int)getpid());
}

static void
write_copy(const char *bytes, size_t length)
{
	int fd = open(copy_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void
name_copy(void)
{
	const char *names[2];
	struct ps_scratch scratch;

	ps_scratch_init(&scratch, (size_t)64 << 20);
	name_both(names, &scratch);
	/* Strings come back whole, whatever they say. */
	ck_assert_uint_lt(strlen(names[0]) + strlen(names[1]), image_bytes);
	ps_scratch_fini(&scratch);
}

START_TEST(a_cut_file_is_harmless)
{
	read_self();
	record(copy_path);
	for (size_t cut = 0; cut < DAMAGES; cut++) {
		size_t length =
		    cut < 100 ? cut : image_bytes / DAMAGES * cut + cut % 7;

		write_copy(image, PS_MIN(length, image_bytes));
		name_copy();
	}
	unlink(copy_path);
}
END_TEST

/* Where an ELF file says where things are: its headers and section table. */
static size_t
place(uint64_t random)
{
	ElfW(Ehdr) e;

	memcpy(&e, image, sizeof(e));
	if (random % 3 == 0)
		return random / 3 % sizeof(e);
	return (e.e_shoff +
		random / 3 % ((size_t)e.e_shnum * sizeof(ElfW(Shdr)))) %
	       image_bytes;
}

START_TEST(a_damaged_file_is_harmless)
{
	uint64_t random = 88172645463325252u;

	read_self();
	record(copy_path);
	for (int i = 0; i < DAMAGES; i++) {
		size_t at[4];
		char was[4];

		for (int k = 0; k < 4; k++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			at[k] = place(random >> 8);
			was[k] = image[at[k]];
			image[at[k]] = (char)random;
		}
		write_copy(image, image_bytes);
		name_copy();
		for (int k = 4; k-- > 0;)
			image[at[k]] = was[k];
	}
	unlink(copy_path);
}
END_TEST

Suite *
symbol_elf_suite(void)
{
	Suite *suite = suite_create("symbol_elf");
	TCase *t = tcase_create("names");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, functions_have_names);
	tcase_add_test(t, a_cut_file_is_harmless);
	tcase_add_test(t, a_damaged_file_is_harmless);
	suite_add_tcase(suite, t);
	return suite;
}
