# SPDX-License-Identifier: MIT
"""The share of guests lost over the delay of the pools, a panel for each number of guests; gnuplot draws it."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from arena import ARMS
from plan import Cell

COLOURS = {'a': '#009e73', 'b': '#d55e00', 'c': '#7f7f7f', 'd': '#000000', 'e': '#0072b2'}


def data(cells, arm, guests, delays):
    """Beside each other, so that the bars of two arms don't hide each other; the delays are at 0, 1, 2, ..."""
    lines = []
    for place, delay in enumerate(delays):
        found = cells.get(Cell(arm, guests, delay))
        if found:
            share, low, high = found.lost_share()
            at = place + 0.06 * (list(ARMS).index(arm) - 2)
            lines.append(f'{at:.2f} {share * 100:.3f} {low * 100:.3f} {high * 100:.3f}')
    return lines


def panel(cells, guests, delays, directory):
    tics = ', '.join(f'"{delay}" {place}' for place, delay in enumerate(delays))
    series = []
    for arm in ARMS:
        lines = data(cells, arm, guests, delays)
        if lines:
            path = directory / f'{guests}-{arm}'
            path.write_text('\n'.join(lines) + '\n')
            series.append(f'"{path}" using 1:2:3:4 with yerrorlines lw 1.5 pt 7 ps 0.5 lc rgb "{COLOURS[arm]}" title "({arm})"')
    return [f'set title "{guests} guests"', f'set xtics ({tics})', f'set xrange [-0.3:{len(delays) - 0.7}]',
            'plot ' + ', \\\n  '.join(series)]


def draw(cells, path):
    """Nothing, with a word about it, if there is no gnuplot."""
    if shutil.which('gnuplot') is None:
        print(f'{path}: not drawn, there is no gnuplot here', file=sys.stderr)
        return
    sizes = sorted({cell.guests for cell in cells})
    with tempfile.TemporaryDirectory() as directory:
        script = [f'set terminal svg size {360 * len(sizes)},330 background "white" font "sans-serif,12" name "experiment"',
                  f'set output "{path}"', f'set multiplot layout 1,{len(sizes)}', 'set yrange [-4:104]', 'set grid ytics',
                  'set xlabel "delay of the pool (ms)"', 'set ylabel "guests lost (%)"', 'set key center right']
        for guests in sizes:
            delays = sorted({cell.delay_ms for cell in cells if cell.guests == guests})
            script += panel(cells, guests, delays, Path(directory))
        subprocess.run(['gnuplot'], input='\n'.join([*script, 'unset multiplot', '']), text=True, check=True)
