/* SPDX-License-Identifier: MIT */
/* A doubly linked list whose links live in their elements, so that queueing never allocates. */
#ifndef MUSTER__LIST_H
#define MUSTER__LIST_H

#include <stdbool.h>
#include <stddef.h>

struct muster__list {
    struct muster__list *next;
    struct muster__list *prev;
};

#define muster__container(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

static inline void muster__list_init(struct muster__list *list)
{
    list->next = list;
    list->prev = list;
}

/* Also: the element is in no list. */
static inline bool muster__list_empty(const struct muster__list *list)
{
    return list->next == list;
}

static inline void muster__list_push(struct muster__list *list, struct muster__list *element)
{
    element->next = list;
    element->prev = list->prev;
    list->prev->next = element;
    list->prev = element;
}

/* The element is left in no list; it may have been in none. */
static inline void muster__list_remove(struct muster__list *element)
{
    element->prev->next = element->next;
    element->next->prev = element->prev;
    muster__list_init(element);
}

/* NULL if empty. */
static inline struct muster__list *muster__list_pop(struct muster__list *list)
{
    struct muster__list *first = list->next;
    if (first == list)
        return NULL;
    muster__list_remove(first);
    return first;
}

/* Move all elements of `from` behind those of `list`. */
static inline void muster__list_splice(struct muster__list *list, struct muster__list *from)
{
    if (muster__list_empty(from))
        return;
    from->next->prev = list->prev;
    list->prev->next = from->next;
    from->prev->next = list;
    list->prev = from->prev;
    muster__list_init(from);
}

#endif
