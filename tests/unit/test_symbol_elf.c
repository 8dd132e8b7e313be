/* SPDX-License-Identifier: MIT */
/*
 * test_symbol_elf - names out of this test's own file, and none from damaged
 * copies of it that would need a byte beyond their end
 */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/writer.h"
#include "report/symbol_elf.h"

enum { FRAMES = 8 };

static struct ps_reader reader;
static struct ps_scratch scratch;
static char directory[] = "/tmp/ps-test-elf-XXXXXX";
static char copy_path[100];
static char *image; /* of a small ELF file */
static size_t image_bytes;

/* What is looked for: one that others see, one that only this file does. */
PS_NOINLINE int
ps_test_exported_function(int n)
{
	return n * 3 + 1;
}

static PS_NOINLINE int
only_this_file_sees_it(int n)
{
	return n * 5 + 2;
}

static void *
append(enum ps_table_id id, uint32_t entries)
{
	void *out = NULL;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, entries, &out), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return out;
}

static int
first_object(struct dl_phdr_info *object, size_t bytes, void *out)
{
	(void)bytes;
	*(uintptr_t *)out = object->dlpi_addr;
	return 1;
}

static uintptr_t
own_bias(void)
{
	uintptr_t bias = 0;

	dl_iterate_phdr(first_object, &bias);
	return bias;
}

static struct ps_record_module *
module(void)
{
	return ps_record_entry(PS_TABLE_MODULES, 0);
}

static struct ps_record_frame *
frame(uint32_t index)
{
	return ps_record_entry(PS_TABLE_FRAMES, index);
}

/* One module, this program; frames that are instructions in it. */
static void
set_up(void)
{
	struct ps_record_module *own;
	struct ps_record_frame *frames;

	ck_assert_int_eq(ps_record_open(), 0);
	ps_scratch_init(&scratch, 0);
	own = append(PS_TABLE_MODULES, 1);
	frames = append(PS_TABLE_FRAMES, FRAMES);
	own->path = ps_record_string("/proc/self/exe");
	own->bias = own_bias();
	for (uint32_t i = 0; i < FRAMES; i++)
		frames[i].flags = PS_FRAME_LEAF;
	frames[0].pc = (uintptr_t)ps_test_exported_function;
	frames[1].pc = (uintptr_t)only_this_file_sees_it;
}

static void
tear_down(void)
{
	ps_scratch_fini(&scratch);
}

static struct ps_symbols *
new_symbols(void)
{
	struct ps_symbols *symbols;

	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, NULL),
	    0);
	symbols = ps_symbols_elf(&scratch, &reader, NULL, NULL);
	ck_assert_ptr_nonnull(symbols);
	return symbols;
}

static struct ps_symbol
name_of(uint32_t index)
{
	struct ps_symbols *symbols = new_symbols();
	struct ps_symbol first;
	struct ps_symbol out;

	ck_assert(symbols->resolve(symbols, index, &first));
	ck_assert(symbols->resolve(symbols, index, &out)); /* remembered */
	ck_assert_ptr_eq(first.function, out.function);
	ck_assert_uint_eq(first.offset, out.offset);
	ck_assert_ptr_nonnull(out.module);
	return out;
}

START_TEST(functions_of_this_program_are_found)
{
	struct ps_symbol s = name_of(0);

	ck_assert_int_eq(
	    ps_test_exported_function(1) + only_this_file_sees_it(1), 11);
	ck_assert_str_eq(s.function, "ps_test_exported_function");
	ck_assert_str_eq(s.module, "exe");
	ck_assert_uint_eq(s.offset, frame(0)->pc - module()->bias);
	s = name_of(1);
	ck_assert_str_eq(s.function, "only_this_file_sees_it");
}
END_TEST

/* After a call at a function's end comes the next function. */
START_TEST(a_return_address_belongs_to_the_call_before_it)
{
	frame(0)->flags = 0;
	ck_assert(name_of(0).function == NULL ||
		  strcmp(name_of(0).function, "ps_test_exported_function") !=
		      0);
	frame(0)->pc += 1;
	ck_assert_str_eq(name_of(0).function, "ps_test_exported_function");
}
END_TEST

START_TEST(what_is_unknown_is_said_to_be)
{
	struct ps_symbol s;
	struct ps_symbols *symbols = new_symbols();

	ck_assert(!symbols->resolve(symbols, FRAMES, &s));
	ck_assert_str_eq(s.module, "?");
	ck_assert(!symbols->resolve(symbols, UINT32_MAX, &s));
	frame(2)->pc = 0x1234;
	frame(2)->module = UINT32_MAX;
	s = name_of(2);
	ck_assert_ptr_null(s.function);
	ck_assert_str_eq(s.module, "?");
	ck_assert_uint_eq(s.offset, 0x1234);
	frame(3)->pc = module()->bias + 1; /* below all functions */
	ck_assert_ptr_null(name_of(3).function);
	module()->path = UINT32_MAX;
	ck_assert_str_eq(name_of(0).module, "?");
	module()->path = ps_record_string("/no/such/file");
	s = name_of(0);
	ck_assert_ptr_null(s.function);
	ck_assert_str_eq(s.module, "file");
}
END_TEST

START_TEST(another_build_names_nothing)
{
	module()->build_id_bytes = 20;
	memset(module()->build_id, 0xab, 20);
	ck_assert_ptr_null(name_of(0).function);
	module()->build_id_bytes = 0; /* not known: the file is believed */
	ck_assert_ptr_nonnull(name_of(0).function);
}
END_TEST

/* Opening one would wait for a writer who never comes. */
START_TEST(a_pipe_in_a_files_place_does_not_hang)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(copy_path, sizeof(copy_path), "%s/pipe", directory);
	ck_assert_int_eq(mkfifo(copy_path, 0600), 0);
	module()->path = ps_record_string(copy_path);
	alarm(3);
	ck_assert_ptr_null(name_of(0).function);
	alarm(0);
	unlink(copy_path);
	rmdir(directory);
}
END_TEST

static char *
shout(const char *mangled, char *buffer, size_t *bytes, int *status)
{
	(void)buffer;
	(void)bytes;
	*status = strcmp(mangled, "_Zgood") == 0 ? 0 : -2;
	return strdup("GOOD");
}

/* ---- a small file, made here, so that every byte of it matters ---- */

enum {
	AT_NAMES = sizeof(Elf64_Ehdr),
	NAMES_BYTES = 32,
	AT_SYMBOLS = AT_NAMES + NAMES_BYTES,
	SYMBOLS = 4,
	AT_NOTE = AT_SYMBOLS + SYMBOLS * sizeof(Elf64_Sym),
	NOTE_BYTES = sizeof(Elf64_Nhdr) + 4 + 20,
	AT_SECTIONS = (AT_NOTE + NOTE_BYTES + 7) & ~7,
	SECTIONS = 4,
	SMALL_BYTES = AT_SECTIONS + SECTIONS * sizeof(Elf64_Shdr),
};

static void
make_symbols(Elf64_Sym *s, char *names)
{
	static const char text[NAMES_BYTES] = "\0alpha\0_Zgood\0_Zbad";
	static const uint32_t starts[SYMBOLS] = {0, 1, 7, 14};

	memcpy(names, text, NAMES_BYTES);
	for (unsigned i = 1; i < SYMBOLS; i++) {
		s[i].st_name = starts[i];
		s[i].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
		s[i].st_shndx = 1;
		s[i].st_value = 0x1000 * i;
		s[i].st_size = 0x100;
	}
}

static void
make_small(void)
{
	Elf64_Ehdr *header;
	Elf64_Shdr *section;
	Elf64_Nhdr note = {4, 20, NT_GNU_BUILD_ID};

	set_up();
	image_bytes = SMALL_BYTES;
	image = calloc(1, image_bytes);
	header = (void *)image;
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_shentsize = sizeof(Elf64_Shdr);
	header->e_shnum = SECTIONS;
	header->e_shoff = AT_SECTIONS;
	make_symbols((void *)(image + AT_SYMBOLS), image + AT_NAMES);
	memcpy(image + AT_NOTE, &note, sizeof(note));
	memcpy(image + AT_NOTE + sizeof(note), "GNU\0ABCDEFGHIJKLMNOPQRST", 24);
	section = (void *)(image + AT_SECTIONS);
	section[1] = (Elf64_Shdr){
	    .sh_type = SHT_NOTE, .sh_offset = AT_NOTE, .sh_size = NOTE_BYTES};
	section[2] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
				  .sh_offset = AT_SYMBOLS,
				  .sh_size = SYMBOLS * sizeof(Elf64_Sym),
				  .sh_link = 3};
	section[3] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
				  .sh_offset = AT_NAMES,
				  .sh_size = NAMES_BYTES};
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(copy_path, sizeof(copy_path), "%s/copy", directory);
	module()->path = ps_record_string(copy_path);
	module()->bias = 0;
	module()->build_id_bytes = 20;
	memcpy(module()->build_id, "ABCDEFGHIJKLMNOPQRST", 20);
	for (uint32_t i = 0; i < FRAMES; i++)
		frame(i)->pc = 0x800 * i + 0x10;
}

static void
drop_small(void)
{
	unlink(copy_path);
	rmdir(directory);
	free(image);
	tear_down();
}

static void
write_copy(size_t bytes)
{
	int fd = open(copy_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, image, bytes), (ssize_t)bytes);
	close(fd);
}

/* Names of all frames; how many there were.  Each is readable to its end. */
static unsigned
name_all(void)
{
	struct ps_symbols *symbols = new_symbols();
	unsigned named = 0;

	for (uint32_t i = 0; i < FRAMES; i++) {
		struct ps_symbol s;

		ck_assert(symbols->resolve(symbols, i, &s));
		if (s.function == NULL)
			continue;
		ck_assert_uint_gt(strlen(s.function), 0);
		named++;
	}
	ps_scratch_fini(&scratch);
	ps_scratch_init(&scratch, 0);
	return named;
}

START_TEST(a_small_file_names_its_functions)
{
	struct ps_symbols *symbols;
	struct ps_symbol s;

	write_copy(image_bytes);
	ck_assert_str_eq(name_of(2).function, "alpha");
	ck_assert_ptr_null(name_of(3).function); /* between two functions */
	ck_assert_str_eq(name_of(4).function, "_Zgood");
	ck_assert_uint_eq(name_all(), 3);
	new_symbols();
	symbols = ps_symbols_elf(&scratch, &reader, shout, free);
	symbols->resolve(symbols, 4, &s);
	ck_assert_str_eq(s.function, "GOOD");
	symbols->resolve(symbols, 6, &s);
	ck_assert_str_eq(s.function, "_Zbad");
}
END_TEST

/* A file and a recording that agree to be compared beyond both. */
START_TEST(a_build_id_of_impossible_length_names_nothing)
{
	Elf64_Nhdr note = {4, 0, NT_GNU_BUILD_ID};
	uint32_t length = _i;
	size_t bytes = sizeof(note) + 4 + length;
	Elf64_Shdr *section;

	image = realloc(image, image_bytes + bytes);
	memset(image + image_bytes, 0, bytes);
	note.n_descsz = length;
	memcpy(image + image_bytes, &note, sizeof(note));
	section = (void *)(image + AT_SECTIONS);
	section[1].sh_offset = image_bytes;
	section[1].sh_size = bytes;
	module()->build_id_bytes = length;
	memset(module()->build_id, 0, 32);
	write_copy(image_bytes + bytes);
	ck_assert_uint_eq(name_all(), length <= 32 ? 3 : 0);
}
END_TEST

START_TEST(a_file_cut_anywhere_does_no_harm)
{
	unsigned named = 0;

	for (size_t bytes = 0; bytes <= image_bytes; bytes++) {
		write_copy(bytes);
		named += name_all();
	}
	ck_assert_uint_eq(named, 3); /* the whole one's */
}
END_TEST

START_TEST(damage_anywhere_does_no_harm)
{
	char *good = malloc(image_bytes);
	unsigned seed = 4711;
	unsigned whole = 0;
	unsigned none = 0;

	memcpy(good, image, image_bytes);
	for (unsigned n = 0; n < 1500; n++) {
		unsigned named;

		for (int hits = 1 + rand_r(&seed) % 4; hits > 0; hits--)
			image[(size_t)rand_r(&seed) % image_bytes] =
			    (char)(rand_r(&seed) % 3 ? rand_r(&seed) : -1);
		module()->build_id_bytes = n % 2 ? 20 : 0;
		write_copy(image_bytes);
		named = name_all();
		whole += named == 3;
		none += named == 0;
		memcpy(image, good, image_bytes);
	}
	ck_assert_uint_gt(whole, 100);
	ck_assert_uint_gt(none, 100);
	free(good);
}
END_TEST

Suite *
symbol_elf_suite(void)
{
	Suite *s = suite_create("symbol_elf");
	TCase *own = tcase_create("own");
	TCase *hostile = tcase_create("hostile");

	tcase_add_checked_fixture(own, set_up, tear_down);
	tcase_add_test(own, functions_of_this_program_are_found);
	tcase_add_test(own, a_return_address_belongs_to_the_call_before_it);
	tcase_add_test(own, what_is_unknown_is_said_to_be);
	tcase_add_test(own, another_build_names_nothing);
	tcase_add_test(own, a_pipe_in_a_files_place_does_not_hang);
	suite_add_tcase(s, own);

	tcase_add_checked_fixture(hostile, make_small, drop_small);
	tcase_add_test(hostile, a_small_file_names_its_functions);
	tcase_add_loop_test(
	    hostile, a_build_id_of_impossible_length_names_nothing, 31, 34);
	tcase_add_test(hostile, a_file_cut_anywhere_does_no_harm);
	tcase_add_test(hostile, damage_anywhere_does_no_harm);
	tcase_set_timeout(hostile, 30);
	suite_add_tcase(s, hostile);
	return s;
}
