#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a real program: python3 builds large structures.
. "$E2E/lib.sh"

need python3
cat >build.py <<'END'
import collections, hashlib, json, threading
def records(n):
    return [{"id": i, "name": "item %d" % i, "tags": [str(i % k) for k in range(1, 6)],
             "nested": {"x": i * 1.5, "y": (i, i + 1)}} for i in range(n)]
def index(rows):
    by_tag = collections.defaultdict(list)
    for row in rows:
        for tag in row["tags"]:
            by_tag[tag].append(row["id"])
    return by_tag
rows = records(60000)
tags = index(rows)
text = json.dumps(rows)
again = json.loads(text)
results = []
threads = [threading.Thread(target=lambda k=k: results.append(len(str(records(3000 + k)))))
           for k in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(text), again == json.loads(json.dumps(rows)), len(tags), sorted(results))
print(hashlib.sha256(text.encode()).hexdigest())
END
run_both python3 build.py
equal 0 "$(<shim.status)" 'the status of python3'
plausible '_?Py[A-Za-z]*_'
expect 'heap["requested_bytes"] > 50e6' 'heap["peak_bytes"] > 20e6' 'process["max_rss_bytes"] > 20e6'
