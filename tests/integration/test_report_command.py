#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`muster report`, as a user runs it, on the reports of a host: test_report_command.py MUSTER REPORT_HOST."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import outcome

MUSTER = HOST = None
STORIES = ('slow', 'failing', 'late', 'late-driver', 'missing', 'running', 'shutdown', '40')
PHASES = {'initialize', 'restore', 'reconcile', 'autostart', 'reload', 'shutdown', 'probe', 'adopt', 'start', 'stop'}


def on_terminal(arguments, columns):
    """What the command prints on a terminal of so many columns."""
    master, slave = pty.openpty()
    environment = dict(os.environ, COLUMNS=str(columns), TERM='xterm')
    environment.pop('NO_COLOR', None)
    process = subprocess.Popen([MUSTER, 'report', *arguments], stdout=slave, env=environment)
    os.close(slave)
    text = b''
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    assert process.wait(timeout=60) == 0
    return text.decode()


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.paths = {}
        for story in STORIES:
            cls.paths[story] = os.path.join(cls.directory.name, story + '.json')
            with open(cls.paths[story], 'wb') as file:
                subprocess.run([HOST, story], stdout=file, check=True, timeout=60)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def run_report(self, *arguments, code=0, stdin=None):
        environment = {k: v for k, v in os.environ.items() if k not in ('COLUMNS', 'NO_COLOR')}
        done = subprocess.run([MUSTER, 'report', *arguments], input=stdin, capture_output=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        if code == 0:
            self.assertEqual(done.stderr, b'')
        else:
            self.assertNotEqual(done.stderr, b'')
        return done.stdout.decode()

    def file(self, text):
        path = os.path.join(self.directory.name, 'input.json')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    # ---- the culprit, in real time

    def assert_culprit(self, story, culprit, words):
        chain = self.run_report('critical-chain', self.paths[story], 'guest/web1')
        self.assertRegex(chain, culprit)
        why = self.run_report('why', self.paths[story], 'guest/web1')
        for word in words:
            self.assertIn(word, why)

    def test_a_slow_pool_is_named(self):
        self.assert_culprit('slow', r'storage/pool1 start @\S+ \+\d',
                            ['The longest that it waited for was the start of storage/pool1'])
        self.assertIn('storage/pool1 start', self.run_report('critical-chain', self.paths['slow']))
        self.assertRegex(self.run_report('blame', self.paths['slow']).splitlines()[1], r'\s+storage/pool1$')

    def test_a_failing_pool_is_named(self):
        self.assert_culprit('failing', r'guest/web1 not started\n.*storage/pool1 start @.*failed: .*refused the connection',
                            ['guest/web1 was not started.', 'storage/pool1 failed.', 'refused the connection', 'What to do'])

    def test_a_late_pool_is_named(self):
        self.assert_culprit('late', r'storage/pool1 start @.*not available: .*no device on the bus',
                            ['the start of storage/pool1 had to be tried again', 'no device on the bus'])

    def test_a_late_driver_is_named(self):
        self.assert_culprit('late-driver', r'device initialize @.*not available: .*no device on the bus',
                            ['the initialize of device had to be tried again', 'no device on the bus'])

    def test_a_missing_pool_is_named(self):
        self.assert_culprit('missing', 'needs storage/pool9, which does not exist',
                            ['which does not exist', 'define what is missing'])

    def test_what_runs_is_named_while_it_runs(self):
        self.assert_culprit('running', 'storage/pool1 start @.*, still running', ['guest/web1 waits.', 'has been running for'])
        self.assertIn('not yet', self.run_report('time', self.paths['running']))

    # ---- views

    def test_time_has_the_milestones(self):
        text = self.run_report('time', self.paths['slow'])
        self.assertRegex(text, r'^The bring-up took .*\ninitialized +\d.*\nreconciled +\d.*\nsettled +\d')

    def test_every_op_has_a_line(self):
        with open(self.paths['40'], encoding='utf-8') as file:
            report = json.load(file)
        lines = self.run_report(self.paths['40']).splitlines()
        ops = [line for line in lines if re.search(r'ms\s+(storage|guest|device)\S*\s+(%s) ' % '|'.join(PHASES), line)]
        self.assertEqual(len(ops), len(report['ops']))

    def test_diff_tells_what_got_slower(self):
        text = self.run_report('diff', self.paths['failing'], self.paths['slow'])
        self.assertRegex(text.splitlines()[4], r'\+\d\S*s  storage/pool1$')
        self.assertIn('(new)', self.run_report('diff', self.paths['slow'], self.paths['40']))
        self.assertIn('(gone)', self.run_report('diff', self.paths['40'], self.paths['slow']))

    def test_what_is_of_another_kind_is_not_compared(self):
        done = subprocess.run([MUSTER, 'report', 'diff', self.paths['slow'], self.paths['shutdown']], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('of a bring-up', done.stderr)
        self.assertIn('of a shutdown', done.stderr)

    def test_standard_input(self):
        with open(self.paths['slow'], 'rb') as file:
            self.assertEqual(self.run_report('time', '-', stdin=file.read()), self.run_report('time', self.paths['slow']))

    # ---- formats

    def test_json_comes_back_as_it_was(self):
        for story in STORIES:
            with open(self.paths[story], encoding='utf-8') as file:
                text = file.read()
            json.loads(text)
            self.assertEqual(self.run_report('--format', 'json', self.paths[story]), text, story)

    def test_trace_is_what_the_format_says(self):
        """https://chromium.googlesource.com/catapult: Trace Event Format."""
        for story in STORIES:
            trace = json.loads(self.run_report('--format', 'trace', self.paths[story]))
            self.assertEqual(trace['displayTimeUnit'], 'ms')
            spans = {}
            for event in trace['traceEvents']:
                self.assertIsInstance(event['pid'], int)
                self.assertIsInstance(event['tid'], int)
                self.assertIn(event['ph'], 'XMi')
                if event['ph'] == 'M':
                    self.assertIn(event['name'], ('process_name', 'thread_name'))
                    self.assertIsInstance(event['args']['name'], str)
                    continue
                self.assertIsInstance(event['ts'], int)
                self.assertGreaterEqual(event['ts'], 0)
                self.assertTrue(event['name'] and event['cat'])
                if event['ph'] == 'i':
                    self.assertEqual(event['s'], 'g')
                    continue
                self.assertGreaterEqual(event['dur'], 0)
                spans.setdefault((event['pid'], event['tid']), []).append((event['ts'], event['ts'] + event['dur']))
            for of_thread in spans.values():
                of_thread.sort()
                for (_, end), (begin, _) in zip(of_thread, of_thread[1:]):
                    self.assertLessEqual(end, begin, 'complete events of one thread overlap')

    @unittest.skipUnless(shutil.which('dot'), 'no dot here')
    def test_graphviz_takes_the_dot(self):
        for story in ('failing', '40'):
            text = self.run_report('--format', 'dot', self.paths[story])
            done = subprocess.run(['dot', '-Tsvg'], input=text.encode(), capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(done.stderr, b'')
            self.assertIn(b'<svg', done.stdout)

    # ---- terminals

    def test_colours_and_bars_on_a_terminal_alone(self):
        self.assertNotIn('\033', self.run_report('blame', self.paths['failing']))
        self.assertNotIn('\u2588', self.run_report('blame', self.paths['failing']))
        text = on_terminal(['blame', self.paths['failing']], 100)
        self.assertIn('\033[31m', text)
        self.assertIn('\u2588', text)

    def test_lines_fit_the_terminal(self):
        for columns in (60, 80, 200):
            for arguments in (['blame', self.paths['failing']], [self.paths['failing']]):
                for line in on_terminal(arguments, columns).splitlines():
                    plain = re.sub('\033\\[[0-9]*m', '', line)
                    most = max(columns, 78) if len(arguments) == 1 else columns
                    self.assertLessEqual(len(plain), most, plain)

    def test_sentences_and_chains_are_broken_between_words(self):
        for arguments in (['why', self.paths['failing'], 'guest/web1'], ['critical-chain', self.paths['late'], 'guest/web1']):
            piped = self.run_report(*arguments)
            for columns in (60, 80, 200):
                text = re.sub('\033\\[[0-9]*m', '', on_terminal(arguments, columns)).replace('\r', '')
                self.assertEqual(text.split(), piped.split())
                for line in text.splitlines():
                    self.assertLessEqual(len(line), columns)
            self.assertEqual(text, piped)

    # ---- misuse

    def test_wrong_usage(self):
        path = self.paths['slow']
        for arguments in ([], ['why', path], ['diff', path], ['time'], ['blame', path, 'x'], ['--format', 'xml', path],
                          ['--format', 'svg', 'time', path], ['nonsense', path], ['--nonsense', path]):
            self.run_report(*arguments, code=2)

    def test_a_view_that_is_none_is_named(self):
        path = self.paths['slow']
        for arguments in (['wy', path], ['wy', path, 'guest/web1'], [path, 'time']):
            done = subprocess.run([MUSTER, 'report', *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"there is no view '{arguments[0]}'", done.stderr)

    def test_standard_input_is_read_once(self):
        with open(self.paths['slow'], 'rb') as file:
            done = subprocess.run([MUSTER, 'report', 'diff', '-', '-'], input=file.read(), capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, b''))
        self.assertRegex(done.stderr, b'^standard input: .*end of file\n$')

    def test_unknown_name(self):
        self.run_report('why', self.paths['slow'], 'guest/nobody', code=1)
        self.run_report('critical-chain', self.paths['slow'], 'nobody', code=1)

    def test_no_file(self):
        self.run_report('time', os.path.join(self.directory.name, 'none'), code=1)

    def test_what_is_no_report(self):
        with open(self.paths['failing'], encoding='utf-8') as file:
            good = file.read()
        bad = ['', '{}', '[]', good[:len(good) // 2], good.replace('"muster-report":1', '"muster-report":2'),
               good.replace('"of":"storage/pool1"', '"of":"storage/pool7"', 1),
               good.replace('"phase":"start"', '"phase":"go"', 1),
               good.replace('"needs":["storage/pool0"]', '"needs":["storage/none"]', 1),
               good.replace('"needs":["device"]', '"needs":["storage/pool0"]', 1),
               good.replace('"driver":"guest","resource"', '"driver":"ghost","resource"', 1),
               re.sub(r'"begin":\d+', '"begin":-1', good, count=1), re.sub(r'"begin":\d+', '"begin":99999999', good, count=1),
               good.replace('"commits":[', '"commits":[{},', 1), good.replace('"ops":[', '"ops":{"x":[', 1), '[' * 100000]
        for text in bad:
            self.assertNotEqual(text, good)
            done = subprocess.run([MUSTER, 'report', 'time', self.file(text)], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 1, text[:200])
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == '__main__':
    MUSTER, HOST = sys.argv[1:3]
    outcome.main(sys.argv[:1] + sys.argv[3:])
