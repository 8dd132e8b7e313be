# SPDX-License-Identifier: MIT
"""accept_programs: programs of other languages and tools, one shell script each, whose
status and output are compared; each line that it writes is a test."""
import shutil

# name: (tools, script).  A script ends with its own status; what it writes must
# be the same in each run, so it prints no time, address or process.
PROGRAMS = {
    "java": (("java", "javac"), r"""
cat >A.java <<'END'
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
public class A {
	static int depth(int n) { return n == 0 ? 0 : 1 + depth(n - 1); }
	public static void main(String[] x) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(8);
		List<Future<Long>> all = new ArrayList<>();
		for (int t = 0; t < 32; t++) {
			final int s = t;
			all.add(pool.submit(() -> {
				Map<Integer, byte[]> m = new HashMap<>();
				long sum = 0;
				Random r = new Random(s);
				for (int i = 0; i < 20000; i++) {
					byte[] b = m.put(r.nextInt(500), new byte[r.nextInt(4000)]);
					if (b != null) sum += b.length;
				}
				return sum;
			}));
		}
		long sum = 0;
		for (Future<Long> f : all) sum += f.get();
		pool.shutdown();
		System.out.println("threads " + sum);
		try { depth(100000000); } catch (StackOverflowError e) { System.out.println("overflow caught"); }
		try { Object[] o = new Object[Integer.MAX_VALUE]; System.out.println(o.length); }
		catch (OutOfMemoryError e) { System.out.println("memory caught"); }
		String n = null;
		try { n.length(); } catch (NullPointerException e) { System.out.println("null caught"); }
		Process p = new ProcessBuilder("sh", "-c", "echo child; exit 3").redirectErrorStream(true).start();
		System.out.print(new String(p.getInputStream().readAllBytes()));
		System.out.println("child " + p.waitFor());
		java.nio.ByteBuffer d = java.nio.ByteBuffer.allocateDirect(1 << 24);
		d.putLong(8, 42);
		System.out.println("direct " + d.getLong(8));
		System.out.println(IntStream.range(0, 1000000).parallel().mapToObj(Integer::toString)
			.collect(Collectors.groupingBy(String::length, TreeMap::new, Collectors.counting())));
		Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
		System.exit(5);
	}
}
END
javac A.java; echo "javac $?"
for gc in Serial Parallel G1 Z Shenandoah; do
	java -Xmx256m -XX:+Use${gc}GC A; echo "$gc $?"
done
java -Xint -Xmx128m A | tail -n 2
java -Xmx128m -XX:NativeMemoryTracking=summary A | tail -n 1
"""),
    "node": (("node",), r"""
cat >a.js <<'END'
const { Worker, isMainThread, workerData, parentPort } = require('worker_threads');
const cp = require('child_process'), zlib = require('zlib'), crypto = require('crypto'), fs = require('fs');
if (!isMainThread) {
	let a = [];
	for (let i = 0; i < 200000; i++) a[i % 5000] = Buffer.alloc(i % 300, workerData);
	parentPort.postMessage(a.reduce((s, b) => s + b.length, 0));
} else (async () => {
	const one = w => new Promise((ok, no) => new Worker(__filename, { workerData: w }).on('message', ok).on('error', no));
	console.log('workers', (await Promise.all([1, 2, 3, 4].map(one))).join());
	const big = crypto.createHash('sha256').update(Buffer.alloc(5e6, 'x')).digest('hex');
	console.log('hash', big);
	const z = await new Promise(r => zlib.deflate(Buffer.alloc(3e6, 'abc'), (e, b) => r(b)));
	console.log('zlib', zlib.inflateSync(z).length);
	console.log('spawn', cp.spawnSync('sh', ['-c', 'echo hi; exit 4']).status);
	console.log('fork', await new Promise(r => cp.fork('-e', ['process.exit(6)'], { execArgv: [] }).on('exit', r)));
	await Promise.all([...Array(200).keys()].map(i => fs.promises.writeFile('f' + i, 'x'.repeat(i * 10))));
	console.log('files', fs.readdirSync('.').filter(n => /^f\d/.test(n)).length);
	const f = n => n ? 1 + f(n - 1) : 0;
	try { f(1e7); } catch (e) { console.log(e.constructor.name); }
	const server = require('http').createServer((q, s) => s.end('y'.repeat(1e5))).listen(0, async () => {
		const all = await Promise.all([...Array(50)].map(() => fetch('http://127.0.0.1:' + server.address().port).then(r => r.text())));
		console.log('http', all.reduce((s, t) => s + t.length, 0));
		await new Promise(r => server.close(r), server.closeAllConnections());
		process.exitCode = 9;
	});
})();
END
node a.js; echo "node $?"
node --max-old-space-size=64 -e 'let s = ""; for (let i = 0; i < 1e6; i++) s += i; console.log(s.length)'; echo "heap $?"
echo 'console.log(process.memoryUsage().rss > 0)' | node -; echo "stdin $?"
"""),
    "rust": (("rustc",), r"""
cat >a.rs <<'END'
use std::collections::*;
use std::{panic, process, sync::*, thread};
fn main() {
    let (tx, rx) = mpsc::channel::<Vec<String>>();
    let shared = Arc::new(Mutex::new(BTreeMap::new()));
    let all: Vec<_> = (0..8).map(|t| {
        let (tx, shared) = (tx.clone(), shared.clone());
        thread::spawn(move || for i in 0..2000u64 {
            tx.send((0..i % 17).map(|n| format!("{}-{}-{}", t, i, n)).collect()).unwrap();
            *shared.lock().unwrap().entry(i % 97).or_insert(0u64) += i;
        })
    }).collect();
    drop(tx);
    println!("messages {}", rx.iter().map(|v| v.iter().map(String::len).sum::<usize>()).sum::<usize>());
    for t in all { t.join().unwrap(); }
    println!("shared {}", shared.lock().unwrap().values().sum::<u64>());
    panic::set_hook(Box::new(|_| ()));
    println!("panic {}", panic::catch_unwind(|| { let v: Vec<u8> = vec![]; v[3] }).is_err());
    println!("thread {}", thread::spawn(|| -> () { panic!() }).join().is_err());
    let mut v: Vec<u64> = Vec::new();
    println!("reserve {}", v.try_reserve(usize::MAX / 16).is_err());
    for i in 0..3_000_000 { v.push(i); }
    v.shrink_to(10);
    println!("grown {}", v.iter().sum::<u64>());
    let out = process::Command::new("sh").args(["-c", "exit 7"]).status().unwrap();
    println!("child {:?}", out.code());
    process::exit(4);
}
END
rustc -O a.rs; echo "rustc $?"
./a; echo "rust $?"
rustc -C panic=abort -g -o b a.rs && ./b | head -n 2
"""),
    "gcc": (("gcc", "g++"), r"""
for level in 0 1 2 3 s; do
	i=0
	for n in 10 100 1000 5000; do
		i=$((i + 1))
		{
			echo 'extern int puts(const char *); static int v[64];'
			j=0
			while [ $j -lt $n ]; do
				echo "static int f$j(int a, int b) { for (int i = 0; i < a; i++) b += v[(i * $j) & 63] ^ (a << (i & 7)); return b > $j ? b - $j : f$j(1, b + $j * 2 + 1) + a; }"
				echo "int (*p$j)(int, int) = f$j;"
				j=$((j + 250))
			done
			echo 'int main(void) { return p0(3, 4) & 127; }'
		} >t$i.c
		gcc -O$level -g -ffile-prefix-map=$PWD=. -c t$i.c -o t.o; echo "gcc -O$level $i $(sha1sum <t.o)"
	done
done
cat >t.cc <<'END'
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <thread>
#include <variant>
#include <vector>
#include <stdexcept>
#include <cstdio>
#include <new>
struct alignas(128) wide { char c[256]; };
int main() {
	std::map<std::string, std::vector<std::variant<int, std::string>>> m;
	std::vector<std::thread> t;
	for (int i = 0; i < 20000; i++) m[std::to_string(i % 777)].push_back(std::to_string(i));
	size_t n = 0, thrown = 0, off = 0;
	std::regex r("^(1|7)+");
	for (auto &e : m) n += std::regex_search(e.first, r) ? e.second.size() : 1;
	for (int i = 0; i < 3000; i++) try { throw std::runtime_error(std::string(i % 100, 'x')); } catch (std::exception &e) { thrown += __builtin_strlen(e.what()); }
	for (int i = 0; i < 8; i++) t.emplace_back([] { for (int i = 0; i < 5000; i++) { wide *w = new wide[3]; delete[] w; } });
	for (auto &x : t) x.join();
	wide *w = new wide; off = (size_t)w % 128; delete w;
	try { (void)new char[(size_t)1 << 62]; } catch (std::bad_alloc &) { thrown++; }
	std::printf("c++ %zu %zu %zu\n", n, thrown, off);
}
END
g++ -std=c++17 -O2 t.cc -o tt -pthread; echo "g++ $?"; ./tt; echo "run $?"
g++ -std=c++17 -O2 -flto t.cc -o tl -pthread; echo "lto $?"; ./tl
gcc -x c - -o bad </dev/null 2>/dev/null; echo "no main $?"
echo 'int x = ;' | gcc -x c -c - -o bad 2>/dev/null; echo "syntax $?"
"""),
    "tools": (("perl", "awk", "sed", "sort", "xz", "tar"), r"""
perl -e 'my %h; $h{$_ % 9973} .= "$_," for 1..400000; my $s = 0; $s += length for values %h; print "perl $s\n"'
perl -MList::Util=sum -e 'my @k = map { my $p = open(my $f, "-|") // die; if (!$p) { print $_ * 2; exit $_ % 5 } my $l = <$f>; close $f; $l + ($? >> 8) } 1..60; print "perl forks ", sum(@k), "\n"'
seq 300000 | awk '{ a[$1 % 1009] = a[$1 % 1009] $1 } END { for (k in a) n += length(a[k]); print "awk", n }'
seq 200000 | sed -n 's/7/seven/gp' | sort -r | uniq | wc -lc
seq 400000 | sort -R --random-source=/dev/zero --parallel=4 -S 20M | sort -n | cksum
seq 500000 | xz -T2 -9 | xz -d | cksum
seq 500000 | gzip -9 | gzip -d | cksum
seq 500000 | bzip2 | bzip2 -d | cksum
mkdir d && (cd d && for i in $(seq 300); do seq $i >f$i; done) && tar cf - d | tar tvf - | wc -l
find d -type f -exec sh -c 'wc -c <"$1"' x {} \; | sort -n | cksum
find d -type f | xargs -P 4 -n 5 cksum | sort | cksum
bash -c 'for i in {1..400}; do (exit $((i % 7))) || n=$((n + $?)); done; echo "bash $n"'
bash -c 'coproc cat; echo through >&"${COPROC[1]}"; read x <&"${COPROC[0]}"; echo "$x"; kill $COPROC_PID; trap "echo term; exit 3" TERM; kill $$; sleep 1'; echo "bash $?"
echo '2^9999' | bc 2>/dev/null | cksum
m4 -Q /dev/null; echo "m4 $?"
sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x + 1 from c where x < 200000) select sum(x), count(*), length(group_concat(x)) from c' 2>/dev/null; echo "sqlite $?"
git init -q g && cd g && for i in 1 2 3 4 5 6; do seq $((i * 1000)) >f && git add f && git -c user.name=a -c user.email=b@c -c commit.gpgsign=false commit -q --date=2020-01-01T00:00:00Z -m $i; done; git gc -q; git fsck 2>&1 | wc -l; git log --format=%s | tr '\n' ' '; git grep -c 77 HEAD~2
"""),
}


def program_results(program, run):
    """{line: verdict}: those of a run without the preload are what is expected."""
    tools, script = program
    if any(shutil.which(tool) is None for tool in tools):
        return {"(whole)": "skip"}
    status = run.start(["bash", "-c", script], "log", 600)
    found = {"(whole)": "ok" if status == 0 else "fail"}
    lines = run.text("log").splitlines()
    found.update({"%d: %s" % pair: "ok" for pair in enumerate(lines)})
    return found
