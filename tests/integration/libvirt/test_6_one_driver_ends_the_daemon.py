#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 6: one driver's failed initialize ends the daemon, and the others' autostart is lost for that boot.
Here a failed driver blocks those that need it, with the cause; all others come up and start what they are to start, and what was
blocked follows when the driver is retried, or the daemon is started again.
"""

import os
import subprocess
import unittest

from lab import bridges_permitted, wait_until
from virthost_case import Case, main


@unittest.skipUnless(bridges_permitted(), 'no bridges are permitted here')
class FailedInitialize(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        self.server = lab.nbd_pool('rbd', 'autostart')
        lab.dir_pool('local', 'autostart')
        lab.export_pool('iscsi', 'autostart')
        lab.write('networks', name='br0', policy='autostart')
        lab.guest('a', 'autostart', pool='nbd/rbd')
        lab.guest('b', 'autostart', pool='export/iscsi', network='network/br0')
        # What the network driver tries first dies.
        self.directory = lab.directory / 'bin'
        self.directory.mkdir()
        self.broken = self.directory / 'unshare'
        self.broken.write_text('#!/bin/sh\nkill -SEGV $$\n')
        self.broken.chmod(0o755)
        self.environment = ['env', f'PATH={self.directory}:{os.environ["PATH"]}']

    def mend(self):
        self.broken.unlink()

    def start_broken(self):
        """Until it has come up, or has ended."""
        lab = self.lab
        lab.start(wait='', wrapper=self.environment)
        wait_until(lambda: lab.daemon.poll() is not None or (lab.socket.exists() and self.has_settled()), 'the bring-up')

    def has_settled(self):
        done = subprocess.run(self.lab.command('status', '--json'), capture_output=True, text=True, check=False)
        return '"settled"' in done.stdout

    def assert_all_up(self):
        lab = self.lab
        lab.wait_quiet()
        self.assert_states(dir_local='active', nbd_rbd='active', export_iscsi='active', network_br0='active',
                           guest_a='active', guest_b='active')
        self.assertEqual(sorted(lab.guests()), ['a', 'b'])
        self.assertEqual(lab.bridges(), ['br0'])
        for guest in 'ab':
            lab.wait_counting(guest)

    def test_the_others_come_up_and_the_driver_can_be_retried(self):
        lab = self.lab
        self.start_broken()
        self.assertIsNone(lab.daemon.poll(), 'the daemon has ended')
        drivers = {item['name']: item for item in lab.status()['drivers']}
        self.assertEqual(drivers['network']['state'], 'failed')
        self.assertIn('ended by signal 11', drivers['network']['error'])
        self.assert_states(dir_local='active', nbd_rbd='active', export_iscsi='active', guest_a='active',
                           guest_b='inactive')
        self.assertIn('network', lab.list()['guest/b']['error'])
        lab.wait_counting('a')
        self.mend()
        lab.ctl('retry', 'network')
        wait_until(lambda: lab.list().get('guest/b', {}).get('state') == 'active', 'the guest to follow the driver')
        self.assert_all_up()

    def test_no_autostart_is_lost_for_this_boot(self):
        lab = self.lab
        self.start_broken()
        lab.kill()
        self.mend()
        lab.start()
        self.assert_all_up()


if __name__ == '__main__':
    main()
