#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""storm: kills targets/storm at random moments and compares its ledger with
what perfreport says of the recording.

    storm.py KILLS BUILD SEED
"""
import glob
import json
import os
import random
import struct
import subprocess
import sys
import time

FIELDS = ("allocations", "bytes", "frees", "sections", "threads")
# What is not in the ledger: start-up, stacks of threads, their TLS.
OTHERS = 30


def ledger():
    try:
        with open("ledger", "rb") as file:
            words = struct.unpack("<10Q", file.read(80))
    except (FileNotFoundError, struct.error):
        words = (0,) * 10
    return {name: words[2 * i:2 * i + 2] for i, name in enumerate(FIELDS)}


def totals(report):
    section = [s["calls"] for s in report["sections"] if s["name"] == "storm"]
    heap = report["heap"]
    return {
        "allocations": heap["allocations"],
        "frees": heap["frees"],
        "bytes": heap["requested_bytes"],
        "sections": sum(section),
    }


class Storm:
    def __init__(self, build):
        self.build = build
        self.problems = []
        self.unopened = 0

    def problem(self, text):
        self.problems.append(text)

    def read(self, path):
        """The report, or None and why."""
        run = subprocess.run([self.build + "/perfreport", "--json", path],
                             capture_output=True, timeout=60)
        if run.returncode != 0:
            return None, run.stderr.decode(errors="replace")
        return json.loads(run.stdout), ""

    def bounded(self, which, said, low, high):
        if not low <= said <= high:
            self.problem(f"{which}: {low} <= {said} <= {high} does not hold")

    def compare(self, report, lived):
        said = totals(report)
        for name in ("allocations", "bytes", "frees", "sections"):
            begun, done = lived[name]
            others = {"sections": 0, "bytes": 1 << 20}.get(name, OTHERS)
            self.bounded(name, said[name], done, begun + others)
        heap = report["heap"]
        # Blocks in flight, of four workers.
        self.bounded("live blocks", heap["live_blocks"],
                     said["allocations"] - said["frees"] - 8,
                     said["allocations"] - said["frees"] + 8)
        self.bounded("threads", report["process"]["threads"], lived["threads"][1],
                     lived["threads"][0] + 8)
        return said

    def monotonic(self, before, after):
        for name, value in before.items():
            if after[name] < value:
                self.problem(f"{name} went from {value} back to {after[name]}")

    def once(self, mode):
        for path in glob.glob("rec/*"):
            os.unlink(path)
        if os.path.exists("ledger"):
            os.unlink("ledger")
        env = dict(os.environ, LD_PRELOAD=self.build + "/libperfshim.so",
                   PERFSHIM_OUT=os.getcwd() + "/rec", PERFSHIM_REPORT="none",
                   PERFSHIM_SAMPLE=mode)
        with subprocess.Popen([self.build + "/targets/storm", "ledger"], env=env) as storm:
            time.sleep(random.uniform(0.001, 0.06))
            seen = []
            for path in glob.glob("rec/*") if random.random() < 0.3 else []:
                for _ in range(3):
                    report, _ = self.read(path)
                    if report is not None:
                        seen.append(totals(report))
            storm.kill()
        lived = ledger()
        paths = glob.glob("rec/*")
        if len(paths) != 1:
            if len(paths) > 1 or lived["threads"][0] > 0:
                self.problem(f"{len(paths)} recordings")
            self.unopened += 1
            return
        report, why = self.read(paths[0])
        if report is None:
            if lived["threads"][0] > 0:
                self.problem(f"not opened: {why}")
            self.unopened += 1
            return
        seen.append(self.compare(report, lived))
        for before, after in zip(seen, seen[1:]):
            self.monotonic(before, after)


def main():
    kills, build, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    random.seed(seed)
    storm = Storm(build)
    os.makedirs("rec", exist_ok=True)
    for i in range(kills):
        count = len(storm.problems)
        storm.once(("512K", "4K", "all")[i % 3])
        for text in storm.problems[count:]:
            print(f"kill {i}: {text}")
    print(f"{kills} kills, {storm.unopened} before main, {len(storm.problems)} problems")
    return 1 if storm.problems or storm.unopened > kills / 4 else 0


if __name__ == "__main__":
    sys.exit(main())
