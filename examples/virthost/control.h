/* SPDX-License-Identifier: MIT */
/*
 * The control socket. A request is a line with a JSON object, its reply too, in any order of arrival:
 *
 *     {"command": "list"}                                        {"ok": true, "resources": [...]}
 *     {"command": "status"}                                      {"ok": true, "status": {...}}
 *     {"command": "timeline"}                                    {"ok": true, "lines": [...]}
 *     {"command": "start", "resource": R, "dependencies": true}  {"ok": true}
 *     {"command": "stop", "resource": R, "cascade": true}        {"ok": false, "error": "..."}
 *     {"command": "retry", "resource": R}
 *     {"command": "create", "guest": {...}}
 *     {"command": "reload"}
 *     {"command": "shutdown", "host": true}
 *
 * The reply to start, stop and create comes when it is done and durable.
 */
#ifndef VIRTHOST_CONTROL_H
#define VIRTHOST_CONTROL_H

struct virthost;

/* Listen. 0, or a negative errno (-EADDRINUSE: another daemon answers there) with nothing left behind. */
int control_open(struct virthost *host, const char *path);

/* Stop listening and hang up on everybody. */
void control_close(struct virthost *host);

#endif
