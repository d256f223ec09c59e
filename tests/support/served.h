/* SPDX-License-Identifier: Apache-2.0 */
/* A running service with people in it, and clients that ask it things. */
#ifndef ATG_TESTS_SERVED_H
#define ATG_TESTS_SERVED_H

#include <curl/curl.h>
#include <jansson.h>

#include "made_cases.h"

#include "app/accounts.h"
#include "server/server.h"

typedef struct served {
    const database *where;
    made_cases made;
    service *s;
    CURL *curl; /* keeps its connection between asks; of one thread */
    char url[64];
    char authority[300];                      /* file of the local authority's certificate */
    char token[ROLES + 1][ACCOUNT_TOKEN + 1]; /* of `by` and, last, of `all` */
} served;

/* Somebody by name, or the one with all roles. */
enum { SERVED_ALL = ROLES, SERVED_NOBODY = -1 };

served served_open(const database *where, const service_options *options);
void served_close(served *w);
/* Stop the service alone, and start it again. */
void served_stop(served *w);
void served_start(served *w, const service_options *options);

/* As if this token's owner had confirmed who they are, for an hour. */
void served_confirm(served *w, int who);

typedef struct answer {
    long status; /* 0: none came */
    char *head;  /* all of it, lines with CR LF */
    char *body;
    size_t n_head, n_body;
    json_t *json; /* NULL: it is none */
} answer;

void answer_free(answer *a);
/* Some are asked for their status alone. */
#define ANSWER_AUTO __attribute__((cleanup(answer_free), unused)) answer

/* What a test leaves out of an ask is nothing. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
typedef struct ask {
    const char *method, *path;
    int who;             /* SERVED_NOBODY, a role, SERVED_ALL */
    const char *token;   /* in place of it */
    const char *body;    /* JSON; NULL: none */
    size_t n_body;       /* 0: up to its NUL */
    const char *purpose; /* NULL: none */
    const char *header[4];
} ask;

answer served_ask(const served *w, const ask *a);
/* Ask, and the status must be this one. */
answer served_must(const served *w, long status, const ask *a);
#define MUST(w, status, ...) served_must((w), (status), &(ask){__VA_ARGS__})

/* The value of a header; NULL: it is not there.  In a buffer of the answer's. */
bool answer_has(const answer *a, const char *line_part);
const char *answer_text(const answer *a, const char *key);

/* Bytes over TLS as they are, and what comes back until the other side closes or nothing comes for
 * `wait_ms`. */
typedef struct raw_client raw_client;
raw_client *raw_open(const served *w);
/* The same to a port of this machine, from one of its addresses; NULL: it does not let us in. */
raw_client *raw_dial(uint16_t port, const char *from);
bool raw_send(raw_client *c, const char *bytes, size_t n);
size_t raw_read(raw_client *c, char *ret, size_t size, int wait_ms);
/* What has come, once it has: the number of bytes; 0 or less: no more will. */
ssize_t raw_some(raw_client *c, char *ret, size_t size);
void raw_close(raw_client *c);
/* Only the connection, on which nothing was said yet; -1: none. */
int raw_connect(uint16_t port, const char *from);

/* A missing person to be entered, as a body. */
#define SERVED_MISSING                                                                             \
    "{\"kind\":\"missing\",\"fields\":{\"family_name\":\"Halvorsen\",\"given_name\":\"Liv\","      \
    "\"sex\":\"female\",\"born\":\"1984-03-12\",\"last_seen\":\"2026-11-01\",\"last_place\":"      \
    "\"Harbour of K1\",\"informant_name\":\"Ida Berg\",\"informant_contact\":\"+47 22 00 00 00\"," \
    "\"basis\":\"consent\"}}"

#endif
