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
/* Address space only (PROT_NONE, not counted against overcommit). */
int ps_os_reserve(size_t bytes, void **out);
int ps_os_commit(void *addr, size_t bytes);   /* make readable and writable */
int ps_os_decommit(void *addr, size_t bytes); /* as ps_os_reserve left it */
int ps_os_discard(void *addr, size_t bytes);  /* contents gone, reads zero */
int ps_os_discard_lazy(void *addr, size_t bytes);
int ps_os_wipe_on_fork(void *addr, size_t bytes); /* children find zeros */
int ps_os_no_huge(void *addr, size_t bytes);
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
int ps_os_open_read(const char *path);
int ps_os_create(const char *path); /* O_EXCL, O_NOFOLLOW, mode 0600, r/w */
/*
 * For reports: created 0600.  Neither another user's link is followed nor a
 * file with two names written to (-EMLINK), and a pipe is not waited for.
 */
int ps_os_open_append(const char *path);
int ps_os_open_lines(const char *path); /* the same, O_NOFOLLOW */
int ps_os_open_rw(const char *path);	/* an existing file, O_NOFOLLOW */
int ps_os_close(int fd);
ssize_t ps_os_read(int fd, void *buffer, size_t bytes);
/* Raises no signal: a reader that went away is -EPIPE, RLIMIT_FSIZE -EFBIG. */
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
/*
 * For messages to whoever reads them: existing or created (0600), appended to,
 * and never waited for: a pipe without a reader is -ENXIO, a full one -EAGAIN.
 */
int ps_os_open_message(const char *path);
/* Whether a write of up to 4096 bytes would go through at once. */
bool ps_os_is_writable(int fd);
/* A datagram to the UNIX socket at path, at once or not at all. */
int ps_os_send(const char *path, const void *buffer, size_t bytes);
int ps_os_rename(const char *from, const char *to);
int ps_os_unlink(const char *path);
int ps_os_mkdir(const char *path); /* 0700; 0 when the directory is there */
int ps_os_stat(const char *path, struct stat *out);
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

/*
 * The program is in a sandbox that may kill it for any call but malloc's: from
 * now on, all others are -EPERM and not made, by any thread.
 */
void ps_os_limit_calls(bool are_limited);
bool ps_os_are_calls_limited(void);

/* Whether the calling thread runs on the stack that it gave for signals. */
bool ps_os_is_on_signal_stack(void);

/* One line to descriptor 2: "perfshim: " text "\n", in one write. */
void ps_os_complain(const char *text);
/* Send the calling thread a signal; 0 or -errno. */
int ps_os_raise(int signal);

/*
 * Fail the nth call from now (1 = the next) with -error, once; 0 disarms.
 * Returns how many calls were made since the last arming, up to now; calls are
 * only counted while armed (LONG_MAX counts without failing).
 */
long ps_os_fail_at(long nth, int error);
/* While that is armed, the very first call fails too, with -error. */
void ps_os_fail_first(int error);

#endif /* PS_OS_H */
