/* SPDX-License-Identifier: MIT */
#include "base/name.h"

#include <string.h>

/* The length of the sequence that starts at `bytes`, or 0 if it isn't valid. */
static size_t sequence_length(const unsigned char *bytes, size_t left)
{
    unsigned char lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xf0 && bytes[1] < 0x90);
    bool surrogate = lead == 0xed && bytes[1] >= 0xa0;
    bool too_high = lead == 0xf4 && bytes[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : length;
}

bool muster__utf8_valid(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    while (length > 0) {
        size_t step = sequence_length(bytes, length);
        if (step == 0)
            return false;
        bytes += step;
        length -= step;
    }
    return true;
}

void muster__utf8_mend(char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t step = sequence_length((const unsigned char *)text, left);
        if (step == 0) {
            *text = '?';
            step = 1;
        }
        text += step;
        left -= step;
    }
}

size_t muster__control_bytes(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    if (lead < 0x20 || lead == 0x7f)
        return 1;
    return lead == 0xc2 && (unsigned char)text[1] < 0xa0 ? 2 : 0;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (muster__control_bytes(text) > 0)
            return true;
    return false;
}

/* In one pass, for the names that are ASCII alone. `refused` is NUL where none but control characters are. */
static bool name_valid(const char *name, unsigned char refused)
{
    unsigned char seen = 0;
    size_t length = 0;
    if (name == NULL)
        return false;
    for (unsigned char byte; (byte = (unsigned char)name[length]) != '\0'; length++) {
        if (byte < 0x20 || byte == 0x7f || byte == refused || length == MUSTER__NAME_MAX)
            return false;
        seen |= byte;
    }
    return length > 0 && (seen < 0x80 || (muster__utf8_valid(name, length) && !has_control(name)));
}

bool muster__name_valid(const char *name)
{
    return name_valid(name, '\0');
}

bool muster__driver_name_valid(const char *name)
{
    return name_valid(name, '/');
}
