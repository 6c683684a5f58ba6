"""egret run: a command behind the fence is otherwise as without, and ends with all that it started."""
import contextlib
import os
import pty
import random
import signal
import subprocess
import time
import unittest
import uuid

from harness import SANITIZED
from run_case import (CANNOT_EXECUTE, LOCAL, NOT_FOUND, OWN_FAILURE, RunCase, egret, parent_of, processes, run,
                      setUpModule)
from waiting import until


class AsWithout(RunCase):
    """Streams, statuses, signals, job control."""

    def test_streams_pass_through(self):
        done = run("--", "sh", "-c", "cat; echo err >&2", stdin=None, input="in\n")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("in\n", "err\n", 0))

    def test_who_reads_its_output_sees_the_end_of_it_before_its_own(self):
        process = self.start("--", "sh", "-c", "echo x; exec >&- 2>&-; sleep 600")
        self.assertEqual(process.stdout.read(), "x\n")
        self.assertIsNone(process.poll())

    def test_the_status_is_that_of_the_command(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 128 + signal.SIGTERM),
                               ("kill -KILL $$", 128 + signal.SIGKILL)):
            self.assertEqual(run("--", "sh", "-c", script).returncode, status)

    def test_statuses_of_its_own(self):
        for arguments, status, why in (
                (("--", "no-such-program"), NOT_FOUND, "no-such-program: No such file"),
                (("--", "/etc/passwd"), CANNOT_EXECUTE, "/etc/passwd: Permission denied"),
                ((), OWN_FAILURE, "no command"), (("--nothing", "true"), OWN_FAILURE, "--nothing is not an option"),
                (("--allow",), OWN_FAILURE, "needs a value"), (("--allow", "a..b", "true"), OWN_FAILURE, "a..b"),
                (("--allow", "https://a.test/", "true"), OWN_FAILURE, "write a.test"),
                (("--allow", "a.test:http", "true"), OWN_FAILURE, "http is no port")):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (status, ""))
                self.assertIn(why, done.stderr)
                self.assertTrue(done.stderr.startswith("egret run: "), done.stderr)

    def test_arguments_are_the_commands_own(self):
        self.assertEqual(run("--", "printf", "%s|", "a b", "", "--allow", "--").stdout, "a b||--allow|--|")
        self.assertEqual(run("printf", "%s|", "--quiet").stdout, "--quiet|")

    def test_variables_lead_to_the_proxy_whatever_was_there(self):
        outside = {**os.environ, "no_proxy": "*", "HTTPS_PROXY": "http://elsewhere:1", "KEPT": "a=b"}
        told = dict(line.split("=", 1) for line in run("--", "env", "-0", env=outside).stdout.rstrip("\0").split("\0"))
        url = told["http_proxy"]
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+$")
        self.assertEqual([told[name] for name in ("https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "KEPT")],
                         [url, url, url, url, "a=b"])
        self.assertEqual(told["no_proxy"], "localhost,127.0.0.1,::1")
        self.assertIn("-Dhttps.proxyPort=" + url.rpartition(":")[2], told["JAVA_TOOL_OPTIONS"])

    def test_a_signal_that_is_sent_to_it_reaches_the_command(self):
        for name in ("TERM", "INT", "HUP", "USR1", "QUIT"):
            process = self.start("--", "sh", "-c", "trap 'exit 42' %s; echo ready; while :; do sleep 0.02; done" % name)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(getattr(signal, "SIG" + name))
            self.assertEqual(process.wait(20), 42)

    def test_a_signal_that_was_ignored_stays_so(self):
        done = run("--", "sh", "-c", "kill -HUP $$; echo lives", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.assertEqual(done.stdout, "lives\n")

    def at_terminal(self, script):
        """A shell with job control on a terminal of its own; gives (what it has written so far, what writes to it)."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("bash", ["bash", "--norc", "-mc", script])
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        said = bytearray()

        def await_word(word):
            while word.encode() not in said:
                said.extend(os.read(terminal, 1024))
        return await_word, lambda text: os.write(terminal, text)

    def test_interrupted_at_the_terminal(self):
        await_word, write = self.at_terminal(
            "%s run -- sh -c 'trap \"exit 5\" INT; echo ready; while :; do sleep 0.02; done'; echo status $?"
            % os.environ["EGRET"])
        await_word("ready")
        write(b"\x03")
        await_word("status 5")

    def test_stopped_at_the_terminal_and_gone_on(self):
        await_word, write = self.at_terminal(
            "%s run -- sh -c 'echo ready; read line; exit 9'; echo was $?; fg; echo is $?" % os.environ["EGRET"])
        await_word("ready")
        write(b"\x1a")
        await_word("was %d" % (128 + signal.SIGTSTP))
        write(b"line\n")
        await_word("is 9")

    def test_many_side_by_side(self):
        origin = self.origin()
        where = "localhost:%d" % origin.port
        script = "curl -sS --noproxy '' http://%s/ && echo && read line && exit $line" % where
        count = 20 if SANITIZED else 100
        many = [self.start("--allow", where, *LOCAL, "--", "sh", "-c", script, stdin=subprocess.PIPE) for _ in range(count)]
        self.assertEqual([one.stdout.readline() for one in many], ["ok\n"] * count)  # now all of them are there
        for status, one in enumerate(many):
            one.stdin.write("%d\n" % status)
            one.stdin.close()
        self.assertEqual([one.wait(60) for one in many], list(range(count)))


class Ends(RunCase):
    def assert_none_left(self, word):
        until(lambda: not processes(word), lambda: "the end of %r" % processes(word))

    def test_what_it_leaves_behind_ends_with_it(self):
        word = "600.%d" % uuid.uuid4().int
        done = run("--", "sh", "-c", "setsid sleep %s </dev/null >/dev/null 2>&1 & (sleep %s &) ; exit 3" % (word, word),
                   stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(processes(word), [])

    def started(self):
        """(the run, its word, the ids of supervisor, warden and command)."""
        word = "600.%d" % uuid.uuid4().int
        process = self.start("--", "sh", "-c", "echo ready; setsid sleep %s & sleep %s; exit 3" % (word, word))
        self.assertEqual(process.stdout.readline(), "ready\n")
        until(lambda: len(processes("\0" + word)) == 2, "both to sleep")
        shell = parent_of(max(processes("\0" + word)))
        return process, word, shell

    def test_killed_whichever_of_its_processes_is(self):
        process, word, shell = self.started()
        process.kill()
        process.wait(20)
        self.assert_none_left(word)

        process, word, shell = self.started()
        os.kill(parent_of(shell), signal.SIGKILL)  # the warden
        self.assertEqual(process.wait(20), 128 + signal.SIGKILL)
        self.assert_none_left(word)

        process, word, shell = self.started()
        os.kill(shell, signal.SIGKILL)
        self.assertEqual(process.wait(20), 128 + signal.SIGKILL)
        self.assert_none_left(word)

    def test_killed_at_any_moment_whichever_of_its_processes_is(self):
        chance = random.Random(9)
        for _ in range(40):
            word = "600.%d" % uuid.uuid4().int
            process = self.start("--", "sh", "-c", "setsid sleep %s & sleep %s" % (word, word))
            time.sleep(chance.uniform(0, 0.06))  # so that it is starting, or has started
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice([process.pid, *processes(word)]), signal.SIGKILL)
            process.kill()
            process.wait(20)
            self.assert_none_left(word)


class WithoutFence(RunCase):
    def forbidden(self, *arguments):
        """A run where no user namespace can be made."""
        script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
        return subprocess.run(["unshare", "-r", "sh", "-c", script, "sh", *egret(*arguments)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)

    def test_where_namespaces_are_forbidden_the_reason_and_the_remedy_are_told(self):
        done = self.forbidden("--", "echo", "x")
        if "max_user_namespaces" in done.stderr and "egret run" not in done.stderr:
            self.skipTest("the limit cannot be set here: " + done.stderr)
        self.assertEqual((done.returncode, done.stdout), (OWN_FAILURE, ""))
        self.assertIn("sysctl user.max_user_namespaces", done.stderr)
        self.assertIn("--no-fence", done.stderr)

    def test_no_fence_leaves_the_variables_and_says_so(self):
        origin = self.origin()
        where = "localhost:%d" % origin.port
        done = run("--no-fence", "--allow", where, *LOCAL, "--", "curl", "-sS", "--noproxy", "", "http://%s/" % where)
        self.assertEqual((done.returncode, done.stdout), (0, "ok"))
        self.assertIn("NO FENCE", done.stderr)
        done = run("--no-fence", "--", "curl", "-sS", "--noproxy", "", "http://%s/" % where)
        self.assertIn("policy does not allow", done.stdout)
        self.assertEqual(run("--no-fence", "--", "sh", "-c", "exit 6").returncode, 6)


if __name__ == "__main__":
    unittest.main()
