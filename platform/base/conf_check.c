/* SPDX-License-Identifier: Apache-2.0 */
/* The cross checks: what no single key can say about itself.
 *
 * Each function looks at one concept over the whole configuration, fills in the indexes that names
 * stand for, and complains where the operator has to mend something. Values that the reader refused
 * are still empty, or their default; empty ones are passed over: one mistake is one complaint. */
#include "platform/base/conf_reader.h"

#define CPUS_MAX 1024	  /* CPU numbers in a list are below, as in the kernel's cpu_set_t     */
#define RUN_DIR_MAX 92	  /* + "/dataplane.sock" fits sockaddr_un.sun_path of 108              */
#define IPV6_MTU_MIN 1280 /* RFC 8200 §5                                                       */
#define HANG_MIN_MS 100	  /* shorter is within what a scheduler may do to a healthy process    */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Element i has a name that one before it has. names: of the first element, stride bytes apart. */
static void check_names(const struct conf_reader *rd, const char *table, const char *names,
			size_t stride, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		const char *name = names + i * stride;

		for (uint32_t j = 0; j < i && name[0] != '\0'; j++) {
			if (!same_text(name, names + j * stride))
				continue;
			conf_complain(rd->report, conf_where(rd, "%s.%u.name", table, i),
				      "the name %s is taken in %s, by element %u", name, table,
				      j + 1);
			break;
		}
	}
}

static bool at_least(const struct conf_reader *rd, const char *section, const char *large_key,
		     uint32_t large, const char *small_key, uint32_t small)
{
	if (large >= small)
		return true;
	conf_complain(rd->report, conf_where(rd, "%s.%s", section, large_key),
		      "%s.%s = %u must not be less than %s = %u", section, large_key, large,
		      small_key, small);
	return false;
}

static void check_numbers(const struct conf_reader *rd, const struct conf *c)
{
	at_least(rd, "txn", "t2_ms", c->t2_ms, "t1_ms", c->t1_ms);
	at_least(rd, "txn", "timer_b_ms", c->timer_b_ms, "t1_ms", c->t1_ms);
	at_least(rd, "limits", "msg_bytes", c->msg_bytes, "header_bytes", c->header_bytes);
	at_least(rd, "limits", "header_bytes", c->header_bytes, "uri_bytes", c->uri_bytes);
	at_least(rd, "limits", "fragment_bytes", c->fragment_bytes, "fragment_bytes_per_source",
		 c->fragment_bytes_per_source);
	at_least(rd, "control", "lost_ms", c->control_lost_ms, "hang_ms", c->control_hang_ms);
	at_least(rd, "registrar", "expires_default_s", c->expires_default_s, "expires_min_s",
		 c->expires_min_s);
	at_least(rd, "registrar", "expires_max_s", c->expires_max_s, "expires_default_s",
		 c->expires_default_s);
	if (c->control_hang_ms > 0 && c->control_hang_ms < HANG_MIN_MS)
		conf_complain(
			rd->report, conf_where(rd, "control.hang_ms"),
			"control.hang_ms = %u ends healthy processes: write 0 (never) or at least "
			"%u ms",
			c->control_hang_ms, HANG_MIN_MS);
	if ((c->ring_records & (c->ring_records - 1)) != 0)
		conf_complain(rd->report, conf_where(rd, "memory.ring_records"),
			      "memory.ring_records = %u must be a power of two", c->ring_records);
	if (strlen(c->run_dir) > RUN_DIR_MAX)
		conf_complain(
			rd->report, conf_where(rd, "node.run_dir"),
			"node.run_dir has %zu octets; the path of a socket in it would be too long "
			"beyond %u",
			strlen(c->run_dir), RUN_DIR_MAX);
}

/* "7" or "8-11". */
static int parse_cpu_range(struct str s, uint32_t *first, uint32_t *last)
{
	struct str from, to;
	bool range = str_split(s, '-', &from, &to);

	if (str_to_u32(str_trim(from), CPUS_MAX - 1, first) != 0)
		return -E_MALFORMED;
	*last = *first;
	if (range && str_to_u32(str_trim(to), CPUS_MAX - 1, last) != 0)
		return -E_MALFORMED;
	return *first <= *last ? 0 : -E_MALFORMED;
}

static void check_cpus(const struct conf_reader *rd, const struct conf *c)
{
	struct conf_place where = conf_where(rd, "cores.cpus");
	bool taken[CPUS_MAX] = {false};
	struct str rest = str_from_c(c->cpus), one;
	uint32_t n = 0, first, last;
	bool more = true;

	if (str_eq(rest, STR("auto")))
		return;
	while (more) {
		more = str_split(rest, ',', &one, &rest);
		if (parse_cpu_range(one, &first, &last) != 0) {
			conf_complain(rd->report, where,
				      "cores.cpus: \"%.*s\" is no CPU and no range of CPUs "
				      "(0..%u); write \"auto\" or a list such as \"2,3,8-11\"",
				      STR_FMT(one), CPUS_MAX - 1);
			return;
		}
		for (uint32_t cpu = first; cpu <= last; cpu++, n++) {
			if (taken[cpu]) {
				conf_complain(rd->report, where, "cores.cpus names CPU %u twice",
					      cpu);
				return;
			}
			taken[cpu] = true;
		}
	}
	if (n < c->polled)
		conf_complain(rd->report, where,
			      "cores.cpus names %u CPUs, cores.polled = %u needs as many", n,
			      c->polled);
}

static bool has_family(const struct conf_interface *f, bool is4)
{
	for (uint32_t i = 0; i < f->n_addresses; i++)
		if (f->address[i].len > 0 && ip_is4(&f->address[i].ip) == is4)
			return true;
	return false;
}

/* All bits behind the prefix are v (0 or 1). */
static bool host_bits_are(const struct ip_prefix *p, uint32_t v)
{
	for (uint32_t bit = p->len; bit < 128; bit++)
		if ((p->ip.b[bit / 8] >> (7 - bit % 8) & 1u) != v)
			return false;
	return true;
}

/* Why no host may have this address, or NULL. RFC 1122 §3.2.1.3; RFC 3021 §2.1 for /31. */
static const char *not_a_host(const struct ip_prefix *p)
{
	bool is4 = ip_is4(&p->ip);

	if (is4 && p->ip.b[12] == 0)
		return "is in 0.0.0.0/8, which names no host";
	if (ip_is_multicast(&p->ip))
		return "is a multicast address";
	if (is4 && (p->ip.b[12] == 127 || p->ip.b[12] >= 240))
		return "is loopback or reserved";
	if (is4 && p->len < 127 && host_bits_are(p, 0))
		return "is the network's own number: write our address in it";
	if (is4 && p->len < 127 && host_bits_are(p, 1))
		return "is the network's broadcast address";
	return NULL;
}

static bool address_before(const struct conf *c, uint32_t n, uint32_t n_address,
			   const struct ip *ip)
{
	for (uint32_t i = 0; i <= n; i++)
		for (uint32_t j = 0; j < (i < n ? c->interface[i].n_addresses : n_address); j++)
			if (ip_eq(&c->interface[i].address[j].ip, ip))
				return true;
	return false;
}

static void check_addresses(const struct conf_reader *rd, const struct conf *c, uint32_t n)
{
	const struct conf_interface *f = &c->interface[n];
	struct conf_place where = conf_where(rd, "interfaces.%u.addresses", n);
	char text[IP_TEXT_MAX];

	for (uint32_t i = 0; i < f->n_addresses; i++) {
		const struct ip_prefix *p = &f->address[i];
		const char *wrong = not_a_host(p);

		if (p->len == 0)
			continue;
		ip_print(&p->ip, false, text);
		if (wrong != NULL)
			conf_complain(rd->report, where, "interfaces.addresses: %s %s", text,
				      wrong);
		else if (address_before(c, n, i, &p->ip))
			conf_complain(rd->report, where, "interfaces.addresses: %s stands twice",
				      text);
	}
	if (has_family(f, false) && f->mtu < IPV6_MTU_MIN)
		conf_complain(rd->report, conf_where(rd, "interfaces.%u.mtu", n),
			      "interfaces.mtu = %u is too small for IPv6, which needs %u", f->mtu,
			      IPV6_MTU_MIN);
}

/* Why the router cannot be reached from this interface, or NULL. */
static const char *not_on_link(const struct conf_interface *f, const struct ip *hop)
{
	if (ip_is_multicast(hop))
		return "is no address of a router";
	for (uint32_t i = 0; i < f->n_addresses; i++)
		if (ip_eq(&f->address[i].ip, hop))
			return "is our own address";
	if (!ip_is4(hop) && ip_is_linklocal(hop))
		return NULL;
	for (uint32_t i = 0; i < f->n_addresses; i++)
		if (ip_in_prefix(hop, &f->address[i]))
			return NULL;
	return "is in no network of the interface's addresses";
}

static void check_route(const struct conf_reader *rd, const struct conf *c, uint32_t n, uint32_t r)
{
	const struct conf_interface *f = &c->interface[n];
	const struct conf_route *route = &f->route[r];
	struct conf_place where = conf_where(rd, "interfaces.%u.routes.%u.via", n, r);
	char text[IP_TEXT_MAX];

	if (route->to.len > 128)
		return;
	for (uint32_t i = 0; i < route->n_hops; i++) {
		const struct ip *hop = &route->hop[i];
		const char *wrong = not_on_link(f, hop);

		if (ip_is_zero(hop))
			continue;
		if (ip_is4(hop) != ip_is4(&route->to.ip))
			wrong = "is not of the family of the network behind it";
		ip_print(hop, false, text);
		if (wrong != NULL)
			conf_complain(rd->report, where, "interfaces.routes.via: %s %s", text,
				      wrong);
		for (uint32_t j = 0; j < i; j++)
			if (ip_eq(hop, &route->hop[j]))
				conf_complain(rd->report, where,
					      "interfaces.routes.via: %s stands twice", text);
	}
	where = conf_where(rd, "interfaces.%u.routes.%u.to", n, r);
	ip_print(&route->to.ip, false, text);
	if (!host_bits_are(&route->to, 0))
		conf_complain(rd->report, where,
			      "interfaces.routes.to: %s has bits set behind the network's length",
			      text);
	for (uint32_t j = 0; j < r; j++)
		if (memcmp(&f->route[j].to, &route->to, sizeof(route->to)) == 0)
			conf_complain(rd->report, where,
				      "interfaces.routes: a second route to the same network; "
				      "name both routers in one via");
}

/* The port of that name. ret its index, or n_ports. */
static uint32_t find_port(const struct conf *c, const char *name)
{
	uint32_t i = 0;

	while (i < c->n_ports && !same_text(c->port[i].name, name))
		i++;
	return i;
}

static uint32_t find_interface(const struct conf *c, const char *name)
{
	uint32_t i = 0;

	while (i < c->n_interfaces && !same_text(c->interface[i].name, name))
		i++;
	return i;
}

static void check_vlan(const struct conf_reader *rd, const struct conf *c, uint32_t n)
{
	const struct conf_interface *f = &c->interface[n];

	for (uint32_t i = 0; i < n; i++) {
		if (!same_text(c->interface[i].port, f->port) || c->interface[i].vlan != f->vlan)
			continue;
		conf_complain(rd->report, conf_where(rd, "interfaces.%u.vlan", n),
			      "interface %s: port %s has the interface %s %s already", f->name,
			      f->port, c->interface[i].name,
			      f->vlan == 0 ? "without VLAN" : "in this VLAN");
		return;
	}
}

static void check_interfaces(const struct conf_reader *rd, struct conf *c)
{
	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		struct conf_interface *f = &c->interface[i];
		uint32_t port = find_port(c, f->port);

		if (f->port[0] != '\0' && port == c->n_ports)
			conf_complain(rd->report, conf_where(rd, "interfaces.%u.port", i),
				      "interface %s: there is no port %s in ports", f->name,
				      f->port);
		else if (f->port[0] != '\0')
			check_vlan(rd, c, i);
		f->port_index = port < c->n_ports ? port : 0;
		check_addresses(rd, c, i);
		for (uint32_t r = 0; r < f->n_routes; r++)
			check_route(rd, c, i, r);
	}
}

/* host, host:port, [v6], [v6]:port. */
static bool is_hostport(struct str s)
{
	struct str host = s, port = STR_NONE;
	struct ip ip;
	uint32_t v;
	int64_t end = s.len > 0 && s.s[0] == '[' ? str_find(s, ']') : -1;
	int64_t colon = end >= 0 ? end + 1 : str_find(s, ':');

	if (colon >= 0 && colon < s.len) {
		host = str_sub(s, 0, (uint32_t)colon);
		port = str_sub(s, (uint32_t)colon + 1, s.len);
		if (s.s[colon] != ':' || str_to_u32(port, 65535, &v) != 0 || v == 0)
			return false;
	}
	if (end >= 0)
		return ip_parse(host, &ip) == 0;
	return conf_is_name(host);
}

static void check_transport(const struct conf_reader *rd, struct conf_place where,
			    uint32_t transport)
{
	static const char *const name[] = {"", "udp", "tcp", "tls", "ws", "wss"};

	if (transport != CONF_UDP)
		conf_complain(rd->report, where,
			      "%s comes with the streams work; only udp is served by this "
			      "version",
			      name[transport]);
}

static void check_listener_address(const struct conf_reader *rd, const struct conf *c, uint32_t n)
{
	const struct conf_listener *l = &c->listener[n];
	const struct conf_interface *f = &c->interface[l->interface_index];
	struct conf_place where = conf_where(rd, "listeners.%u.address", n);
	char text[IP_TEXT_MAX];
	uint32_t i = 0;

	ip_print(&l->address, false, text);
	while (i < f->n_addresses && !ip_eq(&f->address[i].ip, &l->address))
		i++;
	if (i == f->n_addresses)
		conf_complain(rd->report, where,
			      "listener %s: %s is none of the addresses of interface %s", l->name,
			      text, f->name);
	for (i = 0; i < n; i++) {
		const struct conf_listener *other = &c->listener[i];

		if (ip_eq(&other->address, &l->address) && other->port == l->port &&
		    other->transport == l->transport)
			conf_complain(rd->report, where,
				      "listener %s: %s is on the same address, port and "
				      "transport",
				      l->name, other->name);
	}
}

static void check_listeners(const struct conf_reader *rd, struct conf *c)
{
	for (uint32_t i = 0; i < c->n_listeners; i++) {
		struct conf_listener *l = &c->listener[i];
		uint32_t interface = find_interface(c, l->interface);
		bool known = l->interface[0] != '\0' && interface < c->n_interfaces;

		if (l->interface[0] != '\0' && !known)
			conf_complain(rd->report, conf_where(rd, "listeners.%u.interface", i),
				      "listener %s: there is no interface %s in interfaces",
				      l->name, l->interface);
		l->interface_index = known ? interface : 0;
		if (known && !ip_is_zero(&l->address))
			check_listener_address(rd, c, i);
		check_transport(rd, conf_where(rd, "listeners.%u.transport", i), l->transport);
		if (l->advertise[0] != '\0' && !is_hostport(str_from_c(l->advertise)))
			conf_complain(rd->report, conf_where(rd, "listeners.%u.advertise", i),
				      "listener %s: advertise = \"%s\" is no host[:port]", l->name,
				      l->advertise);
	}
}

/* Host names are compared without case (RFC 4343). */
static void check_hosts(const struct conf_reader *rd, const struct conf *c)
{
	for (uint32_t i = 0; i < c->n_hosts; i++) {
		const struct conf_host *h = &c->host[i];

		check_transport(rd, conf_where(rd, "proxy.hosts.%u.transport", i), h->transport);
		for (uint32_t j = 0; j < i; j++) {
			const struct conf_host *o = &c->host[j];

			if (!str_ieq(str_from_c(h->name), str_from_c(o->name)) ||
			    h->name[0] == '\0' || h->transport != o->transport ||
			    ip_is4(&h->address) != ip_is4(&o->address))
				continue;
			conf_complain(rd->report, conf_where(rd, "proxy.hosts.%u.name", i),
				      "%s has an address of this family and transport already, in "
				      "element %u",
				      h->name, j + 1);
			break;
		}
	}
}

static void check_domains(const struct conf_reader *rd, const struct conf *c)
{
	for (uint32_t i = 1; i < c->n_domains; i++)
		for (uint32_t j = 0; j < i; j++)
			if (c->domain[i][0] != '\0' &&
			    str_ieq(str_from_c(c->domain[i]), str_from_c(c->domain[j])))
				conf_complain(rd->report, conf_where(rd, "proxy.domains"),
					      "proxy.domains names %s twice", c->domain[i]);
}

void conf_check(const struct conf_reader *rd, struct conf *c)
{
	check_numbers(rd, c);
	check_cpus(rd, c);
	check_domains(rd, c);
	check_hosts(rd, c);
	check_names(rd, "ports", c->port[0].name, sizeof(c->port[0]), c->n_ports);
	check_names(rd, "interfaces", c->interface[0].name, sizeof(c->interface[0]),
		    c->n_interfaces);
	check_interfaces(rd, c);
	check_names(rd, "listeners", c->listener[0].name, sizeof(c->listener[0]), c->n_listeners);
	check_listeners(rd, c);
}
