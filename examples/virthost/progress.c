/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "virthost.h"

/* ---- counts --------------------------------------------------------------------------------------- */

json_t *progress_counts(const struct virthost *host)
{
    struct muster_progress_counts counts;
    MUSTER_PROGRESS_COUNTS_INIT(&counts);
    if (muster_progress(host->context, &counts) != 0)
        return NULL;
    json_t *estimate =
        counts.estimate_ms == MUSTER_REPORT_NEVER ? json_null() : json_integer((json_int_t)counts.estimate_ms);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "state", muster_state_name(muster_state(host->context)), "done",
                     (json_int_t)counts.done, "running", (json_int_t)counts.running, "waiting", (json_int_t)counts.waiting,
                     "failed", (json_int_t)counts.failed, "estimate_ms", estimate);
}

/* ---- the report ----------------------------------------------------------------------------------- */

static int write_part(void *data, const char *text, size_t bytes)
{
    return fwrite(text, 1, bytes, data) == bytes ? 0 : -EIO;
}

static int write_report(const struct virthost *host, enum muster_report_kind kind, FILE *file)
{
    struct muster_report *report;
    struct muster_report_options options;
    MUSTER_REPORT_OPTIONS_INIT(&options);
    options.format = MUSTER_REPORT_JSON;
    int code = muster_get_report(host->context, kind, &report);
    if (code != 0)
        return code;
    code = muster_report_write(report, &options, write_part, file);
    muster_report_free(report);
    return code;
}

char *progress_report(const struct virthost *host, enum muster_report_kind kind)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    int code = file == NULL ? -errno : write_report(host, kind, file);
    if (file != NULL && fclose(file) != 0)
        code = -errno;
    if (code == 0)
        return text;
    free(text);
    return NULL;
}

int progress_write_report(const struct virthost *host, const char *path)
{
    char fresh[VIRTHOST_PATH_BYTES];
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return -ENAMETOOLONG;
    FILE *file = fopen(fresh, "w");
    if (file == NULL)
        return -errno;
    int code = write_report(host, MUSTER_REPORT_BRING_UP, file);
    if (fclose(file) != 0 && code == 0)
        code = -errno;
    if (code == 0 && rename(fresh, path) != 0)
        code = -errno;
    if (code != 0)
        unlink(fresh);
    return code;
}

/* ---- the live line -------------------------------------------------------------------------------- */

static bool is_live(const struct virthost *host)
{
    return host->context != NULL && muster_state(host->context) == MUSTER_STATE_BRINGING_UP && log_is_live();
}

void progress_hide(void)
{
    if (log_is_live())
        fprintf(stderr, "\r\033[K");
}

void progress_show(const struct virthost *host)
{
    struct muster_progress_counts counts;
    MUSTER_PROGRESS_COUNTS_INIT(&counts);
    if (!is_live(host) || muster_progress(host->context, &counts) != 0)
        return;
    fprintf(stderr, "%llu of %llu, %llu running, %llu failed", (unsigned long long)counts.done,
            (unsigned long long)(counts.done + counts.running + counts.waiting + counts.failed),
            (unsigned long long)counts.running, (unsigned long long)counts.failed);
    if (counts.estimate_ms != MUSTER_REPORT_NEVER)
        fprintf(stderr, ", about %.1f s more", (double)counts.estimate_ms / 1000);
    fflush(stderr);
}
