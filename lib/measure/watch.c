/* SPDX-License-Identifier: MIT */
/*
 * watch - was the machine the same all through the run?
 *
 * Limits of the doubts: above what a quiet machine shows from run to run
 * (vector add in L1 1 %; the clock moves by steps of 3.3 %), and where a timing
 * would be off by more than its own scatter.  Pressure counts the program's own
 * threads too, when there are more of them than CPUs; it is named as waiting,
 * not as somebody's fault.
 *
 * Only the first line of each file is needed, but the kernel makes all of
 * /proc/stat: 11 us here, up to 1 ms on hundreds of CPUs.
 */
#include <string.h>

#include "base/os.h"
#include "measure/watch.h"

enum { FIELDS = 8, STEAL = 7, TEXT_BYTES = 256 };

#define SLOWER_MAX 0.05
#define FREQUENCY_MAX 0.03
#define STEAL_MAX 0.01
#define MEMORY_MAX 0.20 /* quiet 0.04; by page size 0.1 */
#define WAITING_MAX 0.10

/* The number at *text, which is moved behind it; false when there is none. */
static bool
take_number(const char **text, uint64_t *value)
{
	const char *c = *text;
	uint64_t sum = 0;

	while (*c == ' ')
		c++;
	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++)
		sum = sum * 10 + (uint64_t)(*c - '0');
	*text = c;
	*value = sum;
	return true;
}

/* "cpu  user nice system idle iowait irq softirq steal ..." */
static bool
take_stat(struct ps_watch *out, const char *text)
{
	uint64_t all = 0;
	uint64_t value = 0;

	if (strncmp(text, "cpu ", 4) != 0)
		return false;
	text += 4;
	for (int i = 0; i < FIELDS; i++) {
		if (!take_number(&text, &value))
			return false;
		all += value;
	}
	_Static_assert(STEAL == FIELDS - 1, "the last one read");
	out->steal_ticks = value;
	out->all_ticks = all;
	return true;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=410766537" */
static bool
take_pressure(struct ps_watch *out, const char *text)
{
	static const char total[] = "total=";
	const size_t length = sizeof(total) - 1;

	if (strncmp(text, "some ", 5) != 0)
		return false;
	while (strncmp(text, total, length) != 0) {
		if (*text++ == '\0')
			return false;
	}
	text += length;
	return take_number(&text, &out->pressure_us);
}

void
ps_watch_parse(struct ps_watch *out, const char *stat, const char *pressure)
{
	out->is_steal_known = take_stat(out, stat);
	out->is_pressure_known = take_pressure(out, pressure);
}

/* The file's beginning as text, "" when it cannot be read. */
static void
read_beginning(const char *path, char text[TEXT_BYTES])
{
	int fd = ps_os_open_read(path);
	ssize_t got = 0;

	if (fd >= 0) {
		got = ps_os_read(fd, text, TEXT_BYTES - 1);
		(void)ps_os_close(fd);
	}
	text[got > 0 ? got : 0] = '\0';
}

void
ps_watch_read(struct ps_watch *out)
{
	char stat[TEXT_BYTES];
	char pressure[TEXT_BYTES];

	memset(out, 0, sizeof(*out));
	read_beginning("/proc/stat", stat);
	read_beginning("/proc/pressure/cpu", pressure);
	out->ns = ps_os_monotonic_ns();
	ps_watch_parse(out, stat, pressure);
}

void
ps_watch_between(const struct ps_watch *start, const struct ps_watch *end,
		 struct ps_calibration *out)
{
	uint64_t ticks = end->all_ticks - start->all_ticks;
	uint64_t ns = end->ns - start->ns;

	out->watched &= ~(uint32_t)(PS_WATCHED_STEAL | PS_WATCHED_PRESSURE);
	/* The kernel's counters may go back by a tick: then nothing is known.
	 */
	if (start->is_steal_known && end->is_steal_known &&
	    (int64_t)ticks > 0 && end->steal_ticks >= start->steal_ticks) {
		out->steal_fraction =
		    (double)(end->steal_ticks - start->steal_ticks) /
		    (double)ticks;
		out->watched |= PS_WATCHED_STEAL;
	}
	if (start->is_pressure_known && end->is_pressure_known &&
	    (int64_t)ns > 0 && end->pressure_us >= start->pressure_us) {
		out->pressure_fraction =
		    (double)(end->pressure_us - start->pressure_us) * 1e3 /
		    (double)ns;
		out->watched |= PS_WATCHED_PRESSURE;
	}
}

uint32_t
ps_watch_doubts(const struct ps_calibration *c)
{
	uint32_t doubts = 0;

	if (c->watched & PS_WATCHED_DRIFT) {
		if (c->drift_fraction > SLOWER_MAX)
			doubts |= PS_DOUBT_SLOWER;
		if (c->core_drift > FREQUENCY_MAX ||
		    c->core_drift < -FREQUENCY_MAX)
			doubts |= PS_DOUBT_FREQUENCY;
	}
	if ((c->watched & PS_WATCHED_STEAL) && c->steal_fraction > STEAL_MAX)
		doubts |= PS_DOUBT_STEAL;
	if ((c->watched & PS_WATCHED_PRESSURE) &&
	    c->pressure_fraction > WAITING_MAX)
		doubts |= PS_DOUBT_WAITING;
	if ((c->watched & PS_WATCHED_MEMORY) && c->memory_drift > MEMORY_MAX)
		doubts |= PS_DOUBT_MEMORY;
	return doubts;
}
