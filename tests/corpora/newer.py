"""Cases of the corpora that newer releases of SQLite answer otherwise than 3.40 (docs/sql.md has why): newer.jsonl holds
their answers, so that they are compared like all others.
usage: newer.py overlay CORPORA OUT       copies CORPORA's tcl cases to OUT, with the newer answers
       newer.py make CORPORA SHELL ID...  asks a newer SQLite's shell ("sqlite3 -batch {db}") and writes newer.jsonl
"""
import json
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
LIST = os.path.join(here, "newer.jsonl")


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def overlay(corpora, out):
    newer = {entry["id"]: entry["expect"] for entry in read_lines(LIST)}
    for name in sorted(os.listdir(os.path.join(corpora, "tcl"))):
        if not name.endswith(".jsonl"):
            continue
        cases = read_lines(os.path.join(corpora, "tcl", name))
        for case in cases:
            case["expect"] = newer.get(f"{name}::{case['name']}", case["expect"])
        with open(os.path.join(out, name), "w", encoding="utf-8") as f:
            f.writelines(json.dumps(case) + "\n" for case in cases)


def make(corpora, shell, ids):
    sys.path.insert(0, corpora)
    import argparse
    import sqlshell
    import tclcase
    options = argparse.ArgumentParser()
    sqlshell.add_engine_options(options)
    engine = sqlshell.engine_from_options(options.parse_args(["--engine", shell]))
    entries = []
    for name in sorted({i.split("::")[0] for i in ids}):
        cases = read_lines(os.path.join(corpora, "tcl", name))
        sessions = [(c.get("conn", ""), [c["sql"].encode()]) for c in cases]
        for case, (result,) in zip(cases, tclcase.run_sessions(engine, sessions, tclcase.PREAMBLE)):
            if f"{name}::{case['name']}" not in ids:
                continue
            expect = {"rows": result.rows()} if result.ok else {"error": result.message.strip()}
            entries.append({"id": f"{name}::{case['name']}", "expect": expect})
    with open(LIST, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(entry) + "\n" for entry in entries)


if sys.argv[1] == "overlay":
    overlay(*sys.argv[2:4])
else:
    make(sys.argv[2], sys.argv[3], set(sys.argv[4:]))
