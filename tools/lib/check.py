"""What tools/check runs: format, layering, words, tidy. Each is one case of the final count."""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compdb  # noqa: E402
import layering  # noqa: E402

CLANG_FORMAT, CLANG_TIDY = "clang-format-19", "clang-tidy-19"
OURS = ("source/", "test/", "tools/", "bazel/")

# Paths of one machine, and trailers of tools, have no place here. In pieces: this file is checked too.
STRAY = [
    (re.compile(r"(?<![\w.~-])/(?:wo" r"rk|ro" r"ot)/"), "a path of one machine; say it relative to the workspace"),
    (re.compile(r"co-authored" r"-by:", re.I), "a trailer; leave it out"),
    (re.compile(r"^(<{7}|>{7}) "), "a merge conflict; resolve it"),
]


def git(*args):
    return subprocess.run(["git", *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def tracked_files():
    """Tracked, and new ones that are not ignored."""
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return sorted({n for n in names if n and os.path.isfile(n)})


def cc_files(files):
    return [f for f in files if f.startswith(OURS) and f.endswith((".cc", ".h"))]


def check_format(files, args):
    names = cc_files(files)
    if not names:
        return []
    if args.fix:
        subprocess.run([CLANG_FORMAT, "-i", *names], check=True)
    run = subprocess.run([CLANG_FORMAT, "--dry-run", "--Werror", "--ferror-limit=1", *names], stderr=subprocess.PIPE,
                         text=True)
    bad = re.findall(r"^(\S+?):(\d+):\d+: error: ", run.stderr, re.M)
    if run.returncode and not bad:
        return [run.stderr.strip()]
    return ["%s:%s: not formatted; run tools/check --fix" % b for b in dict(bad).items()]


def check_layering(files, args):
    problems = layering.check(files)
    for f in files:
        if f.startswith(("source/", "test/")) and f.endswith(".h"):
            with open(f) as stream:
                if "#pragma once" not in stream.read():
                    problems.append("%s:1: no #pragma once; add it" % f)
    return problems


def check_words(files, args):
    problems = []
    for f in files:
        with open(f, "rb") as stream:
            data = stream.read()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            problems += ["%s:%d: holds %s" % (f, number, why) for pattern, why in STRAY if pattern.search(line)]
    return problems


def base_commit():
    """Where this work left the main branch; the commit before when that is here."""
    head = git("rev-parse", "HEAD").strip()
    if os.environ.get("EGRET_CHECK_BASE"):
        return os.environ["EGRET_CHECK_BASE"]
    for branch in ("@{upstream}", "origin/main", "main"):
        base = git("merge-base", "HEAD", branch).strip()
        if base and base != head:
            return base
    return git("rev-parse", "--verify", "HEAD~1").strip()


def tidy_candidates(files, everything):
    """The .cc files to look at: changed ones, and for a changed header the .cc or test of its name."""
    sources = {f for f in files if f.startswith(("source/", "test/")) and f.endswith(".cc")}
    base = base_commit()
    if everything or not base:
        return sources
    changed = set(git("diff", "--name-only", "--diff-filter=d", base).split("\n"))
    changed |= set(git("ls-files", "--others", "--exclude-standard").split("\n"))
    for header in [f for f in changed if f.endswith(".h")]:
        stem = header[:-len(".h")]
        changed.add(stem + ".cc")
        if stem + ".cc" not in sources:
            changed.add("test/" + stem[len("source/"):] + "_test.cc")
    return changed & sources


def tidy_one(name):
    run = subprocess.run([CLANG_TIDY, "-quiet", "-p", ".", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out = re.sub(r"^\./", "", run.stdout.replace(os.getcwd() + "/", "").strip(), flags=re.M)
    if run.returncode and not out:
        out = "%s:1: clang-tidy failed: %s" % (name, run.stderr.strip()[-500:])
    return out if run.returncode else ""


def check_tidy(files, args):
    wanted = tidy_candidates(files, args.all)
    if not wanted:
        return []
    packages = sorted({os.path.dirname(f) for f in wanted})
    packages = [p for p in packages if os.path.exists(p + "/BUILD.bazel")]
    targets = ["//%s:all" % p for p in packages]
    try:
        if targets:
            # Generated headers only; nothing of ours is compiled.
            compdb.bazel("build", "--keep_going", "--ui_event_filters=-info", "--noshow_progress",
                         "--output_groups=compilation_prerequisites_INTERNAL_", *targets, quiet=False)
            known = compdb.write(targets)
    except subprocess.CalledProcessError as e:
        return ["bazel failed (exit status %d); see above" % e.returncode]
    wanted = sorted(wanted & known) if targets else []
    print("clang-tidy: %d files" % len(wanted), flush=True)
    problems, seen = [], set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for out in pool.map(tidy_one, wanted):
            # The same problem of a header is found through every file that includes it.
            for block in re.split(r"\n(?=\S+:\d+:\d+: (?:warning|error))", out) if out else []:
                if block not in seen:
                    seen.add(block)
                    problems.append(block)
    return problems


CHECKS = {"format": check_format, "layering": check_layering, "words": check_words, "tidy": check_tidy}


def main():
    p = argparse.ArgumentParser(prog="tools/check")
    p.add_argument("--all", action="store_true", help="clang-tidy on every file")
    p.add_argument("--fix", action="store_true", help="clang-format -i first")
    p.add_argument("--counts", metavar="FILE")
    p.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    args = p.parse_args()
    unknown = [c for c in args.checks if c not in CHECKS]
    if unknown:
        p.error("no check is called %s; there are %s" % (", ".join(unknown), ", ".join(CHECKS)))
    files = tracked_files()
    passed = failed = 0
    for name in args.checks or CHECKS:
        problems = CHECKS[name](files, args)
        for problem in problems:
            print(problem)
        print("%s: %s" % (name, "%d problems" % len(problems) if problems else "ok"), flush=True)
        passed, failed = passed + (not problems), failed + bool(problems)
    if args.counts:
        with open(args.counts, "a") as f:
            f.write("%d %d 0\n" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
