/* SPDX-License-Identifier: Apache-2.0 */
/* What parsing costs: ns a message and bytes a cycle, for each form of the lexer.
 *
 *   bench-parse [seconds-per-line]
 *
 * The messages are what phones and trunks send, header order and length included. Each is parsed
 * from 64 copies at different offsets, so that neither alignment nor a branch predictor that has
 * learnt one address flatters the number. Cycles are TSC cycles. The best of several rounds is
 * printed: the machine may be shared, and nothing makes a round too fast. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#define cycles_now() __rdtsc()
#else
#define cycles_now() 0
#endif
#include "platform/sip/lex.h"
#include "platform/sip/msg.h"

#define COPIES 64
#define ROUND 20000 /* messages a round: some milliseconds */

static const struct {
	const char *name;
	struct str bytes;
} messages[] = {
	{"INVITE",
	 STR("INVITE sip:+4930123456@sip.example.net;user=phone SIP/2.0\r\n"
	     "Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bK-524287-1---a1f0c3d2e4b59687;rport\r\n"
	     "Max-Forwards: 70\r\n"
	     "Contact: <sip:alice@192.0.2.17:5060;transport=udp>\r\n"
	     "To: <sip:+4930123456@sip.example.net>\r\n"
	     "From: \"Alice Example\" <sip:alice@sip.example.net>;tag=8f2c6b1d\r\n"
	     "Call-ID: 83122OGJkN2Q0ZTM1YjU2ZmI0Yjc2M2FlYTg2NTc\r\n"
	     "CSeq: 1 INVITE\r\n"
	     "Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO\r\n"
	     "Content-Type: application/sdp\r\n"
	     "User-Agent: Example-Phone/5.2.1\r\n"
	     "Content-Length: 135\r\n"
	     "\r\n"
	     "v=0\r\n"
	     "o=- 13374 1 IN IP4 192.0.2.17\r\n"
	     "s=-\r\n"
	     "c=IN IP4 192.0.2.17\r\n"
	     "t=0 0\r\n"
	     "m=audio 49170 RTP/AVP 8 0 101\r\n"
	     "a=rtpmap:101 telephone-event/8000\r\n")},
	{"REGISTER",
	 STR("REGISTER sip:sip.example.net SIP/2.0\r\n"
	     "Via: SIP/2.0/TCP 198.51.100.4:49152;branch=z9hG4bKnashds7;rport;alias\r\n"
	     "Max-Forwards: 70\r\n"
	     "From: <sip:1001@sip.example.net>;tag=456248\r\n"
	     "To: <sip:1001@sip.example.net>\r\n"
	     "Call-ID: 843817637684230@998sdasdh09\r\n"
	     "CSeq: 1826 REGISTER\r\n"
	     "Contact: <sip:1001@198.51.100.4:49152;transport=tcp>;expires=3600;"
	     "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1\r\n"
	     "Authorization: Digest username=\"1001\", realm=\"sip.example.net\", "
	     "nonce=\"84a4cc6f3082121f32b42a2187831a9e\", uri=\"sip:sip.example.net\", "
	     "response=\"7587245234b3434cc3412213e5f113a5\", algorithm=MD5\r\n"
	     "Supported: path, outbound\r\n"
	     "Expires: 3600\r\n"
	     "Content-Length: 0\r\n"
	     "\r\n")},
	{"OPTIONS", STR("OPTIONS sip:sip.example.net SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK77asjd\r\n"
			"From: <sip:ping@203.0.113.9>;tag=77\r\n"
			"To: <sip:sip.example.net>\r\n"
			"Call-ID: 3b1c7e42@203.0.113.9\r\n"
			"CSeq: 41 OPTIONS\r\n"
			"Max-Forwards: 70\r\n"
			"Content-Length: 0\r\n"
			"\r\n")},
	{"200", STR("SIP/2.0 200 OK\r\n"
		    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK4b43c2ff8.1\r\n"
		    "Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bK-524287-1---a1f0c3d2e4b59687"
		    ";received=192.0.2.17;rport=5060\r\n"
		    "Record-Route: <sip:192.0.2.1;lr>\r\n"
		    "From: \"Alice Example\" <sip:alice@sip.example.net>;tag=8f2c6b1d\r\n"
		    "To: <sip:+4930123456@sip.example.net>;tag=as58f4201b\r\n"
		    "Call-ID: 83122OGJkN2Q0ZTM1YjU2ZmI0Yjc2M2FlYTg2NTc\r\n"
		    "CSeq: 1 INVITE\r\n"
		    "Contact: <sip:4930123456@198.51.100.20:5060>\r\n"
		    "Server: Example-PBX 18.2\r\n"
		    "Content-Length: 0\r\n"
		    "\r\n")},
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Best ns and cycles a message within the time. */
static void measure(struct str message, double seconds, double *ns, double *cycles)
{
	static const struct sip_limits limits = {SIP_MSG_MAX, 1024, 8192, 128};
	static struct sip_msg m;
	struct sip_fault fault;
	struct str copy[COPIES];
	char *room = malloc(COPIES * (size_t)(message.len + 64));
	double end_ns = now_ns() + seconds * 1e9;

	if (!room)
		exit(1);
	for (uint32_t i = 0; i < COPIES; i++) {
		copy[i] = (struct str){room + i * (message.len + 64) + i * 7 % 64, message.len};
		memcpy(room + i * (message.len + 64) + i * 7 % 64, message.s, message.len);
	}
	*ns = *cycles = 1e18;
	do {
		double start_ns = now_ns(), took_ns;
		uint64_t start = cycles_now();

		for (int i = 0; i < ROUND; i++) {
			if (sip_msg_parse(copy[i % COPIES], &limits, &m, &fault) != 0) {
				fprintf(stderr, "not parsed: %s\n", fault.text);
				exit(1);
			}
		}
		took_ns = (now_ns() - start_ns) / ROUND;
		if (took_ns < *ns) {
			*ns = took_ns;
			*cycles = (double)(cycles_now() - start) / ROUND;
		}
	} while (now_ns() < end_ns);
	free(room);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.3;

	printf("%-8s %-10s %6s %10s %10s %12s\n", "form", "message", "bytes", "ns", "cycles",
	       "bytes/cycle");
	for (const char *const *form = lex_forms(); *form; form++) {
		if (lex_choose(*form) != 0)
			return 1;
		for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
			double ns, cycles;

			measure(messages[i].bytes, seconds, &ns, &cycles);
			printf("%-8s %-10s %6u %10.1f %10.0f %12.2f\n", *form, messages[i].name,
			       messages[i].bytes.len, ns, cycles,
			       cycles > 0 ? (double)messages[i].bytes.len / cycles : 0);
		}
	}
	return 0;
}
