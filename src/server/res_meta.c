/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns the service itself: is it well, what does it count, whose certificate it has. */
#include "server/routes.h"

#include <qrencode.h>

#include "app/accounts.h"
#include "base/instant.h"
#include "server/events.h"
#include "server/openapi.h"
#include "server/service_internal.h"

/* ---- health and metrics ---- */

/* Whether the store answers and the certificate is good: nothing of what is in it. */
static int health(request *q, atg_err *err) {
    const char *warning = service_warning(q->s);
    bool alive = cases_alive(q->s->c), well = alive && !warning;
    char until[INSTANT_TEXT + 1];
    int rc = reply_json(q, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, err);

    if (rc)
        return rc;
    instant_text(tls_expires(q->s->tls), until);
    json_object_line(&q->j);
    json_key(&q->j, "status");
    json_text(&q->j, well ? "well" : "ill");
    json_key(&q->j, "store");
    json_bool(&q->j, alive);
    json_key(&q->j, "worker");
    json_bool(&q->j, service_decodes(q->s));
    json_key(&q->j, "certificate_until");
    json_text(&q->j, until);
    if (warning) {
        json_key(&q->j, "warning");
        json_text(&q->j, warning);
    }
    json_key(&q->j, "version");
    json_text(&q->j, ATG_VERSION);
    json_end(&q->j, '}');
    return ATG_OK;
}

static bool may_observe(request *q, atg_err *err) {
    account_info own;

    if (guard_loopback(q))
        return true;
    if (uuid_none(&q->who.account) ||
        account_find(q->s->c, &q->who, q->arena, q->who.name, &own, err))
        return false;
    for (uint32_t g = 0; g < own.n_grants; g++)
        if (own.grants[g].roles & (1u << ROLE_ADMINISTRATOR | 1u << ROLE_AUDITOR))
            return true;
    return false;
}

static int count(request *q, atg_err *err) {
    metrics_name names[ROUTES_MAX];
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(q->s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    metrics_now now = {.pool = pool_look(q->s->pool),
                       .connections = info ? info->num_connections : 0,
                       .streams = hub_count(q->s->hub),
                       .certificate_expires = (uint64_t)(tls_expires(q->s->tls) / 1000000)};
    int rc;

    if (!may_observe(q, err))
        return request_refuse(q, PROBLEM_DENIED, err,
                              "Only this machine, auditors and administrators may see that");
    rc = reply_text(q, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < route_count(); i++)
        names[i] = (metrics_name){route_at(i)->method, route_at(i)->path};
    metrics_write(q->s->metrics, names, &now, q->out);
    return ATG_OK;
}

/* ---- the authority ---- */

static int no_authority(request *q, atg_err *err) {
    return request_refuse(q, PROBLEM_UNKNOWN, err,
                          "This service has a certificate of another authority: nothing is to be "
                          "installed");
}

static int certificate(request *q, atg_err *err) {
    const char *pem = tls_authority(q->s->tls);
    int rc =
        pem ? reply_text(q, MHD_HTTP_OK, "application/x-x509-ca-cert", err) : no_authority(q, err);

    if (rc)
        return rc;
    q->file_name = ATG_STR("attachment; filename=\"antigone-ca.crt\"");
    atg_buf_adds(q->out, pem);
    return ATG_OK;
}

/* Dark modules as squares of one path, with the quiet zone of four that ISO 18004 wants. */
static int write_code(request *q, const char *text, atg_err *err) {
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

    if (!code)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a code");
    atg_buf_printf(q->out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-4 -4 %d %d\" "
                   "width=\"240\" height=\"240\" role=\"img\" aria-label=\"The address of the "
                   "certificate\"><path fill=\"#fff\" d=\"M-4-4h%dv%dh-%dz\"/><path d=\"",
                   code->width + 8, code->width + 8, code->width + 8, code->width + 8,
                   code->width + 8);
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            if (code->data[y * code->width + x] & 1)
                atg_buf_printf(q->out, "M%d %dh1v1h-1z", x, y);
    atg_buf_adds(q->out, "\"/></svg>\n");
    QRcode_free(code);
    return ATG_OK;
}

static int page(request *q, atg_err *err) {
    const char *print = tls_fingerprint(q->s->tls);
    const char *host = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, "Host");
    atg_str address = atg_arena_printf(q->arena, "https://%s/ca.crt", host ? host : "");
    int rc =
        print ? reply_text(q, MHD_HTTP_OK, "text/html; charset=utf-8", err) : no_authority(q, err);

    if (rc)
        return rc;
    /* `host` is one that the certificate is for: nothing in it needs escaping */
    atg_buf_printf(
        q->out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
        "name=\"viewport\" content=\"width=device-width\">\n<title>Antigone: the certificate of "
        "this service</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n"
        "<main>\n<h1>The certificate of this service</h1>\n<p>This service signs its own "
        "certificate. A device that is to work with it, also without a network, installs the "
        "certificate of its authority once. That authority can sign for local names and addresses "
        "only.</p>\n<ol>\n<li>Compare the fingerprint with what the person who runs the service "
        "tells you, not by this page:<br><code>%s</code></li>\n<li>Load the certificate: <a "
        "href=\"/ca.crt\">ca.crt</a>, or point a telephone at the code.</li>\n<li>Install it as a "
        "certificate authority that is trusted for web sites: in the settings of the system or of "
        "the browser.</li>\n</ol>\n",
        print);
    rc = write_code(q, address.p ? address.p : "", err);
    atg_buf_adds(q->out, "</main>\n</body>\n</html>\n");
    return rc;
}

static int style(request *q, atg_err *err) {
    int rc = reply_text(q, MHD_HTTP_OK, "text/css; charset=utf-8", err);

    if (rc)
        return rc;
    atg_buf_adds(q->out,
                 ":root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }\n"
                 "body { margin: 0; }\n"
                 "main { max-inline-size: 60rem; margin: auto; padding: 1rem; }\n"
                 "code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }\n"
                 "pre { padding: .5rem; border: 1px solid GrayText; overflow: auto; }\n"
                 "table { border-collapse: collapse; inline-size: 100%; }\n"
                 "th, td { text-align: start; vertical-align: top; padding: .25rem .5rem;\n"
                 "  border-block-end: 1px solid GrayText; }\n"
                 "h2 { margin-block-start: 2rem; }\n"
                 "summary { cursor: pointer; padding-block: .25rem; }\n");
    return ATG_OK;
}

/* ---- the API itself ---- */

static int describe(request *q, atg_err *err) {
    int rc = reply_text(q, MHD_HTTP_OK, "application/json", err);

    return rc ? rc : service_openapi(q->out, err);
}

static int browse(request *q, atg_err *err) {
    int rc = reply_text(q, MHD_HTTP_OK, "text/html; charset=utf-8", err);

    if (!rc)
        openapi_page(q->out);
    return rc;
}

/* There is no page of its own yet. */
static int front(request *q, atg_err *err) {
    int rc = reply_empty(q);

    (void)err;
    q->status = MHD_HTTP_TEMPORARY_REDIRECT;
    q->location = ATG_STR("/api/");
    return rc;
}

const route routes_meta[] = {
    {.method = "GET",
     .path = "/",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE,
     .run = front,
     .tag = "service",
     .summary = "Leads to the page of the API",
     .status = 307},
    {.method = "GET",
     .path = "/health",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE | ROUTE_WATCH,
     .run = health,
     .tag = "service",
     .summary = "Is the service well? Nothing of what is kept",
     .gives = "Health",
     .status = 200},
    {.method = "GET",
     .path = "/metrics",
     .flags = ROUTE_PUBLIC | ROUTE_WATCH,
     .run = count,
     .tag = "service",
     .summary = "Counters for Prometheus: for this machine, auditors and administrators",
     .gives = "text/plain",
     .status = 200},
    {.method = "GET",
     .path = "/ca",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE,
     .run = page,
     .tag = "service",
     .summary = "A page that helps to install the service's certificate on a device",
     .gives = "text/html",
     .status = 200},
    {.method = "GET",
     .path = "/ca.crt",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE,
     .run = certificate,
     .tag = "service",
     .summary = "The certificate of the service's own authority",
     .gives = "application/x-x509-ca-cert",
     .status = 200},
    {.method = "GET",
     .path = "/style.css",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE,
     .run = style,
     .tag = "service",
     .summary = "How the pages of the service look",
     .gives = "text/css",
     .status = 200},
    {.method = "GET",
     .path = "/api/",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE,
     .run = browse,
     .tag = "service",
     .summary = "The API as a page for people",
     .gives = "text/html",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/openapi.json",
     .flags = ROUTE_PUBLIC | ROUTE_NAVIGATE,
     .run = describe,
     .tag = "service",
     .summary = "The API for programs: OpenAPI 3.1",
     .gives = "OpenApi",
     .status = 200},
    {.method = NULL},
};
