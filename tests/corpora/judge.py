"""Tells new failures from known ones in the reports of the three runners; see run.sh.
usage: judge.py FOLDER_OF_REPORTS KNOWN_FAILURES FOLDER_OF_SLT [--update]
"""
import json
import os
import sys


def cases(folder, runner):
    """Counts of passed and skipped cases, the files that ran, and {name: reason} of what failed."""
    with open(os.path.join(folder, runner + ".json"), encoding="utf-8") as f:
        files = json.load(f)
    size = len if runner == "sqltest" else int
    failures = {}
    for file in files:
        for case in file["failed"] if runner == "sqltest" else file["failures"]:
            name = case["id"] if "id" in case else f"{file['name']}:{case['line']}"
            # Names are not unique in every file; the count must be right all the same.
            base, n = f"{runner} {name}", 2
            name = base
            while name in failures:
                name, n = f"{base} ({n})", n + 1
            failures[name] = " ".join(case["reason"].split())
    passed = sum(size(file["passed"]) for file in files)
    skipped = sum(size(file.get("skipped", 0 if size is int else [])) for file in files)
    return passed, skipped, failures


def other_databases(folder):
    """How many statements and queries of .test files are marked as other databases' than SQLite."""
    count = 0
    for at, _, names in os.walk(folder):
        for name in (n for n in names if n.endswith(".test")):
            other = False
            with open(os.path.join(at, name), encoding="utf-8", errors="replace") as f:
                for line in f:
                    words = line.split()
                    if words[:1] in (["skipif"], ["onlyif"]) and len(words) > 1:
                        other |= (words[1] == "sqlite") == (words[0] == "skipif")
                        continue
                    count += other and words[:1] in (["statement"], ["query"])
                    other = other and line.startswith("#")
    return count


def main():
    folder, list_path, slt, option = sys.argv[1:5]
    passed = skipped = broken = 0
    failures = {}
    for runner in ("slt", "sqltest", "tcl"):
        try:
            p, s, f = cases(folder, runner)
        except OSError:
            broken += 1
            with open(os.path.join(folder, runner + ".log"), encoding="utf-8", errors="replace") as log:
                print(f"FAIL {runner}: the runner gave no report: {log.read()[-500:]}")
            continue
        passed, skipped = passed + p, skipped + s
        failures.update(f)
    others = other_databases(slt)
    print(f"skip nothing: {others} records of the .test files are other databases' (onlyif mysql, mssql, oracle), not counted")
    skipped -= others
    if option == "--update" and not broken:
        with open(list_path, "w", encoding="utf-8") as f:
            f.writelines(name + "\n" for name in sorted(failures))
    known = set()
    if os.path.exists(list_path):
        with open(list_path, encoding="utf-8") as f:
            known = {line.rstrip("\n") for line in f if line.strip()}
    fresh = {name: reason for name, reason in failures.items() if name not in known}
    for name, reason in sorted(fresh.items()):
        print(f"FAIL {name}: {reason[:200]}")
    met = len(failures) - len(fresh)
    print(f"skip known: {met} cases of tests/corpora/known_failures.txt")
    better = sorted(known - set(failures)) if not broken else []
    if better:
        print(f"skip nothing: {len(better)} cases of the list pass, take them out with --update: "
              f"{', '.join(better[:10])}{' ...' if len(better) > 10 else ''}")
    failed = len(fresh) + broken
    print(f"{passed} passed, {failed} failed, {skipped + met} skipped")
    sys.exit(1 if failed else 0)


main()
