#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""faults: each system call that the shim makes in a program fails, one after
the other, by strace's injection; the program's output and status must not
change, and what is left of a recording must be read or refused.

    faults.py few|all BUILD COMMAND...

A call is the shim's when its stack has a frame of libperfshim.so; those of the
loader for a library that the shim opens are, too, and those of jemalloc.  How
many there are depends on time, a little: up to a tenth may not come to pass.
"""
import glob
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# What each call may plausibly come back with; the first one is of the few.
ERRNOS = {
    "close": ("EIO", "EINTR"),
    "fallocate": ("ENOSPC", "EOPNOTSUPP", "EINTR", "EFBIG", "EIO", "EDQUOT", "ENOSYS"),
    "fchmod": ("EPERM", "EROFS"),
    "fstat": ("EIO", "ENOMEM"),
    "ftruncate": ("ENOSPC", "EFBIG", "EINVAL", "EIO", "EPERM"),
    "getrandom": ("ENOSYS", "EAGAIN"),
    "madvise": ("EINVAL", "EFAULT", "ENOMEM", "EAGAIN"),
    "mmap": ("ENOMEM", "EAGAIN", "ENODEV", "EPERM"),
    "mprotect": ("ENOMEM", "EACCES"),
    "munmap": ("ENOMEM",),
    "openat": ("EMFILE", "ENOENT", "EACCES", "ENFILE", "ENOSPC", "EROFS", "ELOOP"),
    "pwrite64": ("ENOSPC", "EIO", "EFBIG", "EDQUOT"),
    "read": ("EIO", "EINTR"),
    "write": ("EPIPE", "EAGAIN", "EIO", "ENOSPC"),
}
ANY = ("EPERM", "ENOSYS", "ENOMEM")
# They cannot fail, or strace has no way of letting them.
NEVER = {"getpid", "getppid", "gettid", "exit_group", "exit", "execve", "vfork",
         "fork", "clone", "clone3", "rt_sigreturn", "sched_yield", "wait4"}


class Faults:
    def __init__(self, build, command):
        self.build = build
        self.command = command
        self.problems = 0
        self.missed = 0
        self.base = None

    def run(self, name, strace):
        """status, stdout, stderr, recordings' directory"""
        out = os.path.join(os.getcwd(), name)
        os.makedirs(out, exist_ok=True)
        for path in glob.glob(out + "/*"):
            os.unlink(path)
        preload = ["-E", f"LD_PRELOAD={self.build}/libperfshim.so",
                   "-E", f"PERFSHIM_OUT={out}", "-E", "PERFSHIM_SAMPLE=64K",
                   "-E", "PERFSHIM_CALIBRATE=off", "-E", "PERFSHIM_REPORT=none"]
        log = name + ".log"
        done = subprocess.run(["setarch", "-R", "strace", "-o", log, *strace, *preload,
                               *self.command], capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr, out

    def calls(self):
        """(name, which one of that name) of the shim's calls."""
        self.base = self.run("plain", ["-k"])
        count, found, last = {}, [], None
        with open("plain.log", encoding="utf-8", errors="replace") as log:
            for line in log:
                match = re.match(r"([a-z_0-9]+)\(", line)
                if match:
                    name = match.group(1)
                    count[name] = count.get(name, 0) + 1
                    last = (name, count[name])
                elif "libperfshim.so" in line and last is not None:
                    found.append(last)
                    last = None
        return [call for call in found if call[0] not in NEVER]

    def problem(self, call, errno, text):
        self.problems += 1
        print(f"{call[0]} number {call[1]} fails with {errno}: {text}", flush=True)

    def one(self, job):
        call, errno, number = job
        name = f"run{number % 2}-{os.getpid()}-{number}"
        inject = f"inject={call[0]}:error={errno}:when={call[1]}"
        status, stdout, stderr, out = self.run(name, ["-e", "trace=" + call[0], "-e", inject])
        with open(name + ".log", encoding="utf-8", errors="replace") as log:
            if "(INJECTED)" not in log.read():
                self.missed += 1
        if (status, stdout) != self.base[:2]:
            self.problem(call, errno, f"status {status}, {len(stdout)} bytes of stdout; "
                         f"stderr: {stderr[-200:]}")
        for line in stderr.splitlines():
            if not line.startswith(b"perfshim: "):
                self.problem(call, errno, f"stderr has {line}")
        for path in glob.glob(out + "/*"):
            read = subprocess.run([self.build + "/perfreport", "--text", path],
                                  capture_output=True, timeout=60)
            if read.returncode not in (0, 1):
                self.problem(call, errno, f"perfreport: status {read.returncode}")
            os.unlink(path)
        os.unlink(name + ".log")
        os.rmdir(out)


def main():
    extent, build, *command = sys.argv[1:]
    faults = Faults(build, command)
    calls = faults.calls()
    jobs = []
    for call in calls:
        errnos = ERRNOS.get(call[0], ANY)
        if extent == "few":
            errnos = (errnos[call[1] % len(errnos)],)
        jobs += [(call, errno) for errno in errnos]
    jobs = [(*job, number) for number, job in enumerate(jobs)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(faults.one, jobs))
    names = sorted({call[0] for call in calls})
    print(f"{len(calls)} calls of the shim, {len(jobs)} faults, {faults.missed} not reached, "
          f"{faults.problems} problems: " + " ".join(names))
    # How often half a second has passed differs by run, and with it some calls.
    few = len(calls) < 50 or faults.missed * 5 > len(jobs)
    return 1 if faults.problems or few else 0


if __name__ == "__main__":
    sys.exit(main())
