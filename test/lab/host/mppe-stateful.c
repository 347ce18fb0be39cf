/* mppe-stateful.so: a pppd plugin that makes pppd insist on stateful MPPE (RFC 3078, section 3.2) in both directions.
 * Plain pppd only accepts stateful mode (option mppe-stateful) from a peer that asks for it, and never asks itself.
 *
 *   gcc -O2 -Wall -fPIC -shared -o mppe-stateful.so mppe-stateful.c        (package ppp-dev)
 *   pppd plugin ./mppe-stateful.so mppe-stateful require-mppe-128 …
 */
#include <pppd/pppd.h>
#include <pppd/fsm.h>
#include <pppd/ccp.h>
#include <pppd/mppe.h>
#include <string.h>

char pppd_version[] = VERSION;

enum {
	MPPE = 18, MPPE_LEN = 6,	/* CCP option type and length, RFC 3078, section 2 */
	HEADER = 4,			/* code, identifier, length */
	H = 0x01,			/* "stateless", in the first octet of the supported bits */
};

static void (*ccp_input)(int unit, u_char *packet, int len);

/* Answers a Configure-Request for stateless mode with a Nak for stateful; all else goes to pppd. */
static void input(int unit, u_char *p, int len)
{
	u_char nak[MPPE_LEN];
	if (len >= HEADER + MPPE_LEN && p[0] == CONFREQ && p[HEADER] == MPPE && p[HEADER + 1] == MPPE_LEN && p[HEADER + 2] & H) {
		memcpy(nak, p + HEADER, MPPE_LEN);
		nak[2] &= ~H;
		fsm_sdata(&ccp_fsm[unit], CONFNAK, p[1], nak, MPPE_LEN);
		return;
	}
	ccp_input(unit, p, len);
}

/* When the options are read and the link comes up: our own request asks for stateful mode. */
static void ask(void *unused, int phase)
{
	if (phase == PHASE_ESTABLISH)
		ccp_wantoptions[0].mppe |= MPPE_OPT_STATEFUL;
}

void plugin_init(void)
{
	ccp_input = ccp_protent.input;
	ccp_protent.input = input;
	add_notifier(&phasechange, ask, NULL);
}
