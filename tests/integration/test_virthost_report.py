#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who is to blame for a slow, a failing and a late pool, as the running daemon and its report's file tell."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
import unittest

from lab import PATIENCE, Refused, wait_until
from virthost_case import Case, main

SLOW_MS = 1200
PLAIN = {name: value for name, value in os.environ.items() if name not in ('COLUMNS', 'NO_COLOR')}


def read(fd):
    try:
        return os.read(fd, 65536)
    except OSError:
        return b''


def on_terminal(command, heard=lambda text: None, **environment):
    """Its exit status, what it shows there, and what it complains of. All that has come is told to `heard` again and again."""
    master, slave = pty.openpty()
    subprocess.run(['stty', 'rows', '20', 'cols', '70'], stdin=slave, check=True)
    with subprocess.Popen(command, stdout=slave, stderr=subprocess.PIPE, text=True, env=PLAIN | environment) as process:
        os.close(slave)
        text = b''
        while part := read(master):
            text += part
            heard(text)
        os.close(master)
        complaint = process.stderr.read()
    return process.returncode, text.decode(), complaint


def through_pipe(command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=PLAIN | environment)
    return done.returncode, done.stdout, done.stderr


class Culprits(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        self.file = lab.directory / 'report.json'
        for name in 'slow', 'late':
            lab.guest('of_' + name, 'autostart', pool='nbd/' + name)
        self.slow = lab.nbd_pool('slow', 'autostart', start=False)
        self.slow.filter, self.slow.parameters = ['--filter=delay'], [f'delay-open={SLOW_MS}ms']
        self.slow.start()
        self.late = lab.nbd_pool('late', 'autostart', start=False)
        lab.export_pool('broken', 'autostart')
        lab.guest('of_broken', 'autostart', pool='export/broken')
        (lab.state / 'run').mkdir(parents=True, mode=0o700)
        (lab.state / 'run' / 'export-broken.log').mkdir()

    def assert_told(self, text, *patterns):
        for pattern in patterns:
            self.assertRegex(text, pattern)

    def test_each_culprit_is_named(self):
        lab = self.lab
        lab.start('--report', self.file)
        wait_until(self.file.exists, 'the report')
        self.assertEqual(json.loads(self.file.read_text())['kind'], 'bring-up')
        self.assert_told(lab.ctl('report', 'critical-chain', 'guest/of_slow'), r'nbd/slow start @\S+ \+\d+\.\d+s')
        self.assert_told(lab.ctl('report', 'why', 'guest/of_slow'), 'guest/of_slow is active',
                         r'The longest that it waited for was the start of nbd/slow, which ran for \d+\.\d+ ?s')
        self.assert_told(lab.ctl('report', 'critical-chain', 'guest/of_broken'),
                         r'guest/of_broken not started\n.*export/broken start @.*failed: .*(Is a directory|illegal)')
        self.assert_told(lab.ctl('report', 'why', 'guest/of_broken'), 'guest/of_broken was not started',
                         'export/broken failed', 'What to do: mend the cause')
        self.assert_told(lab.ctl('report', 'critical-chain', 'guest/of_late'), r'nbd/late start @.*not available: .*late\.sock')
        self.assert_told(lab.ctl('report', 'why', 'guest/of_late'), 'guest/of_late was not started', 'nbd/late is deferred',
                         r'late\.sock', 'What to do: make it available')
        self.late.start()
        wait_until(lambda: lab.state_of('guest/of_late') == 'active', 'the guest to follow its pool')
        self.assert_told(lab.ctl('report', 'why', 'guest/of_late'), 'guest/of_late is active',
                         r'the start of nbd/late had to be tried again')
        self.check_views()

    def check_views(self):
        lab = self.lab
        self.assert_told(lab.ctl('report', 'time'), r'settled +\d')
        self.assert_told(lab.ctl('report', 'blame'), r'RAN +WAITED +NAME\n')
        self.assert_told(lab.ctl('report', 'diff', self.file), r'\+\S+  guest/of_late\n')
        self.assertTrue(lab.ctl('report', '--format', 'svg').startswith('<svg '))
        self.assertIn('traceEvents', json.loads(lab.ctl('report', '--format', 'trace')))
        self.assert_told(lab.ctl('watch'), r'^up: \d+ done, 0 running, 0 waiting, 2 failed\n$')
        lab.ctl('reload')
        self.assert_told(lab.ctl('report', 'time', '--kind', 'reload'), '^The reload took')
        with self.assertRaisesRegex(Refused, 'report.json is of a bring-up, the other of a reload$'):
            lab.ctl('report', 'diff', self.file, '--kind', 'reload')

    def test_watch_draws_a_table_until_all_has_settled(self):
        lab = self.lab
        os.kill(self.slow.pid, signal.SIGSTOP)

        def go_on(text):
            if re.search(rb'nbd/slow +starting', text):
                os.kill(self.slow.pid, signal.SIGCONT)
        lab.start('--report', self.file, wait='initialized')
        code, text, _ = on_terminal(lab.command('watch'), go_on)
        self.assertEqual(code, 0)
        frames = [re.sub('\033\\[[0-9]*[A-Za-z]', '', frame) for frame in text.split('\033[H')]
        self.assertRegex('\n'.join(frames[:-1]), r'nbd/slow +starting')
        self.assertIn('export/broken', frames[-1])
        self.assertRegex(frames[-1], r'^up: \d+ done, 0 running, 0 waiting, \d failed')

    def test_the_live_line_is_gone_before_another_is_printed(self):
        lab = self.lab
        master, slave = pty.openpty()
        lab.start(wait='', wrapper=['sh', '-c', 'exec "$@" 2>&0', '-'], stdin=slave)
        os.close(slave)
        text = b''
        while not re.search(rb'  settled\r\n(.*\n)*.*  up\r\n', text):
            text += read(master)
        lines = [line.rsplit('\r\033[K', 1)[-1] for line in text.decode().replace('\r\n', '\n').split('\n')]
        self.assertIn(' running, ', text.decode())
        for line in lines[:-1]:
            self.assertRegex(line, r'^ *\d+ ms  |^virthost: ')
        lab.terminate()
        os.close(master)

    def test_a_json_log_has_no_live_line(self):
        lab = self.lab
        master, slave = pty.openpty()
        lab.start('--log', 'json', wait='', wrapper=['sh', '-c', 'exec "$@" 2>&0', '-'], stdin=slave)
        os.close(slave)
        text = b''
        while b'"settled"' not in text:
            text += read(master)
        for line in text.splitlines()[:-1]:
            json.loads(line)
        lab.terminate()
        os.close(master)

    def test_wrong_usage(self):
        for arguments, complaint in (
                (['report', 'why'], 'an argument is missing'), (['report', 'nonsense'], "there is no report 'nonsense'"),
                (['report', 'time', 'x'], 'too many arguments'), (['report', '--format', 'xml'], "there is no format 'xml'"),
                (['report', '--format', 'time'], "there is no format 'time'"), (['report', 'json'], "there is no report 'json'"),
                (['report', 'time', '--format', 'json'], 'has no --format'), (['watch', 'x'], 'it has no argument'),
                (['watch', '--json'], 'watch has no --json'), (['list', '--kind', 'reload'], 'list has no --kind'),
                (['stop', 'a/b', '--dependencies'], 'stop has no --dependencies'), (['reload', '--host'], 'reload has no --host'),
                (['start', 'a/b', '--cascade'], 'start has no --cascade'), (['report', '--json'], 'report has no --json'),
                (['start', 'a/b', '--format', 'json'], 'has no --format')):
            done = subprocess.run(self.lab.command(*arguments), capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(complaint, done.stderr)

    def test_what_is_not_there(self):
        self.lab.start(wait='initialized')
        with self.assertRaisesRegex(Refused, "no resource 'guest/nobody'"):
            self.lab.ctl('report', 'why', 'guest/nobody')
        with self.assertRaisesRegex(Refused, 'no report of a reload'):
            self.lab.ctl('report', '--kind', 'reload')
        for kind in 'shutdwon', 'bring', 'RELOAD':
            with self.assertRaisesRegex(Refused, f"there is no kind '{kind}': bring-up, reload or shutdown$"):
                self.lab.ctl('report', '--kind', kind)
        for kind in [], ['--kind', ''], ['--kind', 'bring-up']:
            self.assertRegex(self.lab.ctl('report', 'time', *kind), '^The bring-up ')


class Printed(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        self.file = lab.directory / 'report.json'
        lab.nbd_pool('late', 'autostart', start=False)
        lab.start('--report', self.file)
        wait_until(self.file.exists, 'the report')

    def test_a_terminal_has_colours_and_a_width_unless_told_otherwise(self):
        lab = self.lab
        for command in ['report'], ['report', 'blame']:
            code, text, _ = on_terminal(lab.command(*command))
            self.assertEqual((code, '\033[' in text), (0, True), text)
            code, text, _ = on_terminal(lab.command(*command), NO_COLOR='1')
            self.assertEqual((code, '\033[' in text), (0, False), text)
            self.assertIn('\033[', on_terminal(lab.command(*command), NO_COLOR='')[1])
        # The terminal has 70 columns, and what has failed is longer than any of these.
        self.assertEqual(self.width(on_terminal), 70)
        self.assertEqual(self.width(on_terminal, COLUMNS='90'), 90)
        self.assertEqual(self.width(on_terminal, COLUMNS='many'), 70)
        self.assertEqual(self.width(through_pipe, COLUMNS='90'), 90)
        self.assertGreater(self.width(through_pipe), 90)

    def width(self, run, **environment):
        return max(map(len, run(self.lab.command('report'), NO_COLOR='1', **environment)[1].splitlines()))

    def test_an_earlier_report_that_is_none(self):
        lab = self.lab
        report = self.file.read_bytes()
        # (As whoever has formatted it has left it.)
        self.file.write_text(json.dumps(json.loads(report), indent=2) + '\n')
        self.assertIn('The bring-up', lab.ctl('report', 'time'))
        lab.ctl('report', 'diff', self.file)
        for data, complaint in ((b'', 'empty'), (report[:-3], 'near end of file'), (report + b'\0', 'end of file expected'),
                                (report + b'{}', 'end of file expected'), (b'[]', 'not a report of muster')):
            self.file.write_bytes(data)
            with self.assertRaisesRegex(Refused, f'^virthostctl: {self.file}:.*{complaint}'):
                lab.ctl('report', 'diff', self.file)
        with self.assertRaisesRegex(Refused, f'^virthostctl: {lab.directory}: Is a directory$'):
            lab.ctl('report', 'diff', lab.directory)
        self.file.unlink()
        with self.assertRaisesRegex(Refused, f'^virthostctl: {self.file}: No such file or directory$'):
            lab.ctl('report', 'diff', self.file)


class Watch(Case):
    """A daemon that isn't there in the end."""

    def answer(self, *replies):
        """Each to a client of its own; None: hang up. Nobody listens after them."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.lab.socket))
        server.listen()
        server.settimeout(PATIENCE)

        def serve():
            for number, reply in enumerate(replies):
                client = server.accept()[0]
                if number == len(replies) - 1:
                    server.close()
                with client:
                    client.makefile().readline()
                    client.sendall(json.dumps(reply).encode() + b'\n' if reply else b'')
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)

    def test_a_daemon_that_ends_before_it_lists_is_a_problem(self):
        settled = {'state': 'up', 'done': 1, 'running': 0, 'waiting': 0, 'failed': 0, 'estimate_ms': None}
        self.answer({'ok': True, 'progress': settled}, None)
        code, _, complaint = on_terminal(self.lab.command('watch'))
        self.assertEqual(code, 1)
        self.assertIn('virthost has ended before it answered', complaint)

    def test_what_the_daemon_refuses_is_told(self):
        for command in ['watch'], ['list'], ['report']:
            self.answer({'ok': False, 'error': 'not today'})
            with self.assertRaisesRegex(Refused, '^virthostctl: not today$'):
                self.lab.ctl(*command)
            self.lab.socket.unlink()


if __name__ == '__main__':
    unittest.TestCase.maxDiff = None
    main()
