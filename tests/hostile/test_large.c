/* SPDX-License-Identifier: MIT */
/* Files of 100 MiB: each is read in time that grows with its size alone, and in less than 1 GiB of memory. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hostile.h"
#include "store/journal_line.h"

#define LARGE ((size_t)100 * 1024 * 1024)

static struct muster__memory memory;
static const struct muster__journal_header header = {.id = {{7, 1}}, .first = 1};
static const char good[] = "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"good\",\"generation\":1}]";
static const char later[] = "[{\"kind\":\"resource\",\"driver\":\"guest\",\"name\":\"later\",\"generation\":3}]";

/* clang tells of its sanitizers in another way than gcc. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* The sanitizers' shadow is no memory of ours. */
static void limit_memory(void)
{
#ifndef SANITIZED
    struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        abort();
#endif
}

static struct muster__buffer begin_file(void)
{
    limit_memory();
    muster__memory_init(&memory, NULL);
    struct muster__buffer buffer = {.memory = &memory};
    muster__journal_put_header(&buffer, &header);
    muster__journal_put_frame(&buffer, &header.id, 1, good, strlen(good));
    return buffer;
}

static void repeat(struct muster__buffer *buffer, const char *text, size_t bytes)
{
    size_t length = strlen(text);
    for (size_t done = 0; done < bytes; done += length)
        muster__buffer_put(buffer, text, length);
}

static void expect_record(const struct hostile_result *result, const char *name, bool quarantined)
{
    const struct hostile_record *found = hostile_find(result, name);
    hostile_keep(found != NULL && found->quarantined == quarantined, "guest/%s is not as it should be", name);
}

/* guest/later follows, and is as good as ever; and so a commit works. */
static void finish_file(struct muster__buffer *buffer, uint64_t seq, bool bad)
{
    struct hostile_result result;
    muster__journal_put_frame(buffer, &header.id, seq, later, strlen(later));
    hostile_clean();
    hostile_put("journal", buffer->bytes, buffer->used);
    muster__buffer_fini(buffer);
    hostile_open(&result);
    hostile_expect(result.code == 0 && (result.lost != 0) == bad, "%d: %s", result.code, result.text);
    expect_record(&result, "good", bad && seq > 2);
    expect_record(&result, "later", false);
    hostile_goes_on(&result);
}

/* Of records with handles of 1 MiB. */
static void a_whole_line(void)
{
    struct muster_record records[60];
    const struct muster_record *pointers[60];
    struct hostile_result result;
    char names[60][16];
    char *handle = calloc(1, 1 << 20);
    memset(handle, 'h', (1 << 20) - 1);
    hostile_file("a whole line of 60 MiB");
    struct muster__buffer buffer = begin_file();
    for (size_t i = 0; i < 60; i++) {
        MUSTER_RECORD_INIT(&records[i]);
        snprintf(names[i], sizeof(names[i]), "n%zu", i);
        records[i].driver = "guest";
        records[i].name = names[i];
        records[i].handle = handle;
        pointers[i] = &records[i];
    }
    muster__journal_put_line(&buffer, &header.id, 2, pointers, 60);
    hostile_clean();
    hostile_put("journal", buffer.bytes, buffer.used);
    muster__buffer_fini(&buffer);
    hostile_open(&result);
    hostile_expect(result.code == 0 && result.lost == 0, "%d: %s", result.code, result.text);
    hostile_keep(result.count == 61, "%zu records", result.count);
    free(handle);
}

/* A bad one of 100 MiB, made of one text. */
static void check_bad(const char *start, const char *text, const char *end)
{
    hostile_file("%s%s ... %s, 100 MiB", start, text, end);
    struct muster__buffer buffer = begin_file();
    muster__buffer_puts(&buffer, start);
    repeat(&buffer, text, LARGE);
    muster__buffer_puts(&buffer, end);
    muster__buffer_puts(&buffer, "\n");
    finish_file(&buffer, 3, true);
}

static void bad_lines(void)
{
    check_bad("{\"seq\":2,\"len\":104857600,\"crc\":\"00000000\",\"records\":[", "1,", "1]}");
}

static void brackets(void)
{
    check_bad("{\"seq\":2,\"len\":104857600,\"crc\":\"00000000\",\"records\":", "[", "}");
}

static void lines_in_lines(void)
{
    check_bad("", "{\"seq\":2", "");
}

/* A frame ends with a bracket in another one, many further on: it looks right, until its checksum is made. */
static void frames_in_frames(void)
{
    check_bad("", "{\"seq\":2,\"len\":49999916,\"crc\":\"00000000\",\"records\":}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}", "");
}

static void frames_on_lines(void)
{
    check_bad("", "{\"seq\":2,\"len\":50000000,\"crc\":\"00000000\",\"records\":}\n", "");
}

static void short_lines(void)
{
    check_bad("", "x\n", "");
}

/* The whole line of batch 1, again and again. */
static void one_line_a_million_times(void)
{
    hostile_file("batch 1 again and again, 100 MiB");
    struct muster__buffer buffer = begin_file(), line = {.memory = &memory};
    muster__journal_put_frame(&line, &header.id, 1, good, strlen(good));
    muster__buffer_put(&line, "", 1);
    repeat(&buffer, line.bytes, LARGE / 2);
    muster__buffer_fini(&line);
    finish_file(&buffer, 2, true);
}

/* The same bad lines at the end. */
static void check_tail(const char *text, bool reported)
{
    struct hostile_result result;
    hostile_file("%s at the end, 25 MiB", text);
    struct muster__buffer buffer = begin_file();
    repeat(&buffer, text, LARGE / 4);
    hostile_clean();
    hostile_put("journal", buffer.bytes, buffer.used);
    muster__buffer_fini(&buffer);
    hostile_open(&result);
    hostile_expect(result.code == 0 && (result.lost != 0) == reported, "%d: %s", result.code, result.text);
    expect_record(&result, "good", reported);
    hostile_goes_on(&result);
}

static void tails(void)
{
    check_tail("\n", false);
    check_tail("{\"seq\":2,\"len\":25000000,\"crc\":\"00000000\",\"records\":}\n", true);
    check_tail("{\"seq\":2,\"len\":25000000,\"crc\":\"00000000\",\"records\":[\n", true);
    check_tail("}", true);
    check_tail("{", false);
}

/* Made with truncate: nothing is allocated, and it is never read where it is too large. */
static void sparse_files(void)
{
    struct hostile_result result;
    limit_memory();
    hostile_options.max_size = LARGE;
    hostile_file("a sparse file of max_size + 1");
    hostile_put("journal", "", 0);
    if (truncate(hostile_path("journal"), LARGE + 1) != 0)
        abort();
    hostile_refused(MUSTER_EIO, "max_size is 104857600");
    hostile_file("a sparse file of 2^43");
    if (truncate(hostile_path("journal"), (off_t)1 << 43) != 0)
        hostile_expect(false, "it can't be made");
    hostile_refused(MUSTER_EIO, "max_size is 104857600");
    hostile_file("a sparse file of max_size");
    if (truncate(hostile_path("journal"), LARGE) != 0)
        abort();
    hostile_open(&result);
    hostile_expect(result.code == 0 && result.lost != 0, "%d: %s", result.code, result.text);
    hostile_goes_on(&result);
}

int main(void)
{
    static const struct hostile_group groups[] = {
        {"a whole line of 60 MiB", a_whole_line, 60},
        {"a bad line of 100 MiB", bad_lines, 60},
        {"100 MiB of brackets", brackets, 60},
        {"lines that begin in lines", lines_in_lines, 60},
        {"frames in frames", frames_in_frames, 60},
        {"frames that reach over lines", frames_on_lines, 60},
        {"short lines", short_lines, 60},
        {"one line a million times", one_line_a_million_times, 60},
        {"tails", tails, 60},
        {"sparse files", sparse_files, 60},
        {NULL, NULL, 0},
    };
    return hostile_main(groups);
}
