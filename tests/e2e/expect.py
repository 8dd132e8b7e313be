#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""expect: what the stories ask of a JSON report.

    expect.py validate FILE              against lib/report/report.schema.json
    expect.py expect FILE EXPRESSION...  each must be true
    expect.py value FILE EXPRESSION      print it

In an expression, r is the report, its members are names (heap, process,
sections, sampling ...), section("x") is the section x, sites("f") the sites
whose stack names f, site("f", "bytes") the sum of a field over them.
"""
import json
import os
import sys

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../lib/report/report.schema.json")


def names(report):
    def section(name):
        found = [s for s in report["sections"] if s["name"] == name]
        if len(found) != 1:
            print("EXPECTED one section %r\nGOT      %r" % (
                name, [s["name"] for s in report["sections"]]))
            sys.exit(1)
        return found[0]

    def sites(function):
        return [s for s in report["heap"]["sites"] if function in json.dumps(s["stack"])]

    def site(function, field):
        return sum(s[field] for s in sites(function))

    return dict(report, r=report, section=section, sites=sites, site=site)


def shown(expression, scope):
    """The values of the parts around a comparison, for the failure's line."""
    import ast
    tree = ast.parse(expression, mode="eval").body
    parts = [tree.left, *tree.comparators] if isinstance(tree, ast.Compare) else [tree]
    return ", ".join("%s = %r" % (ast.unparse(p), eval(ast.unparse(p), scope))
                     for p in parts if not isinstance(p, ast.Constant))


def validate(report):
    import jsonschema
    with open(SCHEMA, encoding="utf-8") as source:
        schema = json.load(source)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    errors = sorted(validator(schema).iter_errors(report), key=lambda e: list(e.path))
    for error in errors[:5]:
        print("EXPECTED a report as in report.schema.json\nGOT      %s: %s" % (
            "/".join(map(str, error.path)), error.message[:300]))
    return 1 if errors else 0


def main():
    verb, path, *expressions = sys.argv[1:]
    with open(path, encoding="utf-8") as source:
        report = json.load(source)
    if verb == "validate":
        return validate(report)
    scope = names(report)
    for expression in expressions:
        result = eval(expression, scope)
        if verb == "value":
            print(result)
        elif not result:
            print("EXPECTED %s\nGOT      %s" % (expression, shown(expression, scope)))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
