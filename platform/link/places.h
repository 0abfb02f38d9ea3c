/* SPDX-License-Identifier: Apache-2.0 */
/* The folders a program runs in: run_dir with its sockets, state_dir with what outlives a restart; and
 * the user it runs as (node.user). Empty, or where we are not root, that is who we are already.
 * At start only: system calls. */
#pragma once
#include "platform/base/conf.h"

/* Make path and its parents (mode 0755) where they are not. ret 0 · -errno */
int places_make(const char *path);
/* The same, and a folder that was not there belongs to user. One that is there keeps its owner: it may
 * serve others too. ret 0 · -E_NOT_FOUND (no such user) · -errno */
int places_make_for(const char *path, const char *user);
/* Become user for good, and let nobody of that user look into us: keys and other people's calls lie in
 * our memory. ret 0 · -E_NOT_FOUND · -errno; why has the sentence */
int places_become(const char *user, struct strbuf *why);
/* The start number of the dataplane: one more than the last, kept in state_dir/run (written to a
 * temporary file, synced, renamed). ret 0 · -errno */
int places_next_run(const char *state_dir, uint64_t *run);
/* Only one of us in this run_dir: an exclusive lock on run_dir/<name>.lock, held until the process
 * ends. ret 0 · -E_REFUSED (another one runs) · -errno */
int places_lock(const char *run_dir, const char *name);
