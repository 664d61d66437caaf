# SPDX-License-Identifier: MIT
"""Tables of the results, in Markdown, and the plot."""

import re
import textwrap
from collections import Counter, defaultdict

import plot
from arena import ARMS
from deaths import PHASES
from plan import Cell, Plan
from results import read
from wilson import interval


class Tally:
    """One cell's restarts."""

    def __init__(self):
        self.restarts = 0
        self.losing = 0
        self.lost = 0
        self.guests = 0

    def add(self, guests, lost):
        self.restarts += 1
        self.losing += lost > 0
        self.lost += lost
        self.guests += guests

    def losing_share(self):
        return self.losing / self.restarts, *interval(self.losing / self.restarts, self.restarts)

    def lost_share(self):
        """Guests of one restart have much of their fate in common: it counts as one trial."""
        return self.lost / self.guests, *interval(self.lost / self.guests, self.restarts)


def tally(rows):
    cells = defaultdict(Tally)
    for row in rows:
        cell = Cell(row['arm'], int(row['guests']), int(row['delay_ms']))
        cells[cell].add(int(row['guests']), int(row['lost']))
    return dict(cells)


def percent(share):
    share = round(share, 6)
    return f'{share * 100:.1f}' if 0 < share < 0.1 or 0.99 < share < 1 else f'{share * 100:.0f}'


def with_interval(shares):
    return f'{percent(shares[0])} % ({percent(shares[1])} to {percent(shares[2])})'


# ---- the race ------------------------------------------------------------------------------------------

def table(cells, guests, delays, text_of):
    lines = ['| arm | ' + ' | '.join(f'{delay} ms' for delay in delays) + ' |', '|---' * (len(delays) + 1) + '|']
    for arm in ARMS:
        texts = [text_of(cells[Cell(arm, guests, delay)]) if Cell(arm, guests, delay) in cells else 'not run'
                 for delay in delays]
        lines.append(f'| ({arm}) | ' + ' | '.join(texts) + ' |')
    return lines


def tables_of_size(cells, guests, delays):
    return [f'**{guests} guests.** Guests lost:', '', *table(cells, guests, delays, lambda c: with_interval(c.lost_share())),
            '', 'Restarts that lost a guest, of all restarts:', '',
            *table(cells, guests, delays,
                   lambda c: f'{c.losing} of {c.restarts}: {with_interval(c.losing_share())}'), '']


def same_as_a(cells):
    """Those whose interval meets that of arm a."""
    same = []
    for cell, found in sorted(cells.items()):
        base = cells.get(Cell('a', cell.guests, cell.delay_ms))
        if cell.arm != 'a' and base and found.losing_share()[1] <= base.losing_share()[2]:
            same.append(f'({cell.arm}) {cell.guests} guests {cell.delay_ms} ms: {found.losing} of {found.restarts}'
                        f' against {base.losing} of {base.restarts}')
    return same


def short_of_plan(cells, plan):
    """What the plan asks for and wasn't run."""
    lines = []
    for guests in sorted({cell.guests for cell in plan}):
        of_size = {cell: wanted for cell, wanted in plan.items() if cell.guests == guests}
        none = [f'({cell.arm}) {cell.delay_ms} ms' for cell in of_size if cell not in cells]
        fewer = [cells[cell].restarts for cell, wanted in of_size.items() if cell in cells and cells[cell].restarts < wanted]
        if len(none) == len(of_size):
            lines.append(f'* {guests} guests: not run, {len(none)} cells')
        elif none:
            lines.append(f'* {guests} guests: not run: {", ".join(none)}')
        if fewer:
            lines.append(f'* {guests} guests: {len(fewer)} of {len(of_size)} cells have {min(fewer)} to {max(fewer)} restarts,'
                         f' {max(of_size.values())} are planned')
    return lines or ['* Nothing: each cell of the plan has its restarts.']


def whole(rows, cells):
    arm_a = [found for cell, found in cells.items() if cell.arm == 'a']
    loads = sorted(float(row['load']) for row in rows)
    return [f'{len(rows)} restarts in {len(cells)} cells. **Arm (a): {sum(c.lost for c in arm_a)} guests lost** of'
            f' {sum(c.guests for c in arm_a)}, in {sum(c.restarts for c in arm_a)} restarts.',
            f'Load of the machine: median {loads[len(loads) // 2]}, at most {loads[-1]}.', '']


def race_text(rows, plan):
    cells = tally(rows)
    text = whole(rows, cells)
    for guests in sorted({cell.guests for cell in cells}):
        delays = sorted({cell.delay_ms for cell in [*plan, *cells] if cell.guests == guests})
        text += tables_of_size(cells, guests, delays)
    same = [f'* {line}' for line in same_as_a(cells)] or ['* none']
    text += ['Cells in which an arm can\'t be told from (a): the intervals of "restarts that lost a guest" meet.', '', *same, '']
    return text + ['Of the plan there is lacking:', '', *short_of_plan(cells, plan), '', *how_lost(rows), *beside(rows)]


def beside(rows):
    missing = sum(int(row['missing_before']) for row in rows)
    silent = sum(int(row['silent_pools']) for row in rows)
    return [f'Guests that were not there before a kill, though their start had been acknowledged: {missing}.',
            f'Pools that did not greet after a restart, or had no connection from the daemon: {silent}.']


def how_lost(rows):
    reasons = Counter()
    for row in rows:
        for reason in 'gone', 'other', 'halted', 'still':
            reasons[reason] += int(row[reason])
    return [f'How they were lost: the process was gone {reasons["gone"]}, it was another one {reasons["other"]}, QEMU didn\'t say'
            f' that it runs {reasons["halted"]}, the counter didn\'t go on {reasons["still"]}.', '']


# ---- restarts ------------------------------------------------------------------------------------------

def restarts_text(rows):
    wrong = sum(1 for row in rows if row['problems'])
    lines = [f'{len(rows)} restarts, **{wrong} wrong**.', '']
    if wrong == 0:
        bound = 1 - 0.05 ** (1 / len(rows))
        lines += [f'With 95 % confidence fewer than {bound * 100:.3f} % go wrong (exact, one-sided); Wilson\'s two-sided interval'
                  f' is 0 to {interval(0, len(rows))[1] * 100:.3f} %.', '']
    lines += ['| death at | restarts | deaths: idle | with requests to do | in a bring-up | wrong |', '|---|---|---|---|---|---|']
    for death in 'time', 'callback', 'store':
        of_kind = [row for row in rows if row['death'] == death]
        deaths = [sum(int(row[phase]) for row in of_kind) for phase in PHASES]
        bad = sum(1 for row in of_kind if row['problems'])
        lines.append(f'| {death} | {len(of_kind)} | ' + ' | '.join(map(str, deaths)) + f' | {bad} |')
    armed = [row for row in rows if row['death'] != 'time']
    points = {(row['death'], row['at']) for row in armed if not row['at'].startswith('after')}
    callbacks = sum(1 for death, _ in points if death == 'callback')
    sweeps = sum(1 for row in armed if row['death'] == 'callback' and row['at'].startswith('after'))
    lines += ['', f'{callbacks} different boundaries of callbacks, all of them in turn {sweeps} times over;'
              f' {len(points) - callbacks} different calls of the store.']
    lines += [f'* run {row["run"]}, {row["death"]} {row["at"]}: {row["problems"]}' for row in rows if row['problems']]
    return lines


# ---- the whole -----------------------------------------------------------------------------------------

def wrap(line):
    """As a page has it, but for tables."""
    if line.startswith('|'):
        return [line]
    inner = '  ' if line.startswith('* ') else ''
    return textwrap.wrap(line, 116, subsequent_indent=inner, break_on_hyphens=False) or ['']


def replace(page, name, lines):
    """What is between the two marks of that name."""
    text = page.read_text()
    body = [part for line in lines for part in wrap(line)]
    begin, end = f'<!-- {name}: made by scripts/experiment report -->', f'<!-- end of {name} -->'
    made, count = re.subn(re.escape(begin) + '.*?' + re.escape(end), lambda _: '\n'.join([begin, '', *body, '', end]), text,
                          flags=re.S)
    if count != 1:
        raise SystemExit(f'{page}: there is no place for {name}')
    page.write_text(made)


def make_report(directory, what=None, page=None, plan='full'):
    texts = {}
    race, restarts = read(directory / 'race.csv'), read(directory / 'restarts.csv')
    if race and what in (None, 'race'):
        texts['race'] = race_text(race, Plan(plan).cells())
        plot.draw(tally(race), page.with_suffix('.svg') if page else directory / 'race.svg')
    if restarts and what in (None, 'restarts'):
        texts['restarts'] = restarts_text(restarts)
    for name, lines in texts.items():
        if page:
            replace(page, name, lines)
        else:
            print('\n'.join(lines) + '\n')
    if not texts:
        raise SystemExit(f'{directory}: no race.csv and no restarts.csv with rows')
