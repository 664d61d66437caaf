/* SPDX-License-Identifier: MIT */
#include "base/name.h"

#include <stdint.h>
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

bool muster__name_valid(const char *name)
{
    if (name == NULL)
        return false;
    size_t length = strnlen(name, MUSTER__NAME_MAX + 1);
    if (length == 0 || length > MUSTER__NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return muster__utf8_valid(name, length);
}

bool muster__driver_name_valid(const char *name)
{
    return muster__name_valid(name) && strchr(name, '/') == NULL;
}
