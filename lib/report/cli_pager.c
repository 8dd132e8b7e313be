/* SPDX-License-Identifier: MIT */
/*
 * cli_pager - a report that is longer than the terminal, page by page
 *
 * The report is written to a file without a name first, so that a short one
 * never starts a pager, whatever the pager does with short ones; the pager
 * reads that file.  As with git, PAGER is a shell's command, less is the
 * default, and LESS, where it is not set, is FRX: colours are shown, and the
 * screen stays as it is afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/cli_pager.h"

enum { ROWS_UNKNOWN = 24, NOT_FOUND = 127, NOT_EXECUTABLE = 126 };

static const char *
pager(void)
{
	const char *named = getenv("PAGER");

	return named == NULL ? "less" : named;
}

bool
ps_pager_is_wanted(void)
{
	return isatty(STDOUT_FILENO) && pager()[0] != '\0';
}

int
ps_pager_open(void)
{
	int fd = memfd_create("report", MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static unsigned
rows_of_terminal(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
		return ROWS_UNKNOWN;
	return size.ws_row;
}

/* The prompt that comes afterwards needs a line, too. */
static bool
is_long(const char *text, size_t bytes)
{
	unsigned lines = 0;

	for (size_t i = 0; i < bytes; i++)
		lines += text[i] == '\n';
	return lines >= rows_of_terminal();
}

static int
copy(const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t done = write(STDOUT_FILENO, text, bytes);

		if (done < 0 && errno != EINTR)
			return -errno;
		text += done > 0 ? done : 0;
		bytes -= done > 0 ? (size_t)done : 0;
	}
	return 0;
}

static _Noreturn void
become_pager(int fd)
{
	(void)setenv("LESS", "FRX", 0);
	if (lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", pager(), (char *)NULL);
	_exit(NOT_FOUND);
}

/* False: it was not there, and has shown nothing.  ^C is the pager's while it
 * runs. */
static bool
run_pager(int fd)
{
	void (*before)(int) = signal(SIGINT, SIG_IGN);
	pid_t pid = fork();
	int status = 0;

	PS_ASSERT(before != SIG_ERR);
	if (pid == 0) {
		(void)signal(SIGINT, before);
		become_pager(fd);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)signal(SIGINT, before);
	return pid > 0 &&
	       !(WIFEXITED(status) && (WEXITSTATUS(status) == NOT_FOUND ||
				       WEXITSTATUS(status) == NOT_EXECUTABLE));
}

int
ps_pager_close(int fd)
{
	off_t bytes = lseek(fd, 0, SEEK_END);
	int error = 0;
	char *text;

	PS_ASSERT(fd >= 0 && fd != STDOUT_FILENO);
	if (bytes <= 0) {
		close(fd);
		return 0;
	}
	text = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		error = -errno;
	else if (!is_long(text, (size_t)bytes) || !run_pager(fd))
		error = copy(text, (size_t)bytes);
	close(fd);
	return error;
}
