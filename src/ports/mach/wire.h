/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that MIG does not lay out for us: the frames that clients receive, what
 * is not in Debian's device.defs, and the Hurd's protocols, whose .defs are not
 * packaged. For both ABIs, by octets, so that a test can look at either on any
 * machine: on i386 everything is aligned to 4, on x86_64 to 8, and descriptors
 * differ (<mach/message.h> of 2023 and later; reference of the sizes: MIG's
 * output).
 *
 * Byte order is little-endian, that of both.
 */
#ifndef VNET_MACH_WIRE_H
#define VNET_MACH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vnet/frame.h>

enum vnet_wire_abi {
	VNET_WIRE_I386,
	VNET_WIRE_X86_64,
};

/* That of the machine that this is compiled for. */
#define VNET_WIRE_HERE (sizeof(void *) == 8 ? VNET_WIRE_X86_64 : VNET_WIRE_I386)

/* mach_msg_type_name_t, as far as it is used here (<mach/message.h>). */
enum {
	VNET_WIRE_INT16 = 1,
	VNET_WIRE_INT32 = 2,
	VNET_WIRE_CHAR = 8,
	VNET_WIRE_BYTE = 9,
	VNET_WIRE_INT64 = 11,
	VNET_WIRE_STRING = 12,
	VNET_WIRE_MOVE_SEND = 17,
	VNET_WIRE_MOVE_SEND_ONCE = 18,
	VNET_WIRE_COPY_SEND = 19,
	VNET_WIRE_MAKE_SEND = 20,
	VNET_WIRE_MAKE_SEND_ONCE = 21,
};

/* What an answer's id has more than that of its request. */
#define VNET_WIRE_REPLY 100

/* A mach_msg_header_t, whatever the ABI. */
struct vnet_wire_header {
	uint32_t bits;
	uint32_t size;
	uint32_t remote;
	uint32_t local;
	uint32_t id;
};

/*
 * Frames
 */

/* Octets of a net_rcv_msg with the longest frame, on any ABI. */
#define VNET_WIRE_NET_RCV_MAX 4216

/* Lay out the message of a frame of 14 to 14 + 4091 octets, without tags out of
 * band, in full: what is not the frame's is zero. The right that it goes to is
 * put in by the caller: vnet_wire_set_remote(). Return: msgh_size. */
size_t vnet_wire_net_rcv(uint8_t *out, enum vnet_wire_abi abi,
			 const struct vnet_frame *f);

/* The destination and its disposition, into a header that is there. */
void vnet_wire_set_remote(uint8_t *msg, enum vnet_wire_abi abi, uint32_t name,
			  uint32_t disposition);

/* Read a net_rcv_msg of @size octets that anybody may have made up: the frame,
 * into @frame of @room octets. Return: its length; 0 if it is none, or does not
 * fit, or is shorter than 14 octets. */
size_t vnet_wire_net_rcv_read(const uint8_t *msg, size_t size,
			      enum vnet_wire_abi abi, uint8_t *frame,
			      size_t room);

/*
 * Others: written and read item by item, each with its descriptor.
 */

struct vnet_wire_writer {
	uint8_t *msg;
	size_t len, room;
	enum vnet_wire_abi abi;
	bool is_complex;
	bool is_full; /* something did not fit: end() returns 0 */
};

void vnet_wire_begin(struct vnet_wire_writer *w, void *msg, size_t room,
		     enum vnet_wire_abi abi, const struct vnet_wire_header *h);
void vnet_wire_put_int32(struct vnet_wire_writer *w, const uint32_t *v,
			 uint32_t n);
/* A number that is as long as an address (rpc_long_natural_t). */
void vnet_wire_put_natural(struct vnet_wire_writer *w, uintptr_t v);
/* An array of @n elements of @type, of INT16 and INT32 in the byte order of the
 * message, of rights as they are named in it; the others are octets. */
void vnet_wire_put_octets(struct vnet_wire_writer *w, uint32_t type,
			  const void *p, uint32_t n, bool is_long);
void vnet_wire_put_right(struct vnet_wire_writer *w, uint32_t name,
			 uint32_t disposition);
/* Memory out of line, octets. */
void vnet_wire_put_memory(struct vnet_wire_writer *w, uintptr_t address,
			  uint32_t n, bool deallocate);
/* The first item of every reply of MIG: RetCode. */
void vnet_wire_put_return(struct vnet_wire_writer *w, int32_t code);
/* msgh_size, which is in the header then, as is the bit COMPLEX; 0 if it did
 * not fit. */
size_t vnet_wire_end(struct vnet_wire_writer *w);

struct vnet_wire_reader {
	const uint8_t *msg;
	size_t pos, len;
	enum vnet_wire_abi abi;
	bool is_complex;
	bool is_wrong; /* something was not as asked for: close() says so */
};

/* Begin behind the header. @size is what the kernel said of it. */
void vnet_wire_open(struct vnet_wire_reader *r, const void *msg, size_t size,
		    enum vnet_wire_abi abi, struct vnet_wire_header *h);
uint32_t vnet_wire_get_int32(struct vnet_wire_reader *r);
/* An inline array of @type, *@n octets; NULL and 0 if it is none. Lent. */
const uint8_t *vnet_wire_get_octets(struct vnet_wire_reader *r, uint32_t type,
				    uint32_t *n);
/* A right, as it came: its disposition as received. There is none in a message
 * that is not complex; likewise memory. */
uint32_t vnet_wire_get_right(struct vnet_wire_reader *r, uint32_t *disposition);
uintptr_t vnet_wire_get_memory(struct vnet_wire_reader *r, uint32_t *n);
/* Was all of it as asked for, and nothing left? */
bool vnet_wire_close(const struct vnet_wire_reader *r);

/*
 * Is this message what it says it is? Walks the descriptors of a complex one
 * against @size. For a message that the kernel has delivered. Of one that is not
 * complex nothing is a right or memory, whatever it says: what reads it must
 * look at each descriptor.
 */
bool vnet_wire_is_whole(const uint8_t *msg, size_t size,
			enum vnet_wire_abi abi);

/* Call back for each right of a complex message, and each piece of memory that
 * goes with it ("deallocate"): in one that was received, all of them. */
struct vnet_wire_visitor {
	void (*right)(void *ctx, uint32_t name, uint32_t disposition);
	void (*memory)(void *ctx, uintptr_t address, size_t octets);
	void *ctx;
};
void vnet_wire_visit(const uint8_t *msg, size_t size, enum vnet_wire_abi abi,
		     const struct vnet_wire_visitor *v);

#endif
