/* SPDX-License-Identifier: MIT */
#include "run/context.h"

struct post {
    struct muster__list link;
    muster_post_cb cb;
    void *data;
};

int muster_post(struct muster *context, muster_post_cb cb, void *data)
{
    int code = muster__enter(context);
    if (code != 0)
        return code;
    if (cb == NULL)
        return MUSTER_EINVAL;
    struct post *post = muster__new(&context->memory, struct post);
    if (post == NULL)
        return MUSTER_ENOMEM;
    post->cb = cb;
    post->data = data;
    muster__list_init(&post->link);
    pthread_mutex_lock(&context->mutex);
    muster__list_push(&context->posts, &post->link);
    muster__wake(context);
    pthread_mutex_unlock(&context->mutex);
    return 0;
}

static void take(struct muster *context, struct muster__list *posts)
{
    muster__list_init(posts);
    pthread_mutex_lock(&context->mutex);
    muster__list_splice(posts, &context->posts);
    pthread_mutex_unlock(&context->mutex);
}

void muster__posts_run(struct muster *context)
{
    struct muster__list posts;
    struct muster__list *link;
    take(context, &posts);
    while ((link = muster__list_pop(&posts)) != NULL) {
        struct post *post = muster__container(link, struct post, link);
        post->cb(context, post->data);
        muster__free(&context->memory, post);
    }
}

void muster__posts_drop(struct muster *context)
{
    struct muster__list posts;
    struct muster__list *link;
    take(context, &posts);
    while ((link = muster__list_pop(&posts)) != NULL)
        muster__free(&context->memory, muster__container(link, struct post, link));
}
