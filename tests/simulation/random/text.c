/* SPDX-License-Identifier: MIT */
/* A scenario as lines of text, and back. What is as usual isn't told. */
#include "fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 64, LINE = 4096 };

static const struct {
    const char *word;
    int code;
} codes[] = {
    {"failed", -EIO},
    {"skip", MUSTER_SKIP},
    {"unavailable", MUSTER_UNAVAILABLE},
    {"active", MUSTER_ACTIVE},
    {"inactive", MUSTER_INACTIVE},
    {"foreign", MUSTER_FOREIGN},
    {"again", MUSTER_EAGAIN},
    {"indeterminate", MUSTER_EINDETERMINATE},
    {"io", MUSTER_EIO},
    {"fenced", MUSTER_EFENCED},
    {NULL, 0},
};

static const char *const job_words = "load commit close";

/* ---- words ------------------------------------------------------------------------------------------------- */

/* The nth of `words`, which have blanks between. Its length; 0: there are fewer. */
static size_t word_at(const char *words, unsigned nth, const char **ret_word)
{
    for (; nth > 0 && words != NULL; nth--)
        words = strchr(words, ' ') == NULL ? NULL : strchr(words, ' ') + 1;
    *ret_word = words;
    return words == NULL ? 0 : strcspn(words, " ");
}

static int find_word(const char *words, const char *text, size_t length)
{
    const char *word;
    size_t found;
    for (unsigned i = 0; (found = word_at(words, i, &word)) > 0; i++)
        if (found == length && strncmp(word, text, length) == 0)
            return (int)i;
    return -1;
}

static void print_word(FILE *stream, const char *words, unsigned nth)
{
    const char *word;
    int length = (int)word_at(words, nth, &word);
    fprintf(stream, "%.*s", length, length == 0 ? "" : word);
}

static int phase_named(const char *text, size_t length)
{
    for (unsigned i = 0; i < WORLD_PHASES; i++) {
        const char *name = world_phase_name((enum muster_phase)i);
        if (strlen(name) == length && strncmp(name, text, length) == 0)
            return (int)i;
    }
    return -1;
}

/* ---- printing ------------------------------------------------------------------------------------------------- */

static void print_list(FILE *stream, const struct field *field, const char *const *list)
{
    for (unsigned i = 0; list[i] != NULL; i++)
        fprintf(stream, "%s%s%s", i == 0 ? field->key : "", i == 0 ? "=" : ",", list[i]);
}

static void print_bits(FILE *stream, const struct field *field, uint64_t bits)
{
    const char *between = "=";
    fprintf(stream, "%s", field->key);
    for (unsigned i = 0; i < 64; i++) {
        if ((bits & ((uint64_t)1 << i)) == 0)
            continue;
        fputs(between, stream);
        if (field->shape == IS_PHASES)
            fputs(world_phase_name((enum muster_phase)i), stream);
        else
            print_word(stream, field->words, i);
        between = ",";
    }
}

static void print_code(FILE *stream, const struct field *field, int code)
{
    unsigned i = 0;
    while (codes[i].word != NULL && codes[i].code != code)
        i++;
    fprintf(stream, "%s=%s", field->key, codes[i].word == NULL ? "failed" : codes[i].word);
}

static void print_fields(FILE *stream, const struct field *fields, const void *object)
{
    for (const struct field *field = fields; field->key != NULL; field++) {
        const void *place = (const char *)object + field->offset;
        if (field_is_usual(field, place))
            continue;
        fputc(' ', stream);
        if (field->shape == IS_TRUE)
            fputs(field->key, stream);
        else if (field->shape == IS_NUMBER)
            fprintf(stream, "%s=%" PRId64, field->key, *(const int64_t *)place);
        else if (field->shape == IS_LIST)
            print_list(stream, field, place);
        else if (field->shape == IS_CODE)
            print_code(stream, field, *(const int *)place);
        else if (field->shape == IS_WORD) {
            fprintf(stream, "%s=", field->key);
            print_word(stream, field->words, (unsigned)*(const uint64_t *)place);
        } else
            print_bits(stream, field, field->shape == IS_PHASES ? *(const unsigned *)place : *(const uint64_t *)place);
    }
    fputc('\n', stream);
}

static void print_event(const struct event *event, FILE *stream)
{
    const struct event_form *form = event_form(event->kind);
    if (form->timed)
        fprintf(stream, "    at %" PRIu64 " ", event->at);
    fputs(form->word, stream);
    if (form->named)
        fprintf(stream, " %s", event->name);
    if (form->two)
        fprintf(stream, " %s", event->other);
    if (form->counted)
        fprintf(stream, " %" PRIu64, event->number);
    if (form->choices != NULL) {
        fputc(' ', stream);
        print_word(stream, form->choices, event->choice);
    }
    fputc('\n', stream);
}

void scenario_print(const struct scenario *scenario, FILE *stream)
{
    fprintf(stream, "context");
    print_fields(stream, scenario_context_fields, scenario);
    for (unsigned i = 0; i < scenario->driver_count; i++) {
        fprintf(stream, "driver %s%s", scenario->drivers[i].name, scenario->later[i] ? " later" : "");
        print_fields(stream, scenario_driver_fields, &scenario->drivers[i]);
    }
    for (unsigned i = 0; i < scenario->resource_count; i++) {
        fprintf(stream, "resource %s%s%s", scenario->resources[i].name, scenario->unconfigured[i] ? " unconfigured" : "",
                scenario->runs[i] ? " runs" : "");
        print_fields(stream, scenario_resource_fields, &scenario->resources[i]);
    }
    for (unsigned i = 0; i < scenario->event_count; i++)
        print_event(&scenario->events[i], stream);
    for (unsigned i = 0; i < scenario->turn_count; i++) {
        const struct told_turn *told = &scenario->turns[i];
        fprintf(stream, "turn %" PRIu64 " %s %s %u", told->life, world_phase_name(told->phase), told->name, told->nth);
        print_fields(stream, scenario_turn_fields, &told->turn);
    }
    for (unsigned i = 0; i < scenario->job_count; i++) {
        const struct told_job *told = &scenario->jobs[i];
        fprintf(stream, "job %" PRIu64 " ", told->life);
        print_word(stream, job_words, told->kind);
        fprintf(stream, " %u", told->nth);
        print_fields(stream, scenario_job_fields, &told->turn);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = text[0] == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool read_list(const char *text, const char **list)
{
    for (unsigned i = 0; i < WORLD_LIST - 1; i++) {
        char name[WORLD_NAME];
        size_t length = strcspn(text, ",");
        if (length == 0 || length >= sizeof(name))
            return false;
        snprintf(name, sizeof(name), "%.*s", (int)length, text);
        list[i] = scenario_name(name);
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
    return false;
}

static bool read_bits(const char *text, const struct field *field, uint64_t *ret_bits)
{
    *ret_bits = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        int bit = field->shape == IS_PHASES ? phase_named(text, length) : find_word(field->words, text, length);
        if (bit < 0)
            return false;
        *ret_bits |= (uint64_t)1 << bit;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static bool read_code(const char *text, int *ret_code)
{
    for (unsigned i = 0; codes[i].word != NULL; i++) {
        if (strcmp(codes[i].word, text) != 0)
            continue;
        *ret_code = codes[i].code;
        return true;
    }
    return false;
}

static bool read_value(const struct field *field, const char *text, void *place)
{
    uint64_t number = 0;
    int word;
    switch (field->shape) {
    case IS_TRUE:
        return false;
    case IS_NUMBER:
        return read_number(text, place);
    case IS_LIST:
        return read_list(text, place);
    case IS_CODE:
        return read_code(text, place);
    case IS_WORD:
        word = find_word(field->words, text, strlen(text));
        *(uint64_t *)place = word < 0 ? 0 : (uint64_t)word;
        return word >= 0;
    case IS_BITS:
        return read_bits(text, field, place);
    default:
        if (!read_bits(text, field, &number))
            return false;
        *(unsigned *)place = (unsigned)number;
        return true;
    }
}

static bool read_field(const struct field *fields, void *object, const char *text)
{
    size_t length = strcspn(text, "=");
    for (const struct field *field = fields; field->key != NULL; field++) {
        void *place = (char *)object + field->offset;
        if (strlen(field->key) != length || strncmp(field->key, text, length) != 0)
            continue;
        if (text[length] == '=')
            return read_value(field, text + length + 1, place);
        *(bool *)place = true;
        return field->shape == IS_TRUE;
    }
    return false;
}

static bool read_fields(const struct field *fields, void *object, char **words)
{
    for (; *words != NULL; words++)
        if (!read_field(fields, object, *words))
            return false;
    return true;
}

/* Take `word` out of the list, if it is there. */
static bool take_word(char **words, const char *word)
{
    for (; *words != NULL; words++) {
        if (strcmp(*words, word) != 0)
            continue;
        do
            words[0] = words[1];
        while (*words++ != NULL);
        return true;
    }
    return false;
}

static bool read_driver(struct scenario *scenario, char **words)
{
    unsigned i = scenario->driver_count;
    if (words[0] == NULL || i == WORLD_DRIVERS)
        return false;
    scenario->driver_count++;
    scenario->later[i] = take_word(words + 1, "later");
    scenario->drivers[i] = (struct driver_config){.name = scenario_name(words[0])};
    return read_fields(scenario_driver_fields, &scenario->drivers[i], words + 1);
}

static bool read_resource(struct scenario *scenario, char **words)
{
    unsigned i = scenario->resource_count;
    if (words[0] == NULL || i == WORLD_RESOURCES || strchr(words[0], '/') == NULL)
        return false;
    scenario->resource_count++;
    scenario->unconfigured[i] = take_word(words + 1, "unconfigured");
    scenario->runs[i] = take_word(words + 1, "runs");
    scenario->resources[i] = (struct resource_config){.name = scenario_name(words[0])};
    return read_fields(scenario_resource_fields, &scenario->resources[i], words + 1);
}

static bool read_turn(struct scenario *scenario, char **words)
{
    struct told_turn told = {0};
    uint64_t nth;
    if (words[0] == NULL || words[1] == NULL || words[2] == NULL || words[3] == NULL)
        return false;
    int phase = phase_named(words[1], strlen(words[1]));
    if (!read_number(words[0], &told.life) || phase < 0 || !read_number(words[3], &nth))
        return false;
    told.phase = (enum muster_phase)phase;
    told.name = scenario_name(words[2]);
    told.nth = (unsigned)nth;
    if (scenario->turn_count == SCENARIO_TURNS || !read_fields(scenario_turn_fields, &told.turn, words + 4))
        return false;
    scenario->turns[scenario->turn_count++] = told;
    return true;
}

static bool read_job(struct scenario *scenario, char **words)
{
    struct told_job told = {0};
    uint64_t nth;
    if (words[0] == NULL || words[1] == NULL || words[2] == NULL)
        return false;
    int kind = find_word(job_words, words[1], strlen(words[1]));
    if (!read_number(words[0], &told.life) || kind < 0 || !read_number(words[2], &nth))
        return false;
    told.kind = (enum store_job_kind)kind;
    told.nth = (unsigned)nth;
    if (scenario->job_count == SCENARIO_TURNS || !read_fields(scenario_job_fields, &told.turn, words + 3))
        return false;
    scenario->jobs[scenario->job_count++] = told;
    return true;
}

static bool read_event(struct scenario *scenario, char **words)
{
    struct event event = {0};
    bool timed = strcmp(words[0], "at") == 0;
    if (timed && (words[1] == NULL || !read_number(words[1], &event.at) || words[2] == NULL))
        return false;
    words += timed ? 2 : 0;
    unsigned kind = 0;
    while (kind < EVENT_KINDS && (event_form(kind)->timed != timed || strcmp(event_form(kind)->word, words[0]) != 0))
        kind++;
    if (kind == EVENT_KINDS || scenario->event_count == SCENARIO_EVENTS)
        return false;
    const struct event_form *form = event_form(kind);
    event.kind = (enum event_kind)kind;
    words++;
    if (form->named)
        event.name = *words == NULL ? NULL : scenario_name(*words++);
    if (form->two)
        event.other = *words == NULL ? NULL : scenario_name(*words++);
    bool good = (!form->named || event.name != NULL) && (!form->two || event.other != NULL);
    if (good && form->counted)
        good = *words != NULL && read_number(*words++, &event.number);
    int choice = 0;
    if (good && form->choices != NULL)
        choice = *words == NULL ? -1 : find_word(form->choices, *words, strlen(*words)), words++;
    event.choice = (unsigned)choice;
    scenario->events[scenario->event_count++] = event;
    return good && choice >= 0 && *words == NULL;
}

static bool read_line(struct scenario *scenario, char *line)
{
    char *words[WORDS + 1] = {0}, *rest = NULL;
    unsigned count = 0;
    line[strcspn(line, "#\n")] = '\0';
    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < WORDS; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (count == 0)
        return true;
    if (strcmp(words[0], "context") == 0)
        return read_fields(scenario_context_fields, scenario, words + 1);
    if (strcmp(words[0], "driver") == 0)
        return read_driver(scenario, words + 1);
    if (strcmp(words[0], "resource") == 0)
        return read_resource(scenario, words + 1);
    if (strcmp(words[0], "turn") == 0)
        return read_turn(scenario, words + 1);
    if (strcmp(words[0], "job") == 0)
        return read_job(scenario, words + 1);
    return read_event(scenario, words);
}

unsigned scenario_parse(struct scenario *scenario, FILE *stream)
{
    char line[LINE];
    memset(scenario, 0, sizeof(*scenario));
    for (unsigned number = 1; fgets(line, sizeof(line), stream) != NULL; number++)
        if (!read_line(scenario, line))
            return number;
    return 0;
}
