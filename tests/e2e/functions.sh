#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# functions: a program built with -finstrument-functions is timed without a mark.
. "$E2E/lib.sh"
need gcc

cat >calls.c <<'END'
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static jmp_buf back;
static void *volatile sink;
static int leaf(int n) { return n + 1; }
int middle(int n) { sink = malloc(10); free(sink); return leaf(n) + leaf(n); }
int db_read(int n) { usleep(2000); return n; }
int db_write(int n) { return n * 2; }
int recursive(int n) { return n == 0 ? 0 : 1 + recursive(n - 1); }
static void jumps(int n) { if (n == 0) longjmp(back, 1); jumps(n - 1); }
int main(void)
{
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += middle(i);
	for (int i = 0; i < 3; i++)
		sum += db_read(i) + db_write(i);
	sum += recursive(50);
	for (volatile int i = 0; i < 5; i++)
		if (setjmp(back) == 0)
			jumps(3);
	sum += leaf(1);
	printf("%d\n", sum);
	return 0;
}
END

build()
{
	"$@" -g -finstrument-functions >build.log 2>&1 || fail "to build: $*" "$(<build.log)"
}

build gcc -O1 -o calls calls.c
run_both ./calls
json
expect 'section("main")["calls"] == 1' 'section("middle")["calls"] == 100' \
	'section("leaf")["calls"] == 201' 'section("middle")["allocations"] == 100' \
	'section("recursive")["calls"] == 51' 'section("db_read")["calls"] == 3' \
	'section("db_read")["total_s"] >= 0.006' 'section("db_read")["cpu_s"] < 0.003' \
	'section("jumps")["calls"] == 20' \
	'[n["calls"] for n in section_tree if n["name"] == "leaf"] in ([200, 1], [1, 200])'
report
report_has 'main +1 ' '20 section ends without their begin'
folded=$("$B/perfreport" --folded=time "$(recording)")
has "$folded" 'calls;main;middle;leaf [0-9]+' 'the folded stacks'

# A glob chooses, also among static functions; off is off.
run_shim PERFSHIM_SECTIONS='db_*,leaf' ./calls
same_output
json
expect '{s["name"]: s["calls"] for s in sections} == {"db_read": 3, "db_write": 3, "leaf": 201}'
run_shim PERFSHIM_SECTIONS=off ./calls
same_output
json
expect 'sections == []'

# The report at exit names them too, without perfreport.
bare=$(LD_PRELOAD=$LIB ./calls 2>&1 >/dev/null)
has "$bare" 'db_read +3 ' 'the report at exit'

# Without symbols, a function is its place in the module.
strip -o stripped calls
run_both ./stripped
json
expect 'any(s["calls"] == 100 and s["name"].startswith("stripped+0x") for s in sections)'

# Many functions, more than the table holds: counted, bounded, and the rest is right.
python - >many.c <<'END'
for i in range(3200):
    print("int f%d(int n) { return n + %d; }" % (i, i))
print("#include <stdio.h>\nint main(void) { int s = 0;")
for i in range(3200):
    print("s += f%d(s & 1);" % i)
print('printf("%d\\n", s); return 0; }')
END
build gcc -O0 -o many many.c
run_shim ./many
json
expect 'sum(s["calls"] for s in sections) >= 2900' 'all(s["calls"] == 1 for s in sections)'
report
report_has 'rows that found no room'

if type -P g++ >/dev/null; then
	cat >throws.cc <<'END'
#include <cstdio>
namespace store {
struct table {
	int get(int key) { if (key % 2) throw key; return key; }
};
}
int main()
{
	store::table t;
	int caught = 0;
	for (int i = 0; i < 10; i++) {
		try { t.get(i); } catch (int) { caught++; }
	}
	std::printf("%d\n", caught);
	return 0;
}
END
	build g++ -O1 -o throws throws.cc
	run_both ./throws
	json
	expect 'section("store::table::get(int)")["calls"] == 10'
	report
	hasnt "$text" 'without their begin' 'the report of exceptions'
	run_shim PERFSHIM_SECTIONS='store::*' ./throws
	json
	expect '[s["name"] for s in sections] == ["store::table::get(int)"]'
fi

# In a forked child and in threads, and in a module that is unloaded and loaded again.
cat >plugin.c <<'END'
int plugin_function(int n) { return n + 1; }
END
build gcc -O1 -fPIC -shared -o plugin.so plugin.c
cat >life.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *volatile sink;
int counted(int n) { return n; }
void *thread(void *p) { for (int i = 0; i < 100; i++) counted(i); return p; }
int main(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, thread, NULL);
	for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
	for (int i = 0; i < 3; i++) {
		void *module = dlopen(PLUGIN, RTLD_NOW);
		int (*f)(int) = (int (*)(int))dlsym(module, "plugin_function");
		f(1);
		dlclose(module);
	}
	if (fork() == 0) {
		counted(1);
		sink = malloc(10);
		exit(0);
	}
	wait(NULL);
	puts("done");
	return 0;
}
END
build gcc -O1 "-DPLUGIN=\"$PWD/plugin.so\"" -o life life.c -ldl -lpthread
rm -rf rec
run_both ./life
json
expect 'section("counted")["calls"] == 400' 'section("thread")["threads"] == 4' \
	'sum(s["calls"] for s in sections if s["name"] == "plugin_function") == 3'
for file in rec/life.*; do
	[[ $file == rec/life.$(<shim.pid).* ]] && continue
	folded=$("$B/perfreport" --folded=time "$file")
	has "$folded" 'life;main;counted [0-9]+' "the child's folded stacks"
	found=1
done
[ "${found-0}" -eq 1 ] || fail 'a recording of the child' "$(ls rec)"

# The first function with marks is a child's, whose recording has not begun.
cat >marked.c <<'END'
static volatile int sink;
void inner(void) { sink++; }
void outer(void) { inner(); }
END
cat >plain.c <<'END'
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
void outer(void);
int main(void)
{
	if (fork() == 0) {
		outer();
		_exit(0);
	}
	wait(NULL);
	puts("done");
	return 0;
}
END
build gcc -O0 -c marked.c
gcc -g -o plain plain.c marked.o || fail 'to compile'
rm -rf rec
run_shim ./plain
for file in rec/plain.*; do
	[[ $file == rec/plain.$(<shim.pid).* ]] && continue
	"$B/perfreport" --json -o report.json "$file" || fail "perfreport to read $file"
	expect 'section("outer")["calls"] == 1' 'section("inner")["calls"] == 1'
done
