/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void tool_hold_standard_files(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY}; /* the wrong way round: an error, as on a closed one */
    for (int number = 0; number < 3; number++)
        if (fcntl(number, F_GETFD) < 0 && open("/dev/null", modes[number]) != number)
            abort();
}

char *tool_harmless(char *text)
{
    for (char *c = text; c != NULL && *c != '\0'; c++) {
        unsigned char a = (unsigned char)c[0];
        unsigned char b = (unsigned char)c[1];
        if (a < 0x20 || a == 0x7f)
            *c = ' ';
        else if (a == 0xc2 && b >= 0x80 && b < 0xa0)
            c[0] = c[1] = '?';
    }
    return text;
}

int tool_problem(const char *subject, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "%s: %s\n", subject, tool_harmless(text));
    return TOOL_PROBLEM;
}

int tool_misused(const char *command)
{
    fprintf(stderr, "Try '%s --help'.\n", command);
    return TOOL_USAGE;
}

int tool_finish(int code)
{
    errno = 0;
    int failed = ferror(stdout);
    if (fclose(stdout) != 0 || failed)
        return tool_problem("muster", "standard output: %s", errno == 0 ? "write error" : strerror(errno));
    return code;
}

const char *tool_file_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static char *read_all(FILE *file, const char *path, size_t most, size_t *ret_bytes)
{
    char *text = NULL;
    size_t used = 0, capacity = 0;
    do {
        if (used == capacity) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            capacity = capacity > most ? most + 1 : capacity;
            char *grown = realloc(text, capacity);
            if (grown == NULL) {
                tool_problem(tool_file_name(path), "out of memory");
                goto fail;
            }
            text = grown;
        }
        used += fread(text + used, 1, capacity - used, file);
        if (ferror(file)) {
            tool_problem(tool_file_name(path), "%s", strerror(errno));
            goto fail;
        }
        if (used > most) {
            tool_problem(tool_file_name(path), "longer than %zu MiB", most >> 20);
            goto fail;
        }
    } while (!feof(file));
    *ret_bytes = used;
    return text;
fail:
    free(text);
    return NULL;
}

/* A FIFO that nobody has opened to write would keep us forever. Its first byte is put back. */
static bool has_writer(FILE *file)
{
    char first;
    ssize_t got = read(fileno(file), &first, 1);
    if (got == 1)
        ungetc((unsigned char)first, file);
    return got != 0;
}

static FILE *open_file(const char *path)
{
    struct stat found;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (file == NULL || fstat(fd, &found) != 0) {
        tool_problem(path, "%s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (S_ISFIFO(found.st_mode) && !has_writer(file)) {
        tool_problem(path, "nobody writes to this FIFO: start who does, or use standard input");
        fclose(file);
        return NULL;
    }
    fcntl(fd, F_SETFL, O_RDONLY);
    return file;
}

char *tool_read_file(const char *path, size_t most, size_t *ret_bytes)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : open_file(path);
    if (file == NULL)
        return NULL;
    char *text = read_all(file, path, most, ret_bytes);
    if (!standard)
        fclose(file);
    return text;
}
