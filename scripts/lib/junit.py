#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Joins the results of several configurations into one report.

usage: junit.py DIR OUTPUT CONFIGURATION...

DIR holds for each configuration <name>.log, what configuring and building it
printed, and <name>.xml, what ctest wrote; the second is missing where the
build failed. The tests of dev and fuzz keep their names, those of the others
get the configuration's in front. The last line says how many passed, failed
and were skipped. Exits with 1 if any failed, or, where CI is true, was
skipped.
"""
import os
import pathlib
import sys
import xml.etree.ElementTree as ET

UNPREFIXED = {"dev", "fuzz"}


def build_case(configuration, log, built):
    case = ET.Element("testcase", name=f"build_{configuration}", time="0")
    if not built:
        ET.SubElement(case, "failure", message="not built, or no test ran")
        text = log.read_text(errors="replace") if log.exists() else ""
        ET.SubElement(case, "system-out").text = "".join(
            c for c in text if c.isprintable() or c in "\n\t"
        )
    return case


def outcome(case):
    skipped = case.find("skipped")
    if skipped is not None and "SKIP_RETURN_CODE" not in skipped.get("message"):
        # ctest says so of what it could not run, for want of the program.
        skipped.tag = "failure"
    if case.find("failure") is not None:
        return "failed"
    return "passed" if skipped is None else "skipped"


def reason(case):
    """What a skipped test says that is missing."""
    lines = (case.findtext("system-out") or "").strip().splitlines()
    return lines[-1].removeprefix("skipped: ") if lines else "no reason given"


def main():
    folder, output = map(pathlib.Path, sys.argv[1:3])
    suite = ET.Element("testsuite", name="libvnet")
    names = {"passed": [], "failed": [], "skipped": []}

    for configuration in sys.argv[3:]:
        results = folder / f"{configuration}.xml"
        cases = []
        if results.exists():
            cases = list(ET.parse(results).getroot().iter("testcase"))
        if configuration not in UNPREFIXED:
            for case in cases:
                case.set("name", f"{configuration}/{case.get('name')}")
        log = folder / f"{configuration}.log"
        cases.insert(0, build_case(configuration, log, bool(cases)))
        for case in cases:
            case.set("classname", configuration)
            case.attrib.pop("status", None)
            what = outcome(case)
            name = case.get("name")
            if what == "skipped":
                name += f": {reason(case)}"
            names[what].append(name)
            suite.append(case)

    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(names["failed"])))
    suite.set("skipped", str(len(names["skipped"])))
    output.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(output, encoding="utf-8", xml_declaration=True)

    print()
    for what in "skipped", "failed":
        for name in names[what]:
            print(f"{what}: {name}")
    bad = bool(names["failed"])
    if names["skipped"] and os.environ.get("CI") == "true":
        print("CI has all that the tests need: a skipped test is a failure")
        bad = True
    print(", ".join(f"{len(names[what])} {what}" for what in names))
    sys.exit(1 if bad else 0)


main()
