/* SPDX-License-Identifier: MIT */
/*
 * engine - rules, evaluated over whatever can tell their figures
 *
 * A step asks the source for each rule's figure and hands alerts to `emit`.
 * The source is the recording of this process (shim/watch_source.c) or a
 * monitor's own operations (monitor.c).
 *
 * A rule on a section is watched separately for each section that its name
 * matches, so that an alert can say which; PS_WATCHES of them at most, what is
 * beyond is counted in `unwatched`.  A watch of calls maps 46 KiB.
 *
 * One thread at a time.  No malloc; nothing big on the stack (40 bytes a call
 * at most below the source's own), because steps run on the host's stacks.
 */
#ifndef PS_MONITOR_ENGINE_H
#define PS_MONITOR_ENGINE_H

#include "monitor/queue.h"
#include "monitor/trigger.h"
#include "monitor/window.h"

enum { PS_WATCHES = 64 };

struct ps_engine_source {
	void *owner;
	double tick_s; /* of the calls' ticks; may be set before each step */
	/* Of a heap, the resident set ...; NAN: not known. */
	double (*level)(void *owner, enum ps_subject subject);
	/* Bytes until the limit; NAN: no limit. */
	double (*room)(void *owner);
	uint32_t (*count)(void *owner); /* sections: 0 to count - 1 */
	const char *(*name)(void *owner, uint32_t section);
	void (*calls)(void *owner, uint32_t section, struct ps_calls *out);
	/* Of the calls, those that failed; asked for only by rules on errors.
	 */
	uint64_t (*errors)(void *owner, uint32_t section);
};

struct ps_watch {
	uint32_t rule;
	uint32_t section;
	struct ps_trigger trigger;
	struct ps_calls_window *window;
};

struct ps_engine {
	struct ps_rules rules;
	struct ps_engine_source source;
	struct ps_trigger trigger[PS_RULES_MAX]; /* of rules on levels */
	struct ps_level_window growth[PS_RULES_MAX];
	struct ps_watch watch[PS_WATCHES];
	uint32_t watches;
	uint32_t known_sections; /* that rules were matched against */
	uint32_t unwatched;
	uint64_t last_ns; /* of the step before */
	/*
	 * The level of the heap that a rule is waiting for, or half the way to
	 * where it might be: who sees the heap grow beyond it should step at
	 * once.  HUGE_VAL when no rule is.
	 */
	double wake_bytes;
	struct ps_calls sum; /* scratch, too big for a stack */
	struct ps_calls within;
};

typedef void ps_engine_emit(void *owner, const struct ps_alert *alert);

/* Starts with the rules and the source given; storage is the caller's. */
void ps_engine_init(struct ps_engine *e, const struct ps_rules *rules,
		    const struct ps_engine_source *source, uint64_t now_ns);
void ps_engine_fini(struct ps_engine *e);

/* What the sums were is void (a fork child's new recording): start afresh. */
void ps_engine_restart(struct ps_engine *e, uint64_t now_ns);

void ps_engine_step(struct ps_engine *e, uint64_t now_ns, ps_engine_emit *emit);

#endif /* PS_MONITOR_ENGINE_H */
