/* SPDX-License-Identifier: Apache-2.0 */
/* XDP programs that a killed run left on an interface.
 *
 * Such a program steers every packet to sockets that are gone, so neither the host nor a packet
 * socket sees any. It is taken off by rtnetlink (RTM_SETLINK with IFLA_XDP and descriptor -1),
 * once for each mode it may have been put on in: the kernel keeps one place per mode, and wants
 * the mode named. Taking off what is not there is no error.
 *
 * What looks left over may belong to a living process, and taking it off would silence that one.
 * So an interface is claimed first, by a socket with an abstract name: it ends with its process
 * however that ends, and is as wide as the network namespace, like the interface's own name. */
#include "drivers/port/ethdev_internal.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_BYTES 4096
#define ANSWER_TIMEOUT_S 5

union netlink_answer {
	char bytes[ANSWER_BYTES];
	struct nlmsghdr header;
};

static int netlink_open(int family)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);

	if (fd < 0)
		return -errno;
	/* only a guard against waiting for ever: the kernel answers at once */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

int kernel_interface_claim(const char *iface)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct strbuf b = strbuf_of(a.sun_path, sizeof(a.sun_path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	strbuf_char(&b, '\0'); /* an abstract name: no file, seen in this network namespace only */
	strbuf_printf(&b, "sluice/port/%s", iface);
	if (bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
							b.len)) == 0)
		return fd;
	ret = -errno;
	(void)close(fd); /* nothing was written */
	return ret;
}

struct xdp_request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	struct rtattr xdp;
	struct rtattr fd_attr;
	int32_t fd;
	struct rtattr flags_attr;
	uint32_t flags;
};
_Static_assert(sizeof(struct xdp_request) ==
	       NLMSG_SPACE(sizeof(struct ifinfomsg)) + RTA_SPACE(2 * RTA_SPACE(sizeof(uint32_t))),
	       "no holes: the struct is the message");

/* The kernel's NLMSG_ERROR to our request. ret its error (0: done) */
static int answer(int fd)
{
	union netlink_answer a;
	struct nlmsgerr e;
	ssize_t n = recv(fd, &a, sizeof(a), 0);

	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(e)) || a.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	memcpy(&e, NLMSG_DATA(&a.header), sizeof(e));
	return e.error;
}

static int xdp_detach(int fd, int index, uint32_t mode)
{
	struct xdp_request r = {
		.header = { .nlmsg_len = sizeof(r), .nlmsg_type = RTM_SETLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = index },
		.xdp = { .rta_len = sizeof(r) - offsetof(struct xdp_request, xdp),
			 .rta_type = IFLA_XDP | NLA_F_NESTED },
		.fd_attr = { .rta_len = RTA_LENGTH(sizeof(r.fd)), .rta_type = IFLA_XDP_FD },
		.fd = -1,
		.flags_attr = { .rta_len = RTA_LENGTH(sizeof(r.flags)),
				.rta_type = IFLA_XDP_FLAGS },
		.flags = mode,
	};

	if (send(fd, &r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return -errno;
	return answer(fd);
}

int kernel_xdp_clear(const char *iface)
{
	static const uint32_t mode[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE,
					 XDP_FLAGS_HW_MODE };
	unsigned index = if_nametoindex(iface);
	int fd, ret = 0;

	if (index == 0)
		return -errno;
	fd = netlink_open(NETLINK_ROUTE);
	if (fd < 0)
		return fd;
	for (size_t k = 0; k < sizeof(mode) / sizeof(mode[0]); k++) {
		int one = xdp_detach(fd, (int)index, mode[k]);

		/* a device that does not know the mode has no program in it */
		if (one != 0 && one != -EOPNOTSUPP && one != -EINVAL)
			ret = one;
	}
	(void)close(fd); /* all answers are in */
	return ret;
}
