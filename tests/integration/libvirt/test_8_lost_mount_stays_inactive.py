#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 8: a pool that was active and lost its mount while the daemon was down stays inactive.
Here it was recorded active, so it is mounted again, whatever its autostart flag; a guest that lived on is adopted.
"""

import shutil
import subprocess
import unittest

from lab import is_mounted, mounts_permitted, own_mounts, wait_until
from virthost_case import Case, main


@unittest.skipUnless(mounts_permitted(), 'no mounts are permitted here')
class LostMount(Case):
    def unmount(self, path):
        """Now, whoever has files open there."""
        subprocess.run(['umount', '--lazy', path], check=True)
        self.assertFalse(is_mounted(path))

    def check(self, policy):
        lab = self.lab
        lab.mount_pool('disk', policy)
        lab.guest('a', policy, pool='mount/disk')
        lab.guest('b', pool='mount/disk')
        lab.start()
        if policy == 'manual':
            lab.ctl('start', 'guest/a', '--dependencies')
        path = lab.directory / 'disk'
        before = lab.guests()['a'].identity()
        counted = lab.wait_counting('a')
        self.assertTrue(is_mounted(path))
        lab.kill()
        self.unmount(path)
        lab.start()
        lab.wait_quiet()
        self.assert_states(mount_disk='active', guest_a='active', guest_b='inactive')
        self.assertTrue(is_mounted(path))
        self.assertFalse(lab.list()['guest/a']['degraded'])
        self.assertEqual(lab.guests()['a'].identity(), before)
        lab.wait_counting('a', counted)
        lab.ctl('start', 'guest/b')
        lab.wait_counting('b')

    def test_with_autostart_it_is_mounted_again(self):
        self.check('autostart')

    def test_without_autostart_it_is_mounted_again(self):
        self.check('manual')

    def test_a_source_that_is_away_too_is_waited_for(self):
        lab = self.lab
        lab.mount_pool('disk', 'autostart')
        lab.guest('a', 'autostart', pool='mount/disk')
        lab.start()
        before = lab.guests()['a'].identity()
        source, away = lab.directory / 'disk.source', lab.directory / 'away'
        lab.kill()
        self.unmount(lab.directory / 'disk')
        shutil.move(source, away)
        lab.start()
        item = lab.list()['mount/disk']
        self.assertEqual((item['condition'], item['desired']), ('deferred', 'active'), item)
        self.assertTrue(lab.list()['guest/a']['degraded'])
        shutil.move(away, source)
        wait_until(lambda: lab.state_of('mount/disk') == 'active', 'the pool to be mounted again')
        self.assertFalse(lab.list()['guest/a']['degraded'])
        self.assertEqual(lab.guests()['a'].identity(), before)

    def test_one_that_was_stopped_stays_unmounted(self):
        lab = self.lab
        lab.mount_pool('disk', 'autostart')
        lab.start()
        lab.ctl('stop', 'mount/disk')
        self.assertFalse(is_mounted(lab.directory / 'disk'))
        lab.restart()
        self.assert_states(mount_disk='inactive')
        self.assertFalse(is_mounted(lab.directory / 'disk'))


if __name__ == '__main__':
    own_mounts()
    main()
