/* kernel-pptp.so: a pppd plugin that makes pppd a PPTP client whose data path is the kernel's pptp driver (fast, unlike
 * pptp-linux, which carries GRE in userspace). Debian ships no such plugin.
 *
 * It makes one call as PNS (RFC 2637, section 3.2.2). Whatever comes over the control connection after that ends it, be it
 * the end of the call, of the connection, or an Echo-Request after a minute: a lab client for short calls.
 *
 *   gcc -O2 -Wall -fPIC -shared -o kernel-pptp.so kernel-pptp.c        (package ppp-dev)
 *   pppd plugin ./kernel-pptp.so kpptp_server 192.168.51.1 name u1 password secret1 remotename server noauth updetach
 */
#define _GNU_SOURCE /* F_SETSIG */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_pppox.h>
#include <netinet/in.h>
#include <pppd/pppd.h>
#include <pppd/fsm.h>
#include <pppd/lcp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char pppd_version[] = VERSION;

enum { /* message types and their lengths, RFC 2637, sections 2.1 to 2.12 */
	SCCRQ = 1, SCCRQ_LEN = 156,
	OCRQ = 7, OCRQ_LEN = 168,
	CALL_CLEAR = 12, CALL_CLEAR_LEN = 16,
};

static char *server;
static int control = -1, data = -1;
static uint16_t our_call;

static option_t options[] = {
	{ "kpptp_server", o_string, &server, "address of the PPTP server" },
	{ NULL },
};

static void put16(uint8_t *b, uint16_t v) { b[0] = v >> 8; b[1] = v; }
static void put32(uint8_t *b, uint32_t v) { put16(b, v >> 16); put16(b + 2, v); }

static void header(uint8_t *b, int len, int type)
{
	memset(b, 0, len);
	put16(b, len);
	put16(b + 2, 1);
	put32(b + 4, 0x1a2b3c4d);
	put16(b + 8, type);
}

/* Reads one control message whole; its type, or -1. */
static int receive(uint8_t *b, int size)
{
	int have = 0, want = 12;
	while (have < want) {
		int n = read(control, b + have, want - have);
		if (n <= 0)
			return -1;
		have += n;
		if (have >= 2)
			want = b[0] << 8 | b[1];
		if (want < 12 || want > size)
			return -1;
	}
	return b[8] << 8 | b[9];
}

/* Sends a request of len octets in b; true when the reply has the type and result code 1 at result. */
static int ask(uint8_t *b, int len, int size, int reply, int result)
{
	return write(control, b, len) == len && receive(b, size) == reply && b[result] == 1;
}

/* Has pppd hang up when something comes over the control connection. pppd changes its process when it detaches. */
static void watch(void *unused, int pid)
{
	if (control >= 0) {
		fcntl(control, F_SETOWN, pid);
		fcntl(control, F_SETSIG, SIGHUP);
		fcntl(control, F_SETFL, O_ASYNC);
	}
}

static int kpptp_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1723) }, from;
	struct sockaddr_pppox here = { .sa_family = AF_PPPOX, .sa_protocol = PX_PROTO_PPTP }, there = here;
	socklen_t len;
	uint8_t b[512];

	if (server == NULL || !inet_aton(server, &to.sin_addr)) {
		error("kpptp: kpptp_server wants an address");
		return -1;
	}
	control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (control < 0 || connect(control, (void *)&to, sizeof to) < 0) {
		error("kpptp: connect: %m");
		return -1;
	}
	len = sizeof from;
	getsockname(control, (void *)&from, &len);

	header(b, SCCRQ_LEN, SCCRQ);
	put16(b + 12, 0x0100);		/* protocol version */
	put32(b + 16, 3);		/* framing: both */
	put32(b + 20, 3);		/* bearer: both */
	put16(b + 24, 1);		/* maximum channels */
	strcpy((char *)b + 28, "kpptp");
	strcpy((char *)b + 92, "lab");
	if (!ask(b, SCCRQ_LEN, sizeof b, SCCRQ + 1, 14)) {
		error("kpptp: no control connection");
		return -1;
	}

	here.sa_addr.pptp.sin_addr = from.sin_addr;
	data = socket(AF_PPPOX, SOCK_STREAM, PX_PROTO_PPTP);
	len = sizeof here;
	void *bound = &here;
	if (data < 0 || bind(data, bound, sizeof here) < 0 || getsockname(data, bound, &len) < 0) {
		error("kpptp: bind: %m");
		return -1;
	}
	our_call = here.sa_addr.pptp.call_id;

	header(b, OCRQ_LEN, OCRQ);
	put16(b + 12, our_call);
	put16(b + 14, 1);		/* serial number */
	put32(b + 16, 300);		/* minimum bits per second */
	put32(b + 20, 100000000);	/* maximum */
	put32(b + 24, 3);		/* bearer: any */
	put32(b + 28, 3);		/* framing: any */
	put16(b + 32, 64);		/* receive window */
	if (!ask(b, OCRQ_LEN, sizeof b, OCRQ + 1, 16)) {
		error("kpptp: the call was refused");
		return -1;
	}
	there.sa_addr.pptp.call_id = b[12] << 8 | b[13];
	there.sa_addr.pptp.sin_addr = to.sin_addr;
	void *peer = &there;
	if (connect(data, peer, sizeof there) < 0) {
		error("kpptp: connect of the call: %m");
		return -1;
	}
	watch(NULL, getpid());
	notice("kpptp: call %d -> %d", our_call, there.sa_addr.pptp.call_id);
	strlcpy(ppp_devnam, "kpptp", sizeof ppp_devnam);
	return data;
}

static void kpptp_disconnect(void)
{
	uint8_t b[CALL_CLEAR_LEN];
	if (control >= 0) {
		fcntl(control, F_SETFL, 0);
		header(b, CALL_CLEAR_LEN, CALL_CLEAR);
		put16(b + 12, our_call);
		if (write(control, b, sizeof b) == sizeof b)
			usleep(100000); /* for the answer to be on its way before the connection goes */
		close(control);
		control = -1;
	}
	if (data >= 0) {
		close(data);
		data = -1;
	}
}

static struct channel kpptp = {
	.options = options,
	.connect = kpptp_connect,
	.disconnect = kpptp_disconnect,
	.establish_ppp = generic_establish_ppp,
	.disestablish_ppp = generic_disestablish_ppp,
};

void plugin_init(void)
{
	add_options(options);
	add_notifier(&pidchange, watch, NULL);
	the_channel = &kpptp;
	modem = 0;
	lcp_wantoptions[0].neg_accompression = lcp_allowoptions[0].neg_accompression = 0;
	lcp_wantoptions[0].neg_pcompression = lcp_allowoptions[0].neg_pcompression = 0;
	lcp_wantoptions[0].neg_asyncmap = lcp_allowoptions[0].neg_asyncmap = 0;
}
