/* SPDX-License-Identifier: MIT */
/*
 * os - the seam to the operating system
 *
 * Every system call that lib/ and shim/ make goes through here, as a raw
 * instruction: no errno, no libc wrapper that another preload may interpose,
 * no PLT.  Returns are 0 or a value on success and -errno on failure.
 *
 * Callable from anywhere: before start-up, in a signal handler, in a fork
 * child.  ps_os_fail_at() makes the N-th call from now fail, for tests.
 */
#ifndef PS_OS_H
#define PS_OS_H

#include <sys/types.h>
#include <time.h>

#include "base/base.h"

struct rusage;
struct stat;

/* Pages.  ps_os_map returns anonymous private read-write memory. */
int ps_os_map(size_t bytes, void **out);
int ps_os_map_at(void *addr, size_t bytes); /* -EEXIST: something is there */
/* Address space only (PROT_NONE, not counted against overcommit). */
int ps_os_reserve(size_t bytes, void **out);
int ps_os_commit(void *addr, size_t bytes);   /* make readable and writable */
int ps_os_decommit(void *addr, size_t bytes); /* as ps_os_reserve left it */
int ps_os_discard(void *addr, size_t bytes);  /* contents gone, reads zero */
int ps_os_discard_lazy(void *addr, size_t bytes);
int ps_os_wipe_on_fork(void *addr, size_t bytes); /* children find zeros */
int ps_os_no_huge(void *addr, size_t bytes);
int ps_os_read_at_random(void *addr, size_t bytes); /* no reading ahead */
/*
 * Pages of a shared mapping of a file made writable at once, with what that
 * takes on disk: -EFAULT where a store would be SIGBUS, -EINVAL before Linux
 * 5.14.
 */
int ps_os_populate(void *addr, size_t bytes);
int ps_os_huge(void *addr, size_t bytes); /* where there are any */
int ps_os_unmap(void *addr, size_t bytes);
/* Whether there is anything at that address; a system call. */
bool ps_os_is_mapped(const void *addr);
/* Anonymous memory in place of whatever is at addr. */
int ps_os_map_over(void *addr, size_t bytes);
/* A file's pages; shared and writable, over addr when it is not NULL. */
int ps_os_map_file(int fd, size_t bytes, void *addr, void **out);
/* A file's pages for reading. */
int ps_os_map_read(int fd, size_t bytes, const void **out);

/* Files.  Descriptors are close-on-exec. */
int ps_os_open_read(const char *path); /* a pipe is not waited for */
/* The same, of a regular file and its size; -EINVAL of anything else. */
int ps_os_open_regular(const char *path, uint64_t *bytes);
/*
 * A regular file's pages for reading.  -EINVAL of anything else, -ENODATA and
 * -EFBIG of one that is smaller than `least` (at least 1) or larger than `most`
 * bytes.  Who cuts it short meanwhile makes reading it SIGBUS.
 */
int ps_os_map_regular(const char *path, uint64_t least, uint64_t most,
		      const void **out, size_t *bytes);
int ps_os_create(const char *path); /* O_EXCL, O_NOFOLLOW, mode 0600, r/w */
/*
 * For what others may read: existing or created (0600), appended to.  Neither
 * another user's link is followed nor a file with two names written to
 * (-EMLINK), and nobody is waited for: a pipe without a reader is -ENXIO, a
 * full one -EAGAIN when it is written to.
 */
int ps_os_open_append(const char *path);
int ps_os_open_lines(const char *path); /* the same, and no link at all */
int ps_os_open_rw(const char *path);	/* an existing file, O_NOFOLLOW */
int ps_os_close(int fd);
ssize_t ps_os_read(int fd, void *buffer, size_t bytes);
/* Raises no signal: a reader that went away is -EPIPE, a file at its limit
 * -EFBIG. */
ssize_t ps_os_write(int fd, const void *buffer, size_t bytes);
/* All of it, or -errno; retried on EINTR and short writes. */
int ps_os_write_all(int fd, const void *buffer, size_t bytes);
ssize_t ps_os_pwrite(int fd, const void *buffer, size_t bytes, off_t offset);
int ps_os_truncate(int fd, off_t bytes); /* -EFBIG, not SIGXFSZ */
/*
 * Blocks for [offset, offset+bytes); never raises SIGXFSZ (-EFBIG).
 * -EOPNOTSUPP when the file system or kernel cannot.
 */
int ps_os_allocate(int fd, off_t offset, off_t bytes);
/* Whether a write of up to 4096 bytes would go through at once. */
bool ps_os_is_writable(int fd);
/*
 * All of it to a pipe or socket, or -errno: -ETIMEDOUT when nobody made room
 * for that long.
 */
int ps_os_write_patiently(int fd, const void *buffer, size_t bytes, int ms);
/* A datagram to the UNIX socket at path, at once or not at all. */
int ps_os_send(const char *path, const void *buffer, size_t bytes);
int ps_os_rename(const char *from, const char *to);
/* Nothing is there, or a regular file: a rename over anything else (/dev/null!)
 * would take it from the whole machine. */
bool ps_os_may_replace(const char *path);
int ps_os_unlink(const char *path);
int ps_os_mkdir(const char *path); /* 0700; 0 when the directory is there */
int ps_os_stat(const char *path, struct stat *out);
/* The path that exec was given, in the process's own memory; NULL: not known.
 */
const char *ps_os_started_path(void);
int ps_os_fstat(int fd, struct stat *out);
ssize_t ps_os_readlink(const char *path, char *buffer, size_t bytes);
/*
 * Whole small file into buffer, zero-terminated; returns its length, or
 * -EFBIG when it does not fit.  On error the buffer holds anything.
 */
ssize_t ps_os_slurp(const char *path, char *buffer, size_t bytes);

/* Process and machine. */
int ps_os_pid(void);
int ps_os_ppid(void);
int ps_os_tid(void);
/* The calling thread's, zero-terminated. */
int ps_os_thread_name(char name[16]);
int ps_os_usage(struct rusage *out);
int ps_os_thread_usage(struct rusage *out); /* of the calling thread */
/* vDSO clock: no system call when the kernel's clock source allows it. */
uint64_t ps_os_monotonic_ns(void);
uint64_t ps_os_realtime_ns(void);
uint64_t ps_os_thread_cpu_ns(void);
int ps_os_random(void *buffer, size_t bytes);
uint64_t ps_os_limit(int resource); /* soft limit, UINT64_MAX = none */
void ps_os_yield(void);
void ps_os_sleep_ns(uint64_t ns);
/* How late the kernel may wake the calling thread from a sleep. */
int ps_os_timer_slack(uint64_t ns);
/* A call of the program's own, as it is: also where we gave that one up. */
long ps_os_asked(long nr, const unsigned long argument[6]);
/* A result of the kernel's as libc has it: below zero, -1 and errno. */
long ps_os_as_libc(long result);

/* Whether the calling thread runs on the stack that it gave for signals. */
bool ps_os_is_on_signal_stack(void);

/*
 * One line to descriptor 2: "perfshim: " text "\n", in one write.  Whatever
 * that is by then: for those who end the process next.
 */
void ps_os_complain(const char *text);
/* The same where descriptor 2 is still what it was when it was remembered; not
 * otherwise, since it may be a file of the program's. */
void ps_os_mention(const char *text);
void ps_os_remember_stderr(void);
bool ps_os_is_stderr_unchanged(void);
/* Send the calling thread a signal; 0 or -errno. */
int ps_os_raise(int signal);

/* The embedded jemalloc is about to make its first requests, or to try again.
 */
void ps_os_jemalloc_starts(void);

/*
 * Fail the nth call from now (1 = the next) with -error, once; 0 disarms.
 * Returns how many calls were made since the last arming, up to now; calls are
 * only counted while armed (LONG_MAX counts without failing).
 */
long ps_os_fail_at(long nth, int error);
/* While that is armed, the very first call fails too, with -error. */
void ps_os_fail_first(int error);

#endif /* PS_OS_H */
