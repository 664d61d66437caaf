#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 7: an autostart that failed because a device was late is never retried.
Here UNAVAILABLE defers: it is tried again, with growing pauses, and what waits for it follows.
"""

from lab import wait_until
from virthost_case import Case, main

POOLS = {'a': 'nbd/rbd', 'b': 'dir/local', 'c': 'export/iscsi'}


class LateDevice(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        self.server = lab.nbd_pool('rbd', 'autostart', start=False)
        lab.dir_pool('local', 'autostart')
        (lab.directory / 'local').rmdir()
        lab.export_pool('iscsi', 'autostart', lab.directory / 'late')
        for guest, pool in POOLS.items():
            lab.guest(guest, 'autostart', pool=pool)
        lab.guest('d', 'autostart')
        lab.start()

    def assert_deferred(self):
        lab = self.lab
        listed = lab.list()
        for guest, pool in POOLS.items():
            item = listed[pool]
            self.assertEqual((item['state'], item['condition']), ('inactive', 'deferred'), item)
            self.assertRegex(item['error'], r'/virthost-\w+/\S*: .*No such file')
            self.assertEqual(listed[f'guest/{guest}']['state'], 'inactive')
            self.assertIn(item['name'], listed[f'guest/{guest}']['error'])
        self.assertEqual(list(lab.guests()), ['d'])

    def tries(self, pool):
        """When it was tried, in ms."""
        return [line['ms'] for line in self.lab.timeline()
                if line['subject'] == pool and line['type'] == 'op begin' and line['text'].startswith('start')]

    def test_is_tried_again_with_growing_pauses_and_its_guests_follow(self):
        lab = self.lab
        self.assert_deferred()
        for pool in POOLS.values():
            wait_until(lambda pool=pool: len(self.tries(pool)) >= 3, f'{pool} to be tried three times')
            first, second, third = self.tries(pool)[:3]
            # At the least: a machine may be slow, a pause is never cut short.
            self.assertGreaterEqual(second - first, 1000, pool)
            self.assertGreaterEqual(third - second, 2000, pool)
        self.server.start()
        (lab.directory / 'local').mkdir()
        (lab.directory / 'late').mkdir()
        for guest, pool in POOLS.items():
            wait_until(lambda guest=guest: lab.state_of(f'guest/{guest}') == 'active', f'{guest} to follow its pool')
            self.assertEqual(lab.state_of(pool), 'active')
            lab.wait_counting(guest)

    def test_is_tried_again_at_once_when_the_user_says_so(self):
        lab = self.lab
        self.assert_deferred()
        # The longer it has been tried, the longer are the pauses.
        wait_until(lambda: len(self.tries('dir/local')) >= 3, 'dir/local to be tried three times')
        tried = len(self.tries('dir/local'))
        (lab.directory / 'local').mkdir()
        lab.ctl('retry', 'dir/local')
        wait_until(lambda: lab.state_of('guest/b') == 'active', 'the guest to follow its pool')
        self.assertEqual(len(self.tries('dir/local')), tried + 1)


if __name__ == '__main__':
    main()
