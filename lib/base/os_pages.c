/* SPDX-License-Identifier: MIT */
/*
 * os_pages - address space: mapping, protecting, giving back
 */
#include <sys/mman.h>

#include "base/os_call.h"

static int
map(void *addr, size_t bytes, int prot, int flags, int fd, void **out)
{
	long at = call6(SYS_mmap, (long)addr, (long)bytes, prot, flags, fd, 0);

	if (at < 0 && at > -4096)
		return (int)at;
	PS_ASSERT((flags & MAP_FIXED) == 0 || at == (long)addr);
	if (out != NULL)
		*out = (void *)at;
	return 0;
}

int
ps_os_map(size_t bytes, void **out)
{
	return map(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, out);
}

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* of Linux 4.17; a hint before */
#endif

int
ps_os_map_at(void *addr, size_t bytes)
{
	void *got;
	int error =
	    map(addr, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, &got);

	if (error != 0 || got == addr)
		return error;
	(void)ps_os_unmap(got, bytes);
	return -EEXIST;
}

int
ps_os_reserve(size_t bytes, void **out)
{
	return map(NULL, bytes, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, out);
}

int
ps_os_commit(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_mprotect, addr, bytes, PROT_READ | PROT_WRITE);
}

int
ps_os_decommit(void *addr, size_t bytes)
{
	PS_ASSERT(addr != NULL);
	return map(addr, bytes, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		   NULL);
}

int
ps_os_discard(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_DONTNEED);
}

int
ps_os_discard_lazy(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_FREE);
}

int
ps_os_no_huge(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_NOHUGEPAGE);
}

int
ps_os_read_at_random(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_RANDOM);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* of Linux 5.14 */
#endif

int
ps_os_populate(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_POPULATE_WRITE);
}

int
ps_os_wipe_on_fork(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_WIPEONFORK);
}

int
ps_os_huge(void *addr, size_t bytes)
{
	return (int)CALL3(SYS_madvise, addr, bytes, MADV_HUGEPAGE);
}

int
ps_os_unmap(void *addr, size_t bytes)
{
	return (int)CALL2(SYS_munmap, addr, bytes);
}

bool
ps_os_is_mapped(const void *addr)
{
	unsigned char is_resident;
	uintptr_t page = (uintptr_t)addr & ~(uintptr_t)4095;

	return CALL3(SYS_mincore, page, 4096, &is_resident) == 0;
}

int
ps_os_map_over(void *addr, size_t bytes)
{
	PS_ASSERT(addr != NULL);
	return map(addr, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, NULL);
}

int
ps_os_map_file(int fd, size_t bytes, void *addr, void **out)
{
	int fixed = addr != NULL ? MAP_FIXED : 0;

	return map(addr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, fd,
		   out);
}

int
ps_os_map_read(int fd, size_t bytes, const void **out)
{
	void *at;
	int err = map(NULL, bytes, PROT_READ, MAP_SHARED, fd, &at);

	if (err == 0)
		*out = at;
	return err;
}
