/* SPDX-License-Identifier: MIT */
/*
 * support - what glibc's tests of malloc use of glibc's own test library, in
 * the words that they use: checks that count, calls that must succeed.
 */
#ifndef ACCEPT_SUPPORT_H
#define ACCEPT_SUPPORT_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_UNSUPPORTED = 77, DEFAULT_TIMEOUT = 20 };

static _Atomic int support_failures;

#define array_length(a) (sizeof(a) / sizeof((a)[0]))
#define array_end(a) (&(a)[array_length(a)])
#define DIAG_PUSH_NEEDS_COMMENT
#define DIAG_POP_NEEDS_COMMENT
#define DIAG_IGNORE_NEEDS_COMMENT(version, option)
#define DIAG_IGNORE_Os_NEEDS_COMMENT(version, option)

#define support_say(...)                                                       \
	(printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__),           \
	 putchar('\n'), fflush(stdout))
#define support_record_failure() ((void)support_failures++)
#define FAIL(...) (support_say(__VA_ARGS__), support_record_failure())
#define FAIL_RET(...) return support_say(__VA_ARGS__), 1
#define FAIL_EXIT(status, ...) (support_say(__VA_ARGS__), exit(status))
#define FAIL_EXIT1(...) FAIL_EXIT(1, __VA_ARGS__)
#define FAIL_UNSUPPORTED(...) FAIL_EXIT(EXIT_UNSUPPORTED, __VA_ARGS__)
#define TEST_VERIFY(e) ((e) ? (void)0 : (void)FAIL("not true: %s", #e))
#define TEST_VERIFY_EXIT(e)                                                    \
	((e) ? (void)0 : (void)FAIL_EXIT1("not true: %s", #e))
#define TEST_COMPARE(a, b)                                                     \
	((a) == (b) ? (void)0                                                  \
		    : (void)FAIL("%s is %lld, %s is %lld", #a, (long long)(a), \
				 #b, (long long)(b)))

static inline void
support_must(int error, const char *what)
{
	if (error != 0)
		FAIL_EXIT1("%s: %s", what, strerror(error));
}

static inline void *
support_there(void *p)
{
	if (p == NULL)
		FAIL_EXIT1("out of memory");
	return p;
}

#define xmalloc(n) support_there(malloc(n))
#define xcalloc(n, m) support_there(calloc(n, m))
#define xrealloc(p, n) support_there(realloc(p, n))
#define xstrdup(s) ((char *)support_there(strdup(s)))
#define xpthread_join(t) support_join(t)
#define xpthread_create(attr, f, arg) support_create(attr, f, arg)
#define xpthread_barrier_init(b, a, n)                                         \
	support_must(pthread_barrier_init(b, a, n), "barrier")
#define xpthread_barrier_destroy(b)                                            \
	support_must(pthread_barrier_destroy(b), "barrier")
#define xpthread_barrier_wait(b) pthread_barrier_wait(b)
#define xpthread_mutex_lock(m) support_must(pthread_mutex_lock(m), "lock")
#define xpthread_mutex_unlock(m) support_must(pthread_mutex_unlock(m), "unlock")
#define xpthread_cancel(t) support_must(pthread_cancel(t), "cancel")
#define xpthread_detach(t) support_must(pthread_detach(t), "detach")
#define xpthread_attr_init(a) support_must(pthread_attr_init(a), "attr")
#define xpthread_attr_destroy(a) support_must(pthread_attr_destroy(a), "attr")
#define xpthread_attr_setdetachstate(a, s)                                     \
	support_must(pthread_attr_setdetachstate(a, s), "attr")
#define xpthread_sigmask(how, set, old)                                        \
	support_must(pthread_sigmask(how, set, old), "sigmask")
#define xsignal(number, handler)                                               \
	support_must(signal(number, handler) == SIG_ERR ? errno : 0, "signal")
#define xsigaction(number, new, old)                                           \
	support_must(sigaction(number, new, old) ? errno : 0, "sigaction")
#define xwaitpid(pid, status, options)                                         \
	support_must(waitpid(pid, status, options) < 0 ? errno : 0, "waitpid")

static inline void *
support_join(pthread_t thread)
{
	void *value;

	support_must(pthread_join(thread, &value), "join");
	return value;
}

static inline pthread_t
support_create(pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	pthread_t thread;

	support_must(pthread_create(&thread, attr, f, arg), "create");
	return thread;
}

static inline pid_t
xfork(void)
{
	pid_t pid = fork();

	support_must(pid < 0 ? errno : 0, "fork");
	return pid;
}

#endif /* ACCEPT_SUPPORT_H */
