/* SPDX-License-Identifier: MIT */
/*
 * perfshim.h - marks sections of a C or C++ program for perfshim
 *
 *     PERFSHIM_SECTION("parse") { ... }      a block, however it is left
 *     PERFSHIM_FUNCTION();                   the rest of this function's scope
 *     PERFSHIM_BEGIN("read"); ... PERFSHIM_END("read");
 *     perfshim_span s;                       an interval that may end on
 *     PERFSHIM_SPAN_BEGIN(&s, "request");    another thread than it
 *     PERFSHIM_SPAN_END(&s);                 began on
 *     PERFSHIM_ERROR("name");                a call of it failed
 *     PERFSHIM_BYTES(n); PERFSHIM_ITEMS(n); PERFSHIM_FLOPS(n);
 *                                            work of the innermost section:
 *                                            the report gives rates
 *     PERFSHIM_POOL { chunk = malloc(n); }   memory of an allocator of the
 *     PERFSHIM_ALLOCATED(p, n);              program's own: the chunk is not
 *     PERFSHIM_FREED(p, n);                  counted, its blocks are
 *
 * Run the program with LD_PRELOAD=libperfshim.so and the report has a line for
 * each name: calls, total, self, percentiles, allocations.  Without it a mark
 * costs a load and a predicted branch; nothing is linked.  Define
 * PERFSHIM_DISABLE to compile the marks away; define PERFSHIM_SDT for a probe
 * at each (perfshim:begin, end and span_begin with the name, span_end with the
 * span's address; needs <sys/sdt.h>), which perf, bpftrace and gdb find without
 * the shim.
 *
 * C99, C++11 and later, gcc and clang.  A name is a string literal; the same
 * name anywhere means the same section.  Sections nest per thread.  An end
 * whose begin is not innermost closes what lies within, which is counted as
 * unbalanced; an end without a begin is counted and ignored.  A PERFSHIM_POOL
 * must not be left by longjmp.
 *
 * How a mark finds the profiler: each has a static site whose slot is 0 until
 * somebody asked.  A constructor of this header, once per module, looks up
 * perfshim_register_v1 and hands over the module's sites; sites that it cannot
 * list (in C++ inline functions and templates) and those that run before it
 * ask at their first use.  The profiler owns all statistics and copies names,
 * so a module may be unloaded at any time.
 */
#ifndef PERFSHIM_H
#define PERFSHIM_H

#ifdef PERFSHIM_DISABLE

typedef struct perfshim_span {
	char unused;
} perfshim_span;
/* Still a loop that runs once, so that break and continue mean the same. */
#define PERFSHIM_JOIN2_(a, b) a##b
#define PERFSHIM_JOIN_(a, b) PERFSHIM_JOIN2_(a, b)
#define PERFSHIM_ONCE_(once) for (int once = 1; once; once = 0)
#define PERFSHIM_SECTION(name)                                                 \
	PERFSHIM_ONCE_(PERFSHIM_JOIN_(perfshim_once_, __LINE__))
#define PERFSHIM_FUNCTION() ((void)0)
#define PERFSHIM_BEGIN(name) ((void)0)
#define PERFSHIM_END(name) ((void)0)
#define PERFSHIM_SPAN_BEGIN(span, name) ((void)(span))
#define PERFSHIM_SPAN_END(span) ((void)(span))
#define PERFSHIM_BYTES(n) ((void)(n))
#define PERFSHIM_ITEMS(n) ((void)(n))
#define PERFSHIM_FLOPS(n) ((void)(n))
#define PERFSHIM_POOL PERFSHIM_ONCE_(PERFSHIM_JOIN_(perfshim_once_, __LINE__))
#define PERFSHIM_ALLOCATED(block, bytes) ((void)(block), (void)(bytes))
#define PERFSHIM_FREED(block, bytes) ((void)(block), (void)(bytes))

#else

#include <stddef.h>
#include <stdint.h>

#ifdef PERFSHIM_SDT
#include <sys/sdt.h>
/* The name in a register: gdb and perf cannot read one relative to %rip. */
#define PERFSHIM_PROBE_OF_(what, pointer)                                      \
	do {                                                                   \
		const void *perfshim_probe_ = (pointer);                       \
		__asm__ volatile("" : "+r"(perfshim_probe_));                  \
		STAP_PROBE1(perfshim, what, perfshim_probe_);                  \
	} while (0)
#define PERFSHIM_PROBE_(what, site) PERFSHIM_PROBE_OF_(what, (site)->name)
#else
#define PERFSHIM_PROBE_(what, site) ((void)0)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PERFSHIM_ABI 1u

/* One place that marks.  Static storage; the profiler writes `slot`. */
struct perfshim_site {
	uint32_t size; /* of this struct, for later versions */
	uint32_t abi;
	const char *name;
	const char *file;
	uint32_t line;
	uint32_t reserved;
	uintptr_t slot; /* 0 not asked yet, 1 off, else the section */
};

typedef struct perfshim_span {
	uintptr_t slot;
	uint64_t begun;
} perfshim_span;

/* What a module knows of the profiler; one a module. */
struct perfshim_link {
	uint32_t size;
	uint32_t state; /* 0 not looked up, 1 absent, 2 present */
	void (*resolve)(struct perfshim_site *site);
	void (*begin)(uintptr_t slot, const void *scope);
	void (*end)(uintptr_t slot);
	void (*span_begin)(uintptr_t slot, perfshim_span *span);
	void (*span_end)(perfshim_span *span);
	/* NULL when the profiler is older than these. */
	void (*add)(uint32_t what, uint64_t n);
	void (*allocated)(const void *block, size_t bytes);
	void (*freed)(const void *block, size_t bytes);
	int (*pool_enter)(void);
	void (*pool_leave)(void);
};

enum { PERFSHIM_BYTES_, PERFSHIM_ITEMS_, PERFSHIM_FLOPS_ };

/*
 * For other languages, exported by the preload: find them with dlsym.  `what`
 * is 0 bytes, 1 items, 2 FLOPs.  pool_leave follows a pool_enter that said 1.
 */
void perfshim_begin(const char *name);
void perfshim_end(const char *name);
void perfshim_add(uint32_t what, uint64_t n);
void perfshim_allocated(const void *block, size_t bytes);
void perfshim_freed(const void *block, size_t bytes);
int perfshim_pool_enter(void);
void perfshim_pool_leave(void);

/*
 * Called by this header's constructor: fills in *link, resolves the sites in
 * [start, stop) and returns 2.
 */
uint32_t perfshim_register_v1(struct perfshim_link *link,
			      struct perfshim_site *const *start,
			      struct perfshim_site *const *stop);

#ifndef PERFSHIM_NO_MARKS

/* dlsym under another name, so that <dlfcn.h> may declare it its own way. */
extern void *perfshim_find_(void *handle, const char *name) __asm__("dlsym")
    __attribute__((weak));

__attribute__((weak, visibility("hidden"))) struct perfshim_link perfshim_link_;

extern struct perfshim_site *const
    perfshim_first_[] __asm__("__start_perfshim_sites")
	__attribute__((weak, visibility("hidden")));
extern struct perfshim_site *const
    perfshim_last_[] __asm__("__stop_perfshim_sites")
	__attribute__((weak, visibility("hidden")));

#define PERFSHIM_OFF_ ((uintptr_t)1)

__attribute__((cold, noinline, unused)) static void
perfshim_look_up_(void)
{
	typedef uint32_t register_function(struct perfshim_link *,
					   struct perfshim_site *const *,
					   struct perfshim_site *const *);
	register_function *found = 0;

	if (perfshim_link_.state != 0)
		return;
	perfshim_link_.size = (uint32_t)sizeof(perfshim_link_);
	if (perfshim_find_ != 0)
		found = __extension__(register_function *)
		    perfshim_find_(0, "perfshim_register_v1");
	perfshim_link_.state =
	    found != 0 ? found(&perfshim_link_, perfshim_first_, perfshim_last_)
		       : 1u;
}

__attribute__((constructor, unused)) static void
perfshim_module_starts_(void)
{
	perfshim_look_up_();
}

/* A site's first use, if no constructor listed it before. */
__attribute__((cold, noinline, unused)) static uintptr_t
perfshim_ask_(struct perfshim_site *site)
{
	perfshim_look_up_();
	if (perfshim_link_.state == 2)
		perfshim_link_.resolve(site);
	else
		site->slot = PERFSHIM_OFF_;
	return site->slot;
}

__attribute__((always_inline, unused)) static inline uintptr_t
perfshim_slot_(struct perfshim_site *site)
{
	uintptr_t slot = *(volatile uintptr_t *)&site->slot;

	return __builtin_expect(slot == 0, 0) ? perfshim_ask_(site) : slot;
}

__attribute__((always_inline, unused)) static inline void
perfshim_begin_(struct perfshim_site *site)
{
	uintptr_t slot = perfshim_slot_(site);

	PERFSHIM_PROBE_(begin, site);
	if (__builtin_expect(slot != PERFSHIM_OFF_, 0))
		perfshim_link_.begin(slot, 0);
}

__attribute__((always_inline, unused)) static inline void
perfshim_end_(struct perfshim_site *site)
{
	uintptr_t slot = perfshim_slot_(site);

	PERFSHIM_PROBE_(end, site);
	if (__builtin_expect(slot != PERFSHIM_OFF_, 0))
		perfshim_link_.end(slot);
}

/* A scoped section. */
struct perfshim_scope {
	uintptr_t slot;
	int is_first;
#ifdef PERFSHIM_SDT
	const struct perfshim_site *site;
#endif
};

/* Not begun yet. */
__attribute__((always_inline, unused)) static inline struct perfshim_scope
perfshim_scope_open_(void)
{
	struct perfshim_scope scope;

	scope.slot = PERFSHIM_OFF_;
	scope.is_first = 1;
#ifdef PERFSHIM_SDT
	scope.site = 0;
#endif
	return scope;
}

/* The anchor's address tells whether its frame still exists; the scope itself
 * stays in registers. */
__attribute__((always_inline, unused)) static inline void
perfshim_scope_begin_(struct perfshim_scope *scope, struct perfshim_site *site)
{
	char anchor;

	scope->slot = perfshim_slot_(site);
	scope->is_first = 1;
#ifdef PERFSHIM_SDT
	scope->site = site;
#endif
	PERFSHIM_PROBE_(begin, site);
	if (__builtin_expect(scope->slot != PERFSHIM_OFF_, 0))
		perfshim_link_.begin(scope->slot, &anchor);
}

__attribute__((always_inline, unused)) static inline void
perfshim_scope_end_(struct perfshim_scope *scope)
{
#ifdef PERFSHIM_SDT
	if (scope->site != 0)
		PERFSHIM_PROBE_(end, scope->site);
#endif
	if (__builtin_expect(scope->slot != PERFSHIM_OFF_, 0)) {
		perfshim_link_.end(scope->slot);
		/* No tail call: the frame would be gone, as after longjmp. */
		__asm__ volatile("");
	}
}

#define PERFSHIM_JOIN2_(a, b) a##b
#define PERFSHIM_JOIN_(a, b) PERFSHIM_JOIN2_(a, b)
#define PERFSHIM_ID_(prefix) PERFSHIM_JOIN_(prefix, __LINE__)

#define PERFSHIM_SITE_INIT_(name)                                              \
	{                                                                      \
		(uint32_t)sizeof(struct perfshim_site), PERFSHIM_ABI, name,    \
		    __FILE__, __LINE__, 0, 0                                   \
	}

/*
 * In C a site is listed in section perfshim_sites.  In C++ it may lie in an
 * inline function, whose variables cannot share a section with others, and so
 * it asks when it is first used.  `retain` keeps the list when the linker
 * collects unused sections (lld's default with --gc-sections).
 */
#ifdef __cplusplus
#define PERFSHIM_LISTED_(site)
#else
#ifdef __has_attribute
#if __has_attribute(retain)
#define PERFSHIM_RETAIN_ , retain
#endif
#endif
#ifndef PERFSHIM_RETAIN_
#define PERFSHIM_RETAIN_
#endif
#define PERFSHIM_LISTED_(site)                                                 \
	static struct perfshim_site *const perfshim_listed_ __attribute__((    \
	    section("perfshim_sites"), used PERFSHIM_RETAIN_)) = &site;
#endif

#define PERFSHIM_SITE_(name)                                                   \
	__extension__({                                                        \
		static struct perfshim_site perfshim_site_ =                   \
		    PERFSHIM_SITE_INIT_(name);                                 \
		PERFSHIM_LISTED_(perfshim_site_)                               \
		&perfshim_site_;                                               \
	})

#define PERFSHIM_BEGIN(name) perfshim_begin_(PERFSHIM_SITE_(name))
#define PERFSHIM_END(name) perfshim_end_(PERFSHIM_SITE_(name))

#define PERFSHIM_SCOPE_(id)                                                    \
	struct perfshim_scope id                                               \
	    __attribute__((cleanup(perfshim_scope_end_), unused))

#define PERFSHIM_FUNCTION()                                                    \
	PERFSHIM_SCOPE_(PERFSHIM_ID_(perfshim_function_)) =                    \
	    perfshim_scope_open_();                                            \
	perfshim_scope_begin_(&PERFSHIM_ID_(perfshim_function_),               \
			      PERFSHIM_SITE_OF_FUNCTION_())

/* __func__ is no constant expression, so its site is named when it asks. */
#define PERFSHIM_SITE_OF_FUNCTION_()                                           \
	__extension__({                                                        \
		static struct perfshim_site perfshim_site_ =                   \
		    PERFSHIM_SITE_INIT_(0);                                    \
		if (__builtin_expect(perfshim_site_.name == 0, 0))             \
			perfshim_site_.name = __func__;                        \
		&perfshim_site_;                                               \
	})

#define PERFSHIM_SECTION(name)                                                 \
	for (PERFSHIM_SCOPE_(PERFSHIM_ID_(perfshim_scope_)) =                  \
		 perfshim_scope_open_();                                       \
	     perfshim_scope_once_(&PERFSHIM_ID_(perfshim_scope_),              \
				  PERFSHIM_SITE_(name));)

__attribute__((always_inline, unused)) static inline int
perfshim_scope_once_(struct perfshim_scope *scope, struct perfshim_site *site)
{
	if (!scope->is_first)
		return 0;
	perfshim_scope_begin_(scope, site);
	scope->is_first = 0;
	return 1;
}

__attribute__((always_inline, unused)) static inline void
perfshim_span_begin_(perfshim_span *span, struct perfshim_site *site)
{
	span->slot = perfshim_slot_(site);
	span->begun = 0;
	PERFSHIM_PROBE_(span_begin, site);
	if (__builtin_expect(span->slot != PERFSHIM_OFF_, 0))
		perfshim_link_.span_begin(span->slot, span);
}

#define PERFSHIM_SPAN_BEGIN(span, name)                                        \
	perfshim_span_begin_(span, PERFSHIM_SITE_(name))

__attribute__((always_inline, unused)) static inline void
PERFSHIM_SPAN_END(perfshim_span *span)
{
#ifdef PERFSHIM_SDT
	PERFSHIM_PROBE_OF_(span_end, span);
#endif
	if (__builtin_expect(span->slot > PERFSHIM_OFF_, 0))
		perfshim_link_.span_end(span);
}

/* ---- work done, and allocators of the program's own ---------------------- */

/* Whether the profiler is there; asks it when nobody has. */
__attribute__((always_inline, unused)) static inline int
perfshim_is_there_(void)
{
	if (__builtin_expect(perfshim_link_.state == 1, 1))
		return 0;
	if (perfshim_link_.state == 0)
		perfshim_look_up_();
	return perfshim_link_.state == 2 && perfshim_link_.pool_leave != 0;
}

__attribute__((always_inline, unused)) static inline void
perfshim_add_(uint32_t what, uint64_t n)
{
	if (perfshim_is_there_())
		perfshim_link_.add(what, n);
}

#define PERFSHIM_BYTES(n) perfshim_add_(PERFSHIM_BYTES_, n)
#define PERFSHIM_ITEMS(n) perfshim_add_(PERFSHIM_ITEMS_, n)
#define PERFSHIM_FLOPS(n) perfshim_add_(PERFSHIM_FLOPS_, n)

__attribute__((always_inline, unused)) static inline void
PERFSHIM_ALLOCATED(const void *block, size_t bytes)
{
	if (perfshim_is_there_())
		perfshim_link_.allocated(block, bytes);
}

__attribute__((always_inline, unused)) static inline void
PERFSHIM_FREED(const void *block, size_t bytes)
{
	if (perfshim_is_there_())
		perfshim_link_.freed(block, bytes);
}

struct perfshim_pool_mark {
	int is_in;
	int is_first;
};

__attribute__((always_inline, unused)) static inline struct perfshim_pool_mark
perfshim_pool_open_(void)
{
	struct perfshim_pool_mark pool;

	pool.is_in = perfshim_is_there_() && perfshim_link_.pool_enter();
	pool.is_first = 1;
	return pool;
}

__attribute__((always_inline, unused)) static inline void
perfshim_pool_close_(struct perfshim_pool_mark *pool)
{
	if (pool->is_in)
		perfshim_link_.pool_leave();
}

#define PERFSHIM_POOL PERFSHIM_POOL_(PERFSHIM_ID_(perfshim_pool_))
#define PERFSHIM_POOL_(id)                                                     \
	for (struct perfshim_pool_mark id                                      \
	     __attribute__((cleanup(perfshim_pool_close_), unused)) =          \
		 perfshim_pool_open_();                                        \
	     id.is_first; id.is_first = 0)

#endif /* PERFSHIM_NO_MARKS */

#ifdef __cplusplus
}
#endif

#endif /* PERFSHIM_DISABLE */
/* A call of the section failed: a call of NAME:error, which rules on
 * errors(NAME) set against those of NAME. */
#define PERFSHIM_ERROR(name)                                                   \
	do {                                                                   \
		PERFSHIM_BEGIN(name ":error");                                 \
		PERFSHIM_END(name ":error");                                   \
	} while (0)

#endif /* PERFSHIM_H */
