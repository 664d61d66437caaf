/* SPDX-License-Identifier: MIT */
#include "support/fault.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void fault_init(struct fault *fault)
{
    *fault = (struct fault){0};
}

void fault_arm(struct fault *fault, size_t n, bool forever)
{
    *fault = (struct fault){.n = n, .forever = forever};
}

static bool fires(struct fault *fault)
{
    if (fault->paused)
        return false;
    fault->count++;
    if (fault->n == 0 || fault->count < fault->n || (fault->count > fault->n && !fault->forever))
        return false;
    fault->fired++;
    return true;
}

bool fault_tick(struct fault *fault)
{
    pthread_mutex_lock(&mutex);
    bool fails = fires(fault);
    pthread_mutex_unlock(&mutex);
    return fails;
}

void fault_pause(struct fault *fault)
{
    fault->paused = true;
}

void fault_resume(struct fault *fault)
{
    fault->paused = false;
}
