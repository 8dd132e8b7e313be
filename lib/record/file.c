/* SPDX-License-Identifier: MIT */
/*
 * file - moves the recording onto disk and puts blocks behind it
 *
 * A store into a mapped page whose block the disk cannot give is SIGBUS for
 * the host.  So blocks are allocated before they are touched: at the start the
 * header and what the tables hold, by writing it; then a page of a table, and
 * as much again each time it is full, up to 64 KiB.  Most processes are small:
 * 64 KiB of each table from the start made a compiler's recording 700 KiB, and
 * its run twice as long where the disk was a real one.
 *
 * No descriptor is kept (the program may close or reuse any number), so growing
 * is by MADV_POPULATE_WRITE, which says EFAULT where a store would be SIGBUS,
 * and needs neither a descriptor nor the path: a program that has no
 * descriptors left, changed its root or lowered its file size limit loses
 * nothing.  A kernel that has it not (Linux before 5.14) allocates 64 KiB of
 * each table at the start, and opens the file again by its path to grow, which
 * goes on only if device and inode are still the ones that are mapped; so does
 * one whose disk gave no block.  A table whose growth failed once stays as it
 * is: trying again on each append would cost a malloc of a full disk four
 * system calls.
 *
 * A fault in a hole of a file reads ahead: it makes sixteen pages of zeros of
 * it.  So the mapping is told that it is read at random.
 *
 * Somebody who cuts the file short while it is mapped takes the pages away;
 * the next store is SIGBUS, as in any program whose library is cut short.
 * Nothing but a signal handler could help, and those are the program's.
 *
 * The new file is complete before it is mapped over the memory, header last,
 * so that dying half-way leaves a file that readers refuse, and failing
 * half-way leaves the memory as it was and no file.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/os.h"
#include "base/text.h"
#include "record/file.h"
#include "record/plan.h"
#include "record/writer.h"

enum {
	PAGE_BYTES = 4096,
	CHUNK_BYTES = 64 * 1024,
	FILE_PATH_MAX = 4096,
	NUMBERED_NAMES = 100,
};

static PS_FORKED struct {
	dev_t device;
	ino_t inode;
	bool has_stopped[PS_TABLES]; /* the disk refused this table a block */
} file;
static char file_path[FILE_PATH_MAX];

/* ---- blocks ---- */

static int
write_at(int fd, const char *from, uint64_t bytes, uint64_t offset)
{
	while (bytes > 0) {
		ssize_t put = ps_os_pwrite(fd, from, bytes, (off_t)offset);

		if (put <= 0)
			return put < 0 ? (int)put : -EIO;
		PS_ASSERT((uint64_t)put <= bytes);
		from += put;
		offset += (uint64_t)put;
		bytes -= (uint64_t)put;
	}
	return 0;
}

/* For file systems without fallocate: a written block is an allocated one. */
static int
write_zeros(int fd, uint64_t offset, uint64_t bytes)
{
	static const char zeros[4096];
	int err = 0;

	while (bytes > 0 && err == 0) {
		uint64_t part = PS_MIN(bytes, sizeof(zeros));

		err = write_at(fd, zeros, part, offset);
		offset += part;
		bytes -= part;
	}
	return err;
}

static int
allocate(int fd, uint64_t offset, uint64_t bytes)
{
	int err = ps_os_allocate(fd, (off_t)offset, (off_t)bytes);

	PS_ASSERT(offset + bytes <= ps_record->file_bytes);
	return err == -EOPNOTSUPP ? write_zeros(fd, offset, bytes) : err;
}

/* The descriptor of our file, if the path still leads to it. */
static int
open_again(void)
{
	struct stat st;
	int fd = ps_os_open_rw(file_path);
	int err;

	PS_ASSERT(file_path[0] == '/');
	if (fd < 0)
		return fd;
	err = ps_os_fstat(fd, &st);
	if (err == 0 && (st.st_dev != file.device || st.st_ino != file.inode))
		err = -ESTALE;
	if (err == 0)
		return fd;
	ps_os_close(fd);
	return err;
}

static int
allocate_again(uint64_t offset, uint64_t bytes)
{
	int fd = open_again();
	int err;

	if (fd < 0)
		return fd;
	err = allocate(fd, offset, bytes);
	ps_os_close(fd);
	return err;
}

/* What to back so that `bytes` of a table are, of which `backed` is already. */
static uint64_t
round_to_step(enum ps_table_id id, uint64_t bytes, uint64_t backed)
{
	uint64_t step =
	    PS_MIN(PS_MAX(backed, (uint64_t)PAGE_BYTES), (uint64_t)CHUNK_BYTES);
	uint64_t wanted = PS_MAX(bytes, backed + step);

	PS_ASSERT(bytes <= ps_record_plan_bytes(id));
	return PS_MIN(PS_ROUND_UP(wanted, (uint64_t)PAGE_BYTES),
		      ps_record_plan_bytes(id));
}

bool
ps_record_file_back(enum ps_table_id id, uint64_t bytes)
{
	struct ps_record_table *table = &ps_record->table[id];
	uint64_t backed = ps_peek(&table->backed_bytes);
	uint64_t wanted = round_to_step(id, bytes, backed);
	char *start = (char *)ps_record + table->offset;
	int err;

	PS_ASSERT(ps_record_is_locked_by_me());
	PS_ASSERT(ps_record->is_file);
	PS_ASSERT(wanted > backed && wanted >= bytes);
	if (file.has_stopped[id])
		return false;
	err = ps_os_populate(start + backed, wanted - backed);
	if (err != 0)
		err = allocate_again(table->offset + backed, wanted - backed);
	if (err != 0) {
		file.has_stopped[id] = true;
		ps_bump(&ps_record->no_space, 1);
		ps_poke(&ps_record->no_space_error, (uint32_t)-err);
		return false;
	}
	ps_poke(&table->backed_bytes, wanted);
	return true;
}

void
ps_record_file_forget(void)
{
	memset(&file, 0, sizeof(file));
}

void
ps_record_unlink_file(void)
{
	int fd;

	if (!ps_record->is_file)
		return;
	fd = open_again();
	if (fd < 0)
		return;
	(void)ps_os_close(fd);
	(void)ps_os_unlink(file_path);
}

/* ---- moving to a file ---- */

static void
put_name(struct ps_text *t)
{
	const struct ps_record_table *strings =
	    &ps_record->table[PS_TABLE_STRINGS];
	const char *name =
	    (const char *)ps_record + strings->offset + ps_record->process.name;

	if (*name == 0)
		name = "unknown";
	ps_text_file_name(t, name);
}

/* DIRECTORY/NAME.PID.START[-number].perfshim into file_path. */
static int
build_path(const char *directory, unsigned number)
{
	const struct ps_record_process *p = &ps_record->process;
	struct ps_text t;

	ps_text_init(&t, file_path, sizeof(file_path), -1);
	ps_text_printf(&t, "%s/", directory);
	put_name(&t);
	ps_text_printf(&t, ".%d.%lx", p->pid, p->start_real_ns);
	if (number > 0)
		ps_text_printf(&t, "-%u", number);
	ps_text_str(&t, ".perfshim");
	return t.cut == 0 ? 0 : -ENAMETOOLONG;
}

static int
create_file(const char *directory)
{
	int fd = -EEXIST;

	for (unsigned n = 0; n <= NUMBERED_NAMES && fd == -EEXIST; n++) {
		fd = build_path(directory, n);
		if (fd == 0)
			fd = ps_os_create(file_path);
	}
	return fd;
}

static uint64_t
used_bytes(const struct ps_record_table *table)
{
	return (uint64_t)ps_peek(&table->count) * table->entry_bytes;
}

/* What writing the used part of a table backs: whole pages. */
static uint64_t
first_bytes(enum ps_table_id id)
{
	return PS_ROUND_UP(used_bytes(&ps_record->table[id]),
			   (uint64_t)PAGE_BYTES);
}

/* The last page is written to its end, since its block is counted on. */
static int
copy_table(int fd, enum ps_table_id id)
{
	const struct ps_record_table *table = &ps_record->table[id];
	const char *start = (const char *)ps_record + table->offset;

	return write_at(fd, start, first_bytes(id), table->offset);
}

/* The header comes last, and with it the strings, which lie behind it. */
static int
copy_recording(int fd)
{
	uint64_t strings = ps_record->table[PS_TABLE_STRINGS].offset;
	struct stat st;
	int err = ps_os_fstat(fd, &st);

	PS_ASSERT(strings == PS_RECORD_HEADER_BYTES);
	if (err == 0)
		err = ps_os_truncate(fd, (off_t)ps_record->file_bytes);
	for (unsigned i = 0; i < PS_TABLES && err == 0; i++)
		if (i != PS_TABLE_STRINGS)
			err = copy_table(fd, i);
	if (err == 0)
		err = write_at(fd, (const char *)ps_record,
			       strings + first_bytes(PS_TABLE_STRINGS), 0);
	if (err != 0)
		return err;
	file.device = st.st_dev;
	file.inode = st.st_ino;
	return 0;
}

/* A first chunk of each table, while there is a descriptor. */
static int
allocate_chunks(int fd)
{
	int err = 0;

	for (unsigned i = 0; i < PS_TABLES && err == 0; i++) {
		struct ps_record_table *table = &ps_record->table[i];
		uint64_t bytes =
		    PS_MIN(ps_record_plan_bytes(i), (uint64_t)CHUNK_BYTES);

		if (ps_peek(&table->backed_bytes) >= bytes)
			continue;
		err = allocate(fd, table->offset, bytes);
		if (err == 0)
			ps_poke(&table->backed_bytes, bytes);
	}
	return err;
}

static bool
can_populate(void)
{
	return ps_os_populate(ps_record, PAGE_BYTES) == 0;
}

/* The file has a copy of what there is and takes the place of the memory. */
static int
move_to(int fd)
{
	void *mapped = NULL;
	int err = copy_recording(fd);

	if (err == 0)
		err = ps_os_map_file(fd, ps_record->file_bytes, ps_record,
				     &mapped);
	if (err != 0)
		return err;
	PS_ASSERT(mapped == ps_record);
	(void)ps_os_read_at_random(ps_record, ps_record->file_bytes);
	ps_record->is_file = 1;
	for (unsigned i = 0; i < PS_TABLES; i++)
		ps_poke(&ps_record->table[i].backed_bytes, first_bytes(i));
	if (!can_populate())
		(void)allocate_chunks(fd); /* or as many as the disk has */
	return 0;
}

int
ps_record_to_file(const char *directory)
{
	bool must_lock = !ps_record_is_locked_by_me();
	int fd;
	int err;

	PS_ASSERT(ps_record != NULL && !ps_record->is_file);
	if (directory[0] != '/')
		return -EINVAL; /* a chdir would lose it */
	if (ps_record_is_spare())
		return -ENOMEM;
	ps_record_file_forget();
	fd = create_file(directory);
	if (fd < 0)
		return fd;
	/* What another thread appended behind the copy would be no entry. */
	if (must_lock)
		ps_record_lock();
	err = move_to(fd);
	if (must_lock)
		ps_record_unlock();
	ps_os_close(fd);
	if (err != 0)
		ps_os_unlink(file_path);
	return err;
}
