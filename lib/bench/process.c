/* SPDX-License-Identifier: MIT */
/*
 * process - runs a command once and says what it took
 *
 * One wait4 for each run: the rusage of RUSAGE_CHILDREN has the maximum of all
 * children there ever were, so a small command would inherit a large one's
 * peak memory.
 *
 * fork, not vfork or posix_spawn: exec keeps the resident peak of the address
 * space it leaves.  After vfork that is all of ours (3 MiB and more); after
 * fork it is our anonymous pages, some hundred KiB as long as the caller keeps
 * its heap small.  The child notes the time just before its exec in a page both
 * see, so that copying page tables is not in the figure.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "bench/process.h"

/* What the child tells; in a page that both see. */
struct stage {
	_Atomic uint64_t start_ns;
	_Atomic int error; /* of what could not be done */
};

static int
put_at(int fd, const char *path, int how)
{
	int from = open(path, how | O_CLOEXEC);

	if (from < 0)
		return -errno;
	return dup2(from, fd) < 0 ? -errno : 0;
}

static _Noreturn void
become(const struct ps_process_command *c, struct stage *stage)
{
	int error =
	    put_at(0, c->input != NULL ? c->input : "/dev/null", O_RDONLY);

	if (error == 0 && !c->is_shown)
		error = put_at(1, "/dev/null", O_WRONLY);
	if (error == 0 && !c->is_shown)
		error = put_at(2, "/dev/null", O_WRONLY);
	if (error == 0) {
		ps_poke(&stage->start_ns, ps_os_monotonic_ns());
		execve(c->path, c->argv, c->envp);
		error = -errno;
	}
	ps_poke(&stage->error, error);
	_exit(127);
}

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec * 1e-6;
}

static void
announce(const struct ps_process_command *c, pid_t pid)
{
	if (c->pid != NULL)
		ps_poke(c->pid, pid);
}

static int
wait_for(const struct ps_process_command *c, pid_t pid,
	 const struct stage *stage, struct ps_process_outcome *out)
{
	struct rusage usage;
	uint64_t end_ns;
	int status;
	pid_t got;

	do
		got = wait4(pid, &status, 0, &usage);
	while (got < 0 && errno == EINTR);
	end_ns = ps_os_monotonic_ns();
	announce(c, 0);
	if (got < 0)
		return -errno;
	if (ps_peek(&stage->error) != 0)
		return ps_peek(&stage->error);
	PS_ASSERT(end_ns >= ps_peek(&stage->start_ns));
	PS_ASSERT(got == pid && (WIFEXITED(status) || WIFSIGNALED(status)));
	*out = (struct ps_process_outcome){
	    .wall_s = (double)(end_ns - ps_peek(&stage->start_ns)) * 1e-9,
	    .user_s = seconds(&usage.ru_utime),
	    .system_s = seconds(&usage.ru_stime),
	    .max_rss_bytes = (double)usage.ru_maxrss * 1024,
	    .pid = pid,
	    .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	    .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
	return 0;
}

int
ps_process_run(const struct ps_process_command *command,
	       struct ps_process_outcome *out)
{
	struct stage *stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int error;
	pid_t pid;

	PS_ASSERT(command->path != NULL && command->argv[0] != NULL);
	if (stage == MAP_FAILED)
		return -errno;
	pid = fork();
	if (pid == 0)
		become(command, stage);
	error = pid < 0 ? -errno : 0;
	if (error == 0) {
		announce(command, pid);
		error = wait_for(command, pid, stage, out);
	}
	munmap(stage, sizeof(*stage));
	return error;
}
