/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's log lines as ours.
 *
 * DPDK writes to a FILE and to syslog, with neither time nor limit; a driver in trouble writes a
 * line per packet. Here its stream is a FILE of ours whose write function makes a log event of
 * each line. The stream is not buffered, so a line arrives as one call; level is asked of DPDK,
 * which keeps it per thread during the call.
 *
 * A driver that logs from a polled core does so in trouble only; then one rate-limited line is
 * worth its system call. */
#include "platform/rt/eal_log.h"

#include <stdio.h>

#include <rte_log.h>

#include "platform/base/log.h"

static ssize_t says(void *cookie, const char *text, size_t len)
{
	struct str s = str_trim(str_of(text, len));

	if (s.len == 0)
		return (ssize_t)len;
	if ((uint32_t)rte_log_cur_msg_loglevel() <= RTE_LOG_ERR)
		LOG(LOG_ERROR, "dpdk", "says", "text=%s", log_quote(s));
	else
		LOG(LOG_WARN, "dpdk", "says", "text=%s", log_quote(s));
	return (ssize_t)len;
}

void rt_eal_log_take(void)
{
	cookie_io_functions_t functions = { .write = says };
	FILE *stream = fopencookie(NULL, "w", functions);

	if (!stream)
		return; /* DPDK goes on writing to stderr */
	(void)setvbuf(stream, NULL, _IOLBF, LOG_LINE_MAX); /* else it is fully buffered */
	if (rte_openlog_stream(stream) != 0)
		(void)fclose(stream); /* nothing was written */
}
