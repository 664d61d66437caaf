/* SPDX-License-Identifier: MIT */
/*
 * What every picture has: its looks, and the script that folds. A driver's resources are in the file as data, from which the
 * script makes their rows when they are unfolded: five thousand rows that nobody looks at would take seconds to load.
 */
#ifndef MUSTER__SVG_PAGE_H
#define MUSTER__SVG_PAGE_H

#define MUSTER__SVG_WIDTH 1200
/* Names end here, time begins. */
#define MUSTER__SVG_LEFT 250
#define MUSTER__SVG_RIGHT 40
/* The first row. */
#define MUSTER__SVG_TOP 128
#define MUSTER__SVG_DRIVER_ROW 26
#define MUSTER__SVG_ROW 18
#define MUSTER__SVG_BOTTOM 16

extern const char muster__svg_style[];
extern const char muster__svg_script[];

#endif
