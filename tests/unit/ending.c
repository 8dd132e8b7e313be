/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/ending.h"

static _Noreturn void
run(void (*function)(void), int output)
{
	struct rlimit none = {0};

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	dup2(output, STDERR_FILENO);
	function();
	_exit(0);
}

int
ending_of(void (*function)(void), char *said, size_t bytes)
{
	size_t length = 0;
	int status = -1;
	ssize_t got;
	int pipes[2];
	pid_t child;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		run(function, pipes[1]);
	close(pipes[1]);
	while (length < bytes - 1 &&
	       (got = read(pipes[0], said + length, bytes - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
	close(pipes[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

void
ending_expect(void (*function)(void), int signal, const char *words)
{
	char said[2000];
	int status = ending_of(function, said, sizeof(said));
	const char *end = strchr(said, '\n');

	if (!WIFSIGNALED(status) || WTERMSIG(status) != signal)
		ck_abort_msg("status %x, said: %s", (unsigned)status, said);
	if (strstr(said, words) == NULL)
		ck_abort_msg("not said: %s; but: %s", words, said);
	ck_assert(end != NULL && end[1] == '\0');
}
