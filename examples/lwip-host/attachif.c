/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/pbuf.h>

#include "attachif.h"

_Static_assert(ETH_PAD_SIZE == 0, "a packet begins with its addresses");

/*
 * The whole packet, its checksums computed by lwIP. One that the switch has no
 * room for is lost, as in a NIC whose ring is full: TCP sends it again.
 */
static err_t
send_packet(struct netif *netif, struct pbuf *p)
{
	struct attachif *nic = netif->state;
	struct vnet_frame f = {.data = p->payload, .len = p->tot_len};
	int n;

	if (p->next) {
		pbuf_copy_partial(p, nic->room, p->tot_len, 0);
		f.data = nic->room;
	}
	n = vnet_attach_send(nic->attach, &f, 1);
	if (n == 1)
		return ERR_OK;
	return n == 0 ? ERR_MEM : ERR_IF;
}

/*
 * lwIP keeps what it is given, a frame is lent: so it gets a copy. Not in a
 * PBUF_POOL, which drivers mostly use: those of Debian's liblwip0 2.1.3 have 592
 * octets, where lwIP believes that they have 1536.
 */
static void
receive_frame(struct attachif *nic, const struct vnet_frame *f)
{
	struct pbuf *p;

	if (f->len > UINT16_MAX)
		return;
	p = pbuf_alloc(PBUF_RAW, (u16_t)f->len, PBUF_RAM);
	if (!p)
		return;
	if (pbuf_take(p, f->data, (u16_t)f->len) != ERR_OK ||
	    nic->netif.input(p, &nic->netif) != ERR_OK)
		pbuf_free(p);
}

int
attachif_read(struct attachif *nic)
{
	struct vnet_frame frames[VNET_ATTACH_BATCH];
	int n = vnet_attach_receive(nic->attach, frames, VNET_ATTACH_BATCH);

	for (int i = 0; i < n; i++)
		receive_frame(nic, &frames[i]);
	return n < 0 ? n : 0;
}

err_t
attachif_init(struct netif *netif)
{
	struct attachif *nic = netif->state;
	struct vnet_attach_info info = {.size = sizeof(info)};

	if (vnet_attach_get(nic->attach, &info))
		return ERR_IF;
	netif->name[0] = 'v';
	netif->name[1] = 'n';
	netif->output = etharp_output;
	netif->output_ip6 = ethip6_output;
	netif->linkoutput = send_packet;
	/* The vif's own by default, which other clients of it have, too. */
	netif->hwaddr_len = ETH_HWADDR_LEN;
	memcpy(netif->hwaddr, info.mac.octet, ETH_HWADDR_LEN);
	netif->mtu = info.mtu < UINT16_MAX ? (u16_t)info.mtu : UINT16_MAX;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
		       NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6 |
		       NETIF_FLAG_LINK_UP;
	return ERR_OK;
}
