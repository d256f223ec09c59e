/* SPDX-License-Identifier: Apache-2.0 */
/* The API as a page for people: no script, one style sheet. */
#include "server/openapi.h"

#include <string.h>

static void escape(atg_buf *buf, const char *text) {
    for (const char *p = text; *p; p++)
        if (*p == '<')
            atg_buf_adds(buf, "&lt;");
        else if (*p == '&')
            atg_buf_adds(buf, "&amp;");
        else if (*p == '"')
            atg_buf_adds(buf, "&quot;");
        else
            atg_buf_add(buf, (atg_str){p, 1});
}

static void write_schema(atg_buf *buf, const char *what, const char *name) {
    if (!name)
        return;
    if (strchr(name, '/'))
        atg_buf_printf(buf, "<p>%s: <code>%s</code></p>\n", what, name);
    else
        atg_buf_printf(buf, "<p>%s: <a href=\"#%s\"><code>%s</code></a></p>\n", what, name, name);
}

static void write_query(atg_buf *buf, const char *query) {
    atg_str rest = atg_str_of(query ? query : "");

    if (!rest.n)
        return;
    atg_buf_adds(buf, "<table>\n");
    while (rest.n) {
        atg_str name = atg_str_cut(&rest, ' ');
        bool needed = name.p[0] == '!';

        name = (atg_str){name.p + needed, name.n - needed};
        atg_buf_printf(buf, "<tr><th scope=\"row\"><code>%.*s</code></th><td>%s", ATG_FMT(name),
                       needed ? "Needed. " : "");
        escape(buf, openapi_query(name));
        atg_buf_adds(buf, "</td></tr>\n");
    }
    atg_buf_adds(buf, "</table>\n");
}

static void write_needs(atg_buf *buf, const route *r) {
    if (r->flags & ROUTE_PUBLIC)
        atg_buf_adds(buf, "<p>Without a token.</p>\n");
    if (r->flags & ROUTE_PURPOSE)
        atg_buf_adds(buf, "<p>Needs <code>Antigone-Purpose</code>.</p>\n");
    if (r->flags & ROUTE_MATCH)
        atg_buf_adds(buf, "<p>Needs <code>If-Match</code>.</p>\n");
    if (!r->roles)
        return;
    atg_buf_adds(buf, "<p>Roles:");
    for (int i = 0; i < ROLES; i++)
        if (r->roles >> i & 1)
            atg_buf_printf(buf, " %s", role_names[i]);
    atg_buf_adds(buf, "</p>\n");
}

static void write_route(atg_buf *buf, const route *r) {
    atg_buf_printf(buf, "<details>\n<summary><code>%s ", r->method);
    escape(buf, r->path);
    atg_buf_adds(buf, "</code> ");
    escape(buf, r->summary);
    atg_buf_adds(buf, "</summary>\n");
    write_needs(buf, r);
    write_query(buf, r->query);
    write_schema(buf, "Body", r->takes);
    atg_buf_printf(buf, "<p>Answer: %u</p>\n", r->status);
    if (r->job)
        write_schema(buf, r->flags & ROUTE_JOB ? "Content" : "202, when asked for a job", "Job");
    write_schema(buf, r->flags & ROUTE_JOB ? "What comes of it" : "Content", r->gives);
    atg_buf_adds(buf, "</details>\n");
}

/* Each of the embedded schemas, which begin at the left ("Name": {...}). */
static void write_schemas(atg_buf *buf) {
    json_t *all = json_loads(openapi_schemas, 0, NULL);
    const char *name;
    json_t *schema;

    json_object_foreach(all, name, schema) {
        char *text = json_dumps(schema, JSON_INDENT(2));

        atg_buf_printf(buf, "<h3 id=\"%s\">%s</h3>\n<pre>", name, name);
        escape(buf, text ? text : "");
        atg_buf_adds(buf, "</pre>\n");
        free(text);
    }
    json_decref(all);
}

void openapi_page(atg_buf *buf) {
    const char *tag = "";

    atg_buf_adds(buf, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width\">\n"
                      "<title>Antigone: the API</title>\n"
                      "<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n"
                      "<h1>The API</h1>\n<p>For programs: <a href=\"/api/v1/openapi.json\">"
                      "openapi.json</a>. Each request but those marked needs "
                      "<code>Authorization: Bearer</code> and a token. What is wrong is told as "
                      "<a href=\"#Problem\"><code>Problem</code></a>.</p>\n");
    for (uint32_t i = 0; i < route_count(); i++) {
        const route *r = route_at(i);

        if (strcmp(tag, r->tag) != 0)
            atg_buf_printf(buf, "<h2>%s</h2>\n", r->tag);
        tag = r->tag;
        write_route(buf, r);
    }
    atg_buf_adds(buf, "<h2>Bodies and answers</h2>\n");
    write_schemas(buf);
    atg_buf_adds(buf, "</main>\n</body>\n</html>\n");
}
