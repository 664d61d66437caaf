/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_EXPORT_H
#define MUSTER_EXPORT_H

/** Marks what the shared library exports; all else is hidden. */
#if defined(__GNUC__)
#define MUSTER_API __attribute__((visibility("default")))
#define MUSTER_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define MUSTER_API
#define MUSTER_PRINTF(fmt, args)
#endif

#endif /* MUSTER_EXPORT_H */
