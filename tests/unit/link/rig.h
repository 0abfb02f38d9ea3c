/* SPDX-License-Identifier: Apache-2.0 */
/* A small link region on plain pages, for the tests of platform/link. */
#pragma once
#include "platform/link/region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RIG_RING 64u
#define RIG_BLOCKS 96u

/* Five classes of 20, 10, 4, 2 and 1 slots a core; tables of a few dozen records a shard. */
void rig_conf(struct conf *c);
/* Fails the test where the region cannot be made. */
void rig_open(struct link *l, uint32_t n_cores, uint32_t n_shards);
