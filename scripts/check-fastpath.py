#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-fastpath: the fast paths cost what their comments say.

Walks the disassembly of a function from its entry over every way that reaches
`ret` without a call (a slow path calls, or jumps out of the function) and
holds the longest of them against the budget below: instructions, conditional
branches, locked instructions.  A loop is walked once.

    check-fastpath.py LIBRARY
    check-fastpath.py --self-test
"""
import os
import re
import subprocess
import sys
import tempfile

# calloc is not here: it calls memset.
# function: (instructions, conditional branches, locked instructions), at most
BUDGET = {
    "malloc": (26, 3, 0),
    "free": (26, 4, 0),
    # Two more than C's: whether the program brings operators of its own.
    "_Znwm": (28, 4, 0),
    "_Znam": (28, 4, 0),
    "_ZdlPv": (28, 5, 0),
    "_ZdlPvm": (28, 5, 0),
    "begin_tsc": (48, 4, 0),  # of a section: two readings of the clock and these
    "end_tsc": (74, 6, 0),
}

MAX_WAYS = 20000
LINE = re.compile(r"^\s*([0-9a-f]+):\t(.*)$")


class Refused(Exception):
    """A function that cannot be held against its budget."""


def disassemble(library, name):
    """[(address, mnemonic, operands)] of one function.

    Functions that are not exported are named by the symbols split from the
    library, where there are any."""
    symbols = subprocess.run(
        ["nm", "-D", "-S", "--defined-only", library],
        check=True, capture_output=True, text=True).stdout
    if os.path.exists(library + ".debug"):
        symbols += subprocess.run(
            ["nm", "-S", "--defined-only", library + ".debug"],
            check=True, capture_output=True, text=True).stdout
    found = re.search(r"^([0-9a-f]+) ([0-9a-f]+) \w %s(@.*)?$" % re.escape(name),
                      symbols, re.M)
    if not found:
        raise Refused("is not there")
    start, size = int(found[1], 16), int(found[2], 16)
    text = subprocess.run(
        ["objdump", "-d", "-w", "--no-show-raw-insn", "--start-address=%d" % start,
         "--stop-address=%d" % (start + size), library],
        check=True, capture_output=True, text=True).stdout
    code = []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        words = match[2].split(None, 1)
        while words and words[0] in ("bnd", "notrack", "rep", "repz"):
            words = words[1].split(None, 1)
        code.append((int(match[1], 16), words[0] if words else "",
                     words[1] if len(words) > 1 else ""))
    return code


def target(operands):
    match = re.match(r"([0-9a-f]+)\b", operands)
    return int(match[1], 16) if match else None


def ways(code):
    """(instructions, branches, locked) of each call-free way to `ret`."""
    index = {address: i for i, (address, _, _) in enumerate(code)}
    pending = [(0, 0, 0, 0, frozenset())]
    walked = 0
    while pending:
        i, instructions, branches, locked, taken = pending.pop()
        walked += 1
        if walked > MAX_WAYS:
            raise Refused("has more than %d ways through it" % MAX_WAYS)
        while i < len(code):
            address, mnemonic, operands = code[i]
            instructions += mnemonic not in ("nop", "nopw", "nopl", "endbr64", "data16")
            if mnemonic.startswith("ret"):
                yield instructions, branches, locked
                break
            if mnemonic.startswith("call") or mnemonic in ("ud2", "syscall", "hlt"):
                break
            locked += mnemonic == "lock" or (mnemonic == "xchg" and "(" in operands)
            if mnemonic.startswith("j"):
                to = target(operands)
                if address in taken:  # a loop: once is enough
                    break
                taken = taken | {address}
                if mnemonic != "jmp":
                    branches += 1
                    if to in index:
                        pending.append((index[to], instructions, branches, locked, taken))
                elif to not in index:
                    break  # a tail call: leaves for a slow path
                else:
                    i = index[to]
                    continue
            i += 1


def measure(library, name):
    """The longest fast way, and how many instructions the function has."""
    code = disassemble(library, name)
    longest = max(ways(code), default=None)
    if longest is None:
        raise Refused("has no way to its end without a call")
    return longest, len(code)


def check(library, budget, quiet=False):
    """What is wrong, as a list of lines; prints the figures."""
    wrong = []
    if not quiet:
        print("%-10s %14s %14s %8s %8s" % (
            "fast path", "instructions", "branches", "locked", "in all"))
    for name, limit in budget.items():
        try:
            cost, total = measure(library, name)
        except Refused as reason:
            wrong.append("%s %s" % (name, reason))
            continue
        if not quiet:
            print("%-10s %8d of %2d %8d of %2d %3d of %d %8d" % (
                name, cost[0], limit[0], cost[1], limit[1], cost[2], limit[2], total))
        for what, spent, allowed in zip(("instructions", "branches", "locked"), cost, limit):
            if spent > allowed:
                wrong.append("%s: %d %s, %d allowed" % (name, spent, what, allowed))
    return wrong


PLANTED = r"""
long slow(long);
long table[64];
long good(long n) { if (__builtin_expect(n < 64, 1)) return table[n]; return slow(n); }
long branchy(long n) {
    if (n < 64) { if (table[n]) { table[n] = 0; if (n & 1) table[n + 1] = 2; } return n; }
    return slow(n);
}
long atomic(long n) { return __atomic_fetch_add(&table[0], n, __ATOMIC_RELAXED); }
long calls(long n) { return slow(n) + 1; }
"""


def self_test():
    """Plants functions that must be refused, and one that must pass."""
    expected = {"branchy": "branches", "atomic": "locked", "calls": "without a call",
                "absent": "not there"}
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "a.c")
        library = os.path.join(directory, "a.so")
        with open(source, "w", encoding="ascii") as out:
            out.write(PLANTED)
        subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-shared", "-fPIC", "-o",
                        library, source], check=True)
        budget = {name: (20, 1, 0) for name in ("good", *expected)}
        wrong = check(library, budget, quiet=True)
        wrong += check(library, {"good": (1, 1, 0)}, quiet=True)
    for name, word in (*expected.items(), ("good", "instructions, 1 allowed")):
        if not any(line.startswith(name) and word in line for line in wrong):
            print("self-test: %s is not refused for %r" % (name, word))
            return 1
    if sum(line.startswith("good") for line in wrong) != 1:
        print("self-test: a good function is refused")
        return 1
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    wrong = check(sys.argv[1], BUDGET)
    for line in wrong:
        print("check-fastpath:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
