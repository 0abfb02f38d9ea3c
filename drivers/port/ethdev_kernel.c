/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's side of AF_XDP and AF_PACKET: the interface that they stand on, as the kernel knows
 * it.
 *
 * By ioctl on a socket of ours, not through /sys: that shows the interfaces of the network
 * namespace it was mounted in, which need not be the one we run in. */
#include "drivers/port/ethdev_internal.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Do an interface ioctl; r->ifr_name is filled in here. ret 0 · -errno */
static int interface_ioctl(const char *iface, unsigned long request, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (fd < 0)
		return -errno;
	(void)str_to_c(str_from_c(iface), r->ifr_name, sizeof(r->ifr_name));
	if (ioctl(fd, request, r) != 0)
		ret = -errno;
	(void)close(fd); /* nothing was written */
	return ret;
}

int kernel_interface_mtu(const char *iface, uint32_t *mtu)
{
	struct ifreq r = { 0 };
	int ret = interface_ioctl(iface, SIOCGIFMTU, &r);

	if (ret == 0)
		*mtu = (uint32_t)r.ifr_mtu;
	return ret;
}

bool kernel_interface_running(const char *iface)
{
	struct ifreq r = { 0 };

	return interface_ioctl(iface, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_UP) &&
	       (r.ifr_flags & IFF_RUNNING);
}

uint32_t kernel_interface_channels(const char *iface)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq r = { .ifr_data = (char *)&channels };

	/* as the driver counts: devices without combined queues (veth) have one */
	if (interface_ioctl(iface, SIOCETHTOOL, &r) != 0 || channels.combined_count == 0)
		return 1;
	return channels.combined_count;
}
