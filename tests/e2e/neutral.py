#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""neutral: nothing in a file can take over who reads it.

    neutral.py KIND FILE...     KIND: text, terminal, json, lines, folded,
                                pprof, callgrind, massif, prometheus
"""
import gzip
import json
import re
import sys

from pprof_file import fields

# What targets/names.c tries to put at the start of a line.
INJECTED = re.compile(r"^(fake 9999|calls=77 1|evil)", re.M)


def problems_of_text(raw, allowed="\n"):
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"not UTF-8: {error}"
        text = raw.decode("utf-8", "replace")
    for at, char in enumerate(text):
        if (ord(char) < 32 and char not in allowed) or 127 <= ord(char) < 160:
            yield f"character {ord(char):#x} in {text[max(0, at - 40):at + 20]!r}"
    found = INJECTED.search(text)
    if found:
        yield f"a line of its own: {text[found.start():found.start() + 60]!r}"


def problems(kind, raw):
    if kind == "terminal":  # colours are ours
        raw = re.sub(rb"\033\[[0-9;]*m", b"", raw)
    if kind == "pprof":
        strings = fields(gzip.decompress(raw))[6]  # the string table
        if len(strings) < 10:
            yield f"{len(strings)} strings"
        for string in strings:
            yield from problems_of_text(string, "")
        return
    if kind in ("json", "lines"):  # of JSON
        for document in raw.splitlines() if kind == "lines" else [raw]:
            json.loads(document)
    if kind == "folded":
        for line in raw.splitlines():
            if not re.fullmatch(rb".+ \d+", line) or b"semi;colon" in line:
                yield f"no folded stack: {line!r}"
    if kind == "prometheus" and re.search(rb'(?<!\\)",evil=', raw):
        yield "a label of its own"
    yield from problems_of_text(raw)


def main():
    kind, *paths = sys.argv[1:]
    bad = 0
    for path in paths:
        with open(path, "rb") as file:
            raw = file.read()
        found = list(problems(kind, raw))
        if len(raw) < 40:
            found.append(f"only {len(raw)} bytes")
        for text in found[:5]:
            print(f"{path} ({kind}): {text}")
        bad += len(found)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
