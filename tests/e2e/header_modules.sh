#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# header_modules: marks in programs and plugins that come, go and come back.
. "$E2E/lib.sh"
need gcc

HEADER=$(realpath "$E2E/../../shim")

cat >plugin.c <<'END'
#include <perfshim.h>
#include <stdlib.h>
static void *volatile sink;
int plugin_work(int n)
{
	for (int i = 0; i < n; i++) {
		PERFSHIM_SECTION("same_name") {
			PERFSHIM_SECTION(OWN) { sink = malloc(10); free(sink); }
		}
	}
	return n;
}
/* Two modules, two addresses: the padding moves what is loaded again. */
char padding[PADDING];
END
cat >early.c <<'END'
#include <perfshim.h>
/* Of a library that the loader initialises before the preload. */
__attribute__((constructor(101))) static void early(void)
{
	PERFSHIM_SECTION("in_a_constructor") { }
}
__attribute__((destructor)) static void late(void)
{
	PERFSHIM_SECTION("in_a_destructor") { }
}
int early_is_linked(void) { return 1; }
END
cat >program.c <<'END'
#include <dlfcn.h>
#include <perfshim.h>
#include <stdio.h>
#include <sys/mman.h>
int early_is_linked(void);
static int run(const char *path, void **where)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*work)(int);
	int result = 0;
	if (module == NULL) { puts(dlerror()); return 1000; }
	work = (int (*)(int))dlsym(module, "plugin_work");
	*where = (void *)work;
	PERFSHIM_SECTION("same_name") { result = work(10); }
	dlclose(module);
	return result;
}
int main(void)
{
	void *first, *again, *second;
	int sum = run("./one.so", &first);
	/* Its place is taken, so that it is loaded elsewhere. */
	mmap((char *)first - ((unsigned long)first & 4095), 4096, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	sum += run("./one.so", &again) + run("./two.so", &second);
	printf("%d %d\n", sum + early_is_linked(), first != again);
	return 0;
}
END

build()
{
	gcc -Wall -Werror "-I$HEADER" "$@" >build.log 2>&1 || fail "to build: $*" "$(<build.log)"
}

build -O2 -fPIC -shared -o one.so plugin.c -DOWN='"of_one"' -DPADDING=1
build -O2 -fPIC -shared -o two.so plugin.c -DOWN='"of_two"' -DPADDING=100000
build -O2 -fPIC -shared -o libearly.so early.c
for flags in '-pie -fPIE' '-no-pie -fno-pie' '-pie -fPIE -s'; do
	# shellcheck disable=SC2086 # several words are meant
	build -O2 $flags -o program program.c -ldl -L. -learly "-Wl,-rpath,$PWD"
	run_both ./program
	equal '31 1' "$(<shim.out)" "one plugin at two addresses, with $flags"
	json
	expect 'section("same_name")["calls"] == 33' 'section("of_one")["calls"] == 20' \
		'section("of_two")["calls"] == 10' 'section("of_one")["allocations"] == 20' \
		'section("in_a_constructor")["calls"] == 1' \
		'section("in_a_destructor")["calls"] == 1' 'len(sections) == 5'
	# The plugin's sections are below those around it, whoever marked them.
	expect '[n["calls"] for n in section_tree if n["name"] == "of_two"] == [10]' \
		'max(n["calls"] for n in section_tree if n["name"] == "same_name") == 30'
done

# Stripped to the last symbol, and by lld, which drops what nothing refers to.
strip one.so two.so libearly.so program
run_shim ./program
json
expect 'section("same_name")["calls"] == 33' 'section("of_one")["calls"] == 20'

# ---- a program with an older header, whose link is shorter ------------------

cat >older.c <<'END'
#define PERFSHIM_NO_MARKS
#include <perfshim.h>
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
int main(void)
{
	struct { struct perfshim_link link; long guard; } old = { .guard = 42 };
	struct perfshim_site site = { sizeof(site), PERFSHIM_ABI, "older", "", 1, 0, 0 };
	struct perfshim_site *sites[] = { &site };
	uint32_t (*found)(struct perfshim_link *, struct perfshim_site *const *,
			  struct perfshim_site *const *) =
		(uint32_t (*)(struct perfshim_link *, struct perfshim_site *const *,
			      struct perfshim_site *const *))
		dlsym(RTLD_DEFAULT, "perfshim_register_v1");
	old.link.size = offsetof(struct perfshim_link, add);
	if (found == NULL || found(&old.link, sites, sites + 1) != 2)
		return 1;
	old.link.begin(site.slot, NULL);
	old.link.end(site.slot);
	printf("%d\n", old.link.add == NULL && old.guard == 42);
	return 0;
}
END
build -O2 -o older older.c -ldl
run_shim ./older
equal 1 "$(<shim.out)" 'a shorter link is filled to its end'
json
expect 'section("older")["calls"] == 1'

# ---- an allocator of the program's own --------------------------------------

cat >pool.c <<'END'
#include <perfshim.h>
#include <stdio.h>
#include <stdlib.h>
enum { BLOCK = 1000, BLOCKS = 1000 };
static char *chunk;
static int used;
__attribute__((noinline)) void *pool_alloc(void)
{
	void *block;
	if (chunk == NULL)
		PERFSHIM_POOL { chunk = malloc(BLOCK * BLOCKS); }
	block = chunk + BLOCK * used++;
	PERFSHIM_ALLOCATED(block, BLOCK);
	return block;
}
void pool_free(void *block) { PERFSHIM_FREED(block, BLOCK); }
__attribute__((noinline)) void *user(void) { return pool_alloc(); }
int main(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		void *block;
		PERFSHIM_SECTION("pool") { block = user(); }
		if (i % 10 != 0)
			pool_free(block);
	}
	puts("done");
	return 0;
}
END
build -O1 -g -fno-optimize-sibling-calls -o pool pool.c
run_bare ./pool
run_shim PERFSHIM_SAMPLE=all ./pool
same_output
json
# Of 1000 blocks 100 live on; the chunk below them is nobody's.  puts has a buffer.
expect 'section("pool")["allocations"] == 1000' 'section("pool")["bytes"] == 1000000' \
	'site("user", "allocations") == 1000' 'site("user", "live_bytes") == 100000' \
	'100000 <= heap["live_bytes"] < 110000' 'heap["peak_bytes"] < 110000' \
	'1000 <= heap["allocations"] <= 1002'

# ---- probes -----------------------------------------------------------------

if [ -e /usr/include/sys/sdt.h ] || [ -e /usr/include/x86_64-linux-gnu/sys/sdt.h ]; then
	cat >probed.c <<'END'
#define PERFSHIM_SDT 1
#include <perfshim.h>
int main(void)
{
	perfshim_span span;
	PERFSHIM_SPAN_BEGIN(&span, "spanned");
	PERFSHIM_BEGIN("bracketed");
	PERFSHIM_SECTION("scoped") { }
	PERFSHIM_END("bracketed");
	PERFSHIM_SPAN_END(&span);
	return 0;
}
END
	for probe in span_begin begin end span_end; do
		printf 'break -probe-stap perfshim:%s\ncommands\nsilent\n' "$probe"
		case $probe in
		span_end) printf '%s\n' 'echo span_end\n' ;;
		*) printf 'printf "%s %%s\\n", (char *)$_probe_arg0\n' "$probe" ;;
		esac
		printf 'continue\nend\n'
	done >probes.gdb
	printf 'info probes stap perfshim\nrun\n' >>probes.gdb
	for compiler in gcc g++ clang; do
		type -P "$compiler" >/dev/null || continue
		cp probed.c probed.cc
		source=probed.c
		[ "$compiler" = g++ ] && source=probed.cc
		"$compiler" -O2 -Wall -Wextra -Werror "-I$HEADER" -o probed "$source" >build.log 2>&1 ||
			fail "probes to build with $compiler" "$(head -n 5 build.log)"
		notes=$(readelf -n probed)
		has "$notes" 'Provider: perfshim' "the notes of $compiler"
		for probe in begin end span_begin span_end; do
			has "$notes" "Name: $probe"$'\n' "the notes of $compiler"
		done
		run_both ./probed
		json
		expect 'section("scoped")["calls"] == 1' 'section("spanned")["calls"] == 1'
		# Stopped at by gdb, without the shim, they have the names of the report.
		type -P gdb >/dev/null || continue
		gdb -nx -batch -x probes.gdb ./probed >gdb.out 2>&1
		has "$(<gdb.out)" 'stap +perfshim +span_end ' "gdb's list of probes, of $compiler"
		equal "$(printf '%s\n' 'span_begin spanned' 'begin bracketed' 'begin scoped' 'end scoped' \
			'end bracketed' 'span_end')" "$(grep -E '^(span_)?(begin|end)' gdb.out)" \
			"what gdb stops at, of $compiler"
		equal "$(sed -En 's/^(span_)?begin //p' gdb.out | sort)" \
			"$(value '"\n".join(sorted(s["name"] for s in sections))')" "the names, of $compiler"
		type -P perf >/dev/null || continue
		equal 4 "$(HOME=$PWD && export HOME && perf buildid-cache --add ./probed >perf.log 2>&1 &&
			perf list sdt 2>>perf.log | grep -cE 'sdt_perfshim:(span_)?(begin|end) ')" \
			"perf's list of probes, of $compiler"
	done
fi
