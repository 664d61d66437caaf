#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""muster store and muster plan on files that nobody means well with: one clear line for each, never a crash or a hang, and
nothing is changed by who only looks.

usage: test_tools.py MUSTER [journal] [sqlite]
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

MUSTER, STORES = sys.argv[1], sys.argv[2:]
TIMEOUT = 120
LOOKS = ['show', 'verify']
ACTIONS = LOOKS + ['export', 'compact']
EXPORT = {'muster-export': 1, 'records': [
    {'driver': 'guest', 'name': name, 'desired': 'active', 'stage': 'active', 'generation': 1, 'format': 1} for name in 'abc']}

tried = crashed = lost = wrong = 0


def complain(where, text):
    print(f'  {where}: {text}', flush=True)


def run(where, *arguments, **options):
    """Counts what crashes, hangs, or says too little or too much. The exit code and standard error."""
    global tried, crashed
    tried += 1
    try:
        result = subprocess.run([MUSTER, *arguments], capture_output=True, timeout=TIMEOUT, **options)
    except subprocess.TimeoutExpired:
        crashed += 1
        complain(where, 'it hangs')
        return None, ''
    said = result.stderr.decode('utf-8', 'backslashreplace')
    if result.returncode not in (0, 1) or 'Sanitizer' in said or 'Traceback' in said:
        crashed += 1
        complain(where, f'exit code {result.returncode}: {said}')
    return result.returncode, said


def expect(where, so, text):
    global wrong
    if not so:
        wrong += 1
        complain(where, text)


def snapshot(top):
    """All files, their bytes and their times."""
    found = {}
    for directory, _, names in os.walk(top):
        for path in [directory, *(os.path.join(directory, name) for name in names)]:
            status = os.lstat(path)
            regular = os.path.isfile(path) and not os.path.islink(path) and status.st_size < 1 << 20
            found[path] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns,
                           Path(path).read_bytes() if regular else None)
    return found


# ---- what may be in a file's place; each returns what the error says, or None where looking works


def fifo(path):
    os.mkfifo(path)
    return "isn't a regular file"


def directory(path):
    os.mkdir(path)
    return "isn't a regular file"


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        # Its path would be too long.
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        one.bind(os.path.basename(path))
        os.chdir(here)
    return "isn't a regular file"


def link(path):
    os.symlink('kept', path)
    return ' a symbolic link|regular file'


def dangling(path):
    os.symlink('nothing', path)
    return ' a symbolic link|regular file'


def loop(path):
    os.symlink(os.path.basename(path), path)
    return ' a symbolic link|regular file'


def sparse(path):
    with open(path, 'wb') as file:
        file.truncate((1 << 30) + 1)
    return 'max_size is|not a sqlite database'


def content(data):
    def make(path):
        Path(path).write_bytes(data)
        return 'corrupt|not a sqlite database|not a database'
    return make


PLACES = [fifo, directory, unix_socket, link, dangling, loop, sparse]
CONTENTS = {'nothing': b'', 'newlines': b'\n' * 5000, 'NULs': bytes(5000), 'garbage': b'x' * 5000,
            'binary': bytes(range(256)) * 50, 'a header of nonsense': b'{"muster-journal":99999999999999999999}\n',
            'brackets': b'[' * 100000,
            'escapes': b'\x1b[31m\x1b]0;x\x07' * 50, 'the start of a database': b'SQLite format 3\0' + b'x' * 5000}


def check_store(kind, name, make):
    where = f'{kind}, {name}'
    with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
        store = f'{kind}:{top}/state' + ('' if kind == 'journal' else '.db')
        file = f'{top}/state/journal' if kind == 'journal' else f'{top}/state.db'
        code, said = run(where, 'store', 'import', store, input=json.dumps(EXPORT).encode())
        expect(where, code == 0, said)
        os.rename(file, os.path.join(os.path.dirname(file), 'kept'))
        says = make(file)
        if not os.path.islink(file):
            os.chmod(file, 0o600)
        for action in ACTIONS:
            before = snapshot(top)
            code, said = run(f'{where}, {action}', 'store', action, store)
            expect(f'{where}, {action}', code == 1 or action not in LOOKS, f'exit code {code}, {said}')
            if code == 1:
                check_message(f'{where}, {action}', said, top, says if action in LOOKS else '')
            if action in LOOKS or (code == 1 and make in PLACES):
                after = snapshot(top)
                for path in set(before) | set(after):
                    # A lock may be taken, and is given back.
                    may = action not in LOOKS and (path.endswith('lock') or os.path.isdir(path))
                    expect(f'{where}, {action}', may or before.get(path) == after.get(path), f'{path} has changed')


def check_message(where, said, path, says):
    lines = said.splitlines()
    expect(where, len(lines) >= 1 and path in lines[0], f"it doesn't name the file: {said}")
    expect(where, len(lines) == 1 or 'verify' in where, f'more than a line: {said}')
    expect(where, all(c.isprintable() or c == '\n' for c in said), f'not for a terminal: {said!r}')
    expect(where, any(text in said for text in (says or '').split('|')), f"it doesn't say '{says}': {said}")


def check_links_and_modes(kind):
    """Whose it is doesn't matter to who changes nothing."""
    global lost
    for name, change, says in [('mode 0666', lambda file: os.chmod(file, 0o666), 'chmod 0600'),
                               ('a hard link', lambda file: os.link(file, file + '.other'), 'more than one link')]:
        where = f'{kind}, {name}'
        with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
            store = f'{kind}:{top}/state' + ('' if kind == 'journal' else '.db')
            run(where, 'store', 'import', store, input=json.dumps(EXPORT).encode())
            change(f'{top}/state/journal' if kind == 'journal' else f'{top}/state.db')
            for action in ACTIONS:
                code, said = run(f'{where}, {action}', 'store', action, store)
                expect(f'{where}, {action}', code == (0 if action in LOOKS else 1), f'{code}: {said}')
                if code == 1:
                    check_message(f'{where}, {action}', said, top, says)
            shown = subprocess.run([MUSTER, 'store', 'show', '--json', store], capture_output=True, timeout=TIMEOUT)
            names = [record['name'] for record in json.loads(shown.stdout or '{"records": []}')['records']]
            if names != ['a', 'b', 'c']:
                lost += 1
                complain(where, f'what is left is {names}')


def check_database(name, sql, says):
    where = f'sqlite, {name}'
    with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
        with sqlite3.connect(f'{top}/state.db') as database:
            database.executescript(sql)
        database.close()
        os.chmod(f'{top}/state.db', 0o600)
        before = Path(f'{top}/state.db').read_bytes()
        for action in ACTIONS:
            code, said = run(f'{where}, {action}', 'store', action, f'{top}/state.db')
            expect(f'{where}, {action}', code == 1, f'exit code {code}')
            check_message(f'{where}, {action}', said, top, says)
        expect(where, Path(f'{top}/state.db').read_bytes() == before, 'it was changed')


def check_paths():
    with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
        os.mkfifo(f'{top}/fifo')
        os.mkdir(f'{top}/empty')
        Path(f'{top}/file').write_text('x', encoding='utf-8')
        os.symlink('loop', f'{top}/loop')
        for path in ['fifo', 'empty', 'file', 'loop', 'nothing', 'nothing/below', 'file/below', 'x' * 300, 'x/' * 3000]:
            # A path alone may be of either kind.
            for prefix in [f'{kind}:' for kind in STORES] + ([''] if len(STORES) > 1 else []):
                for action in ACTIONS:
                    before = snapshot(top)
                    where = f'{prefix}{path[:20]}, {action}'
                    code, said = run(where, 'store', action, f'{prefix}{top}/{path}')
                    expect(where, code == 1, f'exit code {code}')
                    check_message(where, said, top, '')
                    expect(where, before.keys() == snapshot(top).keys() or action not in LOOKS, 'something was made')


def check_plan(name, says, path=None, data=None):
    where = f'plan, {name}'
    with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
        if path is None:
            path = f'{top}/plan.json'
            Path(path).write_bytes(data)
        code, said = run(where, 'plan', path)
        expect(where, code == 1, f'exit code {code}')
        expect(where, said.startswith(f'{path}: ') and len(said.splitlines()) == 1, f'not one line: {said[:500]}')
        expect(where, says in said, f"it doesn't say '{says}': {said[:500]}")
        expect(where, len(said) < 4096, 'it is long')


def leads_to(link, path):
    try:
        return os.readlink(link) == os.path.realpath(path)
    except FileNotFoundError:
        return False  # It was closed meanwhile.


def has_open(pid, path):
    return any(leads_to(f'/proc/{pid}/fd/{fd}', path) for fd in os.listdir(f'/proc/{pid}/fd'))


def check_plans():
    driver = b'{"drivers": [{"name": "%s"}]}'
    with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
        os.mkfifo(f'{top}/fifo')
        check_plan('a FIFO without a writer', 'nobody writes to this FIFO', f'{top}/fifo')
        check_plan('a directory', 'Is a directory', top)
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f'{top}/socket')
            check_plan('a socket', 'No such device', f'{top}/socket')
        check_plan('no file', 'No such file', f'{top}/nothing')
    check_plan('endless NULs', 'longer than 256 MiB', '/dev/zero')
    check_plan('nothing at all', 'line 1, column 0', '/dev/null')
    for name, says, data in [
            ('an empty file', 'line 1, column 0', b''), ('a blank file', 'line 3', b'\n\n '),
            ('depth 10,000', 'more than 8 brackets', b'[' * 10000), ('depth 10,000 of objects', 'more than 8', b'{"a":' * 10000),
            ('members twice', 'duplicate', b'{"drivers": [], "drivers": []}'), ('invalid UTF-8', 'line 1', driver % b'\xff'),
            ('an overlong UTF-8', 'line 1', driver % b'\xc0\x80'), ('a surrogate', 'line 1', driver % b'\\ud800'),
            ('a NUL in a string', 'line 1', driver % b'a\0b'), ('an escaped NUL', 'line 1', driver % b'a\\u0000b'),
            ('NULs', 'line 1', bytes(10000)), ('a byte order mark', 'line 1', b'\xef\xbb\xbf' + driver % b'a'),
            ('UTF-16', 'line 1', (driver % b'a').decode().encode('utf-16')), ('garbage', 'line 1', bytes(range(256)) * 40),
            ('half a file', 'line 1', (driver % b'a')[:-3]), ('a line of 100 MiB', 'driver 0', driver % (b'x' * (100 << 20))),
            ('a number of 1 MiB', 'line 1', b'{"drivers": [{"name": "a", "tier": ' + b'9' * (1 << 20) + b'}]}'),
            ('100 MiB of spaces', 'line 1', b' ' * (100 << 20)), ('100 MiB of brackets', 'more than 8', b'[' * (100 << 20))]:
        check_plan(name, says, data=data)
    # A FIFO that somebody writes to is as good as any file, also where that takes a while to begin.
    global tried
    with tempfile.TemporaryDirectory(prefix='muster-hostile-') as top:
        os.mkfifo(f'{top}/fifo')
        with open(os.open(f'{top}/fifo', os.O_RDWR), 'wb', buffering=0) as keeper:
            keeper.write(driver % b'a')
            with subprocess.Popen([MUSTER, 'plan', f'{top}/fifo'], stdout=subprocess.PIPE) as plan:
                # It reads until all who write have closed.
                try:
                    while plan.poll() is None and not has_open(plan.pid, f'{top}/fifo'):
                        pass
                    keeper.close()
                    out = plan.communicate(timeout=TIMEOUT)[0]
                finally:
                    plan.kill()
        tried += 1
        expect('plan, a FIFO', plan.returncode == 0 and b'a' in out, f'{plan.returncode}: {out}')


def main():
    for kind in STORES:
        for make in PLACES:
            check_store(kind, f'{make.__name__} in its place', make)
        for name, data in CONTENTS.items():
            check_store(kind, name, content(data))
        check_links_and_modes(kind)
    if 'sqlite' in STORES:
        ours = 'PRAGMA application_id = 1836282994;'
        check_database("another program's", 'CREATE TABLE t (x)', "another program's database")
        check_database('the future', ours + 'PRAGMA user_version = 7; CREATE TABLE t (x)', 'format 7, and this muster knows')
        check_database('without the table', ours + 'PRAGMA user_version = 1', 'no such table')
    check_paths()
    check_plans()
    if wrong > 0:
        print(f'{wrong} outcomes are not as documented')
    print(f'hostile: {tried} files: {crashed} crashed, {lost} lost')
    return 1 if crashed + lost + wrong > 0 else 0


if __name__ == '__main__':
    sys.exit(main())
