/* SPDX-License-Identifier: MIT */
/* A context's life: made, freed, abandoned, forked. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/def.h"
#include "run/context.h"
#include "store/store.h"

/* ---- fork --------------------------------------------------------------------------------------- */

int muster__canary_init(struct muster__canary *canary)
{
    canary->page = NULL;
    canary->pid = getpid();
#ifdef MADV_WIPEONFORK
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    if (madvise(page, bytes, MADV_WIPEONFORK) != 0) {
        munmap(page, bytes);
        return 0;
    }
    canary->page = page;
    canary->page[0] = 1;
#endif
    return 0;
}

void muster__canary_fini(struct muster__canary *canary)
{
    if (canary->page != NULL)
        munmap(canary->page, (size_t)sysconf(_SC_PAGESIZE));
}

bool muster__forked(const struct muster *context)
{
    return context->canary.page != NULL ? context->canary.page[0] == 0 : context->canary.pid != getpid();
}

int muster__enter(const struct muster *context)
{
    if (context == NULL)
        return MUSTER_EINVAL;
    return muster__forked(context) ? MUSTER_ECHILD : 0;
}

int muster_after_fork(struct muster *context)
{
    if (context == NULL)
        return MUSTER_EINVAL;
    if (!muster__forked(context))
        return MUSTER_ESTATE;
    if (context->fd >= 0)
        close(context->fd);
    context->fd = -1;
    if (context->store != NULL)
        muster__store_after_fork(context->store);
    context->store = NULL;
    return 0;
}

/* ---- events ------------------------------------------------------------------------------------- */

void muster__step(struct muster *context, struct muster__event *event)
{
    event->now = context->now;
    muster__engine_step(context->engine, event);
}

int muster__request(struct muster *context, struct muster__event *event)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (context->ending)
        return MUSTER_ESTATE;
    /* (What only lays in store has no time.) */
    event->now = event->type == MUSTER__EVENT_ADD_DRIVER ? context->now : muster__now(context);
    code = muster__engine_step(context->engine, event);
    if (context->processing)
        return code;
    context->stepped = true;
    pthread_mutex_lock(&context->mutex);
    muster__wake(context);
    pthread_mutex_unlock(&context->mutex);
    return code;
}

/* ---- new ---------------------------------------------------------------------------------------- */

static uint64_t or_default(uintptr_t value, uint64_t fallback)
{
    return value != 0 ? value : fallback;
}

static bool boot_id_valid(const char *boot_id)
{
    size_t length = strnlen(boot_id, MUSTER__BOOT_ID_MAX + 1);
    if (length > MUSTER__BOOT_ID_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (boot_id[i] <= 0x20 || boot_id[i] >= 0x7f)
            return false;
    return true;
}

static int check_options(const struct muster_options *options, struct muster_options *copy)
{
    muster_options_init(copy, sizeof(*copy));
    int code = options == NULL ? 0 : muster__def_copy(copy, sizeof(*copy), options, sizeof(*copy));
    if (code != 0)
        return code;
    if ((copy->flags & ~(uintptr_t)(MUSTER_COMPLETE_TIERS | MUSTER_FIRST_COME)) != 0)
        return MUSTER_EINVAL;
    return copy->boot_id == NULL || boot_id_valid(copy->boot_id) ? 0 : MUSTER_EINVAL;
}

static int copy_executor(struct muster_executor *copy, const struct muster_executor *executor)
{
    *copy = (struct muster_executor){0};
    if (executor == NULL)
        return 0;
    int code = muster__def_copy(copy, sizeof(*copy), executor, sizeof(*copy));
    if (code != 0)
        return code;
    return copy->submit != NULL ? 0 : MUSTER_EINVAL;
}

static int new_engine(struct muster *context, const struct muster_options *options)
{
    char kernels[MUSTER__BOOT_ID_MAX + 1];
    struct muster__engine_options engine = {
        .memory = &context->memory,
        .context = context,
        .has_store = options->store != NULL,
        .boot_id = options->boot_id,
        .flags = options->flags,
        .max_ops = options->max_ops,
        .op_timeout_ms = or_default(options->op_timeout_ms, 60000),
        .store_timeout_ms = or_default(options->store_timeout_ms, 60000),
        .shutdown_timeout_ms = or_default(options->shutdown_timeout_ms, 90000),
        .retry_min_ms = or_default(options->retry_min_ms, 1000),
        .retry_max_ms = or_default(options->retry_max_ms, 60000),
        .max_attempts = or_default(options->max_attempts, 3),
        .shuffle_seed = options->shuffle_seed,
    };
    if (engine.boot_id == NULL) {
        muster__boot_id(kernels);
        engine.boot_id = kernels;
    }
    int code = muster__random_seed(engine.seed);
    if (code != 0)
        return code;
    context->op_timeout_ms = engine.op_timeout_ms;
    context->store_timeout_ms = engine.store_timeout_ms;
    return muster__engine_new(&engine, &context->engine);
}

static int init_threads(struct muster *context, size_t max_workers)
{
    int code = -pthread_mutex_init(&context->mutex, NULL);
    if (code != 0)
        return code;
    code = muster__workers_init(context, max_workers);
    if (code != 0)
        goto destroy_mutex;
    code = muster__store_worker_init(context);
    if (code != 0)
        goto fini_workers;
    return 0;

fini_workers:
    muster__workers_fini(context);
destroy_mutex:
    pthread_mutex_destroy(&context->mutex);
    return code;
}

static void fini_threads(struct muster *context)
{
    muster__store_worker_fini(context);
    muster__workers_fini(context);
    pthread_mutex_destroy(&context->mutex);
}

static int init(struct muster *context, const struct muster_options *options)
{
    muster__list_init(&context->inbox);
    muster__list_init(&context->posts);
    int code = copy_executor(&context->executor, options->executor);
    if (code != 0)
        return code;
    code = muster__canary_init(&context->canary);
    if (code != 0)
        return code;
    context->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (context->fd < 0) {
        code = -errno;
        goto fini_canary;
    }
    code = init_threads(context, or_default(options->max_workers, MUSTER__DEFAULT_WORKERS));
    if (code != 0)
        goto close_fd;
    code = new_engine(context, options);
    if (code != 0)
        goto fini_threads;
    context->store = options->store;
    return 0;

fini_threads:
    fini_threads(context);
close_fd:
    close(context->fd);
fini_canary:
    muster__canary_fini(&context->canary);
    return code;
}

int muster_new(const struct muster_options *options, struct muster **ret_context)
{
    struct muster_options copy;
    struct muster__memory memory;
    if (ret_context == NULL)
        return MUSTER_EINVAL;
    int code = check_options(options, &copy);
    if (code != 0)
        return code;
    code = muster__memory_init(&memory, copy.allocator);
    if (code != 0)
        return code;
    struct muster *context = muster__new(&memory, struct muster);
    if (context == NULL)
        return MUSTER_ENOMEM;
    context->memory = memory;
    code = init(context, &copy);
    if (code == 0)
        *ret_context = context;
    else
        muster__free(&memory, context);
    return code;
}

/* ---- free and abandon --------------------------------------------------------------------------- */

void muster__context_destroy(struct muster *context)
{
    struct muster__memory memory = context->memory;
    muster__engine_free(context->engine);
    muster__posts_drop(context);
    fini_threads(context);
    if (context->fd >= 0)
        close(context->fd);
    muster__canary_fini(&context->canary);
    muster__free(&memory, context->observers);
    muster__free(&memory, context);
}

/* Of an abandoned context: nothing is carried out any more, but for the release of data, without the mutex, at the end. */
static void drop(struct muster *context, const struct muster__action *action)
{
    switch (action->type) {
    case MUSTER__ACTION_CALL:
        muster__op_refuse(context, action->op, MUSTER_ECANCELED, "the context was abandoned");
        break;
    case MUSTER__ACTION_LOAD:
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_LOADED, .code = MUSTER_ECANCELED});
        break;
    case MUSTER__ACTION_COMMIT:
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_COMMITTED, .code = MUSTER_ECANCELED});
        break;
    case MUSTER__ACTION_CLOSE:
        muster__step(context, &(struct muster__event){.type = MUSTER__EVENT_CLOSED, .code = MUSTER_ECANCELED});
        break;
    case MUSTER__ACTION_RELEASE:
        muster__engine_put_off(context->engine);
        break;
    default:
        break;
    }
}

bool muster__context_settle(struct muster *context)
{
    struct muster__action action;
    if (!context->abandoned)
        return false;
    if (context->engine == NULL)
        return context->threads_alive == 0;
    do {
        muster__inbox_run_locked(context);
        while (muster__engine_action(context->engine, &action))
            drop(context, &action);
    } while (!muster__list_empty(&context->inbox));
    return context->threads_alive == 0 && muster__engine_ops_out(context->engine) == 0;
}

/* NULL while ops are out. */
static struct muster__engine *take_engine(struct muster *context)
{
    struct muster__engine *engine = context->engine;
    if (muster__engine_ops_out(engine) > 0)
        return NULL;
    context->engine = NULL;
    return engine;
}

/* The last of the ops and of the threads, this one included, frees it. Without ops the engine goes at once. */
static void let_go(struct muster *context)
{
    pthread_mutex_lock(&context->mutex);
    context->abandoned = true;
    context->threads_alive++;
    muster__workers_withdraw_all(context);
    muster__workers_detach(context);
    muster__context_settle(context);
    struct muster__engine *engine = take_engine(context);
    pthread_mutex_unlock(&context->mutex);
    muster__engine_free(engine);
    pthread_mutex_lock(&context->mutex);
    context->threads_alive--;
    bool last = muster__context_settle(context);
    pthread_mutex_unlock(&context->mutex);
    if (last)
        muster__context_destroy(context);
}

int muster_abandon(struct muster *context)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (context->processing || context->ending)
        return MUSTER_EBUSY;
    context->ending = true;
    muster__posts_drop(context);
    muster__store_worker_end(context);
    let_go(context);
    return 0;
}

int muster_free(struct muster *context)
{
    if (context == NULL)
        return 0;
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (context->processing || context->ending)
        return MUSTER_EBUSY;
    muster__now(context);
    muster__inbox_run(context);
    if (muster__engine_ops_out(context->engine) > 0)
        return muster__engine_free(context->engine);
    context->ending = true;
    muster__workers_join(context);
    if (muster__store_worker_end(context))
        muster__context_destroy(context);
    else
        let_go(context);
    return 0;
}
