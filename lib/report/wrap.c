/* SPDX-License-Identifier: MIT */
#include "report/wrap.h"

#include <string.h>

static const char branch[] = "\u2514\u2500";

static void put_spaces(struct muster__wrap *wrap, size_t count)
{
    muster__put_cell(wrap->to, "", count, false);
    wrap->column += count;
}

static size_t hang_of(const struct muster__wrap *wrap)
{
    size_t hang = wrap->column + (strncmp(wrap->word, branch, sizeof(branch) - 1) == 0 ? 2 : 0);
    return hang < wrap->to->width / 2 ? hang : wrap->to->width / 2;
}

static void end_word(struct muster__wrap *wrap)
{
    if (wrap->used == 0)
        return;
    wrap->word[wrap->used] = '\0';
    bool first = wrap->column == 0;
    if (!first && wrap->column + wrap->spaces + wrap->columns > wrap->to->width) {
        muster__put_text(wrap->to, "\n");
        wrap->column = 0;
        wrap->spaces = wrap->hang;
    }
    put_spaces(wrap, wrap->spaces);
    if (first)
        wrap->hang = hang_of(wrap);
    muster__put_text(wrap->to, wrap->word);
    wrap->column += wrap->columns;
    wrap->spaces = wrap->columns = wrap->used = 0;
}

static void end_line(struct muster__wrap *wrap)
{
    end_word(wrap);
    muster__put_text(wrap->to, "\n");
    wrap->column = wrap->spaces = 0;
}

static void add(struct muster__wrap *wrap, char c)
{
    wrap->escape |= c == '\033';
    wrap->columns += !wrap->escape && ((unsigned char)c & 0xc0) != 0x80;
    wrap->escape &= c != 'm';
    wrap->word[wrap->used++] = c;
    if (wrap->used == sizeof(wrap->word) - 1)
        end_word(wrap);
}

int muster__wrap_write(void *data, const char *text, size_t bytes)
{
    struct muster__wrap *wrap = data;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n') {
            end_line(wrap);
        } else if (text[i] == ' ') {
            end_word(wrap);
            wrap->spaces++;
        } else {
            add(wrap, text[i]);
        }
    }
    return wrap->to->code;
}
