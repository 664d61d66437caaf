#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guests that no file defines: nothing but the record remembers them."""

import json
import os
import signal

from lab import Refused, wait_until
from virthost_case import Case, main


class Transient(Case):
    def setUp(self):
        super().setUp()
        self.lab.dir_pool('local', 'autostart')
        self.lab.start()
        self.file = self.lab.directory / 'visitor.json'
        self.file.write_text(json.dumps({'name': 'visitor', 'pool': 'dir/local'}))

    def test_lives_on_and_is_adopted(self):
        lab = self.lab
        lab.ctl('create', self.file)
        before = lab.guests()['visitor'].identity()
        for _ in range(2):
            lab.restart()
            item = lab.list()['guest/visitor']
            self.assertEqual((item['state'], item['transient'], item['dependencies']), ('active', True, ['dir/local']))
            self.assertEqual(lab.guests()['visitor'].identity(), before)

    def test_is_forgotten_when_stopped(self):
        lab = self.lab
        lab.ctl('create', self.file)
        lab.ctl('stop', 'guest/visitor')
        wait_until(lambda: 'guest/visitor' not in lab.list(), 'it to be forgotten')
        lab.ctl('create', self.file)
        self.assertIn('visitor', lab.guests())

    def test_is_forgotten_when_it_ended_while_no_daemon_ran(self):
        lab = self.lab
        lab.ctl('create', self.file)
        lab.kill()
        os.kill(lab.guests()['visitor'].pid, signal.SIGKILL)
        wait_until(lambda: not lab.guests(), 'it to end')
        lab.start()
        wait_until(lambda: 'guest/visitor' not in lab.list(), 'it to be forgotten')

    def test_a_kill_in_its_first_start_loses_no_process(self):
        lab = self.lab
        for _ in range(6):
            client = lab.ctl_later('create', self.file)
            wait_until(lambda: lab.guests() or client.poll() is not None, 'a QEMU')
            lab.kill()
            client.wait()
            running = {name: guest.identity() for name, guest in lab.guests().items()}
            lab.start()
            lab.wait_quiet()
            self.assertEqual({name: guest.identity() for name, guest in lab.guests().items()}, running)
            self.assertEqual(lab.list()['guest/visitor']['state'], 'active')
            lab.ctl('stop', 'guest/visitor')
            wait_until(lambda: 'guest/visitor' not in lab.list(), 'it to be forgotten')

    def test_what_cannot_be_is_refused_with_a_reason(self):
        lab = self.lab
        lab.ctl('create', self.file)
        with self.assertRaisesRegex(Refused, "a guest 'visitor' already"):
            lab.ctl('create', self.file)
        self.file.write_text('{"name": "x", "memory": "much", "colour": 1}')
        with self.assertRaisesRegex(Refused, "member 'memory': expected an integer"):
            lab.ctl('create', self.file)
        self.file.write_text('{"name": ')
        with self.assertRaisesRegex(Refused, r'visitor\.json:1:'):
            lab.ctl('create', self.file)
        self.file.write_text('{"name": "y", "pool": "dir/nowhere"}')
        with self.assertRaisesRegex(Refused, 'dir/nowhere'):
            lab.ctl('create', self.file)
        wait_until(lambda: 'guest/y' not in lab.list(), 'y to be forgotten')


if __name__ == '__main__':
    main()
