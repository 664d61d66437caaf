/* SPDX-License-Identifier: MIT */
/* What every picture has: its looks, and the script that folds. The sizes are the script's, too. */
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
