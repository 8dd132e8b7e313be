/* SPDX-License-Identifier: MIT */
/*
 * os_file - files and descriptors
 *
 * Two guards keep our files from sending the host a signal: a write to a pipe
 * nobody reads would raise SIGPIPE, growing a file beyond RLIMIT_FSIZE would
 * raise SIGXFSZ, and both kill by default.
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
	return open_at(path, O_RDONLY);
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
	int err;

	if (fd < 0)
		return fd;
	/* A umask of 0777 would leave a file that its owner cannot reopen. */
	err = (int)CALL2(SYS_fchmod, fd, CREATE_MODE);
	if (err == 0)
		return fd;
	ps_os_close(fd);
	ps_os_unlink(path);
	return err;
}

/* Ours or root's: /dev/stderr is one. */
static bool
is_trusted_link(const char *path)
{
	struct stat st;

	return CALL4(SYS_newfstatat, AT_FDCWD, path, &st,
		     AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_uid == 0 || st.st_uid == (uid_t)CALL0(SYS_geteuid));
}

int
ps_os_open_append(const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK;
	struct stat st;
	int fd = open_at(path, flags | O_NOFOLLOW);

	if (fd == -ELOOP && is_trusted_link(path))
		fd = open_at(path, flags);
	if (fd < 0 || ps_os_fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink <= 1)
		return fd;
	ps_os_close(fd);
	return -EMLINK;
}

int
ps_os_open_lines(const char *path)
{
	return open_at(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
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

/* What a write may raise, and which answer tells of it. */
static uint64_t
set_of(int signal)
{
	return (uint64_t)1 << (signal - 1);
}

static uint64_t
raised_by(long put)
{
	return put == -EPIPE   ? set_of(SIGPIPE)
	       : put == -EFBIG ? set_of(SIGXFSZ)
			       : 0;
}

/* Take back the signal that our write made pending while it was blocked. */
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
	uint64_t set = set_of(SIGPIPE) | set_of(SIGXFSZ);
	uint64_t old = 0;
	uint64_t pending = 0;
	long blocked =
	    CALL4(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, sizeof(set));
	uint64_t raised;
	long put;

	if (blocked == 0)
		CALL2(SYS_rt_sigpending, &pending, sizeof(pending));
	put = CALL3(SYS_write, fd, buffer, bytes);
	if (blocked != 0)
		return put;
	raised = raised_by(put) & ~pending;
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
