/* SPDX-License-Identifier: MIT */
/*
 * What a line or a header can say that is wrong though nothing is damaged: as by another program, or a hand. The line stands
 * between one that holds guest/good and one that holds guest/later, each of which is as good as ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostile.h"
#include "store/crc32c.h"
#include "store/journal_line.h"

#define MIB ((size_t)1024 * 1024)

static struct muster__memory memory;
static struct muster__journal_header header = {.id = {{7, 1}}, .first = 1};
static const char good[] = "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"good\",\"generation\":1}]";
static const char later[] = "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"later\",\"generation\":3}]";

static struct muster__buffer begin_file(void)
{
    muster__memory_init(&memory, NULL);
    struct muster__buffer buffer = {.memory = &memory};
    muster__journal_put_header(&buffer, &header);
    muster__journal_put_frame(&buffer, &header.id, 1, good, strlen(good));
    return buffer;
}

/* Put it there, open it, and free it. */
static void open_file(struct muster__buffer *buffer, struct hostile_result *ret_result)
{
    hostile_clean();
    hostile_put("journal", buffer->bytes, buffer->used);
    muster__buffer_fini(buffer);
    hostile_open(ret_result);
    hostile_expect(ret_result->code == 0, "open: %s", ret_result->text);
}

enum outcome { EXACT, QUARANTINED };

static void check_record(const struct hostile_result *result, const char *name, enum outcome outcome)
{
    const struct hostile_record *found = hostile_find(result, name);
    hostile_keep(found != NULL, "guest/%s is gone", name);
    if (found != NULL)
        hostile_expect(found->quarantined == (outcome == QUARANTINED), "guest/%s is%s quarantined", name,
                       found->quarantined ? "" : " not");
}

static void finish_file(struct muster__buffer *buffer, bool reported, enum outcome outcome)
{
    struct hostile_result result;
    muster__journal_put_frame(buffer, &header.id, 3, later, strlen(later));
    open_file(buffer, &result);
    hostile_expect((result.lost != 0) == reported, "reported: \"%s\"", result.text);
    check_record(&result, "good", outcome);
    check_record(&result, "later", EXACT);
    hostile_goes_on(&result);
}

/* Batch 2 has these records, with a CRC that fits. */
static void check_records(const char *payload, size_t length, bool bad)
{
    struct muster__buffer buffer = begin_file();
    muster__journal_put_frame(&buffer, &header.id, 2, payload, length);
    finish_file(&buffer, bad, bad ? QUARANTINED : EXACT);
}

/* ---- records */

static void what_is_no_record(void)
{
    static const char *const payloads[] = {
        "",
        "{}",
        "1",
        "[",
        "[]]",
        "[1]",
        "[null]",
        "[[]]",
        "[{}]",
        "[{\"kind\":\"resource\",\"driver\":\"guest\"}]",
        "[{\"kind\":\"resource\",\"driver\":null,\"name\":\"x\"}]",
        "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":{}}]",
        "[{\"kind\":\"lease\",\"driver\":\"guest\",\"name\":\"x\"}]",
        "[{\"kind\":-1,\"driver\":\"guest\",\"name\":\"x\"}]",
        "[{\"kind\":\"18446744073709551616\",\"driver\":\"guest\",\"name\":\"x\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"name\":\"y\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"z\":{\"a\":1,\"a\":2}}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\"},{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"a\\u0000b\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"\\ud800\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"\xff\xfe\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"\xc0\x80\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"\xed\xa0\x80\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\"},]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"z\":1e999}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"z\":99999999999999999999}]",
        "[{\"kind\":0,\"driver\":\"guest\",\n\"name\":\"x\"}]",
        "\xef\xbb\xbf[]",
    };
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        hostile_file("batch 2 is %s", payloads[i]);
        check_records(payloads[i], strlen(payloads[i]), true);
    }
    hostile_file("batch 2 has a NUL");
    check_records("[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\0y\"}]", 43, true);
}

/* Those are kept and not believed, or are simply no harm. */
static void what_is_odd_and_no_damage(void)
{
    static const char *const payloads[] = {
        "[]",
        "[ ]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"stage\":\"paused\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"attempts\":-1}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"attempts\":\"18446744073709551615\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"attempts\":1e3,\"mark\":1}]",
        "[{\"kind\":0,\"driver\":\"\",\"name\":\"\"}]",
        "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"x\",\"removed\":true,\"quarantined\":true}]",
        "[{\"kind\":18446744073,\"driver\":\"guest\",\"name\":\"x\",\"check\":{\"check\":[]}}]",
    };
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        hostile_file("batch 2 is %s", payloads[i]);
        check_records(payloads[i], strlen(payloads[i]), false);
    }
}

/* Of the line: its object, its array and its record are three. */
static void check_depth(size_t depth, bool bad)
{
    char *payload = calloc(1, 2 * depth + 128);
    hostile_file("depth %zu", depth);
    size_t used = (size_t)sprintf(payload, "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"deep\",\"x\":");
    memset(payload + used, '[', depth - 3);
    memset(payload + used + depth - 3, ']', depth - 3);
    used += 2 * (depth - 3);
    memcpy(payload + used, "}]", 2);
    check_records(payload, used + 2, bad);
    free(payload);
}

static void depth_at_the_bound_and_beyond(void)
{
    check_depth(31, false);
    check_depth(32, false);
    check_depth(33, true);
    check_depth(10000, true);
    check_depth(3 * MIB, true);
}

/* A handle of that many bytes, 'x' or what must be escaped. */
static void check_handle(size_t length, char c, const char *more, bool bad)
{
    char *payload = malloc(6 * length + 256);
    hostile_file("a handle of %zu bytes of 0x%02x%s", length, (unsigned char)c, more);
    size_t used = (size_t)sprintf(payload, "[{\"kind\":0,\"driver\":\"guest\",\"name\":\"large\"%s,\"handle\":\"", more);
    for (size_t i = 0; i < length; i++)
        used += (size_t)(c < ' ' ? sprintf(payload + used, "\\u%04x", c) : (payload[used] = c, 1));
    used += (size_t)sprintf(payload + used, "\"}]");
    check_records(payload, used, bad);
    free(payload);
}

static void handles_at_the_bound_and_beyond(void)
{
    check_handle(MIB, 'x', "", false);
    check_handle(MIB + 1, 'x', "", true);
    check_handle(MIB, '\1', ",\"stage\":\"paused\"", false);
    check_handle(20 * MIB, 'x', ",\"stage\":\"paused\"", true);
    check_handle(20 * MIB, 'x', ",\"removed\":true", true);
}

/* ---- frames */

static void check_line(const char *line, size_t length)
{
    struct muster__buffer buffer = begin_file();
    hostile_file("line 3 is %.60s", line);
    muster__buffer_put(&buffer, line, length);
    muster__buffer_put(&buffer, "\n", 1);
    finish_file(&buffer, true, QUARANTINED);
}

static void numbers_out_of_range(void)
{
    static const char *const numbers[] = {
        "18446744073709551615", "18446744073709551616", "9223372036854775808", "99999999999999999999999999", "-1", "+2", "02",
        "2.0", "2e0", "", " 2", "0", "null",
    };
    char line[256];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(line, sizeof(line), "{\"seq\":%s,\"len\":2,\"crc\":\"00000000\",\"records\":[]}", numbers[i]);
        check_line(line, strlen(line));
        snprintf(line, sizeof(line), "{\"seq\":2,\"len\":%s,\"crc\":\"00000000\",\"records\":[]}", numbers[i]);
        check_line(line, strlen(line));
    }
    /* With a CRC that fits. */
    static const uint64_t seqs[] = {UINT64_MAX, UINT64_MAX - 1, (uint64_t)INT64_MAX + 1, 0};
    for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
        struct muster__buffer buffer = begin_file();
        hostile_file("batch %ju with a CRC that fits", (uintmax_t)seqs[i]);
        muster__journal_put_frame(&buffer, &header.id, seqs[i], "[]", 2);
        finish_file(&buffer, true, QUARANTINED);
    }
}

/* Nothing can follow, and yet a commit works. */
static void the_greatest_number(void)
{
    struct hostile_result result;
    struct muster__buffer buffer = begin_file();
    hostile_file("batch 2^63 - 1");
    muster__journal_put_frame(&buffer, &header.id, INT64_MAX, "[]", 2);
    open_file(&buffer, &result);
    hostile_expect(result.lost != 0, "the gap isn't reported");
    check_record(&result, "good", QUARANTINED);
    hostile_goes_on(&result);
    hostile_file("batch 2^63 - 1, and nothing is missing");
    hostile_clean();
    struct muster__journal_header high = {.id = header.id, .first = INT64_MAX};
    buffer = (struct muster__buffer){.memory = &memory};
    muster__journal_put_header(&buffer, &high);
    muster__journal_put_frame(&buffer, &header.id, INT64_MAX, good, strlen(good));
    open_file(&buffer, &result);
    hostile_expect(result.lost == 0, "%s", result.text);
    check_record(&result, "good", EXACT);
    hostile_goes_on(&result);
}

/* ---- the whole file */

static void lines_that_end_otherwise(void)
{
    struct hostile_result result;
    struct muster__buffer plain = begin_file(), carried = {.memory = &memory}, marked = {.memory = &memory};
    hostile_file("CR before each newline");
    for (size_t i = 0; i < plain.used; i++)
        muster__buffer_put(&carried, plain.bytes[i] == '\n' ? "\r\n" : &plain.bytes[i], plain.bytes[i] == '\n' ? 2 : 1);
    open_file(&carried, &result);
    hostile_expect(result.lost != 0, "nothing is reported");
    check_record(&result, "good", EXACT);
    hostile_goes_on(&result);
    hostile_file("a byte order mark");
    muster__buffer_puts(&marked, "\xef\xbb\xbf");
    muster__buffer_put(&marked, plain.bytes, plain.used);
    open_file(&marked, &result);
    hostile_expect(result.lost != 0, "nothing is reported");
    check_record(&result, "good", QUARANTINED);
    hostile_goes_on(&result);
    muster__buffer_fini(&plain);
}

static void nothing_in_it(void)
{
    static const char blanks[8192];
    static const char *const texts[] = {"", "\n", "\n\n\n", "x", "{", "{}", "[]\n", "null\n", "\xff\xff\xff\xff"};
    struct hostile_result result;
    for (size_t i = 0; i <= sizeof(texts) / sizeof(texts[0]); i++) {
        bool last = i == sizeof(texts) / sizeof(texts[0]);
        hostile_file("a file of %s", last ? "NULs" : texts[i]);
        hostile_clean();
        hostile_put("journal", last ? blanks : texts[i], last ? sizeof(blanks) : strlen(texts[i]));
        hostile_open(&result);
        hostile_expect(result.code == 0 && result.lost != 0 && result.count == 0, "%d: %s", result.code, result.text);
        hostile_expect(hostile_count("quarantine-") == 1, "it isn't kept");
        hostile_goes_on(&result);
    }
}

static void put_header(const char *text, bool right)
{
    char line[512];
    snprintf(line, sizeof(line), "%s,\"crc\":\"%08x\"}\nwhat else there may be\n", text,
             muster__crc32c(0, text, strlen(text)) ^ (right ? 0 : 1));
    hostile_clean();
    hostile_put("journal", line, strlen(line));
}

static void headers_of_the_future(void)
{
    struct hostile_result result;
    static const char *const formats[] = {"2", "0", "18446744073709551615"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        char text[256], says[64];
        snprintf(text, sizeof(text), "{\"muster-journal\":%s,\"anything\":[1,\"x\"]", formats[i]);
        snprintf(says, sizeof(says), "has format %s,", formats[i]);
        hostile_file("format %s", formats[i]);
        put_header(text, true);
        hostile_refused(MUSTER_ENOTSUP, says);
        hostile_file("format %s with a wrong CRC", formats[i]);
        put_header(text, false);
        hostile_open(&result);
        hostile_expect(result.code == 0 && result.lost != 0, "%d: %s", result.code, result.text);
        hostile_goes_on(&result);
    }
}

static void headers_that_say_too_much(void)
{
    struct hostile_result result;
    static const char *const texts[] = {
        "{\"muster-journal\":1,\"id\":\"00000000000000000000000000000000\",\"first\":18446744073709551615,\"whole\":1",
        "{\"muster-journal\":1,\"id\":\"00000000000000000000000000000000\",\"first\":1,\"whole\":18446744073709551615",
        "{\"muster-journal\":1,\"id\":\"00000000000000000000000000000000\",\"first\":0,\"whole\":9223372036854775807",
        "{\"muster-journal\":1,\"id\":\"00000000000000000000000000000000\",\"first\":9,\"whole\":1,\"x\":1",
        "{\"muster-journal\":99999999999999999999",
        "{\"muster-journal\":-1",
        "{\"muster-journal\":",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        hostile_file("header %s", texts[i]);
        put_header(texts[i], true);
        hostile_open(&result);
        hostile_expect(result.code == 0 && result.lost != 0, "%d: %s", result.code, result.text);
        hostile_goes_on(&result);
    }
}

int main(void)
{
    static const struct hostile_group groups[] = {
        {"what is no record", what_is_no_record, 0},
        {"what is odd and no damage", what_is_odd_and_no_damage, 0},
        {"depth", depth_at_the_bound_and_beyond, 0},
        {"long handles", handles_at_the_bound_and_beyond, 0},
        {"numbers out of range", numbers_out_of_range, 0},
        {"the greatest number", the_greatest_number, 0},
        {"CR, byte order mark", lines_that_end_otherwise, 0},
        {"nothing in it", nothing_in_it, 0},
        {"headers of the future", headers_of_the_future, 0},
        {"headers that say too much", headers_that_say_too_much, 0},
        {NULL, NULL, 0},
    };
    return hostile_main(groups);
}
