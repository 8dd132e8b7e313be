# SPDX-License-Identifier: MIT
"""differential: each command of a list, without the shim, with it, and with
every allocation sampled: status, stdout, stderr, the files that it leaves (names,
modes, contents) and the descriptors that it ends with must be the same.

    differential.py LIST LIBRARY WORK [long]

A command runs in a fresh copy of one directory, always at the same path.
"""
import concurrent.futures
import hashlib
import http.server
import itertools
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading

WORKERS = 2
ENDING = '\ndiffered=$?; ls /proc/self/fd >fds.listed; exit $differed\n'


def write(path, content):
    with open(path, "w", encoding="utf-8") as f:
        f.write(content)


def fixture(at):
    """The directory that all commands find."""
    random.seed(1)
    words = "the quick brown fox jumps over a lazy dog and 12 others were seen below it".split()
    os.makedirs(at + "/dir/below")
    write(at + "/text.txt", "".join("%s %d\n" % (" ".join(random.choices(words, k=9)), i) for i in range(60)))
    write(at + "/big.txt", "".join("%s\n" % " ".join(random.choices(words, k=12)) for _ in range(6000)))
    write(at + "/numbers.txt", "".join("%d\n" % random.randrange(150) for _ in range(1000)))
    write(at + "/table.csv", "".join("%d,%s,%d,x\n" % (i, random.choice(words), i * 7 % 31) for i in range(80)))
    write(at + "/empty", "")
    with open(at + "/odd.bin", "wb") as f:
        f.write(bytes(random.randrange(256) for _ in range(20000)))
    os.symlink("text.txt", at + "/link")
    write(at + "/dir/one.c", '#include <stdio.h>\nint main(void)\n{\n\tputs("one");\n\treturn 0;\n}\n')
    write(at + "/dir/bad.c", "int main(void) { return x; }\n")
    write(at + "/dir/below/two.c", "int two(void) { return 2; }\n")
    write(at + "/Makefile", "all: one.o two.o\none.o: dir/one.c\n\tgcc -c -o $@ $<\n"
          "two.o: dir/below/two.c\n\tgcc -c -o $@ $<\nrecursive:\n\t+@$(MAKE) -s all\n"
          "fail:\n\t@echo before; exit 3\n.PHONY: all recursive fail\n")
    env = dict(environment(at), GIT_CONFIG_COUNT="0")
    for command in ("init -q -b main", "add dir Makefile", "commit -q -m one"):
        subprocess.run(["git", *command.split()], cwd=at, env=env, check=True)


def environment(home):
    at = "2024-01-02T03:04:05Z"
    return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_AUTHOR_DATE": at,
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "GIT_COMMITTER_DATE": at,
            "GIT_CONFIG_NOSYSTEM": "1", "PYTHONHASHSEED": "1",
            "XDG_CACHE_HOME": os.path.dirname(home) + "/cache", "PYTHONDONTWRITEBYTECODE": "1"}


# The shell's word on a job that a signal ended has its number.
JOB = re.compile(rb"(line \d+: +)\d+( \w+)")


def is_variable(name):
    """An index holds times and inodes, pid a number."""
    return name == "pid" or name.endswith((".git/index", ".pyc"))


def tree(at):
    """Every file: name, mode and content."""
    found = []
    for path, folders, names in os.walk(at):
        folders.sort()
        for name in sorted(folders + names):
            full = os.path.join(path, name)
            short = os.path.relpath(full, at)
            mode = os.lstat(full).st_mode
            content = ""
            if stat.S_ISLNK(mode):
                content = os.readlink(full)
            elif stat.S_ISREG(mode) and not is_variable(short):
                with open(full, "rb") as f:
                    content = hashlib.sha1(f.read()).hexdigest()
            found.append("%s %o %s" % (short, mode, content))
    return "\n".join(found)


def first_difference(a, b):
    lines = [x.split(b"\n" if isinstance(x, bytes) else "\n") if isinstance(x, (bytes, str)) else [x] for x in (a, b)]
    for one, other in itertools.zip_longest(*lines):
        if one != other:
            return "  without %.200r\n  with    %.200r" % (one, other)
    return ""


class Bench:
    """One place to run commands in."""

    def __init__(self, origin, place, library, url):
        self.origin, self.place, self.library, self.url = origin, place, library, url

    def once(self, command, settings):
        home = self.place + "/run"
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(self.place + "/rec", ignore_errors=True)
        os.makedirs(self.place + "/rec")
        shutil.copytree(self.origin, home, symlinks=True)
        env = dict(environment(home), URL=self.url, **settings)
        p = subprocess.Popen(["bash", "-c", command + ENDING], cwd=home, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = p.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            return {"status": "hangs"}
        return {"status": p.returncode, "stdout": out, "stderr": JOB.sub(rb"\1N\2", err), "files": tree(home)}

    def differences(self, command):
        """Words about the first thing that is not the same."""
        bare = self.once(command, {})
        for mode in ("512K", "all"):
            settings = {"LD_PRELOAD": self.library, "PERFSHIM_REPORT": "none", "PERFSHIM_SAMPLE": mode}
            if mode == "all":
                settings["PERFSHIM_OUT"] = self.place + "/rec"
            shim = self.once(command, settings)
            for what, expected in bare.items():
                if shim.get(what) != expected:
                    return "%s, sampled %s: %s\n%s" % (command, mode, what, first_difference(expected, shim.get(what)))
            if mode == "all" and not os.listdir(self.place + "/rec"):
                return "%s: left no recording, so was not under the shim" % command
        return None


def serve(directory):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *a):
            super().__init__(*a, directory=directory)

        def log_message(self, *a):
            pass

        def date_time_string(self, timestamp=None):
            return "Thu, 01 Jan 1970 00:00:00 GMT"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_address[1]


def commands(path, is_long):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    found, current = [], ""
    for line in text.split("\n"):
        current = current + "\n" + line if current else line
        if current.count("'") % 2 == 0 or current.startswith("#"):
            if current and not current.startswith("#"):
                found.append(current)
            current = ""
    return [c.lstrip("+") for c in found if is_long or not c.startswith("+")]


def main():
    path, library, work = sys.argv[1:4]
    os.makedirs(work, exist_ok=True)
    origin = os.path.abspath(work) + "/origin"
    fixture(origin)
    url = serve(origin)
    todo = commands(path, "long" in sys.argv[4:])
    free = [Bench(origin, "%s/%d" % (os.path.abspath(work), i), library, url) for i in range(WORKERS)]

    def one(command):
        bench = free.pop()
        try:
            return bench.differences(command)
        finally:
            free.append(bench)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        wrong = [w for w in pool.map(one, todo) if w]
    for w in wrong:
        print("DIFFERS " + w)
    print("%d commands, %d differ" % (len(todo), len(wrong)))
    return 1 if wrong or len(todo) < 200 else 0


sys.exit(main())
