/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kept.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"

enum { PATH_SIZE = 4096, SESSION_SIZE = 2000, DEVICE_SIZE = 200 };

static const char *variable(const char *name) {
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */

    return text && *text ? text : NULL;
}

/* Go on to a folder in `path`, which is made where it is not there: what cannot be made shows when
 * a file is written into it. */
static bool enter(char path[PATH_SIZE], const char *name) {
    size_t n = strlen(path);

    if (snprintf(path + n, PATH_SIZE - n, "%s", name) >= (int)(PATH_SIZE - n))
        return false;
    (void)mkdir(path, 0700);
    return true;
}

/* FOLDER/antigone/servers/HOST_PORT.ENDING in the user's folder of settings (XDG Base
 * Directory). */
static bool settings_path(const http_place *p, const char *ending, char ret[PATH_SIZE]) {
    const char *config = variable("XDG_CONFIG_HOME"), *home = variable("HOME");
    size_t n;

    ret[0] = '\0';
    if (!(config ? enter(ret, config) : home && enter(ret, home) && enter(ret, "/.config")) ||
        !enter(ret, "/antigone") || !enter(ret, "/servers"))
        return false;
    n = strlen(ret);
    return snprintf(ret + n, PATH_SIZE - n, "/%s.%s", p->file, ending) < (int)(PATH_SIZE - n);
}

static bool session_path(const http_place *p, char ret[PATH_SIZE]) {
    const char *named = variable("ANTIGONE_SESSION"), *run = variable("XDG_RUNTIME_DIR");

    if (named)
        return snprintf(ret, PATH_SIZE, "%s", named) < PATH_SIZE;
    if (run)
        return snprintf(ret, PATH_SIZE, "%s/antigone-%s", run, p->file) < PATH_SIZE;
    return settings_path(p, "session", ret);
}

static int no_place(atg_err *err) {
    return atg_fail(err, ATG_EIO,
                    "There is no place for what belongs to the service: set HOME, or "
                    "XDG_CONFIG_HOME to a folder");
}

/* ---- the session ---- */

static bool read_members(const json_t *all, const http_place *place, atg_arena *arena,
                         kept_session *ret) {
    const char *url = json_string_value(json_object_get(all, "server"));
    const char *token = json_string_value(json_object_get(all, "token"));
    const char *name = json_string_value(json_object_get(all, "name"));

    /* a token is never shown to another service */
    if (!url || strcmp(url, place->url) != 0 || !name || !token || strlen(token) != ACCOUNT_TOKEN)
        return false;
    memcpy(ret->token, token, ACCOUNT_TOKEN + 1);
    ret->name = atg_arena_str(arena, atg_str_of(name));
    ret->got_s = json_integer_value(json_object_get(all, "got"));
    return ret->name.p != NULL;
}

bool kept_session_read(const http_place *place, atg_arena *arena, kept_session *ret) {
    char path[PATH_SIZE];
    unsigned char text[SESSION_SIZE];
    size_t n = sizeof(text);
    kept_session s = {.got_s = 0};
    json_t *all;
    bool good;

    if (!session_path(place, path) || file_read_private(path, false, text, &n, NULL))
        return false;
    all = json_loadb((const char *)text, n, 0, NULL);
    bytes_wipe(text, sizeof(text));
    good = read_members(all, place, arena, &s);
    json_decref(all);
    if (good)
        *ret = s;
    return good;
}

int kept_session_write(const http_place *place, const kept_session *s, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(SESSION_SIZE);
    char path[PATH_SIZE];
    atg_str text;
    json j;
    int rc;

    if (!session_path(place, path))
        return no_place(err);
    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a session");
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "server");
    json_text(&j, place->url);
    json_key(&j, "name");
    json_str(&j, s->name);
    json_key(&j, "token");
    json_text(&j, s->token);
    json_key(&j, "got");
    json_int(&j, s->got_s);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &text, err);
    return rc ? rc : file_write_private(path, text, err);
}

void kept_session_forget(const http_place *place) {
    char path[PATH_SIZE];

    if (session_path(place, path))
        (void)unlink(path);
}

int kept_session_lock(const http_place *place) {
    char path[PATH_SIZE];
    int fd = settings_path(place, "lock", path)
                 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
                 : -1;

    if (fd >= 0)
        (void)flock(fd, LOCK_EX);
    return fd;
}

/* ---- the authority ---- */

bool kept_authority(const http_place *place, atg_arena *arena, atg_str *ret) {
    char path[PATH_SIZE];

    if (!settings_path(place, "pem", path) || access(path, R_OK) != 0)
        return false;
    *ret = atg_arena_str(arena, atg_str_of(path));
    return ret->p != NULL;
}

int kept_authority_write(const http_place *place, atg_arena *arena, atg_str pem, atg_str *ret_path,
                         atg_err *err) {
    char path[PATH_SIZE];
    int rc;

    if (!settings_path(place, "pem", path))
        return no_place(err);
    rc = file_write_private(path, pem, err);
    if (rc)
        return rc;
    *ret_path = atg_arena_str(arena, atg_str_of(path));
    return ret_path->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a certificate");
}

/* ---- the device ---- */

atg_str kept_device(const http_place *place, atg_arena *arena) {
    char path[PATH_SIZE];
    unsigned char text[DEVICE_SIZE];
    size_t n = sizeof(text);

    if (!settings_path(place, "device", path) || file_read_private(path, false, text, &n, NULL))
        return (atg_str){NULL, 0};
    return atg_arena_str(arena, (atg_str){(const char *)text, n});
}

int kept_device_write(const http_place *place, atg_str device, atg_err *err) {
    char path[PATH_SIZE];

    return settings_path(place, "device", path) ? file_write_private(path, device, err)
                                                : no_place(err);
}
