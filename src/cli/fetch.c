/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fetch.h"

#include <curl/curl.h>
#include <string.h>

enum {
    REDIRECTS = 5,
    CONNECT_S = 20,
    STALLED_S = 30, /* without a byte */
};

typedef struct download {
    atg_buf *to;
    size_t n, most;
    const atg_progress *progress;
    bool too_long, stopped;
} download;

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_bytes(char *p, size_t one, size_t n, void *user) {
    download *d = user;

    (void)one;
    d->too_long = n > d->most - d->n;
    if (d->too_long)
        return 0;
    d->n += n;
    atg_buf_add(d->to, (atg_str){p, n});
    return n;
}

static int on_progress(void *user, curl_off_t total, curl_off_t n, curl_off_t up,
                       curl_off_t upped) {
    download *d = user;
    const atg_progress *p = d->progress;

    (void)up;
    (void)upped;
    if (total < n)
        total = 0;
    d->stopped = p && p->step && !p->step(p->user, "download", (uint64_t)n, (uint64_t)total);
    return d->stopped;
}

static CURLcode set_up(CURL *c, const char *url, download *d, char *said) {
    CURLcode bad = curl_easy_setopt(c, CURLOPT_URL, url);

#define SET(option, value) bad = bad ? bad : curl_easy_setopt(c, option, value)
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, (long)REDIRECTS);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USERAGENT, "antigone");
    SET(CURLOPT_ERRORBUFFER, said);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, d);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, d);
#undef SET
    return bad;
}

static int failed(const download *d, CURLcode code, const char *url, const char *said,
                  atg_err *err) {
    if (d->stopped)
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    if (d->too_long)
        return atg_fail(err, ATG_ELIMIT, "%.200s is longer than %zu bytes", url, d->most);
    return atg_fail(err, ATG_EIO,
                    "%.150s cannot be downloaded (%.100s): bring the file from a machine with a "
                    "network and name it",
                    url, *said ? said : curl_easy_strerror(code));
}

int fetch(const char *url, size_t most, const atg_progress *progress, atg_buf *ret, atg_err *err) {
    download d = {.to = ret, .most = most, .progress = progress};
    char said[CURL_ERROR_SIZE] = "";
    CURL *c = curl_easy_init();
    CURLcode bad;
    atg_str all;

    if (!c)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a download");
    bad = set_up(c, url, &d, said);
    bad = bad ? bad : curl_easy_perform(c);
    curl_easy_cleanup(c);
    return bad ? failed(&d, bad, url, said, err) : atg_buf_take(ret, &all, err);
}
