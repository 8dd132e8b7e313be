# SPDX-License-Identifier: MIT
"""pprof_file: a profile.proto read field by field, as the format is described."""
import collections
import gzip


def varint(data, at):
    """The number there, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """Field number -> all its values: numbers, and bytes of what has a length."""
    at, found = 0, collections.defaultdict(list)
    while at < len(data):
        key, at = varint(data, at)
        assert key & 7 in (0, 2), key
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        found[key >> 3].append(value)
    return found


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value - (1 << 64) if value >> 63 else value)
    return values


class Profile:
    """types, default, and samples: (stack of names, leaf first; values; labels)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            profile = fields(gzip.decompress(file.read()))
        text = [s.decode() for s in profile[6]]
        assert text[0] == ""
        self.types = [text[fields(t)[1][0]] for t in profile[1]]
        self.default = text[profile[14][0]]
        functions = [fields(f) for f in profile[5]]
        locations = [fields(one) for one in profile[4]]
        names = {f[1][0]: text[f[2][0]] for f in functions}
        where = {one[1][0]: names[fields(one[4][0])[1][0]] for one in locations}
        assert len(names) == len(functions) and len(where) == len(locations)
        self.samples = []
        for sample in map(fields, profile[2]):
            labels = [fields(one) for one in sample[3]]
            self.samples.append(([where[i] for i in packed(sample[1][0])], packed(sample[2][0]),
                                 {text[one[1][0]]: text[one[2][0]] for one in labels}))
