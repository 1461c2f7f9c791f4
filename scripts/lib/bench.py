#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the benchmarks of bench/ and says what came out. bench/README.md has the
# protocol between this and a benchmark, and the form of the JSON.
import argparse
import fnmatch
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "bench"
BUILD = ROOT / "build"
SKIPPED = 77  # a benchmark's exit status, as for ctest
RUN_TIMEOUT_S = 300
COUNTED_UNITS = (8192, 24576)  # valgrind counts the second less the first
SCRIPT_SUFFIXES = (".py", ".sh")  # of benchmarks that are no C programs


class Failed(Exception):
    """A measurement, or what it needs, went wrong."""


class Skipped(Exception):
    """A measurement cannot be made here."""


class Children:
    """Runs one command at a time, each as a process group of its own, and
    sees to it that an interrupt leaves none of its processes behind."""

    def __init__(self):
        self.group = None
        self.interrupted = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.interrupt)

    # Nothing is raised from here: it may come at any moment, that between a
    # fork and our knowing of it included.
    def interrupt(self, number, _frame):
        self.interrupted = number
        self.kill(signal.SIGTERM)

    def kill(self, number):
        if self.group is not None:
            try:
                os.killpg(self.group, number)
            except ProcessLookupError:
                pass

    def check(self):
        if self.interrupted is not None:
            self.kill(signal.SIGTERM)
            raise KeyboardInterrupt

    def run(self, command, cpu=None, timeout=None, **popen):
        """Returns (exit status, standard output, standard error)."""

        def pin():
            os.sched_setaffinity(0, {cpu})

        self.check()
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=pin if cpu is not None else None,
            **popen,
        )
        self.group = child.pid
        try:
            self.check()
            out, err = self.wait(child, timeout)
            self.check()
        finally:
            self.kill(signal.SIGKILL)
            child.wait()
            self.group = None
        return child.returncode, out, err

    def wait(self, child, timeout):
        left = timeout
        while True:
            try:
                return child.communicate(timeout=1)
            except subprocess.TimeoutExpired:
                pass
            if self.interrupted is not None:
                return None, None  # had a second to end by itself
            if left is not None:
                left -= 1
                if left <= 0:
                    raise Failed(f"no end after {timeout} seconds")


children = Children()


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run_quietly(command, what, **popen):
    """Run a step of the preparation; show its output only if it fails."""
    status, out, _ = children.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen
    )
    if status:
        sys.stderr.write(out)
        raise Failed(f"{what} failed")


def git(*words):
    status, out, _ = children.run(
        ["git", "-C", ROOT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return out.strip() if status == 0 else None


# What is measured


class Tree:
    """A source tree and what was built of it."""

    def __init__(self, source, build, suffix=""):
        self.source = source
        self.build = build
        self.suffix = suffix  # of its systems' names

    def make(self):
        run_quietly(
            ["cmake", "--preset", "release", "-DVNET_BUILD_BENCH=ON"],
            f"configuring {self.source}",
            cwd=self.source,
        )
        run_quietly(
            ["cmake", "--build", self.build, "--target", "benches"],
            f"building {self.source}",
        )

    def program(self, name):
        """The path of a benchmark, or None if this tree has none such."""
        paths = [self.build / "bench" / f"bench_{name}"]
        paths += [self.source / "bench" / (name + s) for s in SCRIPT_SUFFIXES]
        for path in paths:
            if os.access(path, os.X_OK):
                return path
        return None

    def environment(self):
        return {**os.environ, "BENCH_BUILD": str(self.build)}


class Case:
    """One case of one system of one benchmark, and what came out of it."""

    def __init__(self, tree, program, name, system, ours, counted, cpu):
        self.tree = tree
        self.program = program
        self.name = name
        self.own_system = system
        self.system = system + tree.suffix
        self.ours = ours
        self.counted = counted
        self.cpu = cpu
        self.runs = {}  # unit -> values, in order of measurement
        self.skipped = None
        self.failed = None

    def __str__(self):
        return f"{self.name} of {self.system}"

    def invoke(self, before=(), options=()):
        status, out, err = children.run(
            [*before, self.program, *options, self.name, self.own_system],
            cpu=self.cpu,
            timeout=RUN_TIMEOUT_S,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.tree.environment(),
        )
        if status == SKIPPED:
            raise Skipped(err.strip() or "it does not say why")
        if status:
            raise Failed(err.strip() or f"exit status {status}")
        return out, err

    def measure(self):
        out, _ = self.invoke()
        figures = {}
        for line in out.splitlines():
            unit, _, value = line.rpartition(" ")
            try:
                figures[unit] = float(value)
            except ValueError:
                unit = ""
            if not unit:
                raise Failed(f"printed {line!r} instead of a figure")
        if not figures:
            raise Failed("printed no figure")
        for unit, value in figures.items():
            self.runs.setdefault(unit, []).append(value)

    def count(self):
        """What valgrind counts does not depend on the machine's load."""
        with tempfile.TemporaryDirectory() as folder:
            valgrind = [
                "valgrind",
                "--tool=callgrind",
                f"--callgrind-out-file={folder}/out",
            ]
            total = []
            for units in COUNTED_UNITS:
                _, err = self.invoke(valgrind, ["--units", units])
                found = re.search(r"Collected : (\d+)", err)
                if not found:
                    raise Failed("valgrind did not say what it counted")
                total.append(int(found[1]))
        per_unit = (total[1] - total[0]) / (COUNTED_UNITS[1] - COUNTED_UNITS[0])
        self.runs[f"instructions/{self.counted}"] = [per_unit]

    def attempt(self, measure):
        if self.skipped or self.failed:
            return
        try:
            measure()
        except Skipped as why:
            self.skipped = str(why)
        except Failed as why:
            self.failed = str(why)
            say(f"{self} failed: {why}")

    def results(self):
        for unit, runs in self.runs.items():
            yield {
                "case": self.name,
                "system": self.system,
                "unit": unit,
                "median": statistics.median(runs),
                "min": min(runs),
                "max": max(runs),
                "runs": runs,
            }


def list_cases(tree, name, pattern, cpu):
    """The cases of a benchmark, and whether they are pinned."""
    program = tree.program(name)
    if not program:
        raise Failed(f"{tree.source} has no benchmark {name}")
    status, out, err = children.run(
        [program, "--list"],
        timeout=RUN_TIMEOUT_S,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=tree.environment(),
    )
    lines = [line.split() for line in out.splitlines()]
    if status or not lines:
        raise Failed(f"{program} --list failed: {err.strip()}")
    if lines[0] == ["unpinned"]:
        cpu = None
        lines.pop(0)
    cases = []
    for line in lines:
        if len(line) != 4 or line[2] not in ("ours", "peer"):
            raise Failed(f"{program} --list printed {' '.join(line)!r}")
        case, system, whose, counted = line
        if not fnmatch.fnmatch(case, pattern):
            continue
        ours = whose == "ours"
        if ours or not tree.suffix:
            counted = None if counted == "-" else counted
            cases.append(Case(tree, program, case, system, ours, counted, cpu))
    return cases, cpu is not None


# What it comes to


def compare(spec, medians):
    """A ratio of bench/goals.json; None if what it needs was not measured."""

    def value(operand):
        if isinstance(operand, (int, float)):
            return operand
        return medians.get(tuple(operand))

    of, over = value(spec["of"]), value(spec["over"])
    return of / over if of is not None and over else None


def is_met(ratio, op, limit):
    if ratio is None:
        return False
    return ratio >= limit if op == ">=" else ratio <= limit


def compare_trees(results, suffix):
    """For each case of ours, its first unit, and its instructions: new over
    old."""
    ratios = {}
    medians = {(r["case"], r["system"], r["unit"]): r["median"] for r in results}
    for case, system, unit in medians:
        old = medians.get((case, system + suffix, unit))
        name = f"{case}/{system}/{system}{suffix}"
        if unit.startswith("instructions/"):
            name += "/instructions"
        if old and name not in ratios:
            ratios[name] = medians[case, system, unit] / old
    return ratios


def cpu_model():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.*)", text, re.MULTILINE)
    return found[1] if found else os.uname().machine


def commit():
    head = git("rev-parse", "HEAD")
    if not head:
        return "unknown"
    return head + "-dirty" if git("status", "--porcelain", "-uno") else head


def make_report(name, cases, pinned, args, only_some):
    results = [result for case in cases for result in case.results()]
    medians = {(r["case"], r["system"], r["unit"]): r["median"] for r in results}
    report = {
        "schema": 1,
        "bench": name,
        "commit": commit(),
        "kernel": os.uname().release,
        "cpu": cpu_model(),
        "pinned": pinned,
        "results": results,
        "ratios": {},
        "goals": [],
        "skipped": [
            {"case": c.name, "system": c.system, "why": c.skipped}
            for c in cases
            if c.skipped
        ],
        "failed": [
            {"case": c.name, "system": c.system, "why": c.failed}
            for c in cases
            if c.failed
        ],
    }
    specs = json.loads((BENCH / "goals.json").read_text()).get(name, {})
    for ratio_name, spec in specs.items():
        ratio = compare(spec, medians)
        if ratio is None and only_some:
            continue
        if ratio is not None:
            report["ratios"][ratio_name] = ratio
        if "goal" in spec:
            op, limit = spec["goal"]
            report["goals"].append(
                {
                    "ratio": ratio_name,
                    "op": op,
                    "limit": limit,
                    "met": is_met(ratio, op, limit),
                }
            )
    if args.against:
        report["ratios"].update(compare_trees(results, f"@{args.against}"))
    return report


def number(value):
    if value and abs(value) >= 10000:
        return f"{value:,.0f}"
    return f"{value:#.4g}".rstrip(".")


def print_table(columns, rows):
    """Columns are headings; those of figures begin with '>'."""
    table = [[heading.lstrip(">") for heading in columns], *rows]
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        words = [
            word.rjust(width) if heading.startswith(">") else word.ljust(width)
            for word, width, heading in zip(row, widths, columns)
        ]
        print("  ".join(words).rstrip())
    print()


def print_report(report):
    pinned = "pinned to one processor" if report["pinned"] else "not pinned"
    print(f"{report['bench']}, commit {report['commit']}, {pinned}")
    print(f"{report['cpu']}, Linux {report['kernel']}\n")
    rows = []
    for r in report["results"]:
        spread = (r["max"] - r["min"]) / r["median"] if r["median"] else 0
        row = [r["case"], r["system"], r["unit"]]
        row += [number(r[key]) for key in ("median", "min", "max")]
        rows.append([*row, f"{spread:.0%}"])
    columns = ["case", "system", "unit", ">median", ">min", ">max", ">spread"]
    print_table(columns, rows)

    goals = {goal["ratio"]: goal for goal in report["goals"]}
    rows = []
    for name in {**report["ratios"], **goals}:
        ratio = report["ratios"].get(name)
        row = [name, "-" if ratio is None else f"{ratio:.3f}"]
        if name in goals:
            goal = goals[name]
            row.append(f"{goal['op']} {goal['limit']}")
            row.append("met" if goal["met"] else "NOT MET")
        rows.append([*row, "", ""][:4])
    if rows:
        print_table(["ratio", ">is", "goal", ""], rows)
    for kind in ("skipped", "failed"):
        for case in report[kind]:
            print(f"{kind}: {case['case']} of {case['system']}: {case['why']}")
    sys.stdout.flush()


def measure_bench(name, trees, args):
    cpu = max(os.sched_getaffinity(0))
    cases, pinned = list_cases(trees[0], name, args.case, cpu)
    known = {(case.name, case.own_system) for case in cases}
    for tree in trees[1:]:
        if not tree.program(name):
            say(f"{name} is not in {args.against}")
            continue
        for case in list_cases(tree, name, args.case, cpu)[0]:
            if (case.name, case.own_system) in known:
                cases.append(case)
    # An older program takes --units too, where it does not yet say of what.
    counted = {
        (case.name, case.own_system): case.counted
        for case in cases
        if not case.tree.suffix
    }
    for case in cases:
        case.counted = counted[case.name, case.own_system]
    if args.instructions:
        cases = [case for case in cases if case.counted]
    if not cases:
        return None
    # All systems of a case in turn, and that again and again: what disturbs
    # the machine for a while then disturbs them alike.
    order = {case.name: i for i, case in reversed(list(enumerate(cases)))}
    cases.sort(key=lambda case: order[case.name])
    runs = 0 if args.instructions else args.runs
    for turn in range(runs):
        say(f"{name}: turn {turn + 1} of {runs}, {len(cases)} measurements")
        for case in cases:
            case.attempt(case.measure)
    for case in cases:
        if case.counted:
            say(f"{name}: counting instructions of {case}")
            case.attempt(case.count)
    only_some = args.instructions or args.case != "*"
    return make_report(name, cases, pinned, args, only_some)


# Preparation


def bench_names():
    suffixes = (".c", *SCRIPT_SUFFIXES)
    return sorted({p.stem for p in BENCH.iterdir() if p.suffix in suffixes})


def older_tree(revision):
    """Unpack and build an older commit below build/against; it stays there for
    the next time."""
    sha = git("rev-parse", "--verify", "--quiet", revision + "^{commit}")
    if not sha:
        raise Failed(f"--against: git knows no commit {revision}")
    source = BUILD / "against" / sha[:12]
    if not source.exists():
        say(f"unpacking {revision} into {source.relative_to(ROOT)}")
        source.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=source.parent) as folder:
            tar, tree = f"{folder}/tar", pathlib.Path(folder, "tree")
            tree.mkdir()
            run_quietly(
                ["git", "-C", ROOT, "archive", "-o", tar, sha], "git archive",
            )
            run_quietly(["tar", "-xf", tar, "-C", tree], "unpacking")
            # What scripts/deps has put below build/ is for all trees.
            (tree / "build").mkdir()
            (tree / "build" / "sysroot").symlink_to(BUILD / "sysroot")
            tree.rename(source)
    return Tree(source, source / "build" / "release", f"@{revision}")


def prepare(args):
    if args.build:
        trees = [Tree(ROOT, args.build.resolve())]
    else:
        run_quietly([ROOT / "scripts" / "deps", "bench"], "scripts/deps bench")
        trees = [Tree(ROOT, BUILD / "release")]
        say("building preset release")
        trees[0].make()
    if args.against:
        tree = older_tree(args.against)
        say(f"building {args.against}")
        tree.make()
        trees.append(tree)
    return trees


def parse_arguments():
    names = bench_names()
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure, print a table, and compare with the goals.",
        epilog="Exits with 1 if a measurement failed, or with --check also if "
        "a goal of bench/goals.json is not met. What each measures, and the "
        "figures of the last time: bench/README.md.",
    )
    parser.add_argument(
        "name", metavar="NAME", choices=[*names, "all"],
        help=f"which benchmark: {', '.join(names)}, or all",
    )
    parser.add_argument(
        "--json", metavar="FILE", type=pathlib.Path,
        help="write the figures to FILE: an object, for all a list of them",
    )
    parser.add_argument(
        "--check", action="store_true", help="fail if a goal is not met"
    )
    parser.add_argument(
        "--against", metavar="REV",
        help="also build that commit, and measure both in turn",
    )
    parser.add_argument(
        "--runs", metavar="N", type=int, default=7,
        help="how often to measure each case (default: %(default)s)",
    )
    parser.add_argument(
        "--case", metavar="PATTERN", default="*",
        help="only the cases whose name matches, * and ? being wildcards",
    )
    parser.add_argument(
        "--instructions", action="store_true",
        help="measure no times: only count instructions, by valgrind, of the "
        "cases that say by what unit",
    )
    parser.add_argument(
        "--build", metavar="DIR", type=pathlib.Path,
        help="measure what is built in DIR already; install and build nothing",
    )
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("--runs: at least 1")
    return args


def measure(args):
    trees = prepare(args)
    reports = []
    for name in bench_names() if args.name == "all" else [args.name]:
        report = measure_bench(name, trees, args)
        if report:
            print_report(report)
            reports.append(report)
    if not reports:
        raise Failed(f"no case matches {args.case}")
    if args.json:
        what = reports if args.name == "all" else reports[0]
        args.json.write_text(json.dumps(what, indent=1) + "\n")
    if any(report["failed"] for report in reports):
        return 1
    unmet = [g["ratio"] for r in reports for g in r["goals"] if not g["met"]]
    if unmet:
        say(f"goals not met: {', '.join(unmet)}")
    return 1 if args.check and unmet else 0


def main():
    args = parse_arguments()
    try:
        return measure(args)
    except (Failed, OSError) as why:
        say(why)
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 128 + (children.interrupted or signal.SIGINT)


sys.exit(main())
