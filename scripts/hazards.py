#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hazards: the table of tests/hazards.rows, from the tests themselves.

A row is tested where a story says `row ID ...`, or where any test has a comment
`hazard: ID ...`; what came of it lies in BUILD/hazards after the stories ran
(the column of libjemalloc.so.2 with COMPARE=1, as `make hazards` does).  A row
that cannot be tested has a line `hazard-untested: ID why`.

    hazards.py check            every P1 and P2 row has a test or a reason
    hazards.py table [BUILD]    the table, as Markdown, into BUILD/hazards.md
    hazards.py --self-test
"""
import os
import re
import sys
import tempfile

ROW = re.compile(r"^([A-Z]\d+) (P[123]) (.+)$")
TAG = re.compile(r"(?:hazard: |^\s*(?:note_)?row )([A-Z]\d+)\b", re.M)
REASON = re.compile(r"hazard-untested: ([A-Z]\d+) (.+)")
NOTE = re.compile(r"hazard-note: ([A-Z]\d+) (.+)")
ROWS = "tests/hazards.rows"
UNTESTED = "tests/hazards.untested"


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def rows(root):
    found = [ROW.match(line) for line in read(os.path.join(root, ROWS)).splitlines()
             if line and not line.startswith("#")]
    if None in found:
        raise SystemExit("hazards: a line of %s is no row" % ROWS)
    return [m.groups() for m in found]


def sources(root):
    for folder in ("tests", "scripts"):
        for path, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [f for f in folders if f != "node_modules"]
            for name in sorted(names):
                if name.endswith((".sh", ".c", ".cc", ".py", ".h")) and name != "hazards.py":
                    yield os.path.join(path, name)


def tests(root):
    """{ID: [file, ...]}, relative to tests/."""
    found = {}
    for path in sources(root):
        for row in dict.fromkeys(TAG.findall(read(path))):
            found.setdefault(row, []).append(os.path.relpath(path, root))
    return found


def lines_of(root, pattern):
    found = {}
    for path in [os.path.join(root, UNTESTED), *sources(root)]:
        if os.path.exists(path):
            found.update(pattern.findall(read(path)))
    return found


def check(root):
    known, tested, reasons = rows(root), tests(root), lines_of(root, REASON)
    bad = ["%s (%s) has neither a test nor a reason" % (row, title)
           for row, priority, title in known
           if priority != "P3" and row not in tested and row not in reasons]
    names = {row for row, _, _ in known}
    bad += ["%s is not in %s (%s)" % (row, ROWS, ", ".join(where))
            for row, where in sorted(tested.items()) if row not in names]
    bad += ["%s is said to be untested and has a test" % row for row in reasons if row in tested]
    return bad


def results(build):
    """{(ID, library): [words, ...]}"""
    found = {}
    folder = os.path.join(build, "hazards")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        for line in read(os.path.join(folder, name)).splitlines():
            row, library, words = line.split("\t")
            known = found.setdefault((row, library), [])
            if words not in known:
                known.append(words)
    return found


def cell(words):
    # Worse things first: a row may have several commands.
    return "; ".join(sorted(words, key=lambda w: w == "as without")).replace("|", "/")


def table(root, build):
    tested, reasons, notes = tests(root), lines_of(root, REASON), lines_of(root, NOTE)
    came = results(build)
    out = ["| row | | what | tested by | with perfshim | with libjemalloc.so.2 |", "|---|---|---|---|---|---|"]
    for row, priority, title in rows(root):
        files = ", ".join(f.split("/", 1)[1] for f in tested.get(row, ()))
        ours = came.get((row, "shim"), ["as tested"] if row in tested else ["-"])
        theirs = came.get((row, "jemalloc"), ["-"])
        if row in reasons:
            files, ours = "not tested", [reasons[row]]
        out.append("| %s | %s | %s | %s | %s | %s |" % (row, priority, title, files, cell(ours), cell(theirs)))
    out += ["", "What no preload survives, and what happens then:", ""]
    out += ["- %s: %s" % note for note in sorted(notes.items())]
    os.makedirs(build, exist_ok=True)
    with open(os.path.join(build, "hazards.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


def self_test():
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "tests"))
        os.makedirs(os.path.join(root, "scripts"))

        def put(name, text):
            with open(os.path.join(root, "tests", name), "w", encoding="utf-8") as f:
                f.write(text)
        put("hazards.rows", "# rows\nA1 P1 one\nA2 P2 two\nA3 P3 three\n")
        put("hazards.untested", "# hazard-untested: A2 no such machine\n")
        put("a.sh", "\trow A1 command\n")
        assert check(root) == [], check(root)
        put("a.sh", "echo A1\n")
        assert [b[:2] for b in check(root)] == ["A1"]
        put("a.sh", "/* hazard: A1 one */ row\n\n# hazard: Z9 nothing\n")
        assert [b[:2] for b in check(root)] == ["Z9"]
        put("a.sh", "row A1\nnote_row A2 shim\n")
        assert len(check(root)) == 1 and "has a test" in check(root)[0]
        os.remove(os.path.join(root, "tests", "hazards.untested"))
        assert check(root) == []


def main(arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if arguments == ["--self-test"]:
        self_test()
        return 0
    if arguments[:1] == ["table"] and len(arguments) <= 2:
        table(root, arguments[1] if len(arguments) == 2 else os.path.join(root, "build"))
        return 0
    if arguments == ["check"]:
        bad = check(root)
        print("\n".join(bad), end="\n" if bad else "")
        return 1 if bad else 0
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main(sys.argv[1:]))
