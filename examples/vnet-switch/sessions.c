/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session is pending from when somebody connects until it has a client, or
 * ends. Anybody may connect: of many who say nothing, those of one user make
 * room for others.
 *
 * One that another one has delegated is not pending, since there are as many as
 * the grant of that one allows. It may wait for its client for ever.
 *
 * What sessions ask for takes the time of this thread, and the switch for parts
 * of it. So that whoever asks for much costs others little they wait in a line,
 * each with one request, and the line has a fourth of the time, and what comes
 * at once up to a hundredth of a second more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"
#include "plant_attach.h"
#include "plant_client.h"
#include "plant_port.h"
#include "schema.h"
#include "sessions.h"
#include "socket_file.h"

/* The part of the time that the line has, and nanoseconds that it may be ahead
 * of that. */
#define PART     4
#define AHEAD_NS 40000000

/* How long nobody is taken when there are no descriptors, in microseconds. */
#define PAUSE_US 100000

/* How long somebody may be silent before they have to make room. */
#define GRACE_NS (VNET_NSEC_PER_SEC / 2)

/**
 * struct entrance - a socket that sessions come by
 * @nusers:	ports that share it
 */
struct entrance {
	struct entrance *next;
	struct sessions *all;
	unsigned int nusers;
	int fd;
	struct event *event;
	struct socket_file file;
	char *path;
};

/**
 * struct session - somebody who has connected
 * @entrance:	where; NULL from when it has a client
 * @event:	it can be read; while it is pending also: it was silent
 * @since:	when it has connected
 * @client:	NULL while it has none
 * @grant:	what was delegated to it, and ends with it
 * @insns:	of that, as it was made
 * @from:	who has delegated it; or NULL
 * @given:	those that it has delegated, the youngest first
 * @next, @at:	in the list of those pending, or of @from's; @at is NULL where it is
 *		in neither
 * @behind:	who is next in line, where @is_in_line
 */
struct session {
	struct sessions *all;
	struct entrance *entrance;
	struct vnet_session *s;
	struct vnet_session_peer peer;
	struct event *event;
	vnet_nsec since;
	struct plant_client *client;
	char grant[VNET_GRANT_NAME_SIZE];
	vnet_grant_id grant_id;
	uint64_t insns;
	struct session *from;
	struct session *given;
	struct session *next;
	struct session **at;
	struct session *behind;
	bool is_in_line;
};

/**
 * struct sessions - all of them
 * @pending:	the youngest first
 * @line:	who has something to ask, up to *@line_end
 * @turn:	when the line is worked at
 * @paid_until:	when the line has had its part of the time for what it did
 * @resume:	when connections are taken again
 * @is_paused:	none are taken
 * @ngiven:	how many were delegated, ever
 * @given_insns: of the grants of those that there are
 */
struct sessions {
	struct plant *plant;
	struct entrance *entrances;
	struct session *pending;
	unsigned int npending;
	struct session *line;
	struct session **line_end;
	struct event *turn;
	vnet_nsec paid_until;
	struct event *resume;
	bool is_paused;
	uint32_t ngiven;
	uint64_t given_insns;
};

const struct vnet_session_peer *
session_peer(const struct session *s)
{
	return &s->peer;
}

struct vnet_session *
session_of(const struct session *s)
{
	return s->s;
}

const char *
session_grant(const struct session *s)
{
	return s->from ? s->grant : NULL;
}

const struct session *
session_from(const struct session *s)
{
	return s->from;
}

/*
 * Taking connections
 */

static void
set_paused(struct sessions *all, bool is_paused)
{
	if (all->is_paused == is_paused)
		return;
	all->is_paused = is_paused;
	for (struct entrance *e = all->entrances; e; e = e->next)
		if (is_paused)
			event_del(e->event);
		else
			event_add(e->event, NULL);
}

static void
resume(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	set_paused(ctx, false);
}

static bool
is_pending(const struct session *s)
{
	return s->at && !s->from;
}

static void
enlist(struct session *s, struct session **list)
{
	s->at = list;
	s->next = *list;
	if (s->next)
		s->next->at = &s->next;
	*list = s;
}

static void
leave_list(struct session *s)
{
	struct session **at = s->at;

	if (!at)
		return;
	*at = s->next;
	if (s->next)
		s->next->at = at;
	s->at = NULL;
}

static void
add_pending(struct session *s)
{
	enlist(s, &s->all->pending);
	s->all->npending++;
}

static void
remove_pending(struct session *s)
{
	if (!is_pending(s))
		return;
	leave_list(s);
	s->all->npending--;
	if (!event_pending(s->all->resume, EV_TIMEOUT, NULL))
		set_paused(s->all, false);
}

static unsigned int
count_of(const struct sessions *all, uid_t uid)
{
	unsigned int n = 0;

	for (const struct session *s = all->pending; s; s = s->next)
		n += s->peer.uid == uid;
	return n;
}

/* The oldest of the user who has the most. */
static struct session *
find_least(const struct sessions *all)
{
	struct session *least = NULL;
	unsigned int most = 0;

	for (struct session *s = all->pending; s; s = s->next) {
		const unsigned int n = count_of(all, s->peer.uid);

		if (n >= most) {
			most = n;
			least = s;
		}
	}
	return least;
}

static void
leave_line(struct session *s)
{
	struct session **at = &s->all->line;

	if (!s->is_in_line)
		return;
	while (*at != s)
		at = &(*at)->behind;
	*at = s->behind;
	if (!*at)
		s->all->line_end = at;
	s->is_in_line = false;
}

/* Its client goes, and its grant, with all below that. */
static struct vnet_medium *
end_client(struct session *s)
{
	struct plant_client *client = s->client;
	struct plant *plant = s->all->plant;
	struct vnet_medium *m = NULL;

	if (!client && !s->from)
		return NULL;
	plant_hold(plant);
	if (client) {
		m = client->m;
		plant_client_remove(client);
	}
	if (s->from)
		vnet_grant_revoke(plant->sw, s->grant_id);
	plant_unlock(plant);
	return m;
}

void
session_end_given(struct session *s)
{
	while (s->given)
		session_end(s->given);
}

/* Has the grant ended that it was delegated with? */
static bool
is_over(const struct session *s)
{
	struct vnet_grant_info info = {.size = sizeof(info)};
	struct plant *plant = s->all->plant;
	int r;

	plant_lock(plant);
	r = vnet_grant_get(plant->sw, s->grant_id, &info);
	plant_unlock(plant);
	return r != 0;
}

void
session_end_over(struct session *s)
{
	struct session **at = &s->given;

	while (*at) {
		struct session *given = *at;

		given->at = at;
		if (!given->client && is_over(given))
			session_end(given);
		else
			at = &given->next;
	}
}

void
session_end(struct session *s)
{
	struct vnet_medium *m = end_client(s);

	session_end_given(s);
	leave_line(s);
	remove_pending(s);
	leave_list(s);
	s->all->given_insns -= s->insns;
	if (s->event)
		event_free(s->event);
	vnet_session_close(s->s);
	vnet_medium_close(m);
	free(s);
}

/* It ends by itself, or for what it did. */
static void
end(struct session *s, int error)
{
	struct plant *plant = s->all->plant;

	log_write(LOG_DEBUG, "%s of user %u, process %d: ended%s%s",
		  s->client ? s->client->name : "a session",
		  (unsigned int)s->peer.uid, (int)s->peer.pid,
		  error ? ": " : "", error ? strerror(-error) : "");
	session_end(s);
	plant_tell(plant);
}

/*
 * The line
 */

/* Wait for what it says next; while it is pending, not for ever. */
static void
wait_for(struct session *s)
{
	static const struct timeval silence = {.tv_sec = SESSIONS_SILENCE_S};

	event_add(s->event, is_pending(s) ? &silence : NULL);
}

static void
refuse(struct session *s, int error, const struct vnet_why *why)
{
	(void)vnet_session_answer(s->s, error, why);
	end(s, error);
}

/* The port that it is for: of what was delegated, that of who has. */
static int
find_port(const struct session *s, const char *vif, struct plant_port **port,
	  struct vnet_why *why)
{
	if (!s->from)
		return plant_attach_find(s->all->plant, s->entrance, vif, port,
					 why);
	*port = s->from->client->port;
	if (!*vif || !strcmp(vif, (*port)->name))
		return 0;
	why->text = "it was delegated for another vif";
	return -ENOENT;
}

static void
open_client(struct session *s, const struct vnet_request *r)
{
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_why why = {0};
	struct plant_port *p;
	int e = s->client ? -EPROTO : 0;

	if (e) {
		end(s, e);
		return;
	}
	e = find_port(s, r->vif, &p, &why);
	if (!e)
		e = plant_attach_admit(p, s, &s->client, &info, &why);
	if (e) {
		refuse(s, e, &why);
		return;
	}
	s->entrance = NULL;
	remove_pending(s);
	plant_tell(s->all->plant);
	e = vnet_session_welcome(s->s, &info);
	if (e)
		end(s, e);
	else
		wait_for(s);
}

static void
set_filters(struct session *s, const struct vnet_request *r)
{
	struct vnet_why why = {0};
	int e = s->client ? plant_client_ask(s->client, r, &why) : -EPROTO;

	if (s->client)
		e = vnet_session_answer(s->s, e, e ? &why : NULL);
	if (e)
		end(s, e);
	else
		wait_for(s);
}

/* It has answered, or could not. */
static void
go_on(struct session *s, int e)
{
	if (e)
		end(s, e);
	else
		wait_for(s);
}

static void
tell_grant(struct session *s)
{
	static const struct vnet_why none = {.text = "there is no grant"};
	struct vnet_grant_info info = {.size = sizeof(info)};
	struct plant *plant = s->all->plant;
	int e;

	plant_lock(plant);
	e = vnet_grant_get(plant->sw,
			   vnet_client_grant(plant->sw, s->client->id), &info);
	/* Its lists are lent for as long as the lock is held. */
	if (!e)
		e = vnet_session_grant(s->s, &info.grant);
	else
		e = vnet_session_answer(s->s, e, &none);
	plant_unlock(plant);
	go_on(s, e);
}

static void
revoke_grant(struct plant *plant, vnet_grant_id grant)
{
	plant_hold(plant);
	vnet_grant_revoke(plant->sw, grant);
	plant_unlock(plant);
}

/* With the lock. */
static uint64_t
insns_of(const struct plant *plant, vnet_grant_id grant)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	if (vnet_grant_get(plant->sw, grant, &info))
		return 0;
	return (uint64_t)info.ninsns[VNET_INGRESS] + info.ninsns[VNET_EGRESS];
}

/* The switch's room for instructions is everybody's: of it what was delegated
 * gets a fourth. With the lock. */
static int
check_insns(const struct session *s, vnet_grant_id grant, struct vnet_why *why)
{
	struct plant *plant = s->all->plant;
	const uint64_t bound =
		schema_number(json_object_get(plant->running, "switch"),
			      "max_insns") /
		4;
	const uint64_t all = s->all->given_insns + insns_of(plant, grant);

	if (all <= bound)
		return 0;
	vnet_grant_revoke(plant->sw, grant);
	why->text = "more instructions than there are for what is delegated";
	why->found = all;
	why->bound = bound;
	return -ENOSPC;
}

/* One more grant, below that of a client: GRANT/NUMBER, as no other is called. */
static int
make_grant(struct session *s, struct vnet_grant grant, char *name,
	   vnet_grant_id *id, enum vnet_grant_part *part, struct vnet_why *why)
{
	struct vnet_grant_info above = {.size = sizeof(above)};
	struct plant *plant = s->all->plant;
	vnet_grant_id parent;
	int e;

	plant_hold(plant);
	parent = vnet_client_grant(plant->sw, s->client->id);
	e = vnet_grant_get(plant->sw, parent, &above);
	if (e) {
		why->text = "there is no grant to give a part of";
	} else {
		(void)snprintf(name, VNET_GRANT_NAME_SIZE, "%.20s/%" PRIu32,
			       above.grant.name, ++s->all->ngiven);
		grant.name = name;
		e = vnet_grant_add(plant->sw, parent, &grant, id, part, why);
		if (!e)
			e = check_insns(s, *id, why);
	}
	plant_unlock(plant);
	return e;
}

static int add_given(struct session *from, struct vnet_session *s,
		     const char *name, vnet_grant_id grant);

static void
delegate(struct session *s, struct vnet_request *r)
{
	enum vnet_grant_part part = VNET_GRANT_UNDECIDED;
	char name[VNET_GRANT_NAME_SIZE];
	struct vnet_session *given;
	struct vnet_why why = {0};
	vnet_grant_id grant;
	int e;

	/* Nobody tells of one that ends by its time, and has no client. */
	session_end_over(s);
	e = make_grant(s, r->grant, name, &grant, &part, &why);
	if (e) {
		go_on(s, vnet_session_refuse(s->s, e, part, &why));
		return;
	}
	e = vnet_session_delegate(s->s, &given, &why);
	if (!e && !add_given(s, given, name, grant)) {
		log_write(LOG_DEBUG, "client %s: delegates, as grant %s",
			  s->client->name, name);
		wait_for(s);
		return;
	}
	revoke_grant(s->all->plant, grant);
	go_on(s,
	      !e || e == -EPIPE ? e : vnet_session_refuse(s->s, e, part, &why));
}

/* One request. */
static void
serve(struct session *s)
{
	struct vnet_request request = {.size = sizeof(request)};
	int r = vnet_session_next(s->s, &request);

	if (r <= 0) {
		go_on(s, r);
		return;
	}
	switch (request.type) {
	case VNET_REQUEST_OPEN:
		open_client(s, &request);
		break;
	case VNET_REQUEST_FILTERS:
		set_filters(s, &request);
		break;
	case VNET_REQUEST_GRANT:
		tell_grant(s);
		break;
	case VNET_REQUEST_DELEGATE:
		delegate(s, &request);
		break;
	}
}

static void
schedule(struct sessions *all)
{
	const vnet_nsec now = plant_now() + AHEAD_NS;
	const vnet_nsec wait =
		all->paid_until > now ? (all->paid_until - now) / 1000 : 0;
	const struct timeval later = {
		.tv_sec = (time_t)(wait / 1000000),
		.tv_usec = (suseconds_t)(wait % 1000000),
	};

	if (all->line && !event_pending(all->turn, EV_TIMEOUT, NULL))
		event_add(all->turn, &later);
}

static void
take_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct sessions *all = ctx;
	const vnet_nsec begin = plant_now();

	(void)fd;
	(void)what;
	if (all->line) {
		struct session *s = all->line;

		leave_line(s);
		serve(s);
	}
	if (all->paid_until < begin)
		all->paid_until = begin;
	all->paid_until += PART * (plant_now() - begin);
	schedule(all);
}

static void
on_session(evutil_socket_t fd, short what, void *ctx)
{
	struct session *s = ctx;
	struct sessions *all = s->all;

	(void)fd;
	if (what & EV_TIMEOUT) {
		end(s, -ETIMEDOUT);
		return;
	}
	s->is_in_line = true;
	s->behind = NULL;
	*all->line_end = s;
	all->line_end = &s->behind;
	schedule(all);
}

/*
 * Entrances
 */

static void
pause_for(struct sessions *all)
{
	static const struct timeval pause = {.tv_usec = PAUSE_US};

	set_paused(all, true);
	event_add(all->resume, &pause);
}

/* Are some of those in line pending? When they are served there is room: those
 * who have a client make none. */
static bool
is_served_soon(const struct sessions *all)
{
	const struct session *s = all->line;

	while (s && !is_pending(s))
		s = s->behind;
	return s;
}

/* Of those who say nothing one goes. But where some have said something, they
 * are served soon, and others may be about to. */
static void
make_room(struct sessions *all)
{
	struct session *least = find_least(all);

	if (is_served_soon(all))
		set_paused(all, true);
	else if (plant_now() - least->since < GRACE_NS)
		pause_for(all);
	else
		end(least, -EBUSY);
}

/* Takes @s. NULL if there is no memory. */
static struct session *
new_session(struct sessions *all, struct vnet_session *s)
{
	struct session *new = calloc(1, sizeof(*new));

	if (!new) {
		vnet_session_close(s);
		return NULL;
	}
	new->all = all;
	new->s = s;
	new->since = plant_now();
	new->peer.size = sizeof(new->peer);
	return new;
}

/* Hear it, once it is in its list. */
static void
begin(struct session *s)
{
	s->event = event_new(s->all->plant->base, vnet_session_fd(s->s),
			     EV_READ, on_session, s);
	if (!s->event || vnet_session_peer(s->s, &s->peer))
		session_end(s);
	else
		wait_for(s);
}

/* Takes @s. */
static void
add_session(struct entrance *e, struct vnet_session *s)
{
	struct session *new = new_session(e->all, s);

	if (!new)
		return;
	new->entrance = e;
	add_pending(new);
	begin(new);
}

/* Takes @s, and the grant, which is to end with it: or returns -ENOMEM. */
static int
add_given(struct session *from, struct vnet_session *s, const char *name,
	  vnet_grant_id grant)
{
	struct session *new = new_session(from->all, s);

	if (!new)
		return -ENOMEM;
	(void)snprintf(new->grant, sizeof(new->grant), "%s", name);
	new->grant_id = grant;
	new->from = from;
	plant_lock(new->all->plant);
	new->insns = insns_of(new->all->plant, grant);
	plant_unlock(new->all->plant);
	new->all->given_insns += new->insns;
	enlist(new, &from->given);
	begin(new);
	return 0;
}

static void
on_connection(evutil_socket_t fd, short what, void *ctx)
{
	struct entrance *e = ctx;
	struct vnet_session *s;
	struct vnet_why why = {0};
	int r;

	(void)what;
	if (e->all->npending >= SESSIONS_PENDING_MAX) {
		make_room(e->all);
		return;
	}
	r = vnet_attach_accept(&s, fd, &why);
	if (!r) {
		add_session(e, s);
	} else if (r != -EAGAIN) {
		/* To try again at once would only keep us busy. */
		log_write(LOG_WARNING, "%s: a session: %s: %s", e->path,
			  why.text ? why.text : "cannot take it", strerror(-r));
		pause_for(e->all);
	}
}

static struct entrance *
find_entrance(const struct sessions *all, const char *path)
{
	struct entrance *e = all->entrances;

	while (e && strcmp(e->path, path) != 0)
		e = e->next;
	return e;
}

int
entrance_open(struct entrance **entrance, struct sessions *sessions,
	      const char *path, struct complaint *c)
{
	struct entrance *e = find_entrance(sessions, path);
	struct vnet_why why = {0};
	char what[160];
	int r;

	if (e) {
		e->nusers++;
		*entrance = e;
		return 0;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return complain(c, -ENOMEM, "no memory");
	/* Who may attach is not the file's to say. */
	r = vnet_attach_listen(path, 0666, &e->fd, &why);
	if (r) {
		free(e);
		(void)snprintf(what, sizeof(what), "path %s", path);
		return complain_why(c, r, what, &why);
	}
	socket_file_note(&e->file, path);
	e->all = sessions;
	e->nusers = 1;
	e->path = strdup(path);
	e->event = event_new(sessions->plant->base, e->fd, EV_READ | EV_PERSIST,
			     on_connection, e);
	e->next = sessions->entrances;
	sessions->entrances = e;
	if (!e->path || !e->event) {
		entrance_close(e);
		return complain(c, -ENOMEM, "no memory");
	}
	if (!sessions->is_paused)
		event_add(e->event, NULL);
	*entrance = e;
	return 0;
}

/* Those who have connected there, and have not said for what. */
static void
end_pending(struct entrance *e)
{
	struct session *next;

	for (struct session *s = e->all->pending; s; s = next) {
		next = s->next;
		if (s->entrance == e)
			session_end(s);
	}
}

void
entrance_close(struct entrance *entrance)
{
	struct entrance **at;

	if (!entrance || --entrance->nusers)
		return;
	end_pending(entrance);
	at = &entrance->all->entrances;
	while (*at != entrance)
		at = &(*at)->next;
	*at = entrance->next;
	if (entrance->event)
		event_free(entrance->event);
	close(entrance->fd);
	if (entrance->path)
		socket_file_remove(&entrance->file, entrance->path);
	free(entrance->path);
	free(entrance);
}

/*
 * The whole
 */

int
sessions_create(struct sessions **sessions, struct plant *plant,
		struct complaint *c)
{
	struct sessions *all = calloc(1, sizeof(*all));

	if (!all)
		return complain(c, -ENOMEM, "no memory");
	all->plant = plant;
	all->line_end = &all->line;
	all->turn = evtimer_new(plant->base, take_turn, all);
	all->resume = evtimer_new(plant->base, resume, all);
	if (!all->turn || !all->resume) {
		sessions_destroy(all);
		return complain(c, -ENOMEM, "no memory");
	}
	*sessions = all;
	return 0;
}

void
sessions_destroy(struct sessions *sessions)
{
	if (!sessions)
		return;
	if (sessions->resume)
		event_free(sessions->resume);
	if (sessions->turn)
		event_free(sessions->turn);
	free(sessions);
}
