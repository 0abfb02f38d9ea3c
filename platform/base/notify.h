/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's readiness protocol (sd_notify): one datagram to NOTIFY_SOCKET, where it is set. */
#pragma once

/* state: "READY=1", "STOPPING=1". Nobody to tell, or a failed send, is no error: the supervisor's own
 * time-out tells. Runs on any thread that may make system calls. */
void notify_supervisor(const char *state);
