#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who is to blame for a slow, a failing and a late pool, as the running daemon and its report's file tell."""

import json
import os
import pty
import re
import subprocess
import unittest

from lab import Refused, wait_until
from virthost_case import Case, main

SLOW_MS = 1200


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
        self.assert_told(lab.ctl('report', 'critical-chain', 'guest/of_slow'), r'nbd/slow start @\S+ \+1\.\d+s')
        self.assert_told(lab.ctl('report', 'why', 'guest/of_slow'), 'guest/of_slow is active',
                         r'The longest that it waited for was the start of nbd/slow, which ran for 1\.')
        self.assert_told(lab.ctl('report', 'critical-chain', 'guest/of_broken'),
                         r'guest/of_broken not started\n.*export/broken start @.*failed: .*Is a directory|illegal')
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

    def test_watch_draws_a_table_until_all_has_settled(self):
        lab = self.lab
        lab.start('--report', self.file, wait='initialized')
        master, slave = pty.openpty()
        subprocess.run(['stty', 'rows', '20', 'cols', '70'], stdin=slave, check=True)
        watch = subprocess.Popen(lab.command('watch'), stdout=slave)
        os.close(slave)
        text = b''
        while part := self.read(master):
            text += part
        os.close(master)
        self.assertEqual(watch.wait(60), 0)
        frames = [re.sub('\033\\[[0-9]*[A-Za-z]', '', frame) for frame in text.decode().split('\033[H')]
        self.assertTrue(any(re.search(r'nbd/slow +starting', frame) for frame in frames), frames)
        self.assertIn('export/broken', frames[-1])
        self.assertRegex(frames[-1], r'^up: \d+ done, 0 running, 0 waiting, \d failed')

    def test_the_live_line_is_gone_before_another_is_printed(self):
        lab = self.lab
        master, slave = pty.openpty()
        lab.start(wait='', wrapper=['sh', '-c', 'exec "$@" 2>&0', '-'], stdin=slave)
        os.close(slave)
        text = b''
        while not re.search(rb'  settled\r\n(.*\n)*.*  up\r\n', text):
            text += self.read(master)
        lines = [line.rsplit('\r\033[K', 1)[-1] for line in text.decode().replace('\r\n', '\n').split('\n')]
        self.assertIn(' running, ', text.decode())
        for line in lines[:-1]:
            self.assertRegex(line, r'^ *\d+ ms  |^virthost: ')
        lab.terminate()
        os.close(master)

    @staticmethod
    def read(fd):
        try:
            return os.read(fd, 65536)
        except OSError:
            return b''

    def test_wrong_usage(self):
        for arguments in (['report', 'why'], ['report', 'nonsense'], ['report', 'time', 'x'], ['report', '--format', 'xml'],
                          ['watch', 'x']):
            done = subprocess.run(self.lab.command(*arguments), capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, arguments)

    def test_what_is_not_there(self):
        self.lab.start(wait='initialized')
        with self.assertRaisesRegex(Refused, "no resource 'guest/nobody'"):
            self.lab.ctl('report', 'why', 'guest/nobody')
        with self.assertRaisesRegex(Refused, 'no report of a reload'):
            self.lab.ctl('report', '--kind', 'reload')


if __name__ == '__main__':
    unittest.TestCase.maxDiff = None
    main()
