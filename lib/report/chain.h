/* SPDX-License-Identifier: MIT */
/* Who waited for whom, and who is to blame. */
#ifndef MUSTER__CHAIN_H
#define MUSTER__CHAIN_H

#include "report/report.h"

/* A driver that is up, a resource that is active. */
bool muster__report_is_up(const struct muster_report_subject *subject);
/* It isn't where it was to be: on its way, failed, held, degraded, not started. */
bool muster__report_in_trouble(const struct muster_report_subject *subject);
/* Whom `subject`, in trouble, waits for or failed for; MUSTER__NO_SUBJECT: nobody but itself. */
uint32_t muster__report_culprit(const struct muster_report *report, uint32_t subject);
/* How many subjects there are from `subject` by culprits to the last, each once: they may wait for each other in a circle. */
size_t muster__report_chain_length(const struct muster_report *report, uint32_t subject);
/* Its last op failed or is out, which says enough. */
bool muster__report_last_tells(const struct muster_report *report, uint32_t subject);
/* "up", "active", "degraded", "failed", ... */
const char *muster__report_state_text(const struct muster_report_subject *subject);

#endif
