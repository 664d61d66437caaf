#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 5: a truncated guest record makes a live guest "shut off"; starting it launches a second one on the same disk.
Here a lost record proves nothing: the probe finds the QEMU, and a start adopts it. The disk is an NBD server's, since QEMU itself
locks files alone.
"""

from lab import wait_until
from virthost_case import Case, main


class LostRecord(Case):
    def setUp(self):
        super().setUp()
        lab = self.lab
        lab.nbd_pool('rbd', 'autostart')
        lab.dir_pool('local')
        lab.guest('a', pool='nbd/rbd')
        lab.start()
        lab.ctl('start', 'guest/a')
        self.before = lab.guests()['a'].identity()
        self.counted = lab.wait_counting('a')

    def journal(self):
        return self.lab.state / 'journal'

    def lines(self):
        return self.journal().read_bytes().rstrip(b'\n').split(b'\n')

    def write(self, lines):
        self.journal().write_bytes(b'\n'.join(lines) + b'\n')

    def is_only_one(self):
        """(Lab.guests raises if there are two of one name.)"""
        self.assertEqual({name: guest.identity() for name, guest in self.lab.guests().items()}, {'a': self.before})

    def check(self, state_before_start):
        lab = self.lab
        lab.start()
        lab.wait_quiet()
        self.is_only_one()
        item = lab.list()['guest/a']
        lab.ctl('start', 'guest/a')
        self.is_only_one()
        self.assertEqual((item['state'], item['unmanaged']), state_before_start)
        self.assert_states(guest_a='active')
        lab.wait_counting('a', self.counted)
        lab.restart()
        self.is_only_one()
        self.assert_states(guest_a='active')
        lab.ctl('stop', 'guest/a')
        self.assertEqual(lab.guests(), {})

    def test_the_record_is_cut_off(self):
        self.lab.kill()
        lines = self.lines()
        self.assertIn(b'"name":"a"', lines[-1])
        lines[-1] = lines[-1][:len(lines[-1]) // 2]
        self.journal().write_bytes(b'\n'.join(lines))
        self.check(('active', False))

    def test_the_record_is_damaged(self):
        lab = self.lab
        lab.ctl('start', 'dir/local')
        lab.kill()
        lines = self.lines()
        self.assertNotIn(b'"name":"a"', lines[-1])
        self.write([line.replace(b'"desired"', b'"dXsired"') if b'"name":"a"' in line else line for line in lines])
        self.check(('active', False))
        self.assertTrue(list(lab.state.glob('quarantine-*')))

    def test_there_is_no_record(self):
        self.lab.kill()
        self.journal().unlink()
        self.check(('active', True))

    def test_the_guest_is_named_by_no_file_either(self):
        lab = self.lab
        lab.kill()
        lines = self.lines()
        self.write([line[:len(line) // 2] if b'"name":"a"' in line else line for line in lines])
        (lab.config / 'guests' / 'a.json').write_text('{"name": "a", "po')
        lab.start()
        lab.wait_quiet()
        self.is_only_one()
        lab.guest('a', pool='nbd/rbd')
        lab.ctl('reload')
        wait_until(lambda: 'guest/a' in lab.list(), 'the guest to be defined again')
        lab.wait_quiet()
        # Of its pool nothing is known either: the lines that were lost may have been about it.
        lab.ctl('start', 'guest/a', '--dependencies')
        self.is_only_one()
        lab.wait_counting('a', self.counted)


if __name__ == '__main__':
    main()
