"""egret_integration_test: a Python unittest file that drives the real binaries.

    load("//bazel:integration_test.bzl", "egret_integration_test")

    egret_integration_test(
        name = "forward_test",
        srcs = ["forward_test.py"],                # one file of unittest.TestCase classes
        data = ["harness.py", "forward.yaml"],     # helper modules, configs, certificates
        binaries = {                               # environment name -> target; this is the default:
            "EGRET": "//source/run:egret",
        },
        shard_count = 4,                           # optional: methods spread over 4 processes
    )

In the test os.environ["EGRET"] is the absolute path of the binary (built in the same
configuration, so with --config=sanitize it is instrumented), and modules beside the test file
and beside any .py of data can be imported by their bare name. The working folder is the
workspace's root among the runfiles, so "test/integration/forward.yaml" opens. TEST_TMPDIR is
for scratch files, HOME too. The interpreter is Debian's /usr/bin/python3, always.

Every method counts as a test case: passed, failed, or skipped (self.skipTest("why"), or
unittest.SkipTest in setUpClass or setUpModule). A sanitizer's report by any child process fails
the method that was running, even if the child was killed afterwards. At the time-out what ran
and what did not run are reported one by one. --test_filter=PATTERN selects as `unittest -k` does.

Outside Bazel: EGRET=/path/to/egret bazel/run_python_tests.py test/integration/forward_test.py
"""

def egret_integration_test(
        name,
        srcs,
        data = [],
        binaries = {"EGRET": "//source/run:egret"},
        size = "medium",
        tags = [],
        **kwargs):
    """See the top of this file."""
    if len(srcs) != 1:
        fail("%s: srcs of an egret_integration_test is one .py file" % name)
    args = ["--binary=%s=$(rootpath %s)" % (env, label) for env, label in binaries.items()]
    args += ["--helper=$(rootpath %s)" % d for d in data if d.endswith(".py")]
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//bazel:run_python_tests.py"],
        args = args + ["$(rootpath %s)" % srcs[0]],
        data = srcs + data + binaries.values(),
        tags = ["integration"] + tags,
        **kwargs
    )
