# SPDX-License-Identifier: MIT
"""accept_suites: which suites there are, how each is started, and what it says of a
test.  A suite has a name, parts that run alone, `prepare` (raises Skip) and `run`,
which returns {test: "ok" | "fail" | "skip"}; "(whole)" is how the part ended.

What is left out of a suite is left out for all variants, with its reason beside it.
"""
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree

from accept_programs import PROGRAMS, program_results
from accept_run import Skip, built, need, source
from accept_zoo import ZOO

HERE = os.path.dirname(os.path.abspath(__file__))


def whole(status, wanted=(0,)):
    return {"(whole)": "ok" if status in wanted else "fail"}


def tap(text, prefix=""):
    """{test: verdict} of the Test Anything Protocol."""
    found = {}
    for verdict, number, rest in re.findall(r"^(ok|not ok) (\d+)(.*)$", text, re.M):
        word = "skip" if re.search(r"# (skip|todo)", rest, re.I) else \
            "ok" if verdict == "ok" else "fail"
        found["%s%s" % (prefix, number)] = word
    return found


class CPython:
    name, about = "cpython", "CPython's own tests (Debian: libpython3.11-testsuite)"
    parts = {
        "process": "test_fork1 test_posix test_subprocess",
        "threads": "test_threading test_thread test_threadsignals test_concurrent_futures",
        "signal": "test_signal test_faulthandler",
        "memory": "test_mmap test_ctypes test_gc test_capi test_weakref test_memoryview test_array",
        "files": "test_os test_io test_tempfile test_socket",
        "fork": "test_multiprocessing_fork",
        "spawn": "test_multiprocessing_spawn",
        "asyncio": "test_asyncio",
        "values": "test_json test_pickle test_sqlite3 test_zlib test_re test_dict test_list test_unicode",
        "debug": "test_fork1 test_gc test_mmap test_ctypes test_threading test_list",
    }
    python = "/usr/bin/python3"

    def prepare(self, place):
        if subprocess.run([self.python, "-c", "import test.test_fork1, test.libregrtest"],
                          stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skip("no %s with its tests" % self.python)

    def run(self, part, run, only):
        env = {"PYTHONMALLOC": "malloc"} if part == "debug" else None
        found = {}
        # One by one: a module that hangs leaves no results of those before it.
        for module in self.parts[part].split():
            chosen = [test for test in only or () if module in test.split(".") or test == module + ": ended"]
            if only and not chosen:
                continue
            report = run.path(module + ".xml")
            command = [self.python, "-m", "test", "--timeout", "240", "--junit-xml", report]
            for test in chosen:
                if not test.endswith(": ended"):
                    command += ["-m", test]
            status = run.start(command + [module], module + ".log", 900, env=env)
            found[module + ": ended"] = "ok" if status == 0 else "fail"
            if os.path.exists(report):
                self.read(report, found)
        return found

    @staticmethod
    def read(report, found):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            kinds = {child.tag for child in case}
            found[case.get("name")] = "fail" if kinds & {"failure", "error"} else \
                "skip" if "skipped" in kinds else "ok"


class StressNg:
    name, about = "stress-ng", "its stressors, each for two seconds with --verify"
    # Without resources and forkheavy, which fill the disk for others.
    parts = {
        "process": "fork vfork clone spawn exec daemon zombie tree session wait kill vforkmany exit-group "
                   "ptrace seccomp env",
        "memory": "malloc bigheap brk stack stackmmap mmap mmapaddr mmapfixed mmapfork mmapmany mremap munmap "
                  "mlock mprotect madvise msync mincore memfd remap vm vm-addr vm-rw vm-segv vm-splice fault "
                  "userfaultfd secretmem shm shm-sysv tlb-shootdown",
        "threads": "pthread context futex mutex sem switch membarrier rseq atomic affinity",
        "signals": "sigsegv sigabrt sigfpe sigchld sigrt sigsuspend sigq signest sigpending sigio sigtrap "
                   "sigfd timer itimer opcode",
        "files": "close dup pipe epoll poll eventfd inotify dynlib procfs enosys getrandom mq msg plugin set vdso",
        "compute": "bsearch qsort tsearch hsearch lsearch list radixsort mergesort heapsort judy crypt matrix "
                   "regs cpu zlib nanosleep",
    }

    def prepare(self, place):
        need("stress-ng")

    def run(self, part, run, only):
        found = {}
        for name in self.parts[part].split():
            if only and name not in only:
                continue
            status = run.start(["stress-ng", "--" + name, "1", "--verify", "-t", "2", "--no-rand-seed"],
                               name + ".log", 60)
            # 3, 4: no resources, not implemented here.
            found[name] = "ok" if status == 0 else "skip" if status in (3, 4) else "fail"
        return found


class Redis:
    name, about = "redis", "the Tcl suite of its source, on the installed server"
    parts = {
        "types": "unit/type/string unit/type/incr unit/type/list unit/type/list-2 unit/type/list-3 "
                 "unit/type/set unit/type/zset unit/type/hash unit/type/stream unit/type/stream-cgroups",
        "disk": "integration/rdb integration/aof integration/aof-multi-part integration/shutdown "
                "integration/logging integration/redis-cli integration/redis-benchmark "
                "integration/dismiss-mem unit/aofrw unit/shutdown",
        "memory": "unit/other unit/multi unit/scripting unit/functions unit/lazyfree unit/limits "
                  "unit/obuf-limits unit/info unit/oom-score-adj unit/querybuf unit/client-eviction unit/maxmemory",
        "replicas": "integration/replication integration/corrupt-dump integration/replication-psync "
                    "unit/introspection unit/dump unit/keyspace unit/expire unit/sort unit/geo",
    }

    def prepare(self, place):
        need("redis-server", "tclsh")
        self.source = source(place, "redis")

    def run(self, part, run, only):
        tree = run.path("redis")
        shutil.copytree(self.source, tree, symlinks=True,
                        ignore=shutil.ignore_patterns("deps", "*.c", "*.h", "debian"))
        for tool in ("redis-server", "redis-cli", "redis-benchmark", "redis-sentinel", "redis-check-aof",
                     "redis-check-rdb"):
            os.symlink(shutil.which(tool) or "/nonexistent", os.path.join(tree, "src", tool))
        command = ["tclsh", "tests/test_helper.tcl", "--clients", "2", "--timeout", "300",
                   "--baseport", str(21000 + os.getpid() % 300 * 100), "--portcount", "4000"]
        found = {}
        # One by one: an exception in one breaks all off that are to come.
        for unit in self.parts[part].split():
            if only and not any(test.startswith(unit + ":") for test in only):
                continue
            log = unit.replace("/", "-") + ".log"
            status = run.start(command + ["--single", unit], log, 600, cwd=tree)
            found[unit + ": ended"] = "ok" if status == 0 else "fail"
            self.read(unit, re.sub(r"\x1b\[[0-9;]*m", "", run.text(log)), found)
        return found

    @staticmethod
    def read(unit, text, found):
        for verdict, test in re.findall(r"^\[(ok|err|skip|ignore)\]: (.*?)(?: \(\d+ ms\))?$", text, re.M):
            test = unit + ": " + re.sub(r" in tests/\S+$|\d{3,}|0x[0-9a-f]+", "", test)
            word = {"ok": "ok", "err": "fail"}.get(verdict, "skip")
            found[test] = "fail" if "fail" in (word, found.get(test)) else word


class SQLite:
    name, about = "sqlite", "the Tcl tests of its source, with the testfixture that it builds"
    parts = {
        "malloc": "malloc.test malloc3.test malloc4.test malloc5.test malloc7.test mallocA.test mallocB.test "
                  "mallocI.test memsubsys1.test softheap1.test zeroblob.test",
        "threads": "thread001.test thread002.test thread003.test thread004.test thread005.test thread1.test "
                   "thread2.test walthread.test",
        "quick": "select1.test select2.test insert.test delete.test where.test join.test trigger1.test "
                 "vacuum.test wal.test crash.test fts3.test rtree.test json101.test corrupt.test sort.test "
                 "with1.test window1.test pragma.test shared.test backup.test fuzz.test",
    }

    def prepare(self, place):
        need("tclsh", "gcc", "make")
        self.source = source(place, "sqlite3")
        fixture = os.path.join(self.source, "testfixture")
        if not os.path.exists(fixture):
            log = os.path.join(place, "sqlite3.log")
            built(["./configure", "-q"], self.source, log)
            built(["make", "-s", "-j2", "testfixture"], self.source, log)

    def run(self, part, run, only):
        found = {}
        for name in self.parts[part].split():
            path = os.path.join(self.source, "test", name)
            if not os.path.exists(path):
                path = next((os.path.join(base, name) for base, _, names in
                             os.walk(os.path.join(self.source, "ext")) if name in names), path)
            if not os.path.exists(path):
                continue
            status = run.start([os.path.join(self.source, "testfixture"), path], name + ".log", 600)
            text = run.text(name + ".log")
            count = re.search(r"(\d+) errors out of (\d+) tests", text)
            found[name + ": ended"] = "ok" if status == 0 and count else "fail"
            # It has a failure for each allocation, of which usable sizes decide.
            if not name.startswith("malloc"):
                found[name + ": tests " + (count.group(2) if count else "?")] = "ok"
            for test in re.findall(r"^! (\S+)", text, re.M):
                found[name + ": " + test] = "fail"
        return found


class Glibc:
    name, about = "glibc", "glibc's tests of malloc, built against the installed libc"
    parts = {"malloc": "*"}
    # What glibc's allocator alone says or does: its words in malloc_stats, its hooks, checks and tunables.
    left_out = ("tst-malloc-stats-cancellation", "tst-malloc-check", "tst-mtrace", "tst-safe-linking",
                "tst-compathooks-on", "tst-compathooks-off", "tst-interpose")

    # Headers of glibc's test library that they include, all of them one of ours.
    headers = ("support/check.h support/support.h support/xthread.h support/xunistd.h support/xsignal.h "
               "support/test-driver.h support/temp_file.h support/capture_subprocess.h libc-diag.h array_length.h")

    def prepare(self, place):
        need("gcc")
        tree = os.path.join(source(place, "glibc"), "malloc")
        self.bin, self.include = os.path.join(place, "glibc-tests"), os.path.join(place, "glibc-include")
        for folder in (self.bin, self.include + "/support"):
            os.makedirs(folder, exist_ok=True)
        # Beside headers of ours, since they include ../test-skeleton.c.
        shutil.copytree(tree, self.include + "/malloc", dirs_exist_ok=True)
        tree = self.include + "/malloc"
        for header in self.headers.split():
            self.forward(header, "support.h")
        for driver in ("support/test-driver.c", "test-skeleton.c"):
            self.forward(driver, "driver.h")
        for name in sorted(os.listdir(tree)):
            out = os.path.join(self.bin, name[:-2])
            if name.startswith("tst-") and name.endswith(".c") and not name.startswith(self.left_out) and \
                    not os.path.exists(out):
                self.compile(os.path.join(tree, name), out)
        if not os.listdir(self.bin):
            raise Skip("none of glibc's tests could be built")

    def forward(self, header, to):
        with open(os.path.join(self.include, header), "w", encoding="utf-8") as f:
            f.write('#include "%s/glibc/%s"\n' % (HERE, to))

    def compile(self, path, out):
        """What asks for libc's own insides is not built, and so not run."""
        try:
            built(["gcc", "-std=gnu11", "-O1", "-w", "-fno-builtin", "-D_GNU_SOURCE", "-I", self.include,
                   "-include", self.include + "/support/support.h", "-o", out, path, "-lpthread"], self.bin, self.bin + ".log")
        except Skip:
            pass

    def run(self, part, run, only):
        found = {}
        for name in sorted(os.listdir(self.bin)):
            if only and name not in only:
                continue
            status = run.start([os.path.join(self.bin, name)], name + ".log", 120)
            found[name] = {0: "ok", 77: "skip"}.get(status, "fail")
        return found


class Perl:
    name, about = "perl", "perl's own tests of the language, on the installed perl"
    parts = {"op": "op re uni", "base": "base cmd comp io mro lib"}

    def prepare(self, place):
        need("perl")
        self.source = source(place, "perl")

    def run(self, part, run, only):
        tree = run.path("perl")
        os.makedirs(tree)
        for name in ("t", "lib"):
            shutil.copytree(os.path.join(self.source, name), os.path.join(tree, name), symlinks=True)
        found = {}
        for folder in self.parts[part].split():
            there = os.path.join(tree, "t", folder)
            for name in sorted(os.listdir(there)):
                test = folder + "/" + name
                if name.endswith(".t") and (not only or any(one.startswith(test) for one in only)):
                    log = folder + "-" + name + ".log"
                    status = run.start(["perl", test], log, 200, cwd=os.path.join(tree, "t"))
                    found[test] = "ok" if status == 0 else "fail"
                    found.update(tap(run.text(log), test + " "))
        shutil.rmtree(tree)
        return found


class Git:
    name, about = "git", "git's own test scripts, on a git built from its source"
    parts = {
        "objects": "t0000-basic t1000-read-tree-m-3way t1006-cat-file t1300-config t5300-pack-object "
                   "t5302-pack-index t5303-pack-corruption-resilience t6500-gc",
        "use": "t3200-branch t3400-rebase t4013-diff-various t4202-log t7004-tag t7300-clean t7501-commit-basic-functionality",
        "wire": "t5510-fetch t5516-fetch-push t5601-clone t5500-fetch-pack t0021-conversion t0061-run-command",
    }

    def prepare(self, place):
        need("gcc", "make", "perl")
        self.source = source(place, "git")
        if not os.path.exists(os.path.join(self.source, "t/helper/test-tool")):
            built(["make", "-s", "-j2", "NO_GETTEXT=1", "NO_CURL=1", "NO_EXPAT=1", "NO_TCLTK=1", "CFLAGS=-O1",
                   "all"], self.source, os.path.join(place, "git.log"))

    def run(self, part, run, only):
        found = {}
        for name in self.parts[part].split():
            if only and not any(one.startswith(name) for one in only):
                continue
            status = run.start(["sh", "./%s.sh" % name, "--root=" + run.path("trash")], name + ".log", 600,
                               cwd=os.path.join(self.source, "t"))
            found[name] = "ok" if status == 0 else "fail"
            found.update(tap(run.text(name + ".log"), name + " "))
            shutil.rmtree(run.path("trash"), ignore_errors=True)
        return found


class Postgres:
    name, about = "postgres", "initdb, pgbench, SQL in parallel and a killed backend, as its own user"
    parts = {"pgbench": ""}

    def prepare(self, place):
        need("pgbench", "psql")
        found = sorted(os.listdir("/usr/lib/postgresql")) if os.path.isdir("/usr/lib/postgresql") else []
        if not found:
            raise Skip("PostgreSQL's server is not installed")
        self.bin = "/usr/lib/postgresql/%s/bin" % found[-1]

    def run(self, part, run, only):
        user = "postgres" if os.getuid() == 0 else None
        place = tempfile.mkdtemp(prefix="perfshim-accept-")  # its socket's path must be short, and others' to enter
        try:
            if user:
                owner = pwd.getpwnam(user)
                for path in (place, run.recordings):
                    if path:
                        os.chown(path, owner.pw_uid, owner.pw_gid)
            if run.recordings:
                run.preload["PERFSHIM_OUT"] = place + "/rec"
                os.mkdir(place + "/rec")
                os.chmod(place + "/rec", 0o777)
                shutil.copy(run.preload["LD_PRELOAD"], place + "/libperfshim.so")
                run.preload["LD_PRELOAD"] = place + "/libperfshim.so"
            shutil.copy(HERE + "/postgres.sh", place)
            os.chmod(place, 0o755)
            status = run.start(["bash", place + "/postgres.sh", place, self.bin], "log", 600, cwd=place, user=user)
            if run.recordings:
                shutil.rmtree(run.recordings)
                shutil.copytree(place + "/rec", run.recordings)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        found = whole(status)
        found.update({line: "ok" for line in run.text("log").splitlines() if line.startswith("did: ")})
        return found


class Programs:
    name, about = "programs", "programs in other languages: status and output"
    parts = {name: "" for name in PROGRAMS}

    def prepare(self, place):
        self.place = place

    def run(self, part, run, only):
        return program_results(PROGRAMS[part], run)


class Zoo:
    name, about = "zoo", "servers, languages and tools as Debian has them: status and output"
    parts = {name: "" for name in ZOO}

    def prepare(self, place):
        pass

    def run(self, part, run, only):
        return program_results(ZOO[part], run)


SUITES = (CPython(), StressNg(), Redis(), Postgres(), SQLite(), Glibc(), Perl(), Git(), Programs(), Zoo())
