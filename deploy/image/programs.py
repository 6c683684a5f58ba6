"""The programs that are shipped, and when they were made."""
import os
import subprocess
import tempfile

import debian

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = {"egret": "run", "egret-control": "control", "egretctl": "ctl"}  # name -> folder of its source


def build(folder=None):
    """{name: path}. Optimised, unless they are in `folder` already."""
    if folder:
        return {name: os.path.join(folder, name) for name in PROGRAMS}
    bazel = ["/usr/bin/bazel", *os.environ.get("EGRET_BAZEL_STARTUP", "").split()]
    targets = ["//source/%s:%s" % (source, name) for name, source in PROGRAMS.items()]
    subprocess.run([*bazel, "build", "--config=opt", *targets], cwd=TOP, check=True)
    run = subprocess.run([*bazel, "info", "--config=opt", "bazel-bin"], cwd=TOP, check=True, text=True,
                         stdout=subprocess.PIPE)
    return {name: os.path.join(run.stdout.strip(), "source", source, name) for name, source in PROGRAMS.items()}


def time_of_it():
    """What all files say that they were changed at."""
    if os.environ.get("SOURCE_DATE_EPOCH"):
        return int(os.environ["SOURCE_DATE_EPOCH"])
    return int(debian.output_of("git", "-C", TOP, "log", "-1", "--format=%ct") or 0)


def stripped(binary):
    """A program without its symbols, which nothing in it reads."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "binary")
        subprocess.run(["strip", "--strip-all", "-o", copy, binary], check=True)
        with open(copy, "rb") as f:
            return f.read()
