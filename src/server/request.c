/* SPDX-License-Identifier: Apache-2.0 */
#include "server/service_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/number.h"
#include "server/runner.h"

/* ---- words ---- */

atg_str request_word(const request *q, const char *name) {
    atg_str rest = atg_str_of(q->route->path);
    size_t n = strlen(name), i = 0;

    while (rest.n) {
        atg_str part = atg_str_cut(&rest, '/');

        if (!part.n || part.p[0] != '{')
            continue;
        if (part.n == n + 2 && memcmp(part.p + 1, name, n) == 0)
            return q->found.word[i];
        i++;
    }
    return (atg_str){"", 0};
}

atg_str request_query(const request *q, const char *name) {
    atg_str text = target_query(&q->at, name);

    return text.p ? text : (atg_str){"", 0};
}

int request_number(request *q, const char *name, uint32_t least, uint32_t most, uint32_t *ret,
                   atg_err *err) {
    atg_str text = target_query(&q->at, name);
    uint64_t x = 0;
    bool good = text.n > 0 && text.n < 10;

    if (!text.p)
        return ATG_OK;
    for (size_t i = 0; i < text.n && good; i++) {
        good = text.p[i] >= '0' && text.p[i] <= '9';
        x = 10 * x + (uint64_t)(text.p[i] - '0');
    }
    if (!good || x < least || x > most)
        return request_refuse(q, PROBLEM_REQUEST, err, "'%s' is a number from %u to %u", name,
                              least, most);
    *ret = (uint32_t)x;
    return ATG_OK;
}

int request_choice(request *q, const char *name, const char *const *words, int *ret, atg_err *err) {
    atg_str text = target_query(&q->at, name);

    *ret = -1;
    if (!text.p)
        return ATG_OK;
    *ret = record_word(words, text);
    return *ret >= 0 ? ATG_OK
                     : request_refuse(q, PROBLEM_REQUEST, err, "There is no such '%s'", name);
}

int request_flag(request *q, const char *name, bool *ret, atg_err *err) {
    static const char *const words[] = {"no", "yes", "false", "true", NULL};
    int at, rc = request_choice(q, name, words, &at, err);

    if (!rc && at >= 0)
        *ret = at & 1;
    return rc;
}

/* ---- the body ---- */

static bool named(const char *names, const char *name, size_t n, bool *ret_needed) {
    for (const char *p = names; *p;) {
        bool needed = *p == '!';
        size_t len;

        p += needed;
        len = strcspn(p, " ");
        if (len == n && memcmp(p, name, n) == 0) {
            *ret_needed = needed;
            return true;
        }
        p += len;
        p += *p == ' ';
    }
    return false;
}

int request_members(request *q, const char *names, atg_err *err) {
    json_t *all = json_iterable(q->json);
    bool needed;

    if (!json_is_object(q->json))
        return atg_fail(err, ATG_EPARSE, "The body is to be a JSON object");
    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it)) {
        const char *key = json_object_iter_key(it);

        if (!named(names, key, strlen(key), &needed))
            return atg_fail(err, ATG_EPARSE, "The body has no member '%.60s'", key);
    }
    for (const char *p = names; *p;) {
        size_t len = strcspn(p, " ");

        if (*p == '!' && !json_object_getn(q->json, p + 1, len - 1))
            return atg_fail(err, ATG_EPARSE, "The body needs '%.*s'", (int)len - 1, p + 1);
        p += len;
        p += *p == ' ';
    }
    return ATG_OK;
}

int request_text(request *q, const char *name, atg_str *ret, atg_err *err) {
    const json_t *v = json_object_get(q->json, name);

    if (v && !json_is_string(v) && !json_is_null(v))
        return atg_fail(err, ATG_EPARSE, "'%s' is to be a text", name);
    *ret = json_is_string(v) ? (atg_str){json_string_value(v), json_string_length(v)}
                             : (atg_str){"", 0};
    return ATG_OK;
}

/* ---- what is named ---- */

int request_file(request *q, const char *word, file_row *ret, atg_err *err) {
    return cases_find(q->s->c, q->arena, request_word(q, word), ret, err);
}

int request_operation(request *q, file_row *ret, atg_err *err) {
    int rc = request_file(q, "operation", ret, err);

    if (!rc && ret->kind != RECORD_OPERATION)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such operation");
    return rc;
}

int request_kind(request *q, atg_str name, record_kind *ret, atg_err *err) {
    int kind = record_kind_of(name);

    if (kind < 0)
        return request_refuse(q, PROBLEM_REQUEST, err, "There is no such kind of record");
    *ret = (record_kind)kind;
    return ATG_OK;
}

int request_new_kind(request *q, record_kind *ret, atg_err *err) {
    atg_str name = {NULL, 0};
    int rc = request_members(q, "!kind !fields", err);

    if (!rc)
        rc = request_text(q, "kind", &name, err);
    return rc ? rc : request_kind(q, name, ret, err);
}

int request_id(request *q, atg_str text, uuid *ret, atg_err *err) {
    return uuid_read(text, ret) ? ATG_OK
                                : request_refuse(q, PROBLEM_UNKNOWN, err, "That is no identifier");
}

bool request_digits(atg_str text, uint64_t *ret) {
    uint64_t x = 0;

    if (!text.n || text.n > 18)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        x = 10 * x + (uint64_t)(text.p[i] - '0');
    }
    *ret = x;
    return true;
}

int request_revision(request *q, int64_t *ret, atg_err *err) {
    atg_str text = atg_str_trim(q->if_match);
    uint64_t rev = 0;

    if (text.n < 2 || text.p[0] != '"' || text.p[text.n - 1] != '"' ||
        !request_digits((atg_str){text.p + 1, text.n - 2}, &rev))
        return request_refuse(q, PROBLEM_CHANGED, err,
                              "If-Match is to be the ETag of the record as it was read");
    *ret = (int64_t)rev;
    return ATG_OK;
}

static bool go_on(void *user, const char *phase, uint64_t done, uint64_t total) {
    const request *q = user;

    return q->done_as ? runner_go_on(q->done_as, phase, done, total) : !atomic_load(&q->s->hurry);
}

const atg_progress *request_progress(request *q) {
    atg_progress *p = ATG_GET(q->arena, atg_progress, 1);

    if (p)
        *p = (atg_progress){go_on, q};
    return p;
}

cases *request_cases(const request *q) {
    return q->s->c;
}

struct faces_standby *request_faces(const request *q) {
    return q->s->faces;
}

int request_decoded(request *q, int rc, atg_err *err) {
    if (rc != ATG_EIO && rc != ATG_EDENIED)
        return rc;
    return request_refuse(q, PROBLEM_WORKER, err,
                          "Nothing can be decoded here at the moment: try again, and if it stays "
                          "so, the operator finds with 'antigone doctor' what is missing");
}

int request_refuse(request *q, problem_kind kind, atg_err *err, const char *fmt, ...) {
    char text[sizeof(err->msg)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    q->problem = kind;
    return atg_fail(err, ATG_EINVAL, "%s", text);
}
