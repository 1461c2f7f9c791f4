/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libconfig trusts what it reads: it opens what is included, be it a FIFO or a
 * folder (of which it ends the program), cuts text at a NUL and numbers at 32
 * bits, and looks through all of a group for each setting that it adds. So it
 * is given one text without includes, in which all of that has been looked for.
 *
 * That takes to know what is a string and what is a comment; the rest of the
 * language is libconfig's.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_source.h"

/* Octets, and files, all together. */
#define TEXT_MAX  (16 << 20)
#define FILES_MAX 1000

/* Of files that include one another; of groups and lists in one another, where
 * a configuration has four; of settings in a group, where it has some twenty, or
 * grants (libconfig compares each with all before it); of elements in a list, as
 * many as there can be ports. */
#define INCLUDES_MAX 8
#define NESTING_MAX  16
#define SETTINGS_MAX 1024
#define ELEMENTS_MAX 65536

/* What words and numbers are made of. */
#define WORD                         \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"abcdefghijklmnopqrstuvwxyz" \
	"0123456789*-._"

/* Lines from @first on are those of a file from @line on. */
struct run {
	unsigned int first;
	unsigned int line;
	const char *file; /* of conf_source.files */
};

struct conf_source {
	char *text;
	size_t len;
	unsigned int line; /* of the text */
	struct run *runs;
	size_t nruns;
	char **files;
	size_t nfiles;
	/* What is open where the text ends, and what it has so far. */
	size_t nesting;
	unsigned int nsettings[NESTING_MAX + 1];
	unsigned int ncommas[NESTING_MAX + 1];
	struct complaint *c;
};

/* What is being read: of which file, and where. */
struct reader {
	const char *file;
	const char *at;
	const char *begin; /* not in the text yet */
	unsigned int line;
	unsigned int depth;
	bool is_first; /* in its line, blanks aside */
};

static int
no_memory(struct conf_source *s)
{
	return complain(s->c, -ENOMEM, "no memory");
}

static int
refuse(struct conf_source *s, const struct reader *r, const char *what)
{
	return complain(s->c, -EINVAL, "%s:%u: %s", r->file, r->line, what);
}

/* The same name, for as long as the source is there. */
static const char *
keep_name(struct conf_source *s, const char *name)
{
	char **files = reallocarray(s->files, s->nfiles + 1, sizeof(*s->files));

	if (!files)
		return NULL;
	s->files = files;
	files[s->nfiles] = strdup(name);
	return files[s->nfiles] ? files[s->nfiles++] : NULL;
}

/* What follows is from where the reader is. */
static int
begin_run(struct conf_source *s, const struct reader *r)
{
	struct run *runs =
		reallocarray(s->runs, s->nruns + 1, sizeof(*s->runs));

	if (!runs)
		return no_memory(s);
	s->runs = runs;
	runs[s->nruns++] = (struct run){
		.first = s->line,
		.line = r->line,
		.file = r->file,
	};
	return 0;
}

static int
append(struct conf_source *s, const struct reader *r, const char *text,
       size_t len)
{
	char *grown;

	if (len > TEXT_MAX - s->len)
		return refuse(s, r, "more than 16 MiB, all files together");
	grown = realloc(s->text, s->len + len + 1);
	if (!grown)
		return no_memory(s);
	s->text = grown;
	memcpy(grown + s->len, text, len);
	s->len += len;
	grown[s->len] = '\0';
	for (size_t i = 0; i < len; i++)
		s->line += text[i] == '\n';
	return 0;
}

/* Put what has been read into the text. */
static int
flush(struct conf_source *s, struct reader *r)
{
	int e = append(s, r, r->begin, (size_t)(r->at - r->begin));

	r->begin = r->at;
	return e;
}

static void
advance(struct reader *r, size_t n)
{
	for (; n; n--)
		r->line += *r->at++ == '\n';
}

static void
skip_line(struct reader *r)
{
	advance(r, strcspn(r->at, "\n"));
}

static int
skip_comment(struct conf_source *s, struct reader *r)
{
	const char *end = strstr(r->at + 2, "*/");

	if (!end)
		return refuse(s, r, "a comment that does not end");
	advance(r, (size_t)(end + 2 - r->at));
	return 0;
}

static int
skip_string(struct conf_source *s, struct reader *r)
{
	const struct reader begin = *r;

	advance(r, 1);
	while (*r->at != '"') {
		if (!*r->at)
			return refuse(s, &begin, "a text that does not end");
		if (!strncasecmp(r->at, "\\x00", 4))
			return refuse(s, r, "a NUL in a text");
		advance(r, r->at[0] == '\\' &&
					   (r->at[1] == '\\' || r->at[1] == '"')
				   ? 2
				   : 1);
	}
	advance(r, 1);
	return 0;
}

/* Does libconfig read the number that it is? It has 31 bits for one, in base 16
 * 32, and 64 for one that ends with "L". */
static bool
is_in_bounds(const char *word, size_t len)
{
	const bool is_hex = word[0] == '0' && (word[1] | 0x20) == 'x';
	const bool is_long = word[len - 1] == 'L';
	const unsigned long long most = is_long  ? INT64_MAX
					: is_hex ? UINT32_MAX
						 : INT32_MAX;

	/* Of any other form it is no such number. */
	return !isdigit((unsigned char)*word) ||
	       strtoull(word, NULL, is_hex ? 16 : 10) <= most;
}

/* A word: what is made of letters, digits and "*-._". */
static int
skip_word(struct conf_source *s, struct reader *r)
{
	const char *word = r->at;

	if (!is_in_bounds(word, strspn(word, WORD)))
		return refuse(s, r,
			      "a number out of bounds: one of more than "
			      "31 bits needs an \"L\" at its end");
	advance(r, strspn(word, WORD));
	return 0;
}

static int
skip_bracket(struct conf_source *s, struct reader *r)
{
	if (strchr("({[", *r->at)) {
		if (s->nesting == NESTING_MAX)
			return refuse(s, r,
				      "groups and lists nested more than "
				      "16 deep");
		s->nesting++;
		s->nsettings[s->nesting] = 0;
		s->ncommas[s->nesting] = 0;
	} else if (s->nesting) {
		s->nesting--;
	}
	advance(r, 1);
	return 0;
}

static int
skip_equals(struct conf_source *s, struct reader *r)
{
	if (++s->nsettings[s->nesting] > SETTINGS_MAX)
		return refuse(s, r, "more than 1024 settings in a group");
	advance(r, 1);
	return 0;
}

static int
skip_comma(struct conf_source *s, struct reader *r)
{
	if (++s->ncommas[s->nesting] >= ELEMENTS_MAX)
		return refuse(s, r, "more than 65536 elements in a list");
	advance(r, 1);
	return 0;
}

static int read_file(struct conf_source *s, const char *name,
		     const struct reader *from, unsigned int depth);

/* The path that an included one means: *@path is to be freed. */
static int
include_path(struct conf_source *s, const struct reader *r, const char *name,
	     size_t len, char **path)
{
	const char *slash = strrchr(r->file, '/');
	const int folder =
		slash && *name != '/' ? (int)(slash + 1 - r->file) : 0;

	if (asprintf(path, "%.*s%.*s", folder, r->file, (int)len, name) < 0)
		return no_memory(s);
	return 0;
}

static int
include(struct conf_source *s, struct reader *r)
{
	static const char word[] = "@include";
	const char *p = r->at + sizeof(word) - 1;
	size_t len;
	char *path;
	int e;

	if (!r->is_first || strncmp(r->at, word, sizeof(word) - 1) != 0 ||
	    (*p != ' ' && *p != '\t'))
		return refuse(s, r, "a \"@\" that begins no @include");
	p += strspn(p, " \t");
	len = *p == '"' ? strcspn(p + 1, "\"\n") : 0;
	if (!len || p[len + 1] != '"' || len > TEXT_MAX)
		return refuse(s, r, "expected @include \"PATH\"");
	e = flush(s, r);
	if (!e)
		e = include_path(s, r, p + 1, len, &path);
	if (e)
		return e;
	e = read_file(s, path, r, r->depth + 1);
	free(path);
	if (e)
		return e;
	r->at = r->begin = p + len + 2;
	return begin_run(s, r);
}

/* One thing, whatever it is. */
static int
skip(struct conf_source *s, struct reader *r)
{
	const char *at = r->at;

	if (*at == '#' || (at[0] == '/' && at[1] == '/')) {
		skip_line(r);
		return 0;
	}
	if (at[0] == '/' && at[1] == '*')
		return skip_comment(s, r);
	if (*at == '"')
		return skip_string(s, r);
	if (*at == '@')
		return include(s, r);
	if (strchr("(){}[]", *at))
		return skip_bracket(s, r);
	if (*at == '=' || *at == ':')
		return skip_equals(s, r);
	if (*at == ',')
		return skip_comma(s, r);
	if (*at != '-' && strchr(WORD, *at)) /* the sign is by itself */
		return skip_word(s, r);
	advance(r, 1);
	return 0;
}

static int
read_text(struct conf_source *s, const char *text, const char *name,
	  unsigned int depth)
{
	struct reader r = {
		.file = keep_name(s, name),
		.at = text,
		.begin = text,
		.line = 1,
		.depth = depth,
		.is_first = true,
	};
	int e;

	if (!r.file)
		return no_memory(s);
	e = begin_run(s, &r);
	while (!e && *r.at) {
		const char c = *r.at;

		e = skip(s, &r);
		if (c == '\n')
			r.is_first = true;
		else if (c != ' ' && c != '\t')
			r.is_first = false;
	}
	if (!e)
		e = flush(s, &r);
	/* libconfig knows no comment without an end of line. */
	return e ? e : append(s, &r, "\n", 1);
}

/* All of a file that is open, and no more than is too much, to be freed; NULL
 * with errno. */
static char *
load(int fd, size_t *len)
{
	char *text = malloc(TEXT_MAX + 2);
	ssize_t n = 1;

	*len = 0;
	while (text && n && *len <= TEXT_MAX) {
		n = read(fd, text + *len, TEXT_MAX + 1 - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			return NULL;
		}
		*len += (size_t)n;
	}
	if (text)
		text[*len] = '\0';
	return text;
}

/* A FIFO at that path must not hold us up. */
static int
open_file(const char *path, const char **what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		*what = S_ISDIR(st.st_mode) ? "a directory, expected a file"
					    : "no regular file";
		close(fd);
		return -1;
	}
	if (fd < 0)
		*what = strerror(errno);
	return fd;
}

static int
check_file(struct conf_source *s, const char *name, const char *text,
	   size_t len)
{
	struct reader r = {.file = name, .line = 1, .at = text};

	if (len > TEXT_MAX)
		return complain(s->c, -EFBIG, "%s: more than 16 MiB", name);
	if (strlen(text) == len)
		return 0;
	advance(&r, strlen(text));
	return refuse(s, &r, "a NUL");
}

/* "FILE: TEXT", or where it is included: "FILE:LINE: NAME: TEXT". */
static int
refuse_file(struct conf_source *s, const struct reader *from, const char *name,
	    const char *what)
{
	if (from)
		return complain(s->c, -EINVAL, "%s:%u: %s: %s", from->file,
				from->line, name, what);
	return complain(s->c, -EINVAL, "%s: %s", name, what);
}

static int
read_file(struct conf_source *s, const char *name, const struct reader *from,
	  unsigned int depth)
{
	const char *what = NULL;
	char *text;
	size_t len;
	int fd, e;

	if (s->nfiles == FILES_MAX)
		return refuse_file(s, from, name, "more than 1000 files");
	if (depth > INCLUDES_MAX)
		return refuse_file(s, from, name,
				   "files include one another more than 8 "
				   "deep");
	fd = open_file(name, &what);
	if (fd < 0)
		return refuse_file(s, from, name, what);
	text = load(fd, &len);
	if (!text)
		what = strerror(errno);
	close(fd);
	if (!text)
		return refuse_file(s, from, name, what);
	e = check_file(s, name, text, len);
	if (!e)
		e = read_text(s, text, name, depth);
	free(text);
	return e;
}

static struct conf_source *
create(struct complaint *c)
{
	struct conf_source *s = calloc(1, sizeof(*s));

	if (!s) {
		complain(c, -ENOMEM, "no memory");
		return NULL;
	}
	s->line = 1;
	s->c = c;
	return s;
}

struct conf_source *
conf_source_read(const char *path, struct complaint *c)
{
	struct conf_source *s = create(c);

	if (s && read_file(s, path, NULL, 0)) {
		conf_source_free(s);
		return NULL;
	}
	return s;
}

struct conf_source *
conf_source_take(const char *text, const char *name, struct complaint *c)
{
	struct conf_source *s = create(c);

	if (s && read_text(s, text, name, 0)) {
		conf_source_free(s);
		return NULL;
	}
	return s;
}

void
conf_source_free(struct conf_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nfiles; i++)
		free(s->files[i]);
	free(s->files);
	free(s->runs);
	free(s->text);
	free(s);
}

const char *
conf_source_text(const struct conf_source *s)
{
	return s->text;
}

void
conf_source_where(const struct conf_source *s, unsigned int line, char *text,
		  size_t size)
{
	const struct run *run = &s->runs[0];

	for (size_t i = 1; i < s->nruns && s->runs[i].first <= line; i++)
		run = &s->runs[i];
	if (line)
		(void)snprintf(text, size, "%s:%u", run->file,
			       run->line + line - run->first);
	else
		(void)snprintf(text, size, "%s", s->files[0]);
}
