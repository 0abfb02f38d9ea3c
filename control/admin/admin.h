/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's hand: JSON-RPC 2.0 over a unix stream socket (run_dir/control.sock, mode 0660).
 *
 * One request per line or per connection end; the answer is one line. Calls stand in one table
 * (admin_calls.def): name, parameters, one sentence, whether it changes anything. Changing calls are
 * logged with the caller's uid. The socket is served by the control loop's own thread, non-blocking,
 * a bounded piece of work per loop, so that a dump of a million bindings stalls nobody: paged calls
 * take `from` and `limit` and answer `next`. */
#pragma once
#include "control/shard.h"

struct admin;
/* Listens. ret NULL with why set. shards: all of them; admin runs on shard 0's thread. */
struct admin *admin_new(const char *run_dir, struct shard **shards, uint32_t n_shards, struct strbuf *why);
void admin_free(struct admin *a); /* closes and removes the socket */
/* Descriptors to wait for: the epoll instance that holds them all. */
int admin_fd(const struct admin *a);
/* Serve what is ready, at most ADMIN_WORK_MAX calls. ret whether anything was done */
bool admin_step(struct admin *a, uint64_t now_us);
