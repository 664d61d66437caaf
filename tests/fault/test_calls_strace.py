#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of calls misses no call: what strace sees of a journal's whole life is what stands in the table's list, call by call.

usage: test_calls_strace.py LOG_CALLS
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

LINE = re.compile(r'^\d+\s+(\w+)\((.*)\)\s+= ')
SKIP = 77
# As the table has them. A call on memory alone is none on a file.
NAMES = {'pread64': 'pread', 'pwrite64': 'pwrite', 'mkdirat': 'mkdir', 'rename': 'renameat', 'renameat2': 'renameat',
         'unlink': 'unlinkat', 'open': 'openat', 'ftruncate64': 'ftruncate', 'fcntl64': 'fcntl', 'fstat64': 'fstat'}
MEMORY = re.compile(r'^mmap\(.*MAP_ANON')


def call_of(line):
    """'openat PATH' or 'fsync FD', as the list has it; None for a call on memory."""
    match = LINE.match(line)
    if match is None:
        return None if 'exited' in line or '---' in line else 'not understood: ' + line
    name, arguments = NAMES.get(match.group(1), match.group(1)), match.group(2)
    if MEMORY.match(name + '(' + arguments):
        return None
    path = re.search(r'"((?:[^"\\]|\\.)*)"', arguments) if name in PATHS else None
    first = arguments.split(',')[0]
    if name == 'newfstatat':
        return 'fstat ' + first if path.group(1) == '' else 'fstatat ' + path.group(1)
    if name == 'fcntl':
        return 'lock ' + first if 'F_OFD_SETLK' in arguments else 'fcntl ' + arguments
    if name == 'getrandom':
        return 'getrandom -1'
    return f'{name} {path.group(1) if path else first}'


PATHS = {'openat', 'mkdir', 'renameat', 'unlinkat', 'newfstatat', 'access', 'faccessat', 'faccessat2'}


def between_marks(lines):
    inside, calls = False, []
    for line in lines:
        if '"/muster-begin"' in line or '"/muster-end"' in line:
            inside = '"/muster-begin"' in line
        elif inside:
            calls.append(call_of(line))
    return [call for call in calls if call is not None]


def run(program, top, *arguments):
    """What strace saw, and what the list says."""
    trace = os.path.join(top, 'trace')
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
    done = subprocess.run(['strace', '-f', '-qq', '-o', trace, '-e', 'trace=%file,%desc,getrandom,sync,syncfs,io_uring_enter',
                           program, os.path.join(top, 'state'), *arguments],
                          capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        print(done.stderr, end='')
        print('strace works here, and the program failed: exit', done.returncode)
        sys.exit(1)
    with open(trace, encoding='utf-8') as file:
        return between_marks(file), done.stdout.splitlines()


def first_difference(seen, listed):
    for at, (one, other) in enumerate(zip(seen + ['nothing'], listed + ['nothing'])):
        if one != other:
            return f'call {at + 1}: strace saw "{one}", the list has "{other}"'
    return None


def strace_works():
    try:
        return subprocess.run(['strace', '-o', '/dev/null', 'true'], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    if not strace_works():
        print('strace is missing or may not trace here: whether the table of calls misses one is not known')
        return SKIP
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix='muster-fault-', dir=shm) as top:
        seen, listed = run(sys.argv[1], top)
        kinds = collections.Counter(call.split()[0] for call in seen)
        for kind, count in sorted(kinds.items()):
            print(f'{kind:12}{count:6}')
        difference = first_difference(seen, listed)
        if difference is not None:
            print(difference)
            return 1
        if len(seen) < 100 or len(kinds) < 13:
            print(f'{len(seen)} calls of {len(kinds)} kinds: that is no whole life')
            return 1
        bypassed = first_difference(*run(sys.argv[1], top, 'unlogged'))
        if bypassed is None:
            print('a call that went past the table was not noticed')
            return 1
        print(f'past the table it is noticed: {bypassed}')
    print(f'strace: {len(seen)} calls, each in the list of the table, and none besides')
    return 0


if __name__ == '__main__':
    sys.exit(main())
