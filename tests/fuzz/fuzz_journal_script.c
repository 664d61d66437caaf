/* SPDX-License-Identifier: MIT */
/*
 * The input says what the journal holds, and checksums are put right, so that a fuzzer gets past them. Each of its lines is a
 * line there. The first says in two characters what the header has as `first` and as `whole`. In the others the first character
 * tells what the rest is: a digit: the records of a batch so many numbers further on ('1' is the next one); 'a' to 'z': of one
 * so many numbers back; '!': a line as it stands; '-': nothing, one line break less before the next.
 */
#include <string.h>

#include "fuzz.h"
#include "journal_check.h"
#include "store/journal_line.h"

struct script {
    struct muster__buffer file;
    struct muster__journal_header header;
    uint64_t seq;
};

static void put_line(struct script *script, const char *text, size_t length)
{
    char c = length == 0 ? '!' : text[0];
    if (c == '-' && script->file.used > 0)
        script->file.used--;
    if (c >= '0' && c <= '9')
        script->seq += (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'z')
        script->seq -= (uint64_t)(c - 'a');
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) {
        muster__journal_put_frame(&script->file, &script->header.id, script->seq, text + 1, length - 1);
    } else if (c != '-') {
        muster__buffer_put(&script->file, text + (length > 0), length - (length > 0));
        muster__buffer_puts(&script->file, "\n");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct muster__memory memory;
    const char *text = (const char *)data;
    if (size < 2 || size > 4096 || muster__memory_init(&memory, NULL) != 0)
        return 0;
    struct script script = {.file = {.memory = &memory}, .header = {.id = {{1, 2}}}};
    script.header.first = data[0] == '~' ? UINT64_MAX >> 1 : (uint64_t)data[0] - '0';
    script.header.whole = data[1] == '~' ? UINT64_MAX >> 1 : (uint64_t)data[1] - '0';
    script.seq = script.header.first - 1;
    muster__journal_put_header(&script.file, &script.header);
    for (size_t at = 2; at < size;) {
        const char *newline = memchr(text + at, '\n', size - at);
        size_t length = newline == NULL ? size - at : (size_t)(newline - text) - at;
        if (at > 2 || length > 0)
            put_line(&script, text + at, length);
        at += length + 1;
    }
    journal_check(script.file.bytes, script.file.used);
    muster__buffer_fini(&script.file);
    return 0;
}
