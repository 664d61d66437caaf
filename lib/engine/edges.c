/* SPDX-License-Identifier: MIT */
/* What a resource depends on, and what depends on it. */
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

static size_t length(const char *const *names)
{
    size_t count = 0;
    while (names != NULL && names[count] != NULL)
        count++;
    return count;
}

static int make(struct muster_resource *resource, struct muster__edge *edge, const char *path, bool need)
{
    struct muster__engine *engine = resource->engine;
    *edge = (struct muster__edge){.from = resource, .need = need};
    edge->to = muster__entry_get_path(engine, path);
    if (edge->to == NULL)
        return MUSTER_ENOMEM;
    muster__list_push(&edge->to->dependents, &edge->in_to);
    return 0;
}

static void free_edges(struct muster__engine *engine, struct muster__edge *edges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        muster__list_remove(&edges[i].in_to);
        muster__entry_drop(engine, edges[i].to);
    }
    muster__free(engine->memory, edges);
}

int muster__edges_make(struct muster_resource *resource, const char *const *needs, const char *const *after)
{
    size_t need_count = length(needs);
    size_t count = need_count + length(after);
    struct muster__edge *edges = muster__alloc(resource->engine->memory, count, sizeof(*edges));
    if (edges == NULL)
        return MUSTER_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *path = i < need_count ? needs[i] : after[i - need_count];
        if (make(resource, &edges[i], path, i < need_count) != 0) {
            free_edges(resource->engine, edges, i);
            return MUSTER_ENOMEM;
        }
    }
    muster__edges_free(resource);
    resource->edges = edges;
    resource->edge_count = count;
    return 0;
}

void muster__edges_free(struct muster_resource *resource)
{
    if (resource->edges != NULL)
        free_edges(resource->engine, resource->edges, resource->edge_count);
    resource->edges = NULL;
    resource->edge_count = 0;
}

/* ---- cycles among a driver's own resources ------------------------------------------------------- */

/* One resource on the path that a depth-first search is on. */
struct frame {
    struct muster_resource *resource;
    size_t next;
    int low; /* the lowest mark of what it leads to, and whose component isn't known */
};

/* Tarjan's strongly connected components. A mark: 0 not seen, then the how-manieth that was, then minus its component. */
struct search {
    struct frame *path;
    size_t depth;
    struct muster_resource **open; /* seen, and of no component yet */
    size_t open_count;
    int seen;
    int components;
};

static struct muster_resource *own_target(const struct muster__edge *edge)
{
    struct muster_resource *to = edge->to->resource;
    return to != NULL && to->driver == edge->from->driver ? to : NULL;
}

static void enter(struct search *search, struct muster_resource *resource)
{
    resource->mark = ++search->seen;
    search->open[search->open_count++] = resource;
    search->path[search->depth++] = (struct frame){resource, 0, resource->mark};
}

static void leave(struct search *search)
{
    struct frame *top = &search->path[--search->depth];
    if (search->depth > 0 && top->low < top[-1].low)
        top[-1].low = top->low;
    if (top->low != top->resource->mark)
        return;
    struct muster_resource *member;
    search->components++;
    do {
        member = search->open[--search->open_count];
        member->mark = -search->components;
    } while (member != top->resource);
}

static void search_from(struct search *search, struct muster_resource *start)
{
    enter(search, start);
    while (search->depth > 0) {
        struct frame *top = &search->path[search->depth - 1];
        if (top->next == top->resource->edge_count) {
            leave(search);
            continue;
        }
        struct muster_resource *to = own_target(&top->resource->edges[top->next++]);
        if (to != NULL && to->mark == 0)
            enter(search, to);
        else if (to != NULL && to->mark > 0 && to->mark < top->low)
            top->low = to->mark;
    }
}

static void find_components(struct search *search, struct muster__list *head)
{
    struct muster__list *link;
    for (link = head->next; link != head; link = link->next)
        muster__resource_of_link(link)->mark = 0;
    for (link = head->next; link != head; link = link->next)
        if (muster__resource_of_link(link)->mark == 0)
            search_from(search, muster__resource_of_link(link));
}

/* An edge within a component is on a cycle. */
static void mark_edges(struct muster_resource *resource)
{
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster__edge *edge = &resource->edges[i];
        const struct muster_resource *to = own_target(edge);
        bool cyclic = to != NULL && to->mark == resource->mark;
        if (cyclic != edge->cyclic)
            muster__resource_touch(resource);
        edge->cyclic = cyclic;
    }
}

int muster__edges_check(struct muster_driver *driver)
{
    const struct muster__memory *memory = driver->engine->memory;
    if (driver->resource_count == 0)
        return 0;
    struct search search = {.path = muster__alloc(memory, driver->resource_count, sizeof(*search.path)),
                            .open = muster__alloc(memory, driver->resource_count, sizeof(*search.open))};
    int code = search.path == NULL || search.open == NULL ? MUSTER_ENOMEM : 0;
    struct muster__list *head = &driver->rest->roster->resources;
    if (code == 0)
        find_components(&search, head);
    for (struct muster__list *link = head->next; code == 0 && link != head; link = link->next)
        mark_edges(muster__resource_of_link(link));
    muster__free(memory, search.path);
    muster__free(memory, search.open);
    return code;
}

static bool is_on_cycle(const struct muster_resource *resource)
{
    for (size_t i = 0; i < resource->edge_count; i++)
        if (resource->edges[i].cyclic)
            return true;
    return false;
}

/* The next resources of a walk along the edges that lead on. */
static void walk_ahead(const struct muster_resource *resource, struct muster__list *queue)
{
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster_resource *to = own_target(&resource->edges[i]);
        if (to == NULL || to->walk == resource->engine->walks)
            continue;
        to->walk = resource->engine->walks;
        muster__list_push(queue, &to->walking);
    }
}

/* ... and of one back along them, through what the walk `ahead` has come by. */
static void walk_back(const struct muster_resource *resource, uint64_t ahead, struct muster__list *queue)
{
    struct muster__list *head = &resource->entry->dependents;
    for (struct muster__list *link = head->next; link != head; link = link->next) {
        struct muster__edge *edge = muster__container(link, struct muster__edge, in_to);
        struct muster_resource *from = edge->from;
        if (from->driver != resource->driver || from->walk < ahead)
            continue;
        if (!edge->cyclic)
            muster__resource_touch(from);
        edge->cyclic = true;
        if (from->walk == ahead)
            muster__list_push(queue, &from->walking);
        from->walk = resource->engine->walks;
    }
}

static bool has_own_dependent(const struct muster_resource *resource)
{
    const struct muster__list *head = &resource->entry->dependents;
    for (const struct muster__list *link = head->next; link != head; link = link->next)
        if (muster__container(link, struct muster__edge, in_to)->from->driver == resource->driver)
            return true;
    return false;
}

void muster__edges_close(struct muster_resource *resource)
{
    struct muster__engine *engine = resource->engine;
    struct muster__list queue;
    struct muster__list *link;
    if (!has_own_dependent(resource))
        return;
    muster__list_init(&queue);
    uint64_t ahead = ++engine->walks;
    walk_ahead(resource, &queue);
    while ((link = muster__list_pop(&queue)) != NULL)
        walk_ahead(muster__container(link, struct muster_resource, walking), &queue);
    if (resource->walk != ahead)
        return;
    resource->walk = ++engine->walks;
    walk_back(resource, ahead, &queue);
    while ((link = muster__list_pop(&queue)) != NULL)
        walk_back(muster__container(link, struct muster_resource, walking), ahead, &queue);
}

int muster__edges_leave(struct muster_resource *resource)
{
    if (!is_on_cycle(resource))
        return 0;
    size_t count = resource->edge_count;
    resource->edge_count = 0; /* who leads nowhere is on no cycle */
    int code = muster__edges_check(resource->driver);
    resource->edge_count = count;
    return code;
}

/* ---- what an edge says now ------------------------------------------------------------------------ */

static struct muster_driver *driver_of(const struct muster__edge *edge)
{
    if (edge->to->resource != NULL)
        return edge->to->resource->driver;
    return muster__engine_find_driver(edge->from->engine, edge->to->ledger->node.key);
}

/* May `from` wait for a resource of `driver`? The answer is kept: the order of drivers doesn't change. */
static bool is_ordered(struct muster__edge *edge, const struct muster_driver *driver)
{
    if (edge->checked)
        return edge->ordered;
    bool after = edge->from->driver == driver;
    if (!after && muster__graph_is_after(edge->from->engine->graph, edge->from->driver->id, driver->id, &after) != 0)
        return false;
    edge->ordered = after;
    edge->checked = true;
    return after;
}

static bool is_gone(const struct muster_driver *driver)
{
    switch (driver->state) {
    case MUSTER_DRIVER_FAILED:
    case MUSTER_DRIVER_SKIPPED:
    case MUSTER_DRIVER_BLOCKED:
    case MUSTER_DRIVER_DEFERRED:
        return true;
    default:
        return false;
    }
}

enum muster__edge_state muster__edge_state(struct muster__edge *edge)
{
    struct muster_driver *driver = driver_of(edge);
    struct muster_resource *to = edge->to->resource;
    if (driver == NULL || edge->cyclic)
        return MUSTER__EDGE_BAD;
    if (driver->id >= driver->engine->checked || edge->from->driver->id >= driver->engine->checked)
        return MUSTER__EDGE_SETTLED; /* it was added, and is not brought up yet */
    if (!is_ordered(edge, driver))
        return MUSTER__EDGE_BAD;
    if (to == NULL)
        return driver->done[MUSTER__STEP_INITIALIZE]  ? MUSTER__EDGE_BAD
               : driver->settled[MUSTER__STEP_INITIALIZE] ? MUSTER__EDGE_SETTLED
                                                          : MUSTER__EDGE_COMING;
    if (to->state == MUSTER__ACTIVE)
        return MUSTER__EDGE_ACTIVE;
    return to->settled ? MUSTER__EDGE_SETTLED : MUSTER__EDGE_COMING;
}

struct muster_error *muster__edge_error(const struct muster__edge *edge)
{
    const struct muster__memory *memory = edge->from->engine->memory;
    struct muster_driver *driver = driver_of(edge);
    struct muster_resource *to = edge->to->resource;
    const char *path = edge->to->node.key;
    if (driver == NULL)
        return muster__error_new(memory, MUSTER_ENOENT, NULL, "needs %s, and there is no driver '%s'", path,
                                 edge->to->ledger->node.key);
    if (edge->cyclic)
        return muster__error_new(memory, MUSTER_ECYCLE, NULL, "needs %s, which in the end needs this one", path);
    if (edge->checked && !edge->ordered)
        return muster__error_new(memory, MUSTER_EINVAL, NULL,
                                 "needs %s, but driver '%s' isn't ordered after driver '%s'", path,
                                 muster_driver_name(edge->from->driver), muster_driver_name(driver));
    if (to == NULL && is_gone(driver))
        return muster__error_new(memory, MUSTER_EDEPENDENCY, driver->rest->error, "needs %s", path);
    if (to == NULL)
        return muster__error_new(memory, MUSTER_ENOENT, NULL, "needs %s, which does not exist", path);
    if (to->error != NULL)
        return muster__error_new(memory, MUSTER_EDEPENDENCY, to->error, "needs %s", path);
    return muster__error_new(memory, MUSTER_EDEPENDENCY, NULL, "needs %s, which is %s", path,
                             muster_stage_name(muster__resource_stage(to)));
}

/* NULL: nothing that isn't known inactive needs anything by this edge. */
static struct muster_resource *live_by(struct muster__list *in_to)
{
    const struct muster__edge *edge = muster__container(in_to, struct muster__edge, in_to);
    return edge->need && !muster__resource_is_inactive(edge->from) ? edge->from : NULL;
}

static struct muster_resource *next_live(const struct muster_resource *resource, struct muster__list **cursor, bool back)
{
    struct muster__list *head = &resource->entry->dependents;
    struct muster_resource *live = NULL;
    if (*cursor == NULL)
        *cursor = head;
    do
        *cursor = back ? (*cursor)->prev : (*cursor)->next;
    while (*cursor != head && (live = live_by(*cursor)) == NULL);
    return live;
}

struct muster_resource *muster__edges_live_dependent(const struct muster_resource *resource,
                                                     struct muster__list **cursor)
{
    return next_live(resource, cursor, false);
}

struct muster_resource *muster__edges_last_live_dependent(const struct muster_resource *resource,
                                                          struct muster__list **cursor)
{
    return next_live(resource, cursor, true);
}

static void walk_on(struct muster__engine *engine, struct muster__list *queue, const struct muster_resource *resource)
{
    for (size_t i = 0; i < resource->edge_count; i++) {
        struct muster_resource *to = resource->edges[i].to->resource;
        if (to == NULL || !resource->edges[i].need || to->walk == engine->walks)
            continue;
        to->walk = engine->walks;
        muster__list_push(queue, &to->walking);
    }
}

bool muster__edges_reach(struct muster_resource *from, const struct muster_resource *target)
{
    struct muster__engine *engine = from->engine;
    struct muster__list queue;
    muster__list_init(&queue);
    engine->walks++;
    walk_on(engine, &queue, from);
    for (struct muster__list *link; (link = muster__list_pop(&queue)) != NULL;)
        walk_on(engine, &queue, muster__container(link, struct muster_resource, walking));
    return target->walk == engine->walks;
}

void muster__edges_touch_dependents(struct muster_resource *resource)
{
    struct muster__list *head = &resource->entry->dependents;
    for (struct muster__list *link = head->next; link != head; link = link->next)
        muster__resource_touch(muster__container(link, struct muster__edge, in_to)->from);
}
