/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL .count = 1, .handle = 60

const struct scenario scenarios[] = {
    {"life", true, true, 0,
     {{.type = STEP_GO},
      {.type = STEP_OPEN},
      {STEP_PUT, "a", SMALL},
      {STEP_PUT, "b", SMALL},
      {STEP_PUT, "a", SMALL},
      {STEP_REMOVE, "b", .count = 1},
      {STEP_PUT, "batch", .count = 40, .handle = 200, .ones = 20000},
      {.type = STEP_CLOSE},
      {.type = STEP_OPEN},
      {STEP_PUT, "c", SMALL},
      {.type = STEP_CLOSE}}},
    /* More than the space that a journal has written ahead. */
    {"grow", true, true, 0,
     {{.type = STEP_OPEN},
      {STEP_PUT, "a", SMALL},
      {.type = STEP_GO},
      {STEP_PUT, "batch", .count = 30, .handle = 9000, .ones = 1000},
      {STEP_PUT, "a", SMALL},
      {STEP_REMOVE, "batch", .count = 2},
      {.type = STEP_CLOSE}}},
    {"compact", true, true, 0,
     {{.type = STEP_OPEN},
      {STEP_PUT, "batch", .count = 20, .handle = 2000},
      {STEP_PUT, "batch", .count = 10, .handle = 1000},
      {.type = STEP_GO},
      {.type = STEP_COMPACT},
      {STEP_PUT, "a", SMALL},
      /* A journal compacts itself after the third of these. */
      {STEP_PUT, "batch", .count = 20, .handle = 2000, .ones = 2000},
      {STEP_PUT, "batch", .count = 20, .handle = 2000},
      {STEP_PUT, "batch", .count = 20, .handle = 2000},
      {STEP_PUT, "a", SMALL},
      {.type = STEP_CLOSE}}},
    {"torn", true, false, 0,
     {{.type = STEP_OPEN},
      {STEP_PUT, "a", SMALL},
      {STEP_PUT, "b", .count = 1, .handle = 5000},
      {.type = STEP_CLOSE},
      {.type = STEP_TEAR},
      {.type = STEP_GO},
      {.type = STEP_OPEN},
      {STEP_PUT, "c", SMALL},
      {.type = STEP_CLOSE},
      {.type = STEP_OPEN},
      {STEP_PUT, "d", SMALL},
      {.type = STEP_CLOSE}}},
    {"damage", true, false, 0,
     {{.type = STEP_OPEN},
      {STEP_PUT, "a", SMALL},
      {STEP_PUT, "b", .count = 1, .handle = 5000},
      {STEP_PUT, "c", SMALL},
      {.type = STEP_CLOSE},
      {STEP_DAMAGE, "b", .count = 1},
      {.type = STEP_GO},
      {.type = STEP_OPEN},
      {STEP_PUT, "d", SMALL},
      {.type = STEP_CLOSE},
      {.type = STEP_OPEN},
      {STEP_PUT, "b", SMALL},
      {.type = STEP_CLOSE}}},
    /* sqlite moves its log to the database by itself, begins it again from the front, and does so once more. */
    {"checkpoint", false, true, 20,
     {{.type = STEP_OPEN},
      {STEP_PUT, "x", .count = 4, .handle = 9000},
      {.type = STEP_GO},
      {STEP_PUT, "a", SMALL},
      {STEP_PUT, "y", .count = 4, .handle = 9000},
      {STEP_PUT, "x", .count = 2, .handle = 9000},
      {STEP_PUT, "y", .count = 6, .handle = 9000},
      {STEP_PUT, "a", SMALL},
      {.type = STEP_CLOSE}}},
    {.name = NULL},
};

static const struct step extra_steps[EXTRA_STEPS] = {{STEP_PUT, "recovered", SMALL}, {STEP_PUT, "checked", SMALL}};

const struct scenario *scenario_find(const char *name)
{
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        if (strcmp(scenario->name, name) == 0)
            return scenario;
    return NULL;
}

unsigned scenario_count(const struct scenario *scenario)
{
    unsigned count = 0;
    while (scenario->steps[count].type != STEP_END)
        count++;
    return count;
}

const struct step *scenario_step(const struct scenario *scenario, unsigned index)
{
    unsigned count = scenario_count(scenario);
    return index < count ? &scenario->steps[index] : &extra_steps[index - count];
}

/* ---- records */

static char *must_alloc(size_t bytes)
{
    char *text = malloc(bytes);
    if (text == NULL)
        abort();
    return text;
}

static char *make_handle(size_t length, unsigned seed)
{
    char *handle = must_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        handle[i] = (char)('a' + (seed * 31 + i * 7 + i / 26) % 26);
    handle[length] = '\0';
    return handle;
}

static char *make_ones(size_t ones)
{
    char *extra = must_alloc(2 * ones + 16);
    char *end = extra + sprintf(extra, "{\"ones\":[");
    for (size_t i = 0; i < ones; i++)
        end += sprintf(end, i == 0 ? "1" : ",1");
    strcpy(end, "]}");
    return extra;
}

void record_make(struct made_record *record, const struct step *step, unsigned index, unsigned i)
{
    snprintf(record->name, sizeof(record->name), "%s-%u", step->prefix, i);
    MUSTER_RECORD_INIT(&record->is);
    record->is.driver = "guest";
    record->is.name = record->name;
    record->is.desired = MUSTER_DESIRED_ACTIVE;
    record->is.stage = MUSTER_STAGE_ACTIVE;
    record->is.boot = "boot-1";
    record->is.token = "00112233445566778899aabbccddeeff";
    record->is.generation = index + 1;
    record->is.format = MUSTER_RECORD_FORMAT;
    if (step->type == STEP_REMOVE) {
        record->is.flags = MUSTER_RECORD_REMOVED;
        return;
    }
    record->is.handle = make_handle(step->handle, index * 100 + i);
    record->is.extra = i == 0 && step->ones > 0 ? make_ones(step->ones) : NULL;
}

void record_fini(struct made_record *record)
{
    free((char *)record->is.handle);
    free((char *)record->is.extra);
}

/* ---- what must be there */

static struct expected *find(struct model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->records[i].name, name) == 0)
            return &model->records[i];
    return NULL;
}

static void apply_record(struct model *model, const struct step *step, unsigned index, unsigned i)
{
    char name[64];
    snprintf(name, sizeof(name), "%s-%u", step->prefix, i);
    struct expected *record = find(model, name);
    if (step->type == STEP_REMOVE) {
        if (record != NULL)
            *record = model->records[--model->count];
        return;
    }
    if (record == NULL) {
        if (model->count == MODEL_MAX)
            abort();
        record = &model->records[model->count++];
    }
    bool quarantined = step->type == STEP_DAMAGE;
    *record = (struct expected){.step = index, .i = i, .quarantined = quarantined};
    memcpy(record->name, name, sizeof(name));
}

void model_init(struct model *model, const struct scenario *scenario, const char *outcomes, bool maybe)
{
    unsigned count = scenario_count(scenario) + EXTRA_STEPS;
    model->scenario = scenario;
    model->count = 0;
    for (unsigned index = 0; index < count && outcomes[index] != '\0'; index++) {
        const struct step *step = scenario_step(scenario, index);
        if (outcomes[index] != 'y' && (outcomes[index] != '?' || !maybe))
            continue;
        if (step->type == STEP_PUT || step->type == STEP_REMOVE || step->type == STEP_DAMAGE)
            for (unsigned i = 0; i < step->count; i++)
                apply_record(model, step, index, i);
    }
}

void model_begin(struct model *model)
{
    model->loaded = 0;
    model->wrong[0] = '\0';
    for (size_t i = 0; i < model->count; i++)
        model->records[i].seen = false;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *difference(const struct muster_record *a, const struct muster_record *b)
{
    if (a->generation != b->generation)
        return "has another generation";
    if (a->flags != b->flags)
        return "has other flags";
    if (a->desired != b->desired || a->stage != b->stage || a->reason != b->reason || a->attempts != b->attempts ||
        a->format != b->format || a->kind != b->kind)
        return "has another desired, stage, reason, number of attempts, format or kind";
    if (!same_text(a->driver, b->driver) || !same_text(a->boot, b->boot) || !same_text(a->token, b->token))
        return "has another driver, boot or token";
    if (!same_text(a->handle, b->handle))
        return "has another handle";
    return same_text(a->extra, b->extra) ? NULL : "has other unknown members";
}

static const char *compare(const struct model *model, const struct expected *expected, const struct muster_record *record)
{
    struct made_record made;
    bool quarantined = (record->flags & MUSTER_RECORD_QUARANTINED) != 0;
    if (expected->quarantined || quarantined)
        return expected->quarantined == quarantined ? NULL : quarantined ? "is quarantined" : "isn't quarantined";
    record_make(&made, scenario_step(model->scenario, expected->step), expected->step, expected->i);
    const char *wrong = difference(record, &made.is);
    record_fini(&made);
    return wrong;
}

void model_take(struct model *model, const struct muster_record *record)
{
    struct expected *expected = find(model, record->name);
    const char *wrong = "shouldn't be there";
    model->loaded++;
    if (expected != NULL)
        wrong = expected->seen ? "is there twice" : compare(model, expected, record);
    if (expected != NULL)
        expected->seen = true;
    if (wrong != NULL && model->wrong[0] == '\0')
        snprintf(model->wrong, sizeof(model->wrong), "%s %s", record->name, wrong);
}

void model_end(struct model *model)
{
    for (size_t i = 0; i < model->count && model->wrong[0] == '\0'; i++)
        if (!model->records[i].seen)
            snprintf(model->wrong, sizeof(model->wrong), "%s is lost (%zu of %zu records are there)", model->records[i].name,
                     model->loaded, model->count);
}
