#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A pool that is a mount, where the kernel doesn't tell whether it is there."""

import subprocess
import unittest

from lab import Refused, is_mounted, mounts_permitted, own_mounts
from virthost_case import Case, main


@unittest.skipUnless(mounts_permitted(), 'no mounts are permitted here')
class Mount(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        self.parent, self.moved = lab.directory / 'parent', lab.directory / 'moved'
        self.source, self.path = lab.directory / 'source', self.parent / 'disk'
        self.source.mkdir()
        self.path.mkdir(parents=True)
        lab.write('pools', name='disk', type='mount', source=str(self.source), path=str(self.path), policy='manual')
        lab.start()
        lab.ctl('start', 'mount/disk')

    def hide(self):
        """A file is where the directory above it was."""
        self.parent.rename(self.moved)
        self.parent.touch()

    def ends(self, phase):
        return [line['text'] for line in self.lab.timeline() if line['subject'] == 'mount/disk' and
                line['type'] in ('op end', 'op late', 'op twice') and line['text'].startswith(phase + ':')]

    def test_a_stop_that_fails_ends_once_and_says_why(self):
        lab = self.lab
        self.hide()
        with self.assertRaisesRegex(Refused, f'unmount {self.path}: Not a directory'):
            lab.ctl('stop', 'mount/disk')
        ends = self.ends('stop')
        self.assertEqual(len(ends), 1, ends)
        self.assertIn(f'unmount {self.path}: Not a directory', ends[0])
        self.parent.unlink()
        self.moved.rename(self.parent)
        self.assertTrue(is_mounted(self.path))
        lab.ctl('stop', 'mount/disk')
        self.assertFalse(is_mounted(self.path))

    def test_a_stop_of_what_is_unmounted_already_succeeds(self):
        subprocess.run(['umount', self.path], check=True)
        self.lab.ctl('stop', 'mount/disk')
        self.assert_states(mount_disk='inactive')
        self.assertEqual(self.ends('stop'), ['stop: ok'])

    def test_a_probe_that_fails_says_why(self):
        lab = self.lab
        lab.kill()
        self.hide()
        lab.start()
        self.assertIn(f'cannot tell what is mounted on {self.path}: Not a directory', lab.list()['mount/disk']['error'])
        self.assertEqual(len(self.ends('probe')), 1)


if __name__ == '__main__':
    own_mounts()
    main()
