/* SPDX-License-Identifier: MIT */
/*
 * cli_cut - files that are cut short while they are read
 *
 * Recordings and programs are read through mappings, and who may write to such
 * a file may also shorten it, which makes the next load a SIGBUS.  The handler
 * puts a page of zeros where it happened and goes on: zeros are as good as any
 * other damage, which readers expect everywhere, and a server of many
 * recordings goes on with the others.  What is told of the file is wrong then,
 * and is said to be.
 *
 * A copy made beforehand would need no handler, but 55 MiB for each process of
 * a tree, and could not be watched while the process runs.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/cli_arguments.h"
#include "report/cli_cut.h"

static _Atomic int is_cut;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a signal handler writes it");

static void
fill(int signal_, siginfo_t *info, void *context)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *at = (char *)((uintptr_t)info->si_addr & ~(page - 1));

	PS_ASSERT((page & (page - 1)) == 0);
	(void)context;
	is_cut = 1;
	if (info->si_code == BUS_ADRERR &&
	    mmap(at, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at)
		return;
	(void)signal(signal_,
		     SIG_DFL); /* the load is tried again, and ends us */
}

void
ps_cut_watch(void)
{
	struct sigaction action = {
	    .sa_sigaction = fill,
	    .sa_flags = SA_SIGINFO,
	};

	(void)sigaction(SIGBUS, &action, NULL);
}

int
ps_cut_status(int status)
{
	PS_ASSERT(status >= 0 && status <= PS_CLI_USAGE);
	if (!is_cut)
		return status;
	fputs("perfreport: a file was cut short while it was read: what is "
	      "told of it is wrong\n",
	      stderr);
	return status == 0 ? PS_CLI_BROKEN : status;
}
