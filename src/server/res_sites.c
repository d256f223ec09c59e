/* SPDX-License-Identifier: Apache-2.0 */
/* The sites that bundles are exchanged with. */
#include "server/routes.h"

#include "app/cases_json.h"
#include "app/sites.h"

static void write_site(json *j, const peer_row *p) {
    char print[SITECARD_FINGERPRINT + 1];

    sites_fingerprint(p, print);
    json_object_line(j);
    cases_put_text(j, "name", p->name);
    cases_put_text(j, "prefix", p->site);
    cases_put_text(j, "kind", p->kind);
    cases_put_text(j, "agency", p->agency);
    cases_put_text(j, "fingerprint", atg_str_of(print));
    json_end(j, '}');
}

static int list(request *q, atg_err *err) {
    peer_row *all;
    uint32_t n;
    int rc = sites_list(request_cases(q), q->arena, &all, &n, err);

    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_begin_object(&q->j);
    json_key(&q->j, "sites");
    json_begin_array(&q->j);
    for (uint32_t i = 0; i < n; i++)
        write_site(&q->j, &all[i]);
    json_end(&q->j, ']');
    json_end(&q->j, '}');
    return ATG_OK;
}

static int card(request *q, atg_err *err) {
    char text[SITECARD_MAX], print[SITECARD_FINGERPRINT + 1];
    sitecard own;
    int rc = sites_card(request_cases(q), text, err);

    if (!rc)
        rc = sites_own(request_cases(q), &own, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    sitecard_fingerprint(&own, print);
    json_object_line(&q->j);
    cases_put_text(&q->j, "card", atg_str_of(text));
    cases_put_text(&q->j, "fingerprint", atg_str_of(print));
    json_end(&q->j, '}');
    return ATG_OK;
}

static int add(request *q, atg_err *err) {
    new_site n = {.kind = SITE_OWN};
    atg_str word = {NULL, 0};
    int at, rc = request_members(q, "!name !card !fingerprint !agency kind", err);

    if (!rc)
        rc = request_text(q, "name", &n.name, err);
    if (!rc)
        rc = request_text(q, "card", &n.card, err);
    if (!rc)
        rc = request_text(q, "fingerprint", &n.fingerprint, err);
    if (!rc)
        rc = request_text(q, "agency", &n.agency, err);
    if (!rc)
        rc = request_text(q, "kind", &word, err);
    at = word.n ? record_word(site_kinds, word) : 0;
    if (!rc && at < 0)
        rc = atg_fail(err, ATG_EINVAL, "There is no such kind of site");
    n.kind = (site_kind)at;
    if (!rc)
        rc = sites_add(request_cases(q), &q->who, &n, err);
    return rc ? rc : reply_empty(q);
}

static int forget(request *q, atg_err *err) {
    int rc = sites_remove(request_cases(q), &q->who, request_word(q, "site"), err);

    return rc ? rc : reply_empty(q);
}

static int take_part(request *q, bool on, atg_err *err) {
    file_row operation;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = sites_join(request_cases(q), &q->who, request_word(q, "site"), &operation.id, on, err);
    return rc ? rc : reply_empty(q);
}

static int join(request *q, atg_err *err) {
    return take_part(q, true, err);
}

static int leave(request *q, atg_err *err) {
    return take_part(q, false, err);
}

const route routes_sites[] = {
    {.method = "GET",
     .path = "/api/v1/sites",
     .run = list,
     .tag = "sites",
     .summary = "The sites that are known",
     .gives = "Sites",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/sites",
     .flags = ROUTE_PURPOSE,
     .body = BODY_SMALL,
     .run = add,
     .tag = "sites",
     .summary = "Know another site by its card, after comparing the fingerprint",
     .takes = "NewSite",
     .status = 204,
     .roles = 1u << ROLE_ADMINISTRATOR},
    {.method = "GET",
     .path = "/api/v1/site",
     .run = card,
     .tag = "sites",
     .summary = "This site's card, for others to seal bundles to",
     .gives = "Card",
     .status = 200},
    {.method = "DELETE",
     .path = "/api/v1/sites/{site}",
     .run = forget,
     .tag = "sites",
     .summary = "Forget a site: no bundle goes there, none from there is opened",
     .status = 204,
     .roles = 1u << ROLE_ADMINISTRATOR},
    {.method = "PUT",
     .path = "/api/v1/operations/{operation}/sites/{site}",
     .run = join,
     .tag = "sites",
     .summary = "Let a site take part in an operation",
     .status = 204,
     .roles = 1u << ROLE_BOARD},
    {.method = "DELETE",
     .path = "/api/v1/operations/{operation}/sites/{site}",
     .run = leave,
     .tag = "sites",
     .summary = "Let a site take part in an operation no longer",
     .status = 204,
     .roles = 1u << ROLE_BOARD},
    {.method = NULL},
};
