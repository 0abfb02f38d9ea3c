/* SPDX-License-Identifier: Apache-2.0 */
/* The device string of a port, taken apart. Pure but for env:NAME; no DPDK. Runs at start. */
#pragma once
#include "platform/base/conf.h"

#define RT_ALTERNATIVES_MAX 8
#define RT_DRIVER_MAX 32
#define RT_IFACE_MAX 16 /* IFNAMSIZ */

enum rt_device_kind { RT_DEVICE_PCI, RT_DEVICE_VDEV };
struct rt_device {
	enum rt_device_kind kind;
	char name[CONF_TEXT_MAX];    /* "0000:03:00.1" (domain always there) · "net_af_xdp0"     */
	char args[CONF_TEXT_MAX];    /* what stands behind the first comma                       */
	char driver[RT_DRIVER_MAX];  /* vdev: its name without the number; "" for PCI            */
	char iface[RT_IFACE_MAX];    /* af_xdp, af_packet: the kernel interface; "" else         */
};

/* Take apart alternative n (from 0) of a device string "A|B|...".
 * number is appended to a vdev's name that has none, so that two ports may use one driver.
 * env:NAME stands for the variable's value; of a list of PCI addresses (Kubernetes' device plugins
 * write one) the first.
 * ret 0 · -E_NOT_FOUND (no such alternative) · -E_MISSING (variable not set) · -E_MALFORMED ·
 *     -E_TOO_LONG; why is written for all but -E_NOT_FOUND */
int rt_device_parse(const char *device, uint32_t n, uint32_t number, struct rt_device *d,
		    struct strbuf *why);
/* The value of key in "a=1,key=value,..."; false where it is not there. */
bool rt_device_arg(const struct rt_device *d, const char *key, struct str *value);
/* Append ",key=value" to args where key is not there yet. ret 0 · -E_TOO_LONG */
int rt_device_arg_default(struct rt_device *d, const char *key, uint32_t value);
