/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of events: who is told what, going on where one was, and the end. */
#include "served.h"

#include <stdio.h>

enum { TEXT = 60000, STREAMS = 60, SHORT_MS = 200, TRIES = 40 };

static raw_client *follow(const served *w, int who, const char *header) {
    raw_client *c = raw_open(w);
    char text[600];

    snprintf(text, sizeof(text),
             "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
             "%s\r\n%s\r\n",
             w->token[who], header);
    assert_true(raw_send(c, text, strlen(text)));
    return c;
}

/* Read until the text is there; false when it does not come. */
static bool comes(raw_client *c, const char *what, char got[TEXT]) {
    size_t n = strlen(got);

    for (int i = 0; i < TRIES && !strstr(got, what); i++)
        n += raw_read(c, got + n, TEXT - n, SHORT_MS);
    return strstr(got, what) != NULL;
}

static void a_change_is_told_to_who_may_see_it(const database *where) {
    served w = served_open(where, NULL);
    raw_client *all = follow(&w, SERVED_ALL, ""), *liaison = follow(&w, ROLE_AUDITOR, "");
    static char got[TEXT], other[TEXT], again[TEXT];
    char header[100];
    const char *id;
    record *r;

    got[0] = other[0] = again[0] = '\0';
    assert_true(comes(all, "retry: 3000", got));
    assert_true(comes(liaison, "retry: 3000", other));
    assert_non_null(strstr(got, "text/event-stream"));
    r = made_remains(&w.made, "K1-7");
    made_add(&w.made, r);
    assert_true(comes(all, "\"file_kind\": \"remains\"", got));
    assert_non_null(strstr(got, "event: change"));
    /* nothing of what stands in it */
    assert_null(strstr(got, "Beach"));
    raw_close(all);
    raw_close(liaison);

    /* what came while nobody listened is told to who says where they were */
    for (id = strstr(got, "id: "); strstr(id + 1, "id: "); id = strstr(id + 1, "id: "))
        ;
    snprintf(header, sizeof(header), "Last-Event-ID: %ld\r\n", strtol(id + 4, NULL, 10));
    r = made_missing(&w.made, "Halvorsen", "Liv");
    made_add(&w.made, r);
    all = follow(&w, SERVED_ALL, header);
    assert_true(comes(all, "\"file_kind\": \"missing\"", again));
    assert_null(strstr(again, "\"file_kind\": \"remains\""));
    assert_null(strstr(again, "Halvorsen"));
    raw_close(all);
    served_close(&w);
}

static void streams_end_when_the_service_stops(const database *where) {
    service_options o = {.connections_each = 1000};
    served w = served_open(where, &o);
    raw_client *streams[STREAMS];
    static char got[TEXT];

    for (int i = 0; i < STREAMS; i++)
        streams[i] = follow(&w, i % 2 ? SERVED_ALL : ROLE_BOARD, "");
    for (int i = 0; i < STREAMS; i++) {
        got[0] = '\0';
        assert_true(comes(streams[i], "retry: 3000", got));
    }
    ANSWER_AUTO counted = MUST(&w, 200, "GET", "/metrics", SERVED_NOBODY);
    assert_non_null(strstr(counted.body, "antigone_event_streams 60"));
    served_stop(&w);
    for (int i = 0; i < STREAMS; i++)
        raw_close(streams[i]);
    served_start(&w, &o);
    ANSWER_AUTO odd =
        MUST(&w, 400, "GET", "/api/v1/events", SERVED_ALL, .header = {"Last-Event-ID: x"});
    ANSWER_AUTO none = MUST(&w, 401, "GET", "/api/v1/events", SERVED_NOBODY);
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"a change is told to who may see it", a_change_is_told_to_who_may_see_it, ON_BOTH},
        {"streams end when the service stops", streams_end_when_the_service_stops, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
