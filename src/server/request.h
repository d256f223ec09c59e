/* SPDX-License-Identifier: Apache-2.0 */
/* A request from its first byte to the last of its answer, and the table of routes.
 *
 * Handlers run on the pool, one thread a request.  They call src/app and nothing below it, and
 * write their answer with the reply_ functions; what they allocate lies in the request's arena. */
#ifndef ATG_SERVER_REQUEST_H
#define ATG_SERVER_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>

#include "app/cases.h"
#include "base/json.h"
#include "server/limiter.h"
#include "server/problem.h"
#include "server/server.h"
#include "server/target.h"

typedef struct request request;
typedef int route_fn(request *q, atg_err *err);

enum {
    ROUTE_PUBLIC = 1,    /* without a session */
    ROUTE_PURPOSE = 2,   /* Antigone-Purpose is needed */
    ROUTE_MATCH = 4,     /* If-Match is needed */
    ROUTE_LONG = 8,      /* takes its time: few at once */
    ROUTE_HASH = 16,     /* hashes a password: few at once */
    ROUTE_NAVIGATE = 32, /* a page or a file that a browser may be led to from elsewhere */
    ROUTE_RAW = 64,      /* the handler reads the text of the body itself */
    ROUTE_STREAM = 128,  /* the answer goes on (events) */
    /* uses up a quota, and the answer tells what is left */
    ROUTE_LOOKS = 256,
    ROUTE_SEARCHES = 512,
    ROUTE_EXPORTS = 1024,
    ROUTE_JOB = 4096,    /* always done as a job (`job`) */
    ROUTE_RANGES = 8192, /* gives a part, too */
    ROUTE_WATCH = 2048,  /* whoever asks without a token waits for nobody who waits for the store */
};

enum {
    BODY_SMALL = 16 << 10,
    BODY_RECORD = 8 << 20,
    BODY_IMPORT = 64 << 20,
    BODY_PICTURE = 64 << 20,
    BODY_UPLOAD = 512 << 20, /* a piece of an upload; never in memory */
    TABLE_MAX = 128 << 20,   /* JSON that the worker makes of a table */
    ARENA_SMALL = 32 << 20,
    ARENA_LARGE = 256 << 20,
    REPLY_MAX = 256 << 20,
    ID_TEXT = 32,
    ADDRESS_TEXT = 46,
    REPLY_HEADS = 6,
};

typedef struct route {
    const char *method;
    const char *path; /* "/api/v1/files/{code}" */
    unsigned flags;
    size_t body; /* most bytes it takes; 0: no body */
    route_fn *run;
    route_fn *begin; /* before the body is read, which then goes on piece by piece (feed.h) */
    const char *tag, *summary;
    const char *query;         /* names with blanks between, "!" before those that are needed */
    const char *takes, *gives; /* schemas of the JSON of body and answer, or media ranges of what is
                                  no JSON; NULL: none */
    unsigned status;           /* of the answer when all went well */
    const char *job;           /* as what it is done behind the answer: always, or for whoever sends
                                  "Prefer: respond-async"; NULL: never */
    bool again;                /* such a job can be begun anew: it has no body */
    route_fn *may;             /* may this account?  Asked before it becomes a job; NULL: not */
    uint32_t roles;            /* bits of those who alone may; 0: the rights of the file say who */
} route;

/* All of them, in an order that is the same for the life of the process. */
enum { ROUTES_MAX = 128 };
uint32_t route_count(void);
const route *route_at(uint32_t i);

/* The route of a method and a path, and the values of the {words} of its path.  PROBLEM_UNKNOWN or
 * PROBLEM_METHOD, then with the methods there are in `ret_allow`. */
enum { ROUTE_WORDS = 4, ROUTE_ALLOW = 80 };
typedef struct route_found {
    const route *route;
    uint32_t index;
    atg_str word[ROUTE_WORDS];
    char allow[ROUTE_ALLOW];
} route_found;
problem_kind route_find(const char *method, const target *t, route_found *ret);

struct request {
    service *s;
    struct MHD_Connection *connection;
    atg_arena *arena;
    char id[ID_TEXT + 1];
    char address[ADDRESS_TEXT + 1];
    unsigned char address_key[LIMITER_KEY];
    int64_t began;   /* microseconds of a clock that goes on */
    const char *raw; /* the target as it came */
    target at;
    route_found found;
    const route *route; /* NULL until it is known */
    enum { STAGE_NEW, STAGE_BEGUN, STAGE_BODY, STAGE_RUNNING, STAGE_ANSWER, STAGE_SENT } stage;
    bool prefers_job; /* "respond-async" (RFC 7240) */
    bool head, drop;  /* only the head is wanted; what is left of the body is not read */

    atg_str authorization, purpose, if_match, if_none_match, last_event, upload_offset, range,
        if_range;
    atg_buf *body;
    size_t taken;    /* bytes of the body that came */
    uint64_t length; /* that it is said to have; 0: none, or not said */
    struct feed *feed;
    size_t dropped; /* of a body that failed */
    json_t *json;   /* the body */

    actor who;         /* none until the session is known */
    int64_t fresh;     /* until when it counts as confirmed */
    const char *cause; /* of a failure that the answer does not explain; for the log */
    limiter_state rate;

    unsigned status;
    atg_buf *out;
    json j; /* into `out` */
    const char *type;
    problem_kind problem;
    uint32_t wait_s; /* Retry-After; 0: none */
    atg_str location, link, etag, quota, file_name;
    struct {
        const char *name;
        atg_str text;
    } heads[REPLY_HEADS]; /* more of them, also of a problem */
    struct MHD_Response *stream;
    struct source *source; /* in place of `out` (source.h) */
    struct pool_job *job;
    struct job_run *done_as; /* the job that it is; NULL: an answer waits for it */
    uint64_t most;           /* what it found to do, at most */
    uint32_t turn;           /* how often a job was run that says `later` */
    bool later;              /* what it waits for is not there yet: run it again */
};

/* ---- what came ---- */

/* The value of a {word} of the path, of the query, NUL-terminated; empty when it is not there. */
atg_str request_word(const request *q, const char *name);
atg_str request_query(const request *q, const char *name);
/* A number of the query; `*ret` stays when it is not there. */
int request_number(request *q, const char *name, uint32_t least, uint32_t most, uint32_t *ret,
                   atg_err *err);
/* The index of a word of the query in a list that ends with NULL; -1: not there. */
int request_choice(request *q, const char *name, const char *const *words, int *ret, atg_err *err);
/* yes, no, true or false. */
int request_flag(request *q, const char *name, bool *ret, atg_err *err);

/* The body has these members and no others; names with blanks between, "!" before those that are
 * needed. */
int request_members(request *q, const char *names, atg_err *err);
/* A text member; empty when it is not there. */
int request_text(request *q, const char *name, atg_str *ret, atg_err *err);

/* The file of a {word}. */
int request_file(request *q, const char *word, file_row *ret, atg_err *err);
/* The same; it is an operation. */
int request_operation(request *q, file_row *ret, atg_err *err);
int request_kind(request *q, atg_str name, record_kind *ret, atg_err *err);
/* The kind of a record that is to be made: the body has "kind" and "fields". */
int request_new_kind(request *q, record_kind *ret, atg_err *err);
int request_id(request *q, atg_str text, uuid *ret, atg_err *err);

/* The number of a header: 1 to 18 digits and nothing else.  False: it is none. */
bool request_digits(atg_str text, uint64_t *ret);
/* The revision of If-Match. */
int request_revision(request *q, int64_t *ret, atg_err *err);

/* What the worker said of an upload: that a file is refused is the fault of the file; all else is
 * refused as what the machine lacks. */
int request_decoded(request *q, int rc, atg_err *err);

/* Ends long work when the service stops. */
const atg_progress *request_progress(request *q);
cases *request_cases(const request *q);
struct faces_standby *request_faces(const request *q); /* galleries that are kept ready */

/* For libraries that take what they only read as not const. */
static inline void *request_bytes(atg_str text) {
    union {
        const char *in;
        void *out;
    } same = {.in = text.p};

    return same.out;
}

/* ---- the answer ---- */

/* Fail with a problem of one's own: the code is that of `err`. */
int request_refuse(request *q, problem_kind kind, atg_err *err, const char *fmt, ...)
    ATG_PRINTF(4, 5);

/* Begin JSON: write it to q->j. */
int reply_json(request *q, unsigned status, atg_err *err);
/* Begin another text: append it to q->out. */
int reply_text(request *q, unsigned status, const char *type, atg_err *err);
/* An answer without content. */
int reply_empty(request *q);
void reply_revision(request *q, int64_t rev);
/* The next page: the same target with another `after`. */
void reply_next(request *q, atg_str after);
/* One more header, also of a problem that follows. */
void reply_head(request *q, const char *name, const char *fmt, ...) ATG_PRINTF(3, 4);
/* In place of whatever was written. */
void reply_problem(request *q, problem_kind kind, const char *detail, const atg_err *where);

#endif
