/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "engine/record.h"
#include "run/context.h"
#include "store/store.h"

/* One call of the store, from the engine's action to its event. */
struct job {
    struct muster__list link;
    enum muster__action_type type;
    const struct muster__memory *memory;
    /* COMMIT: what is to be durable, LOAD: what is; each in a struct muster__record on which the job has a reference. */
    const struct muster_record **records;
    size_t count;
    size_t capacity;
    int code;
    struct muster_error error;
};

int muster__store_worker_init(struct muster *context)
{
    struct muster__store_worker *worker = &context->store_worker;
    muster__list_init(&worker->queue);
    muster__list_init(&worker->results);
    int code = muster__cond_init(&worker->work);
    if (code != 0)
        return code;
    code = muster__cond_init(&worker->gone);
    if (code != 0)
        pthread_cond_destroy(&worker->work);
    return code;
}

static void free_job(struct muster *context, struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        muster__record_unref(muster__container(job->records[i], struct muster__record, is));
    muster__free(&context->memory, job->records);
    muster__free(&context->memory, job);
}

void muster__store_worker_fini(struct muster *context)
{
    struct muster__store_worker *worker = &context->store_worker;
    struct muster__list *link;
    muster__list_splice(&worker->results, &worker->queue);
    while ((link = muster__list_pop(&worker->results)) != NULL)
        free_job(context, muster__container(link, struct job, link));
    pthread_cond_destroy(&worker->work);
    pthread_cond_destroy(&worker->gone);
}

/* ---- on the worker ------------------------------------------------------------------------------ */

static int keep(void *data, const struct muster_record *record)
{
    struct job *job = data;
    void *records = job->records;
    int code = muster__grow(job->memory, &records, job->count, &job->capacity, sizeof(job->records[0]));
    if (code != 0)
        return code;
    job->records = records;
    struct muster__record *copy = muster__record_new(job->memory, record);
    if (copy == NULL)
        return MUSTER_ENOMEM;
    job->records[job->count++] = &copy->is;
    return 0;
}

static int load(struct muster *context, struct job *job)
{
    if (!context->store_worker.opened) {
        int code = muster__store_open(context->store, &job->error);
        if (code != 0)
            return code;
        context->store_worker.opened = true;
    }
    return muster__store_load(context->store, keep, job, &job->error);
}

static int commit(struct muster *context, struct job *job)
{
    return muster__store_commit(context->store, job->records, job->count, &job->error);
}

static int close_store(struct muster *context, struct muster_error *error)
{
    if (!context->store_worker.opened)
        return 0;
    context->store_worker.opened = false;
    return muster__store_close(context->store, error);
}

static void run_job(struct muster *context, struct job *job)
{
    switch (job->type) {
    case MUSTER__ACTION_LOAD:
        job->code = load(context, job);
        break;
    case MUSTER__ACTION_COMMIT:
        job->code = commit(context, job);
        break;
    default:
        job->code = close_store(context, &job->error);
        break;
    }
    if (job->code != 0 && job->error.code == 0)
        job->error.code = job->code;
}

/* The mutex is held. */
static void end(struct muster *context)
{
    struct muster__store_worker *worker = &context->store_worker;
    struct muster_error ignored = {0};
    pthread_mutex_unlock(&context->mutex);
    close_store(context, &ignored);
    pthread_mutex_lock(&context->mutex);
    if (worker->orphaned) {
        pthread_mutex_unlock(&context->mutex);
        muster__store_destroy(context->store);
        pthread_mutex_lock(&context->mutex);
        context->store = NULL;
    }
    worker->running = false;
    context->threads_alive--;
    pthread_cond_signal(&worker->gone);
}

static void *store_worker(void *arg)
{
    struct muster *context = arg;
    struct muster__store_worker *worker = &context->store_worker;
    struct muster__list *link;
    pthread_mutex_lock(&context->mutex);
    for (;;) {
        while ((link = muster__list_pop(&worker->queue)) == NULL && !worker->quit)
            pthread_cond_wait(&worker->work, &context->mutex);
        if (link == NULL)
            break;
        pthread_mutex_unlock(&context->mutex);
        run_job(context, muster__container(link, struct job, link));
        pthread_mutex_lock(&context->mutex);
        muster__list_push(&worker->results, link);
        muster__wake(context);
    }
    end(context);
    bool last = muster__context_settle(context);
    pthread_mutex_unlock(&context->mutex);
    if (last)
        muster__context_destroy(context);
    return NULL;
}

/* ---- on the loop thread ------------------------------------------------------------------------- */

static enum muster__event_type event_of(enum muster__action_type type)
{
    switch (type) {
    case MUSTER__ACTION_LOAD:
        return MUSTER__EVENT_LOADED;
    case MUSTER__ACTION_COMMIT:
        return MUSTER__EVENT_COMMITTED;
    default:
        return MUSTER__EVENT_CLOSED;
    }
}

static void report_failure(struct muster *context, enum muster__action_type type, int code, const char *what)
{
    struct muster_error error;
    muster__error_init(&error);
    muster_error_set(&error, code, 0, "%s: %s", what, muster_code_text(code));
    muster__step(context, &(struct muster__event){.type = event_of(type), .code = code, .error = &error});
}

static int start(struct muster *context)
{
    struct muster__store_worker *worker = &context->store_worker;
    if (worker->started)
        return 0;
    int code = muster__thread_start(&worker->thread, "muster-store", store_worker, context);
    if (code != 0)
        return code;
    worker->started = true;
    worker->running = true;
    context->threads_alive++;
    return 0;
}

/* A hanging commit may outlive the engine. A removal isn't a record of the engine's: it is copied. */
static int take_batch(struct job *job, const struct muster__action *action)
{
    if (action->type != MUSTER__ACTION_COMMIT || action->count == 0)
        return 0;
    job->records = muster__alloc(job->memory, action->count, sizeof(job->records[0]));
    if (job->records == NULL)
        return MUSTER_ENOMEM;
    while (job->count < action->count) {
        const struct muster_record *record = action->records[job->count];
        struct muster__record *taken = (record->flags & MUSTER_RECORD_REMOVED) != 0
                                           ? muster__record_new(job->memory, record)
                                           : muster__record_ref(muster__container(record, struct muster__record, is));
        if (taken == NULL)
            return MUSTER_ENOMEM;
        job->records[job->count++] = &taken->is;
    }
    return 0;
}

static struct job *new_job(struct muster *context, const struct muster__action *action)
{
    struct job *job = muster__new(&context->memory, struct job);
    if (job == NULL)
        return NULL;
    job->type = action->type;
    job->memory = &context->memory;
    muster__list_init(&job->link);
    if (take_batch(job, action) == 0)
        return job;
    free_job(context, job);
    return NULL;
}

void muster__store_submit(struct muster *context, const struct muster__action *action)
{
    struct job *job = new_job(context, action);
    if (job == NULL) {
        report_failure(context, action->type, MUSTER_ENOMEM, "the store wasn't called");
        return;
    }
    pthread_mutex_lock(&context->mutex);
    int code = start(context);
    if (code == 0) {
        muster__list_push(&context->store_worker.queue, &job->link);
        pthread_cond_signal(&context->store_worker.work);
    }
    pthread_mutex_unlock(&context->mutex);
    if (code == 0)
        return;
    free_job(context, job);
    report_failure(context, action->type, code, "the store's thread could not be started");
}

void muster__store_results(struct muster *context)
{
    struct muster__list results;
    struct muster__list *link;
    muster__list_init(&results);
    pthread_mutex_lock(&context->mutex);
    muster__list_splice(&results, &context->store_worker.results);
    pthread_mutex_unlock(&context->mutex);
    while ((link = muster__list_pop(&results)) != NULL) {
        struct job *job = muster__container(link, struct job, link);
        muster__step(context, &(struct muster__event){
                                  .type = event_of(job->type),
                                  .code = job->code,
                                  .error = job->error.code == 0 ? NULL : &job->error, /* a load may succeed with losses */
                                  .records = job->records,
                                  .count = job->count,
                              });
        free_job(context, job);
    }
}

/* The mutex is held. False: the thread hasn't ended within the store's deadline. */
static bool wait_gone(struct muster *context)
{
    struct muster__store_worker *worker = &context->store_worker;
    struct timespec deadline = muster__deadline(context->store_timeout_ms);
    int code = 0;
    while (worker->running && code == 0)
        code = pthread_cond_timedwait(&worker->gone, &context->mutex, &deadline);
    return !worker->running;
}

bool muster__store_worker_end(struct muster *context)
{
    struct muster__store_worker *worker = &context->store_worker;
    pthread_mutex_lock(&context->mutex);
    worker->quit = true;
    pthread_cond_signal(&worker->work);
    bool gone = wait_gone(context);
    if (!gone) {
        worker->orphaned = true;
        pthread_detach(worker->thread);
    }
    pthread_mutex_unlock(&context->mutex);
    if (!gone)
        return false;
    if (worker->started)
        pthread_join(worker->thread, NULL);
    worker->started = false;
    if (context->store != NULL)
        muster__store_destroy(context->store);
    context->store = NULL;
    return true;
}
