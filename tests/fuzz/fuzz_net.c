/* SPDX-License-Identifier: Apache-2.0 */
/* Frames through net_in() and udp_in(): after each input the identities of counters.def must hold,
 * and after the net is gone every buffer must be back.
 *
 * An input is a row of frames: a length (two octets, the last frame may be cut), then that many
 * octets. After each frame a datagram goes out to whoever sent the last one that was for UDP, and
 * time goes on by 100 ms. The world is the one of the unit tests, with the addresses 10.0.0.1 and
 * 2001:db8::1. */
#include "platform/base/err.h"
#include "tests/unit/net/fakeport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_frame(struct world *w, const uint8_t *data, uint32_t len)
{
	struct link_flow flow;
	struct str payload;
	struct net_path path;
	struct frame f;

	if (world_in(w, data, len) == NET_UDP &&
	    udp_in(w->udp, &w->in, 0, w->now_us, &flow, &payload) == UDP_SIP &&
	    udp_path(w->udp, &flow, &path) && net_payload(w->net, &path, payload.len, &f)) {
		must(payload.len <= f.room);
		memcpy(f.data, payload.s, payload.len);
		f.len = payload.len;
		(void)net_out_udp(w->net, &path, &f, w->now_us); /* counted */
	}
	w->now_us += 100000;
	net_tick(w->net, w->now_us);
	world_flush(w);
	world_clear(w);
	world_check(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_new(false);

	while (size >= 2) {
		uint32_t len = (uint32_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = (uint32_t)size;
		one_frame(w, data, len);
		data += len;
		size -= len;
	}
	world_close(w);
	return 0;
}
