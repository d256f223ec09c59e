/* SPDX-License-Identifier: Apache-2.0 */
#include "server/routes.h"

#include <stdio.h>
#include <string.h>

/* NULL at the end. */
static const route *const tables[] = {
    routes_meta,
    routes_session,
    routes_files,
    routes_records,
    routes_compare,
    routes_faces,
    routes_pictures,
    routes_import,
    routes_exchange,
    routes_accounts,
    routes_uploads,
    routes_bundles,
    routes_audit,
    routes_sites,
    routes_conflicts,
    routes_events,
    routes_jobs,
    routes_face_calibration,
    NULL,
};

uint32_t route_count(void) {
    uint32_t n = 0;

    for (size_t t = 0; tables[t]; t++)
        for (const route *r = tables[t]; r->method; r++)
            n++;
    return n;
}

const route *route_at(uint32_t i) {
    for (size_t t = 0; tables[t]; t++)
        for (const route *r = tables[t]; r->method; r++)
            if (i-- == 0)
                return r;
    return NULL;
}

/* Does the path fit the pattern?  Then with the values of its words. */
static bool fits(const char *pattern, const target *t, atg_str *words) {
    atg_str rest = atg_str_of(pattern + 1);
    bool slash = pattern[strlen(pattern) - 1] == '/';
    uint32_t n = 0, w = 0;

    while (rest.n) {
        atg_str part = atg_str_cut(&rest, '/');

        if (n == t->n)
            return false;
        if (part.p[0] == '{' && w < ROUTE_WORDS)
            words[w++] = t->segment[n];
        else if (!atg_str_eq(part, t->segment[n]))
            return false;
        n++;
    }
    return n == t->n && slash == t->slash;
}

static void allow(route_found *f, const char *method) {
    size_t n = strlen(f->allow);

    (void)snprintf(f->allow + n, sizeof(f->allow) - n, "%s%s", n ? ", " : "", method);
}

problem_kind route_find(const char *method, const target *t, route_found *ret) {
    route_found f = {.route = NULL};
    /* what can be read can be asked about */
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    uint32_t i = 0;

    for (size_t k = 0; tables[k]; k++)
        for (const route *r = tables[k]; r->method; r++, i++) {
            atg_str words[ROUTE_WORDS] = {{NULL, 0}};

            if (!fits(r->path, t, words))
                continue;
            allow(&f, r->method);
            if (strcmp(r->method, wanted) != 0 || f.route)
                continue;
            f.route = r;
            f.index = i;
            memcpy(f.word, words, sizeof(words));
        }
    *ret = f;
    if (f.route)
        return PROBLEM_NONE;
    return f.allow[0] ? PROBLEM_METHOD : PROBLEM_UNKNOWN;
}
