/* SPDX-License-Identifier: Apache-2.0 */
/* The device string of a port, taken apart.
 *
 * Two families: a PCI address ([domain:]bus:device.function, maybe with driver arguments), and a
 * virtual device, a driver's name with an optional number and arguments. DPDK finds a vdev's driver
 * by the prefix of the device's name and allows each name once per process; that is why a number is
 * added where the configuration gives none.
 *
 * af_xdp and af_packet stand on an interface of the kernel: its name is picked out, as it has to be
 * looked at before the device is opened. */
#include "platform/rt/device.h"

#include <stdlib.h>

#define PCI_DOMAIN STR("0000:")

static bool is_hex(char c)
{
	c = ascii_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* s has the shape of pattern, where 'x' is a hexadecimal digit and the rest stands for itself. */
static bool has_shape(struct str s, struct str pattern)
{
	if (s.len != pattern.len)
		return false;
	for (uint32_t k = 0; k < s.len; k++) {
		if (pattern.s[k] == 'x' ? !is_hex(s.s[k]) : s.s[k] != pattern.s[k])
			return false;
	}
	return true;
}

static bool is_pci_short(struct str s)
{
	return has_shape(s, STR("xx:xx.x"));
}

static bool is_pci(struct str s)
{
	return is_pci_short(s) || has_shape(s, STR("xxxx:xx:xx.x"));
}

/* Driver and instance names: what the kernel's and DPDK's own names are made of. */
static bool is_name(struct str s)
{
	for (uint32_t k = 0; k < s.len; k++) {
		char c = ascii_lower(s.s[k]);

		if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '_')
			return false;
	}
	return s.len > 0 && !is_digit(s.s[0]);
}

static bool alternative(struct str device, uint32_t n, struct str *out)
{
	struct str rest = device;
	bool more = true;

	for (uint32_t k = 0; k <= n; k++) {
		if (!more)
			return false;
		more = str_split(rest, '|', out, &rest);
	}
	*out = str_trim(*out);
	return true;
}

static int variable(struct str text, struct str *value, struct strbuf *why)
{
	char name[CONF_TEXT_MAX];
	struct str first, rest;

	(void)str_to_c(text, name, sizeof(name)); /* no longer than the device string, which fits */
	*value = str_trim(str_from_c(getenv(name)));
	if (value->len == 0) {
		strbuf_printf(why, "environment variable %s is not set", name);
		return -E_MISSING;
	}
	(void)str_split(*value, ',', &first, &rest);
	if (is_pci(str_trim(first)))
		*value = str_trim(first);
	return 0;
}

static int too_long(struct str text, struct strbuf *why)
{
	strbuf_printf(why, "device \"%.*s...\" is too long", STR_FMT(str_sub(text, 0, 32)));
	return -E_TOO_LONG;
}

static int pci_take(struct str name, struct rt_device *d, struct strbuf *why)
{
	struct strbuf b = strbuf_of(d->name, sizeof(d->name) - 1);

	d->kind = RT_DEVICE_PCI;
	if (is_pci_short(name))
		strbuf_put(&b, PCI_DOMAIN);
	strbuf_put(&b, name);
	return b.full ? too_long(name, why) : 0;
}

static bool on_kernel_interface(struct str driver)
{
	return str_eq(driver, STR("net_af_xdp")) || str_eq(driver, STR("net_af_packet"));
}

static int vdev_take(struct str name, uint32_t number, struct rt_device *d, struct strbuf *why)
{
	struct strbuf b = strbuf_of(d->name, sizeof(d->name) - 1);
	struct str driver = name, iface;

	d->kind = RT_DEVICE_VDEV;
	while (driver.len > 0 && is_digit(driver.s[driver.len - 1]))
		driver.len--;
	strbuf_put(&b, name);
	if (driver.len == name.len)
		strbuf_u64(&b, number);
	if (b.full || driver.len >= sizeof(d->driver))
		return too_long(name, why);
	(void)str_to_c(driver, d->driver, sizeof(d->driver));
	if (!on_kernel_interface(driver))
		return 0;
	if (!rt_device_arg(d, "iface", &iface) || iface.len == 0) {
		strbuf_printf(why, "%s needs an interface: %s,iface=NAME", d->driver, d->driver);
		return -E_MALFORMED;
	}
	if (iface.len >= sizeof(d->iface)) {
		strbuf_printf(why, "interface name \"%.*s\" is too long", STR_FMT(iface));
		return -E_TOO_LONG;
	}
	(void)str_to_c(iface, d->iface, sizeof(d->iface));
	return 0;
}

int rt_device_parse(const char *device, uint32_t n, uint32_t number, struct rt_device *d,
		    struct strbuf *why)
{
	struct str text, name, args;
	int ret;

	*d = (struct rt_device){ .kind = RT_DEVICE_VDEV };
	if (n >= RT_ALTERNATIVES_MAX || !alternative(str_from_c(device), n, &text))
		return -E_NOT_FOUND;
	if (str_starts_with(text, STR("env:"))) {
		ret = variable(str_sub(text, 4, text.len), &text, why);
		if (ret != 0)
			return ret;
	}
	(void)str_split(text, ',', &name, &args);
	name = str_trim(name);
	if (args.len >= sizeof(d->args) || name.len >= sizeof(d->name)) {
		return too_long(text, why);
	}
	(void)str_to_c(args, d->args, sizeof(d->args));
	if (is_pci(name))
		return pci_take(name, d, why);
	if (is_name(name))
		return vdev_take(name, number, d, why);
	strbuf_printf(why, "\"%.*s\" is neither a PCI address nor the name of a driver",
		      STR_FMT(name));
	return -E_MALFORMED;
}

bool rt_device_arg(const struct rt_device *d, const char *key, struct str *value)
{
	struct str rest = str_from_c(d->args), pair, k;
	bool more = true;

	while (more) { /* each turn takes one pair of a bounded text */
		more = str_split(rest, ',', &pair, &rest);
		(void)str_split(pair, '=', &k, value);
		if (str_eq(k, str_from_c(key)))
			return true;
	}
	*value = STR_NONE;
	return false;
}

int rt_device_arg_default(struct rt_device *d, const char *key, uint32_t value)
{
	struct strbuf b = strbuf_of(d->args, sizeof(d->args) - 1);
	struct str have;

	if (rt_device_arg(d, key, &have))
		return 0;
	b.len = str_from_c(d->args).len;
	strbuf_printf(&b, "%s%s=%u", b.len > 0 ? "," : "", key, value);
	if (b.full)
		return -E_TOO_LONG;
	d->args[b.len] = '\0';
	return 0;
}
