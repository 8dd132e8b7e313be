/* SPDX-License-Identifier: MIT */
/*
 * os_file - files and descriptors
 *
 * Guards keep our files from sending the host a signal: a write to a pipe
 * nobody reads would raise SIGPIPE, growing a file beyond RLIMIT_FSIZE would
 * raise SIGXFSZ, and both kill by default.  Growing is refused before it is
 * tried; around a write both are held back.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/os_call.h"

enum { CREATE_MODE = 0600, DIRECTORY_MODE = 0700 };

static int
open_at(const char *path, int flags)
{
	long fd;

	PS_ASSERT(path != NULL);
	do
		fd = CALL4(SYS_openat, AT_FDCWD, path,
			   flags | O_CLOEXEC | O_NOCTTY, CREATE_MODE);
	while (fd == -EINTR);
	return (int)fd;
}

int
ps_os_open_read(const char *path)
{
	return open_at(path, O_RDONLY | O_NONBLOCK);
}

int
ps_os_open_regular(const char *path, uint64_t *bytes)
{
	struct stat st;
	int fd;
	int error = ps_os_stat(path, &st);

	/* Before opening, which does things to some devices. */
	if (error == 0 && !S_ISREG(st.st_mode))
		error = -EINVAL;
	if (error != 0)
		return error;
	fd = ps_os_open_read(path);
	if (fd < 0)
		return fd;
	error = ps_os_fstat(fd, &st);
	if (error == 0 && !S_ISREG(st.st_mode))
		error = -EINVAL;
	if (error != 0) {
		ps_os_close(fd);
		return error;
	}
	*bytes = (uint64_t)st.st_size;
	return fd;
}

int
ps_os_map_regular(const char *path, uint64_t least, uint64_t most,
		  const void **out, size_t *bytes)
{
	uint64_t size = 0;
	int fd = ps_os_open_regular(path, &size);
	int error;

	PS_ASSERT(least > 0 && least <= most);
	if (fd < 0)
		return fd;
	if (size < least)
		error = -ENODATA;
	else if (size > most)
		error = -EFBIG;
	else
		error = ps_os_map_read(fd, size, out);
	ps_os_close(fd);
	if (error == 0)
		*bytes = size;
	return error;
}

int
ps_os_open_rw(const char *path)
{
	return open_at(path, O_RDWR | O_NOFOLLOW);
}

int
ps_os_create(const char *path)
{
	int fd = open_at(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	/* A umask of 0777 would leave a file that its owner cannot reopen.  To
	 * say it where it is so already costs ext4 half as much as the file. */
	err = (int)CALL2(SYS_fstat, fd, &st);
	if (err == 0 && (st.st_mode & 0777) != CREATE_MODE)
		err = (int)CALL2(SYS_fchmod, fd, CREATE_MODE);
	if (err == 0)
		return fd;
	ps_os_close(fd);
	ps_os_unlink(path);
	return err;
}

/*
 * Ours or root's: /dev/stderr is one.  With a second name it may be another
 * link of theirs that somebody put here.
 */
static bool
is_trusted_link(const char *path)
{
	struct stat st;

	return CALL4(SYS_newfstatat, AT_FDCWD, path, &st,
		     AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_nlink == 1 &&
	       (st.st_uid == 0 || st.st_uid == (uid_t)CALL0(SYS_geteuid));
}

enum { APPEND = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK };

/* The descriptor, unless it is of a file that has another name, too. */
static int
refuse_second_name(int fd)
{
	struct stat st;

	if (fd < 0 || ps_os_fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink <= 1)
		return fd;
	ps_os_close(fd);
	return -EMLINK;
}

int
ps_os_open_append(const char *path)
{
	int fd = open_at(path, APPEND | O_NOFOLLOW);

	if (fd == -ELOOP && is_trusted_link(path))
		fd = open_at(path, APPEND);
	return refuse_second_name(fd);
}

int
ps_os_open_lines(const char *path)
{
	return refuse_second_name(open_at(path, APPEND | O_NOFOLLOW));
}

int
ps_os_close(int fd)
{
	PS_ASSERT(fd >= 0);
	return (int)CALL1(SYS_close, fd);
}

ssize_t
ps_os_read(int fd, void *buffer, size_t bytes)
{
	long got;

	do
		got = CALL3(SYS_read, fd, buffer, bytes);
	while (got == -EINTR);
	return got;
}

/* The signal that the kernel sends along with a write's error, as a set. */
static uint64_t
signal_of_write(long error)
{
	switch (error) {
	case -EPIPE:
		return UINT64_C(1) << (SIGPIPE - 1);
	case -EFBIG:
		return UINT64_C(1) << (SIGXFSZ - 1);
	default:
		return 0;
	}
}

/* Take back what our write made pending while it was blocked. */
static void
consume(uint64_t set)
{
	static const struct timespec at_once = {0, 0};
	long got;

	do
		got = CALL4(SYS_rt_sigtimedwait, &set, NULL, &at_once,
			    sizeof(set));
	while (got == -EINTR);
}

ssize_t
ps_os_write(int fd, const void *buffer, size_t bytes)
{
	uint64_t set = signal_of_write(-EPIPE) | signal_of_write(-EFBIG);
	uint64_t old = 0;
	uint64_t pending = 0;
	uint64_t raised;
	long blocked =
	    CALL4(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, sizeof(set));
	long put;

	if (blocked == 0)
		CALL2(SYS_rt_sigpending, &pending, sizeof(pending));
	put = CALL3(SYS_write, fd, buffer, bytes);
	if (blocked != 0)
		return put;
	raised = signal_of_write(put) & ~pending;
	if (raised != 0)
		consume(raised);
	CALL4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	return put;
}

int
ps_os_write_all(int fd, const void *buffer, size_t bytes)
{
	const char *at = buffer;

	while (bytes > 0) {
		ssize_t put = ps_os_write(fd, at, bytes);

		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? (int)put : -EIO;
		PS_ASSERT((size_t)put <= bytes);
		at += put;
		bytes -= (size_t)put;
	}
	return 0;
}

ssize_t
ps_os_pwrite(int fd, const void *buffer, size_t bytes, off_t offset)
{
	long put;

	PS_ASSERT(offset >= 0);
	do
		put = CALL4(SYS_pwrite64, fd, buffer, bytes, offset);
	while (put == -EINTR);
	return put;
}

static bool
is_over_file_limit(off_t end)
{
	PS_ASSERT(end >= 0);
	return (uint64_t)end > ps_os_limit(RLIMIT_FSIZE);
}

int
ps_os_truncate(int fd, off_t bytes)
{
	if (is_over_file_limit(bytes))
		return -EFBIG;
	return (int)CALL2(SYS_ftruncate, fd, bytes);
}

int
ps_os_allocate(int fd, off_t offset, off_t bytes)
{
	long err;

	PS_ASSERT(offset >= 0 && bytes > 0);
	if (is_over_file_limit(offset + bytes))
		return -EFBIG;
	do
		err = CALL4(SYS_fallocate, fd, 0, offset, bytes);
	while (err == -EINTR);
	return err == -ENOSYS ? -EOPNOTSUPP : (int)err;
}

int
ps_os_rename(const char *from, const char *to)
{
	return (int)call6(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD,
			  (long)to, 0, 0);
}

bool
ps_os_may_replace(const char *path)
{
	struct stat st;

	return ps_os_stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

int
ps_os_unlink(const char *path)
{
	return (int)CALL3(SYS_unlinkat, AT_FDCWD, path, 0);
}

int
ps_os_mkdir(const char *path)
{
	int err = (int)CALL3(SYS_mkdirat, AT_FDCWD, path, DIRECTORY_MODE);
	struct stat st;

	if (err != -EEXIST)
		return err;
	err = ps_os_stat(path, &st);
	if (err == 0 && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	return err;
}

int
ps_os_stat(const char *path, struct stat *out)
{
	return (int)CALL4(SYS_newfstatat, AT_FDCWD, path, out, 0);
}

int
ps_os_fstat(int fd, struct stat *out)
{
	return (int)CALL2(SYS_fstat, fd, out);
}

ssize_t
ps_os_readlink(const char *path, char *buffer, size_t bytes)
{
	return CALL4(SYS_readlinkat, AT_FDCWD, path, buffer, bytes);
}

static ssize_t
read_whole(int fd, char *buffer, size_t bytes)
{
	size_t length = 0;
	char beyond;
	ssize_t got;

	while (length < bytes - 1) {
		got = ps_os_read(fd, buffer + length, bytes - 1 - length);
		if (got < 0)
			return got;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	PS_ASSERT(length < bytes);
	buffer[length] = 0;
	if (length < bytes - 1)
		return (ssize_t)length;
	got = ps_os_read(fd, &beyond, 1);
	if (got != 0)
		return got < 0 ? got : -EFBIG;
	return (ssize_t)length;
}

ssize_t
ps_os_slurp(const char *path, char *buffer, size_t bytes)
{
	int fd;
	ssize_t got;

	PS_ASSERT(bytes > 0);
	fd = ps_os_open_read(path);
	if (fd < 0)
		return fd;
	got = read_whole(fd, buffer, bytes);
	ps_os_close(fd);
	return got;
}
