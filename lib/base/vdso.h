/* SPDX-License-Identifier: MIT */
/*
 * vdso - the kernel's clock as a function call
 *
 * For os.c only; everybody else reads clocks through os.h.
 */
#ifndef PS_VDSO_H
#define PS_VDSO_H

#include <time.h>

#include "base/base.h"

typedef int (*ps_vdso_clock)(clockid_t clock, struct timespec *out);

/*
 * clock_gettime of the image at `base` (the value of AT_SYSINFO_EHDR), or NULL
 * when base is NULL or has no such symbol.  Cost: one walk over about ten
 * symbols; the caller remembers the answer.
 */
ps_vdso_clock ps_vdso_find_clock(const void *base);

#endif /* PS_VDSO_H */
