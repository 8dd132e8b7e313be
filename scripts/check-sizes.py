#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-sizes: how long functions and files are, and how many asserts there are.

Prints the figures of STYLE (median function, 90th percentile, asserts per 1000
lines) and fails over the hard limits.  A function is what stands between a
line that is `{` alone and the next line that is `}` alone, both in column 0.

    check-sizes.py [ROOT]
    check-sizes.py --self-test
"""
import glob
import os
import re
import sys
import tempfile

MAX_FUNCTION, MAX_C, MAX_H, MAX_TEST = 70, 450, 200, 700

# Longer than the rest, with the reason.
LONGER = {
    "lib/base/options.c": 480,  # the one table, and a function for each variable
    "shim/perfshim.h": 480,  # all that an application includes, in one file
    "lib/record/layout.h": 370,  # the one definition of the format, field by field
}
ASSERT = re.compile(r"\b(PS_\w*ASSERT\w*|_Static_assert)\s*\(")


def functions(lines):
    """(line number, name, lines between the braces) of each function."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, name_before(lines, start), number - start - 1
            start = None


def name_before(lines, start):
    """The name that the nearest line above starts with."""
    for line in reversed(lines[max(0, start - 12):start - 1]):
        match = re.match(r"(?:.*\s\**)?(\w+)\(", line)
        if match and not line.startswith((" ", "\t")):
            return match[1]
    return "?"


def code_lines(lines):
    """Lines that are neither blank nor comment."""
    count, inside = 0, False
    for line in (text.strip() for text in lines):
        was_inside = inside
        if line.startswith("/*"):
            was_inside = inside = True
        if "*/" in line:
            inside = False
            if was_inside and not line.split("*/", 1)[1].strip():
                continue
        elif was_inside:
            continue
        count += bool(line)
    return count


def at(values, fraction):
    return sorted(values)[min(len(values) - 1, int(fraction * len(values)))]


def check(root, quiet=False):
    wrong, lengths, files = [], [], []
    asserts = lib_lines = 0
    for top in ("lib", "shim", "tests"):
        for path in sorted(glob.glob(os.path.join(root, top, "**", "*.[ch]"), recursive=True)):
            with open(path, encoding="utf-8") as source:
                lines = source.read().splitlines()
            name = os.path.relpath(path, root)
            limit = MAX_H if path.endswith(".h") else MAX_TEST if top == "tests" else MAX_C
            limit = LONGER.get(name, limit)
            files.append((len(lines), name))
            if len(lines) > limit:
                wrong.append("%s: %d lines, %d allowed" % (name, len(lines), limit))
            for number, function, length in functions(lines):
                if top != "tests":
                    lengths.append((length, "%s in %s" % (function, name)))
                if length > MAX_FUNCTION:
                    wrong.append("%s:%d: %s has %d lines, %d allowed" % (
                        name, number, function, length, MAX_FUNCTION))
            if top == "lib":
                asserts += sum(len(ASSERT.findall(line)) for line in lines)
                lib_lines += code_lines(lines)
    if not quiet and lengths:
        values = [length for length, _ in lengths]
        print("functions of lib and shim: %d, median %d lines, p90 %d, longest %d (%s)" % (
            len(values), at(values, 0.5), at(values, 0.9), *max(lengths)))
        print("files: %d, longest %d lines (%s)" % (len(files), *max(files)))
        print("asserts of lib: %.0f per 1000 lines of code (%d in %d)" % (
            1000 * asserts / max(1, lib_lines), asserts, lib_lines))
    return wrong


def self_test():
    """Plants a long function, a long .c and a long .h in a tree of their own."""
    def function(name, length):
        return "int\n%s(void)\n{\n%s}\n" % (name, "\tx++;\n" * length)
    planted = {
        "lib/a/good.c": function("good", MAX_FUNCTION),
        "lib/a/bad.c": function("too_long", MAX_FUNCTION + 1),
        "shim/long.c": "int x;\n" * (MAX_C + 1),
        "tests/unit/long.c": "int x;\n" * (MAX_TEST + 1),
        "lib/a/long.h": "int x;\n" * (MAX_H + 1),
    }
    with tempfile.TemporaryDirectory() as root:
        for name, text in planted.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="ascii") as out:
                out.write(text)
        wrong = "\n".join(check(root, quiet=True))
    for name in ("too_long has 71", "shim/long.c: 451", "tests/unit/long.c: 701", "lib/a/long.h: 201"):
        if name not in wrong:
            print("self-test: not found: %s in\n%s" % (name, wrong))
            return 1
    return 1 if "good" in wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    wrong = check(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), ".."))
    for line in wrong:
        print("check-sizes:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
