#!/usr/bin/env python3
"""Counts what a ctest run left in its JUnit file: prints "<passed> <failed> <skipped>".

What failed, and what was skipped with its reason, goes to stderr, a line each. A test that could not be run at
all (no executable) has failed; only one that asked to be skipped is skipped.
"""
import sys
import xml.etree.ElementTree as ElementTree

ASKED_FOR = ("SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION")


def judge(case):
    """The verdict on one test case, and its reason."""
    status = case.get("status")
    if status == "run":
        return "passed", ""
    if status == "disabled":
        return "skipped", "disabled"
    skipped = case.find("skipped")
    reason = skipped.get("message", "") if skipped is not None else ""
    if status == "notrun" and reason.startswith(ASKED_FOR):
        output = (case.findtext("system-out") or "").strip().splitlines()
        return "skipped", output[-1] if output else reason
    return "failed", reason


def count(path, tell):
    """How many there are of each verdict. What did not pass is told, a line each."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        verdict, reason = judge(case)
        counts[verdict] += 1
        if verdict != "passed":
            tell(f"  {verdict}: {case.get('name')}" + (f" ({reason})" if reason else ""))
    return counts if any(counts.values()) else {"passed": 0, "failed": 1, "skipped": 0}


if __name__ == "__main__":
    print(*count(sys.argv[1], lambda line: print(line, file=sys.stderr)).values())
