/* SPDX-License-Identifier: MIT */
#include "support/fault.h"

void fault_init(struct fault *fault)
{
    *fault = (struct fault){0};
}

void fault_arm(struct fault *fault, size_t n, bool forever)
{
    *fault = (struct fault){.n = n, .forever = forever};
}

bool fault_tick(struct fault *fault)
{
    if (fault->paused)
        return false;
    fault->count++;
    if (fault->n == 0 || fault->count < fault->n || (fault->count > fault->n && !fault->forever))
        return false;
    fault->fired++;
    return true;
}

void fault_pause(struct fault *fault)
{
    fault->paused = true;
}

void fault_resume(struct fault *fault)
{
    fault->paused = false;
}
