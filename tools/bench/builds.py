"""Builds what is measured and what measures."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def bazel(*arguments):
    return subprocess.run(["bash", "-c", '. tools/lib/common.sh; bazel "$@"', "bazel", *arguments], cwd=ROOT,
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def build(egret, with_egret, config="opt"):
    """Builds; gives the folder of binaries and where Egret's is (None: it is not asked for, or not there)."""
    targets = ["//tools/bench:" + name for name in ("limit", "limit_http2", "limit_tls", "load", "origin")]
    build_file = os.path.join(ROOT, "source/run/BUILD.bazel")
    if with_egret and not egret and os.path.exists(build_file):
        with open(build_file) as f:
            if '"egret"' in f.read():
                targets.append("//source/run:egret")
    try:
        bazel("build", "--config=" + config, "--ui_event_filters=-info", "--noshow_loading_progress", "--noshow_progress",
              *targets)
    except subprocess.CalledProcessError:
        sys.exit("what is to be measured cannot be built; --subjects limit,... leaves Egret out, --egret FILE takes "
                 "another one")
    binaries = bazel("info", "--config=" + config, "--ui_event_filters=-info", "bazel-bin")
    if not egret and "//source/run:egret" in targets:
        egret = os.path.join(binaries, "source/run/egret")
    return os.path.join(binaries, "tools/bench"), egret
