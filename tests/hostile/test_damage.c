/* SPDX-License-Identifier: MIT */
/*
 * A journal of several batches, damaged in every way that one place or two lines can be: cut off at every byte, each byte made
 * another, lines twice, swapped, moved, removed. What is loaded is compared with what a model says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

/* Batches from FIRST to WHOLE are written with the file, each with one record. */
#define FIRST 5
#define WHOLE 8
#define LAST 14
#define LINES (LAST - FIRST + 1)
#define KEYS 7

static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f", "history-a"};

/* What a batch says of a key; generation 0: it is removed. */
struct version {
    unsigned seq;
    unsigned key;
    uint64_t generation;
    uint64_t hash;
};

static struct version versions[] = {
    {5, 0, 1, 0},  {6, 1, 1, 0},  {7, 2, 1, 0},  {8, 3, 1, 0},  {9, 0, 2, 0},  {9, 4, 1, 0},  {9, 5, 1, 0},
    {10, 1, 0, 0}, {11, 2, 3, 0}, {12, 6, 1, 0}, {13, 4, 2, 0}, {13, 3, 2, 0}, {14, 0, 4, 0},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* The file without space ahead, and where its lines begin; line 0 is the header, and the last place is the end. */
static struct {
    char *bytes;
    size_t size;
    size_t lines[LINES + 2];
} image;

/* ---- the model */

struct model {
    struct {
        bool there;
        bool quarantined;
        uint64_t hash;
    } keys[KEYS];
    bool reported;
};

static void apply(struct model *model, unsigned seq)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        if (versions[i].seq != seq)
            continue;
        model->keys[versions[i].key].there = versions[i].generation != 0;
        model->keys[versions[i].key].quarantined = false;
        model->keys[versions[i].key].hash = versions[i].hash;
    }
}

/* Of a file that has these batches whole, in whatever order, and nothing else. */
static struct model model_of(const bool has[LAST + 1])
{
    struct model model = {0};
    bool missing = false;
    for (unsigned seq = FIRST; seq <= LAST; seq++) {
        if (has[seq]) {
            for (size_t i = 0; missing && seq - 1 > WHOLE && i < KEYS; i++)
                model.keys[i].quarantined = model.keys[i].there;
            model.reported = model.reported || missing;
            missing = false;
            apply(&model, seq);
        } else {
            missing = true;
            model.reported = model.reported || seq <= WHOLE;
        }
    }
    return model;
}

static struct model model_up_to(unsigned last)
{
    bool has[LAST + 1];
    for (unsigned seq = 0; seq <= LAST; seq++)
        has[seq] = seq <= last;
    return model_of(has);
}

static void compare(const struct model *model, const struct hostile_result *result)
{
    hostile_expect(result->code == 0, "open: %s", result->text);
    hostile_expect((result->lost != 0) == model->reported, "reported: \"%s\"", result->text);
    for (size_t i = 0; i < KEYS; i++) {
        const struct hostile_record *found = hostile_find(result, keys[i]);
        hostile_keep((found != NULL) == model->keys[i].there, "%s is %s", keys[i], found == NULL ? "gone" : "there");
        if (found == NULL || !model->keys[i].there)
            continue;
        hostile_expect(found->quarantined == model->keys[i].quarantined, "%s is%s quarantined", keys[i],
                       found->quarantined ? "" : " not");
        hostile_keep(found->quarantined || found->hash == model->keys[i].hash, "%s is generation %ju", keys[i],
                     (uintmax_t)found->generation);
    }
}

/* ---- the file */

static struct muster_record record_of(unsigned key, uint64_t generation)
{
    static char large[700];
    struct muster_record record;
    MUSTER_RECORD_INIT(&record);
    memset(large, 'l', sizeof(large) - 1);
    record.kind = key == 6 ? MUSTER_RECORD_HISTORY : MUSTER_RECORD_RESOURCE;
    record.driver = "guest";
    record.name = key == 6 ? "a" : keys[key];
    record.flags = generation == 0 ? MUSTER_RECORD_REMOVED : 0;
    record.desired = MUSTER_DESIRED_ACTIVE;
    record.stage = MUSTER_STAGE_ACTIVE;
    record.boot = "boot-1 J * @";
    record.handle = generation == 3 ? large : "{\"seq\":14,\\ \xe2\x82\xac \n}";
    record.extra = key == 3 ? "{\"x\":{\"seq\":1,\"y\":[{},[1]]}}" : NULL;
    record.generation = generation;
    record.format = MUSTER_RECORD_FORMAT;
    return record;
}

static bool commit_batch(struct muster_store *store, unsigned seq)
{
    struct muster_record records[3];
    const struct muster_record *pointers[3];
    size_t count = 0;
    for (size_t i = 0; i < VERSIONS; i++)
        if (versions[i].seq == seq) {
            records[count] = record_of(versions[i].key, versions[i].generation);
            pointers[count] = &records[count];
            count++;
        }
    return muster_store_commit(store, pointers, count) == 0;
}

/* What each version's record is like: from the file as it was after its batch. */
static bool learn(void)
{
    struct hostile_result result;
    for (size_t i = 0; i < VERSIONS; i++) {
        hostile_put("journal", image.bytes, image.lines[versions[i].seq - FIRST + 2]);
        hostile_open(&result);
        const struct hostile_record *found = hostile_find(&result, keys[versions[i].key]);
        if (versions[i].seq < WHOLE && result.lost == 0)
            return false;
        if (versions[i].generation == 0 ? found != NULL : found == NULL || found->generation != versions[i].generation)
            return false;
        versions[i].hash = found == NULL ? 0 : found->hash;
    }
    return true;
}

static void make_image(void)
{
    bool done = true;
    hostile_file("the journal as it is");
    hostile_clean();
    struct muster_store *store = hostile_store();
    hostile_options.max_size = 32768;
    done = muster_store_open(store, 0) == 0;
    for (unsigned seq = FIRST; seq <= LAST; seq++) {
        done = done && commit_batch(store, seq);
        if (seq == WHOLE)
            done = done && muster_store_compact(store) == 0;
    }
    muster_store_close(store);
    muster_store_free(store);
    image.bytes = hostile_get("journal", &image.size);
    size_t at = 0;
    for (unsigned line = 0; done && line <= LINES; line++) {
        at = (size_t)(strchr(image.bytes + at, '\n') - image.bytes) + 1;
        image.lines[line + 1] = at;
    }
    if (!done || at < 1000 || image.bytes[at] != '\n' || !learn()) {
        hostile_keep(false, "there is no journal to damage");
        abort();
    }
    image.size = at;
}

static void open_bytes(const char *bytes, size_t size, struct hostile_result *ret_result)
{
    hostile_clean();
    hostile_put("journal", bytes, size);
    hostile_open(ret_result);
}

/* ---- cut off */

static void check_cut(size_t cut, unsigned way)
{
    struct hostile_result result;
    unsigned whole = 0;
    char *bytes = calloc(1, image.size + 4096);
    size_t size = way == 0 ? cut : image.size + 4096;
    memset(bytes, way == 1 ? '\n' : '\0', size);
    memcpy(bytes, image.bytes, cut);
    open_bytes(bytes, size, &result);
    while (whole < LINES && image.lines[whole + 2] - 1 <= cut)
        whole++;
    struct model model = model_up_to(FIRST + whole - 1);
    /* A newline at the end of the header was cut off; there, it is part of what is checked. */
    model.reported = model.reported || cut < image.lines[1];
    /* Behind a line, NULs are no newline. */
    if (way == 2 && image.lines[whole + 1] - 1 == cut && whole > 0)
        model.reported = true;
    compare(&model, &result);
    if (cut % 7 == 0)
        hostile_goes_on(&result);
    free(bytes);
}

static void cut_off_at_every_byte(void)
{
    make_image();
    for (size_t cut = 0; cut <= image.size; cut++)
        for (unsigned way = 0; way < 3; way++) {
            hostile_file("cut off at byte %zu, then %s", cut, way == 0 ? "the end" : way == 1 ? "newlines" : "NULs");
            check_cut(cut, way);
        }
}

/* ---- one byte is another */

static unsigned line_of(size_t at)
{
    unsigned line = 0;
    while (image.lines[line + 1] <= at)
        line++;
    return line;
}

/* With one batch damaged, that is not of the whole ones: does a key have what it may? */
static void check_key(unsigned key, unsigned damaged, const struct hostile_result *result, bool *all_older)
{
    const struct hostile_record *found = hostile_find(result, keys[key]);
    const struct version *newest = NULL, *before = NULL;
    for (size_t i = 0; i < VERSIONS; i++)
        if (versions[i].key == key) {
            before = newest;
            newest = &versions[i];
        }
    if (newest->seq > damaged) {
        hostile_keep(found == NULL ? newest->generation == 0 : found->hash == newest->hash, "%s isn't what it was", keys[key]);
    } else if (newest->seq == damaged) {
        hostile_keep(found == NULL ? newest->generation == 0 || before == NULL : found->quarantined,
                     "%s, which the damaged line holds, is %s", keys[key], found == NULL ? "gone" : "believed");
    } else if (newest->generation == 0) {
        /* A damaged name may be that of another. */
        hostile_keep(found == NULL || found->quarantined, "%s, which was removed, is believed", keys[key]);
    } else {
        hostile_keep(found != NULL && (found->quarantined || found->hash == newest->hash), "%s isn't what it was", keys[key]);
        *all_older = *all_older || (found != NULL && found->quarantined);
    }
}

static void check_line(unsigned damaged, const struct hostile_result *result)
{
    bool quarantined = false;
    for (unsigned key = 0; key < KEYS; key++)
        check_key(key, damaged, result, &quarantined);
    for (size_t i = 0; i < KEYS && quarantined; i++) {
        const struct hostile_record *found = hostile_find(result, keys[i]);
        bool older = true;
        for (size_t j = 0; j < VERSIONS; j++)
            older = older && (versions[j].key != i || versions[j].seq <= damaged);
        hostile_expect(!older || found == NULL || found->quarantined, "some that are older are quarantined, and not %s", keys[i]);
    }
    hostile_expect(damaged > WHOLE || !quarantined, "a line of one record has cost another");
}

/* All, or, if the id is lost, none. */
static void check_header(const struct hostile_result *result)
{
    struct model model = model_up_to(LAST);
    bool none = result->count > 0 && result->records[0].quarantined;
    for (size_t i = 0; i < KEYS; i++)
        model.keys[i].quarantined = none && model.keys[i].there;
    model.reported = true;
    if (none) {
        for (size_t i = 0; i < KEYS; i++)
            hostile_keep(!model.keys[i].there || hostile_find(result, keys[i]) != NULL, "%s is gone", keys[i]);
        hostile_expect(result->lost != 0, "nothing is reported");
        return;
    }
    compare(&model, result);
}

static void check_byte(char *bytes, size_t at, char value)
{
    struct hostile_result result;
    unsigned line = line_of(at);
    bool blank = value == '\n' || value == '\0';
    size_t last = image.lines[LINES];
    if (bytes[at] == value)
        return;
    hostile_file("byte %zu, in line %u, was 0x%02x and is 0x%02x", at, line + 1, (unsigned char)bytes[at],
                 (unsigned char)value);
    char saved = bytes[at];
    bytes[at] = value;
    open_bytes(bytes, image.size + 600, &result);
    struct model model = model_up_to(LAST);
    if (line == 0) {
        check_header(&result);
    } else if (at + 1 == image.lines[line + 1]) {
        model.reported = true;
        compare(&model, &result);
    } else if (blank && (at == last || at + 2 == image.size)) {
        /* These look as if a sector were missing: see journal.md. */
        model = model_up_to(LAST - 1);
        compare(&model, &result);
    } else {
        hostile_expect(result.code == 0 && result.lost != 0, "nothing is reported: %s", result.text);
        check_line(FIRST + line - 1, &result);
    }
    if (at % 8 == (unsigned char)value % 8)
        hostile_goes_on(&result);
    bytes[at] = saved;
}

static void flip(unsigned part, unsigned parts)
{
    static const char values[] = "\n\0 }\"0";
    make_image();
    char *bytes = malloc(image.size + 600);
    memset(bytes, '\n', image.size + 600);
    memcpy(bytes, image.bytes, image.size);
    for (size_t at = part; at < image.size; at += parts) {
        for (unsigned bit = 0; bit < 8; bit++)
            check_byte(bytes, at, (char)(bytes[at] ^ (1 << bit)));
        for (size_t i = 0; i < sizeof(values) - 1; i++)
            check_byte(bytes, at, values[i]);
    }
    free(bytes);
}

static void each_byte_flipped(void)
{
    flip(0, 1);
}

/* ---- lines */

static void check_lines(const unsigned *order, size_t count)
{
    struct hostile_result result;
    bool has[LAST + 1] = {false};
    bool order_wrong = false;
    size_t size = image.lines[1];
    char *bytes = malloc(2 * image.size + 600);
    memcpy(bytes, image.bytes, size);
    for (size_t i = 0; i < count; i++) {
        size_t length = image.lines[order[i] + 1] - image.lines[order[i]];
        memcpy(bytes + size, image.bytes + image.lines[order[i]], length);
        size += length;
        has[FIRST + order[i] - 1] = true;
        order_wrong = order_wrong || (i > 0 && order[i] <= order[i - 1]);
    }
    memset(bytes + size, '\n', 600);
    open_bytes(bytes, size + 600, &result);
    struct model model = model_of(has);
    model.reported = model.reported || order_wrong;
    compare(&model, &result);
    hostile_goes_on(&result);
    free(bytes);
}

static size_t all_but(unsigned first, unsigned second, unsigned *ret_order)
{
    size_t count = 0;
    for (unsigned line = 1; line <= LINES; line++)
        if (line != first && line != second)
            ret_order[count++] = line;
    return count;
}

static void insert(unsigned *order, size_t *count, size_t place, unsigned line)
{
    place = place < *count ? place : *count;
    memmove(order + place + 1, order + place, (*count - place) * sizeof(*order));
    order[place] = line;
    ++*count;
}

static void check_pair(unsigned one, unsigned other)
{
    unsigned order[LINES + 1];
    size_t count = all_but(0, 0, order);
    hostile_file("line %u in the place of %u, and %u in that of %u", one, other, other, one);
    order[one - 1] = other;
    order[other - 1] = one;
    check_lines(order, count);
    hostile_file("line %u once more before line %u", one, other);
    count = all_but(0, 0, order);
    insert(order, &count, other - 1, one);
    check_lines(order, count);
    hostile_file("lines %u and %u are missing", one, other);
    check_lines(order, all_but(one, other, order));
    hostile_file("line %u stands at place %u", one, other);
    count = all_but(one, one, order);
    insert(order, &count, other - 1, one);
    check_lines(order, count);
    hostile_file("line %u over line %u", one, other);
    count = all_but(0, 0, order);
    order[other - 1] = one;
    check_lines(order, count);
}

static void all_pairs_of_lines(void)
{
    unsigned order[LINES + 1];
    make_image();
    for (unsigned one = 1; one <= LINES; one++) {
        for (unsigned other = 1; other <= LINES; other++)
            check_pair(one, other);
        hostile_file("line %u once more at the end", one);
        size_t count = all_but(0, 0, order);
        insert(order, &count, count, one);
        check_lines(order, count);
    }
}

/* ---- many bytes at once */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state >> 33;
}

/* Nothing is believed that was never written, and what isn't reported is what once was. */
static void check_random(const struct hostile_result *result)
{
    bool once = false;
    hostile_expect(result->code == 0, "open: %s", result->text);
    for (size_t i = 0; i < result->count; i++) {
        bool known = result->records[i].quarantined;
        for (size_t j = 0; j < VERSIONS; j++)
            known = known || versions[j].hash == result->records[i].hash;
        hostile_keep(known, "%s was never so", result->records[i].name);
    }
    for (unsigned last = WHOLE; last <= LAST && result->lost == 0 && !once; last++) {
        struct model model = model_up_to(last);
        once = true;
        for (size_t i = 0; i < KEYS; i++) {
            const struct hostile_record *found = hostile_find(result, keys[i]);
            once = once && (found == NULL ? !model.keys[i].there : model.keys[i].there && found->hash == model.keys[i].hash);
        }
    }
    hostile_keep(once || result->lost != 0, "the records were never so, and nothing is reported");
}

static void many_bytes_changed(void)
{
    struct hostile_result result;
    uint64_t state = 1;
    make_image();
    char *bytes = malloc(image.size + 600);
    for (unsigned run = 0; run < 3000; run++) {
        hostile_file("random changes, run %u", run);
        memset(bytes, '\n', image.size + 600);
        memcpy(bytes, image.bytes, image.size);
        size_t changes = 2 + next_random(&state) % 20;
        for (size_t i = 0; i < changes; i++) {
            size_t at = next_random(&state) % image.size;
            size_t length = run % 3 == 0 ? next_random(&state) % 80 : 1;
            for (; length > 0 && at < image.size; at++, length--)
                bytes[at] = (char)next_random(&state);
        }
        open_bytes(bytes, image.size + 600, &result);
        check_random(&result);
        hostile_goes_on(&result);
    }
    free(bytes);
}

int main(void)
{
    static const struct hostile_group groups[] = {
        {"cut off at every byte", cut_off_at_every_byte, 0},
        {"each byte flipped", each_byte_flipped, 0},
        {"all pairs of lines twice, swapped, moved, missing, overwritten", all_pairs_of_lines, 0},
        {"many bytes changed", many_bytes_changed, 0},
        {NULL, NULL, 0},
    };
    return hostile_main(groups);
}
