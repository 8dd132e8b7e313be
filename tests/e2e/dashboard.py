#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dashboard: the Grafana dashboard says what Grafana needs, and each of its
queries is answered with data by a Prometheus that scraped the real thing.

    dashboard.py DASHBOARD.json http://HOST:PORT
"""
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PANELS = {"timeseries", "heatmap", "row", "stat", "table"}
COLUMNS = 24


def fail(expected, got):
    print("EXPECTED %s\nGOT      %s" % (expected, got))
    sys.exit(1)


def ask(base, path, **parameters):
    url = base + path + "?" + urllib.parse.urlencode(parameters)
    try:
        return json.load(urllib.request.urlopen(url, timeout=10))["data"]
    except urllib.error.HTTPError as e:
        fail("an answer to %s" % parameters, e.read().decode())


def check_variables(dashboard):
    """Names of the template variables; each is either a source or a query."""
    names = set()
    for v in dashboard["templating"]["list"]:
        if v["type"] not in ("datasource", "query"):
            fail("a variable of a known type", v)
        if v["type"] == "query" and v["datasource"]["uid"] != "${source}":
            fail("a variable of the chosen data source", v)
        names.add(v["name"])
    return names


def check_panels(dashboard, variables):
    """Fields that Grafana's schema asks for; no two panels in one place."""
    taken = {}
    for p in dashboard["panels"]:
        place = p["gridPos"]
        if p["type"] not in PANELS or not p["title"] or not p["targets"]:
            fail("a panel with type, title and queries", p)
        if p["datasource"] != {"type": "prometheus", "uid": "${source}"}:
            fail("a panel of the chosen data source", p)
        if not 0 <= place["x"] <= place["x"] + place["w"] <= COLUMNS:
            fail("a panel within %d columns" % COLUMNS, place)
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])):
            if taken.setdefault(cell, p["id"]) != p["id"]:
                fail("panels beside each other", (p["id"], taken[cell]))
        if len({t["refId"] for t in p["targets"]}) != len(p["targets"]):
            fail("queries with letters of their own", p["targets"])
        for t in p["targets"]:
            used = set(re.findall(r"\$\{?([a-z]\w*)", t["expr"]))
            if not used <= variables:
                fail("variables that exist", used - variables)
    if len({p["id"] for p in dashboard["panels"]}) != len(dashboard["panels"]):
        fail("panels with numbers of their own", "the same twice")


def filled_in(expression):
    """As Grafana does for "All" and a fast scrape."""
    expression = expression.replace("$__rate_interval", "5s")
    return re.sub(r"\$\{?[a-z]\w*\}?", ".*", expression)


def wait_for_data(base, expression):
    for _ in range(50):
        result = ask(base, "/api/v1/query", query=expression)["result"]
        if any(r["value"][1] != "NaN" for r in result):
            return
        time.sleep(0.2)
    fail("data for %s" % expression, result)


def main():
    dashboard = json.load(open(sys.argv[1]))
    base = sys.argv[2]
    for key in ("title", "uid", "schemaVersion", "time", "panels", "templating"):
        if key not in dashboard:
            fail("a dashboard with %s" % key, sorted(dashboard))
    check_panels(dashboard, check_variables(dashboard))
    queries = 0
    for p in dashboard["panels"]:
        for t in p["targets"]:
            wait_for_data(base, filled_in(t["expr"]))
            queries += 1
    for v in dashboard["templating"]["list"]:
        if v["type"] != "query":
            continue
        metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)",
                                     v["query"]["query"]).groups()
        if not ask(base, "/api/v1/label/%s/values" % label,
                   **{"match[]": filled_in(metric)}):
            fail("values of the variable %s" % v["name"], "none")
    for a in dashboard["annotations"]["list"]:
        if "expr" in a:
            ask(base, "/api/v1/query", query=filled_in(a["expr"]))
            queries += 1
    print("%d queries" % queries)


if __name__ == "__main__":
    main()
