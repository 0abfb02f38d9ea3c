/* SPDX-License-Identifier: Apache-2.0 */
/* The door: the dataplane's unix socket where a control process asks for the link region.
 *
 * The dataplane's service thread listens (SOCK_SEQPACKET, mode 0600, credentials checked). A control
 * process sends one struct door_hello with a pidfd of itself; it gets struct door_welcome with the
 * region's memfd and one eventfd (doorbell) per loop, or a refusal with its reason. The connection
 * stays open for the life of the control process. */
#pragma once
#include "platform/link/region.h"
#include <sys/types.h>

#define DOOR_FDS_MAX (1 + LINK_CORES_MAX + LINK_SHARDS_MAX)
struct door_hello {
	uint32_t version, version_min; /* layouts that control knows */
	uint32_t n_shards;             /* that it will run            */
	uint32_t pid;
};
struct door_welcome {
	int32_t err;                   /* 0, or the refusal: -E_VERSION, -E_REFUSED, -E_AGAIN (another
					* control is being taken leave of: try again) */
	uint32_t version;              /* of the region */
	uint32_t epoch;                /* this control's */
	uint32_t n_bells;              /* descriptors after the region: cores, then shards */
	char text[200];                /* of a refusal, for the operator */
};

/* Control's side. Blocks at most timeout_ms.
 * out    l is mapped, bell[] are the doorbells (cores then shards), conn stays open
 * ret    0 · -E_VERSION · -E_REFUSED · -E_AGAIN · -errno; why has the sentence */
int door_knock(const char *path, uint32_t n_shards, int timeout_ms, struct link *l, int *bell,
	       uint32_t *epoch, int *conn, struct strbuf *why);

/* Dataplane's side. */
int door_listen(const char *path); /* ret descriptor · -errno */
/* Take a hello from an accepted connection. pidfd and peer credentials are checked against each other.
 * ret 0 · -E_REFUSED · -errno */
int door_take_hello(int conn, struct door_hello *hello, int *pidfd, uid_t *uid);
int door_welcome(int conn, const struct door_welcome *w, int region_fd, const int *bell, uint32_t n);
