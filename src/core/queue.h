/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's backlog: what its driver could not take at once.
 */
#ifndef VNET_QUEUE_H
#define VNET_QUEUE_H

#include <vnet/client.h>
#include <vnet/frame.h>
#include <vnet/switch.h>

#include "core.h"
#include "heap.h"

/* Of weights, by powers of two: 1 to 1024. */
#define VNET_QUEUE_RANKS 11

/*
 * A queue is made of sub-queues, one for each source with a backlog, served by
 * deficit round robin in octets (Shreedhar and Varghese, SIGCOMM 1995). The
 * heaviest that is there gets a few frames in a round, the others in proportion:
 * were a round longer than the queue, who stays below its share would lose
 * frames while it waits for its turn.
 *
 * A sub-queue is a string of records in blocks of the pool: small frames share a
 * block, long ones span several. So a sub-queue holds at least one block, an
 * idle client holds none, and memory does not fragment.
 *
 * What a queue holds is counted in blocks, which is what backlogs cost. A queue
 * grows to no more than its quota. One block of the pool is every queue's own,
 * also of those that may still come. Of the rest no queue, and no source in all
 * queues together, takes more than is then still free (dynamic thresholds:
 * Choudhury and Hahne, IEEE/ACM ToN 1998): so who holds little finds something,
 * whatever others hold.
 *
 * A frame that would break a queue's bound takes the place of what is newest in
 * the longest sub-queues, as many blocks as are lacking (to a frame), if these
 * stay as long as its own would be. One that would break its source's bound does
 * so only where one sub-queue is longer than all that its source holds. Else it
 * is lost itself, and nothing else is.
 *
 * Frames leave in two steps, for a driver may take fewer than it is offered:
 * vnet_queue_peek() says which would be next, and vnet_queue_pop() takes out as
 * many as were taken. Both run the same schedule, each with a state of its own.
 */
struct vnet_queue {
	uint32_t slot;   /* the client's */
	uint32_t quota;  /* blocks that it may grow to, */
	uint32_t most;   /* or had when that was set, if these were more */
	uint32_t octets; /* of frames, on the wire */
	uint32_t frames;
	uint32_t blocks;
	uint32_t nsubs;
	uint32_t turn[2]; /* whose turn it is: in fact, in the peek */
	uint32_t nranked[2][VNET_QUEUE_RANKS]; /* sub-queues by weight */
	uint32_t peek_left; /* frames that the peek under way has not seen */
	uint64_t peek;      /* its number */
	struct vnet_heap longest; /* sub-queues by blocks */
};

/* One sub-queue's part in the schedule. */
struct vnet_turn {
	uint32_t block; /* where its first record is */
	uint32_t off;
	uint32_t frames;
	uint32_t deficit; /* what it may still send, in octets / 1024 */
	bool served;      /* has had this round's quantum */
};

struct vnet_sub {
	vnet_client_id source;
	uint32_t queue; /* slot of the client whose queue it is part of */
	uint32_t weight;
	uint32_t hash_next; /* also links the free ones */
	uint32_t ring_next;
	uint32_t ring_prev;
	uint32_t tail_block; /* where its newest record is */
	uint32_t tail_off;
	uint32_t end_block; /* where the next record goes */
	uint32_t end_off;
	uint32_t octets;
	uint32_t blocks;
	uint64_t peek; /* the last peek that came here: turn[1] is its */
	struct vnet_turn turn[2];
};

/* All backlogs of a switch. */
struct vnet_pool {
	uint8_t *data;        /* nblocks * VNET_POOL_BLOCK */
	uint32_t *next;       /* by block: the one linked behind it */
	struct vnet_sub *sub; /* nblocks: each holds one block at least */
	uint32_t *sub_hash;   /* nhash heads of chains, by queue and source */
	uint32_t *sub_pos;    /* of every queue's heap */
	struct vnet_queue **queue; /* by slot of client */
	uint32_t *held; /* by slot of client: blocks that it is the source of */
	vnet_client_id *client; /* by slot: whom these are counted for */
	uint32_t nblocks;
	uint32_t nused;
	uint32_t nidle; /* slots whose queue has no block: each may still have
			 * one, also where there is no client yet */
	uint32_t nqueues;
	uint32_t hash_bits;
	uint32_t free_block;
	uint32_t free_sub;
};

/* A frame that was dropped. */
struct vnet_loss {
	enum vnet_drop reason;
	uint32_t queue; /* slot of the client whose queue it was in, or for */
	vnet_client_id source;
	uint32_t octets;  /* on the wire */
	bool is_arriving; /* it is the one to be pushed */
	uint32_t freed;   /* blocks, for one push: 0 at the first call */
};

uint64_t vnet_pool_memory(uint64_t octets, uint32_t queues);
int vnet_pool_init(struct vnet_pool *pool, const struct vnet_alloc *alloc,
		   uint64_t octets, uint32_t queues);
void vnet_pool_fini(struct vnet_pool *pool, const struct vnet_alloc *alloc);

/* Blocks in so many octets. A queue with a quota of that has no more sub-queues:
 * so many nodes does vnet_queue_init() need for the largest quota to come. */
VNET_INLINE uint32_t
vnet_queue_quota(uint64_t octets)
{
	return (uint32_t)(octets / VNET_POOL_BLOCK);
}

void vnet_queue_init(struct vnet_queue *q, struct vnet_pool *pool,
		     vnet_client_id client, uint32_t quota,
		     struct vnet_heap_node *nodes);

/* What it holds beyond a smaller quota leaves as any frame does, and meanwhile
 * it does not grow. */
void vnet_queue_set_quota(struct vnet_queue *q, uint32_t quota);

/* The client has gone; its queue is empty. */
void vnet_queue_fini(struct vnet_pool *pool, struct vnet_queue *q);

/*
 * Append a copy of @f, from @source with that @weight. False if a frame was
 * dropped: @loss says which. Where that is not the arriving one, call again with
 * the same @loss.
 */
bool vnet_queue_push(struct vnet_pool *pool, struct vnet_queue *q,
		     vnet_client_id source, uint32_t weight,
		     const struct vnet_frame *f, struct vnet_loss *loss);

/* Begin to look at what is next. */
void vnet_queue_peek_begin(struct vnet_queue *q);

/*
 * The next frame, lent until the queue is touched. One that spans blocks is put
 * together at *@scratch, which is stepped, and *@room with it. False if there is
 * none, or no room for it.
 */
bool vnet_queue_peek(struct vnet_pool *pool, struct vnet_queue *q,
		     struct vnet_frame *f, uint8_t **scratch, size_t *room);

/* Take out the next frame, the first that a peek from here showed. Returns its
 * octets on the wire. */
uint32_t vnet_queue_pop(struct vnet_pool *pool, struct vnet_queue *q);

/* Throw everything away. */
void vnet_queue_purge(struct vnet_pool *pool, struct vnet_queue *q);

/* Is every queue in order, and the pool the sum of them? For tests. */
bool vnet_pool_check(const struct vnet_pool *pool);

#endif
