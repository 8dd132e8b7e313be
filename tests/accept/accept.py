#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""accept: other programs' own test suites, without the preload and with it.

The rule: a test that passes without a preload passes with it, by default and with
every allocation sampled, and what was recorded can be read.  What fails is run
once more, without and with; only what then passes without and fails with is a
failure, the rest is told as unsteady.  A test that did not run under the preload
has failed, so a suite that breaks off does not pass, nor does one that left no
recording.

    accept.py [--build DIR] [--list] [SUITE[:PART]...]      default: all

COMPARE=1 runs each with libjemalloc.so.2, too.  What is not installed is told and
left out; sources come from ACCEPT_SRC (a directory) or by `apt-get source`.  One
line a run in BUILD/accept/results.tsv: suite, part, variant, passed, failed,
skipped, recordings, seconds, and the names that failed only with the preload.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import time

from accept_run import Run, Skip
from accept_suites import SUITES

READ_ONE_BY_ONE = 40  # recordings of a run that are rendered alone; all are in the table


def variants(library):
    yield "bare", {}
    if os.environ.get("COMPARE") == "1":
        found = glob.glob("/usr/lib/*-linux-gnu/libjemalloc.so.2")
        if found:
            yield "jemalloc", {"LD_PRELOAD": found[0]}
    shim = {"LD_PRELOAD": library, "PERFSHIM_REPORT": "none"}
    yield "shim", shim
    yield "all", dict(shim, PERFSHIM_SAMPLE="all")


def passed(results):
    return {test for test, verdict in results.items() if verdict == "ok"}


class Reader:
    """Recordings of a run: all are readable, and they say something."""

    def __init__(self, perfreport):
        self.perfreport = perfreport

    def render(self, *arguments):
        return subprocess.run([self.perfreport, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, check=False)

    def count(self, folder):
        """How many recordings there are; raises ValueError about what is wrong with them."""
        files = sorted(glob.glob(os.path.join(folder, "*.perfshim")))
        if not files:
            raise ValueError("no recording: the preload was off")
        table = self.render("--text", "--no-color", folder)
        if table.returncode != 0:
            raise ValueError("the table: %s" % table.stderr.decode(errors="replace")[:200])
        allocations = 0
        for path in files[:: max(1, len(files) // READ_ONE_BY_ONE)]:
            one = self.render("--json", path)
            if one.returncode != 0:
                raise ValueError("%s: %s" % (path, one.stderr.decode(errors="replace")[:200]))
            allocations += json.loads(one.stdout)["heap"]["allocations"]
        if allocations == 0:
            raise ValueError("recordings without an allocation")
        return len(files)


class Judge:
    def __init__(self, place, library, perfreport):
        self.place, self.library, self.reader = place, library, Reader(perfreport)
        self.results = open(os.path.join(place, "results.tsv"), "a", encoding="utf-8")
        self.bad = 0

    def one(self, suite, part, variant, env, only=None):
        """(results, recordings or None, seconds)"""
        folder = os.path.join(self.place, suite.name, "%s-%s" % (part, variant))
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        run = Run(folder, env, variant in ("shim", "all"))
        begin = time.monotonic()
        results = suite.run(part, run, only)
        return results, run.recordings, time.monotonic() - begin

    def read(self, folder):
        if folder is None:
            return 0
        try:
            return self.reader.count(folder)
        except (ValueError, subprocess.TimeoutExpired) as wrong:
            return str(wrong)

    def tell(self, suite, part, variant, results, recordings, seconds, only_with):
        count = {word: list(results.values()).count(word) for word in ("ok", "fail", "skip")}
        names = " ".join(sorted(only_with))
        line = [suite.name, part, variant, count["ok"], count["fail"], count["skip"],
                recordings, "%.0f" % seconds, names or "-"]
        self.results.write("\t".join(map(str, line)) + "\n")
        self.results.flush()
        print("%-9s %-10s %-8s %5d ok %3d failed %3d skipped  %s recordings  %4.0f s%s" % (
            suite.name, part, variant, count["ok"], count["fail"], count["skip"], recordings,
            seconds, "  ONLY WITH IT: " + names if names else ""), flush=True)

    def part(self, suite, part):
        bare = None
        for variant, env in variants(self.library):
            results, folder, seconds = self.one(suite, part, variant, env)
            if bare is None:
                bare = results
                self.tell(suite, part, variant, results, "-", seconds, ())
                continue
            recordings = self.read(folder)
            broken = passed(bare) - passed(results)
            if broken:
                broken = self.again(suite, part, variant, env, broken)
            if isinstance(recordings, str):
                broken, recordings = broken | {"recordings: " + recordings}, "?"
            self.tell(suite, part, variant, results, recordings, seconds, broken)
            if variant != "jemalloc":
                self.bad += len(broken)

    def again(self, suite, part, variant, env, broken):
        """Those of the broken tests that break again while they pass without."""
        kept = os.path.join(self.place, suite.name, "%s-%s" % (part, variant))
        shutil.rmtree(kept + "-first", ignore_errors=True)
        os.rename(kept, kept + "-first")
        bare, _, _ = self.one(suite, part, "bare-again", {}, broken)
        there, _, _ = self.one(suite, part, variant, env, broken)
        real = {test for test in broken if bare.get(test) == "ok" and there.get(test) != "ok"}
        for test in sorted(broken - real):
            print("  unsteady: %s %s" % (suite.name, test), flush=True)
        return real

    def suite(self, suite, parts):
        try:
            suite.prepare(os.path.join(self.place, "src"))
        except Skip as why:
            print("%-9s SKIP %s" % (suite.name, why), flush=True)
            self.results.write("%s\t-\tskip\t0\t0\t0\t-\t0\t%s\n" % (suite.name, why))
            return
        for part in suite.parts:
            if not parts or part in parts:
                self.part(suite, part)


def chosen(words):
    """[(suite, [part, ...])]"""
    known = {suite.name: suite for suite in SUITES}
    wanted = {}
    for word in words or known:
        name, _, part = word.partition(":")
        if name not in known or (part and part not in known[name].parts):
            raise SystemExit("accept: no suite %s; --list shows them" % word)
        wanted.setdefault(name, []).extend([part] if part else [])
    return [(known[name], parts) for name, parts in wanted.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("suite", nargs="*")
    options = parser.parse_args()
    if options.list:
        for suite in SUITES:
            print("%-9s %s: %s" % (suite.name, suite.about, " ".join(suite.parts)))
        return 0
    build = os.path.abspath(options.build)
    place = os.path.join(build, "accept")
    os.makedirs(os.path.join(place, "src"), exist_ok=True)
    judge = Judge(place, os.path.join(build, "libperfshim.so"), os.path.join(build, "perfreport"))
    for suite, parts in chosen(options.suite):
        judge.suite(suite, parts)
    print("accept: %d failures only with the preload" % judge.bad)
    return 1 if judge.bad else 0


if __name__ == "__main__":
    sys.exit(main())
